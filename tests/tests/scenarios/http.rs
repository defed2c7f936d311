//! Absolute-form requests, from the client to the origin and back.

// A file of its own beside this one would be another program to link.
mod bodies;
mod failures;
mod half_close;

use portcullis_tests::{Origin, Proxy, Wire};

fn get(url: &str) -> String {
    let host = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default();
    format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[tokio::test]
async fn a_request_reaches_its_origin_in_origin_form() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/path?query=1"))).await;

    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.starts_with("GET /path?query=1 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nhost: {}\r\n", origin.authority())),
        "{head}"
    );
    assert!(head.contains("\r\nvia: 1.1 portcullis-"), "{head}");
    served
        .send("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-Own: yes\r\n\r\nhello")
        .await;

    let response = client.response().await;
    assert!(
        response.head.starts_with("HTTP/1.1 200 Fine\r\n"),
        "{}",
        response.head
    );
    assert_eq!(response.body, "hello");
    assert_eq!(response.field("x-own"), Some("yes"));
    assert!(
        response
            .field("via")
            .is_some_and(|via| via.starts_with("1.1 portcullis-"))
    );
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/1"))).await;
    let mut served = origin.accept().await;
    for n in 1..=3 {
        assert!(served.head().await.starts_with(&format!("GET /{n} ")));
        let answer = [
            "Content-Length: 2\r\n\r\nok",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ];
        served
            .send(format!("HTTP/1.1 200 OK\r\n{}", answer[n % 2]))
            .await;
        assert_eq!(client.response().await.body, "ok");
        client.send(get(&origin.url(&format!("/{}", n + 1)))).await;
    }
    // Another client of the same worker would do as well; there are two workers, so it is this one.
    assert!(served.head().await.starts_with("GET /4 "));
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn fields_of_one_connection_do_not_reach_the_other() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: x-a, keep-alive\r\nConnection: X-B, host\r\nX-A: 1\r\nX-B: 1\r\n\
             X-C: 1\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nKeep-Alive: 5\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let names: Vec<_> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split(':').next())
        .collect();
    let mut names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    assert_eq!(names, ["host", "via", "x-c"]);

    served
        .send(
            "HTTP/1.1 200 OK\r\nConnection: close, x-d\r\nX-D: 1\r\nX-E: 1\r\nProxy-Authenticate: Basic\r\n\
             Content-Length: 0\r\n\r\n",
        )
        .await;
    let response = client.response().await;
    assert_eq!(response.field("x-d"), None);
    assert_eq!(response.field("x-e"), Some("1"));
    assert_eq!(response.field("connection"), None);
    assert_eq!(response.field("proxy-authenticate"), None);
}

#[tokio::test]
async fn the_origin_sees_the_host_that_was_judged() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: another.example\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(
        head.contains(&format!("\r\nhost: {}\r\n", origin.authority())),
        "{head}"
    );
    assert!(!head.contains("another"), "{head}");
}

#[tokio::test]
async fn an_old_client_gets_what_it_understands() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client
        .send(format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/")))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nvia: 1.0 portcullis-"), "{head}");
    served
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        .await;
    let response = client.response().await;
    assert!(
        response.head.starts_with("HTTP/1.0 200 OK\r\n"),
        "{}",
        response.head
    );
    assert_eq!(response.field("transfer-encoding"), None);
    assert_eq!(response.body, "ok");
}

#[tokio::test]
async fn a_websocket_is_joined_with_its_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/chat");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(
        head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
    served
        .send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    client.expect("first").await;
    client.send("ping").await;
    served.expect("ping").await;
    served.finish().await;
    assert_eq!(client.rest().await, "");
    client.send("last").await;
    client.finish().await;
    assert_eq!(served.rest().await, "last");
}

#[tokio::test]
async fn an_upgrade_that_is_declined_is_an_ordinary_exchange() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    let upgrade = format!(
        "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    // The second request is sent before the first is answered: it is HTTP as long as nothing was
    // switched.
    client.send(upgrade + &get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert_eq!(client.response().await.body, "no");
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn http_2_is_not_offered_to_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(
        !head.contains("upgrade") && !head.contains("http2"),
        "{head}"
    );
}

#[tokio::test]
async fn a_request_does_not_run_in_circles() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client
        .send(get(&format!("http://{}/", proxy.address())))
        .await;
    assert_eq!(client.response().await.status, 508);

    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let via = head
        .lines()
        .find(|line| line.starts_with("via: "))
        .unwrap_or_default();
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.response().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\n{via}, 1.1 other\r\n\r\n"
        ))
        .await;
    assert_eq!(client.response().await.status, 508);
}

#[tokio::test]
async fn a_listener_on_all_addresses_is_dialled_under_none() {
    let proxy =
        Proxy::start_with(|config| config.proxy.listen = "0.0.0.0:0".parse().unwrap()).await;
    let port = proxy.address().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "localhost",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::]",
    ] {
        let mut client = Wire::connect(([127, 0, 0, 1], port).into()).await;
        client.send(get(&format!("http://{host}:{port}/"))).await;
        assert_eq!(client.response().await.status, 508, "{host}");
    }
}

#[tokio::test]
async fn options_may_be_meant_for_the_proxy() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(client.response().await.field("allow").is_some());
    let url = origin.url("/");
    client
        .send(format!(
            "OPTIONS {url} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n"
        ))
        .await;
    assert!(client.response().await.field("allow").is_some());
    client
        .send(format!(
            "OPTIONS {url} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 2\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(head.starts_with("OPTIONS / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nmax-forwards: 1\r\n"), "{head}");
}
