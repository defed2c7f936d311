//! Clients that close their sending side after a request, as section 9.6 lets them.

use std::time::Duration;

use portcullis_tests::{OPTIONS, Origin, Proxy, connect, get, post, scene};

#[tokio::test]
async fn section_9_6_a_client_that_closes_its_sending_side_gets_its_response() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(get(&origin.url("/"))).await;
    client.finish().await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    served.send("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(client.chunks().await.concat(), "onetwo");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn section_9_6_a_client_that_closes_its_sending_side_gets_its_tunnel() {
    let (_proxy, origin, mut client) = scene().await;
    let authority = origin.authority();
    client.send(connect(&authority) + "question").await;
    client.finish().await;
    let mut served = origin.accept().await;
    assert_eq!(served.rest().await, "question");
    served.send("answer").await;
    drop(served);
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(client.rest().await, "answer");
}

#[tokio::test]
async fn section_9_6_a_reset_ends_the_exchange_of_a_client_that_had_half_closed() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(get(&origin.url("/"))).await;
    client.finish().await;
    let mut served = origin.accept().await;
    served.head().await;
    client.reset();
    assert_eq!(served.rest().await, "", "the origin is let go");
}

#[tokio::test]
async fn section_9_6_a_half_closed_exchange_has_a_limit_of_its_own() {
    let proxy = Proxy::start_with(|config| {
        config.limits.half_closed = Duration::from_millis(50);
    });
    let (proxy, origin) = (proxy.await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    client.finish().await;
    let mut served = origin.accept().await;
    served.head().await;
    assert_eq!(served.rest().await, "", "the origin is let go");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn section_9_6_a_half_closed_tunnel_has_a_limit_of_its_own() {
    let proxy = Proxy::start_with(|config| {
        config.limits.half_closed = Duration::from_millis(50);
    });
    let (proxy, origin) = (proxy.await, Origin::start().await);
    for closing in ["client", "origin"] {
        let mut client = proxy.client().await;
        client.send(connect(&origin.authority())).await;
        let mut served = origin.accept().await;
        client.head().await;
        let (closing, open) = match closing {
            "client" => (&mut client, &mut served),
            _ => (&mut served, &mut client),
        };
        closing.finish().await;
        assert_eq!(open.rest().await, "");
        assert_eq!(closing.rest().await, "", "the other way is closed as well");
    }
}

#[tokio::test]
async fn section_9_6_a_body_that_breaks_off_is_no_half_close() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Content-Length: 10\r\n\r\nhalf"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("half").await;
    client.finish().await;
    assert_eq!(served.rest().await, "", "the request is broken off");
}

#[tokio::test]
async fn section_9_6_a_connection_whose_client_has_half_closed_ends_with_its_response() {
    let proxy = Proxy::start_with(|config| {
        config.limits.keep_alive = Duration::from_secs(3600);
    });
    let (proxy, gone) = (proxy.await, Origin::gone());
    for request in [
        get("http://www.blocked.portcullis.test/"),
        OPTIONS.to_owned(),
        get(&format!("http://{gone}/")),
    ] {
        let mut client = proxy.client().await;
        client.send(request).await;
        client.finish().await;
        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer:?}");
    }
}
