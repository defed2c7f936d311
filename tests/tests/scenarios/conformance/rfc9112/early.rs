//! Origins that answer before they have read all of a request (section 9.5).

use portcullis_tests::{Origin, Proxy, Wire, get, ok, post};

/// A request of which the origin has got the head and `begun`.
async fn uploading(proxy: &Proxy, origin: &Origin, rest: &str, begun: &str) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(post(&origin.url("/"), rest)).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect(begun).await;
    (client, served)
}

const REFUSAL: &str =
    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";

#[tokio::test]
async fn section_9_5_an_early_refusal_reaches_a_client_that_still_sends() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for (rest, begun) in [
        ("Content-Length: 100\r\n\r\none", "one"),
        (
            "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
            "3\r\none\r\n",
        ),
    ] {
        let (mut client, mut served) = uploading(&proxy, &origin, rest, begun).await;
        served.send(REFUSAL).await;
        served.finish().await;
        let answer = client.response().await;
        assert_eq!((answer.status, &*answer.body), (413, "no"));
        assert_eq!(served.rest().await, "", "no more of the body is sent");
        // What is left of the body is not a request.
        client
            .send_what_is_taken(get(&origin.url("/smuggled")))
            .await;
        assert_eq!(client.rest().await, "");
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn section_9_5_an_early_answer_that_keeps_the_connection_does_not_end_the_body() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let rest = "Content-Length: 6\r\n\r\none";
    let (mut client, mut served) = uploading(&proxy, &origin, rest, "one").await;
    served.send(ok("early")).await;
    assert_eq!(client.response().await.body, "early");
    client.send("two").await;
    served.expect("two").await;
    client.send(get(&origin.url("/next"))).await;
    let mut next = origin.accept().await;
    assert!(next.head().await.starts_with("GET /next "));
    next.send(ok("next")).await;
    assert_eq!(client.response().await.body, "next");
    assert!(!served.has_heard());
}
