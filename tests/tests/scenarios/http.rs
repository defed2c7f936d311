//! Absolute-form requests, from the client to the origin and back.

// A file of its own beside this one would be another program to link.
mod bodies;
mod failures;
mod logins;

use portcullis_tests::{Proxy, Wire, get, ok, scene};

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let (_proxy, origin, mut client) = scene().await;
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
async fn an_old_client_gets_what_it_understands() {
    let (_proxy, origin, mut client) = scene().await;
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
    let (_proxy, origin, mut client) = scene().await;
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
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    let upgrade = format!(
        "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    // The second request is sent before the first is answered: it is HTTP as long as nothing was
    // switched.
    client.send(upgrade + &get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("no")).await;
    assert_eq!(client.response().await.body, "no");
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn http_2_is_not_offered_to_the_origin() {
    let (_proxy, origin, mut client) = scene().await;
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
async fn a_listener_on_all_addresses_is_dialled_under_none() {
    let proxy = Proxy::start_with(|config| {
        config.proxy.listen = "0.0.0.0:0".parse().unwrap();
        config.clients.open = true;
    })
    .await;
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
