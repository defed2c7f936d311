//! NTLM and Negotiate log a connection in, not a request (RFC 4559, section 6).

use std::num::NonZeroUsize;

use portcullis_tests::{Origin, Proxy, Response, Wire};

use super::get;

/// With one worker, where clients share connections to origins.
async fn one_worker() -> Proxy {
    Proxy::start_with(|config| config.proxy.workers = NonZeroUsize::MIN).await
}

/// A request with credentials, and its answer, over connections that are there already.
async fn exchange(
    client: &mut Wire,
    served: &mut Wire,
    request: &str,
    credentials: &str,
    answer: &str,
) -> Response {
    let request = request.replacen("\r\n\r\n", &format!("\r\n{credentials}\r\n"), 1);
    client.send(request).await;
    let head = served.head().await;
    assert!(head.contains(&credentials.to_lowercase()[..9]), "{head}");
    served
        .send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"))
        .await;
    client.response().await
}

const CHALLENGE: &str = "401 Unauthorized\r\nWWW-Authenticate: NTLM TYPE2";

#[tokio::test]
async fn a_connection_that_a_client_has_logged_in_on_serves_no_other_client() {
    let (proxy, origin) = (one_worker().await, Origin::start().await);
    let request = get(&origin.url("/"));
    let (mut alice, mut stranger) = (proxy.client().await, proxy.client().await);

    // The connection was a stranger's before, and there is another one that was used later.
    stranger.send(&request).await;
    let mut first = origin.accept().await;
    first.head().await;
    alice.send(&request).await;
    let mut second = origin.accept().await;
    second.head().await;
    second
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    alice.response().await;
    first
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    stranger.response().await;

    let one = "Authorization: NTLM TYPE1\r\n";
    let answer = exchange(&mut alice, &mut first, &request, one, CHALLENGE).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.field("www-authenticate"), Some("NTLM TYPE2"));
    assert_eq!(
        answer.field("proxy-support"),
        Some("Session-Based-Authentication")
    );
    let (other, none) = ("X-Other: 1\r\n", "X-None: 1\r\n");
    exchange(&mut stranger, &mut second, &request, other, "200 OK").await;
    let three = "Authorization: NTLM TYPE3\r\n";
    exchange(&mut alice, &mut first, &request, three, "200 OK").await;
    exchange(&mut alice, &mut first, &request, none, "200 OK").await;

    let mut another = proxy.client().await;
    exchange(&mut another, &mut second, &request, other, "200 OK").await;
    drop(second);
    another.send(&request).await;
    origin.accept().await.head().await;

    drop(alice);
    assert_eq!(first.rest().await, "");
}

#[tokio::test]
async fn a_client_that_is_invited_to_log_in_keeps_its_connection() {
    let (proxy, origin) = (one_worker().await, Origin::start().await);
    let request = get(&origin.url("/"));
    let mut alice = proxy.client().await;
    alice.send(&request).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\", Negotiate\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(alice.response().await.status, 401);

    let mut stranger = proxy.client().await;
    stranger.send(&request).await;
    origin.accept().await.head().await;
    let token = "Authorization: Negotiate YII=\r\n";
    exchange(&mut alice, &mut served, &request, token, "200 OK").await;
}
