//! Clients and origins of HTTP/1.0.

use portcullis_tests::{Origin, Proxy, Row, get, ok, scene};

/// A proxy does not keep the connection of an old client: a client before it may have been meant
/// by what is said about that (appendix C.2.2).
#[tokio::test]
async fn section_9_3_the_connection_of_an_old_client_ends_with_its_response() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "Proxy-Connection: keep-alive\r\n",
        "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
    ] {
        let _row = Row::of(fields);
        let mut client = proxy.client().await;
        let (url, next) = (origin.url("/"), get(&origin.url("/next")));
        client
            .send(format!("GET {url} HTTP/1.0\r\n{fields}\r\n{next}"))
            .await;
        let mut served = origin.accept().await;
        let head = served.head().await;
        assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
        assert!(
            !head.contains("onnection") && !head.contains("keep-alive"),
            "{head}"
        );
        served.send(ok("ok")).await;
        let answer = client.response().await;
        assert!(
            answer.head.starts_with("HTTP/1.0 200 OK\r\n"),
            "{}",
            answer.head
        );
        assert_ne!(answer.field("connection"), Some("keep-alive"));
        assert_eq!(answer.body, "ok");
        assert_eq!(client.rest().await, "");
        assert!(!served.has_heard() && !origin.was_dialled());
    }
    // So does that of one which is refused.
    let mut client = proxy.client().await;
    let blocked =
        "GET http://www.blocked.portcullis.test/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    client.send(blocked).await;
    assert_eq!(client.response().await.status, 403);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn section_6_1_an_old_client_gets_a_body_without_chunks() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nol\r\n1\r\nd\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\nold\r\n0\r\nX: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nold",
        "HTTP/1.0 200 OK\r\n\r\nold",
    ] {
        let _row = Row::of(answer);
        let mut client = proxy.client().await;
        client
            .send(format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/")))
            .await;
        let mut served = origin.accept().await;
        served.head().await;
        served.send(answer).await;
        drop(served);
        let answer = client.rest().await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
        assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
        assert_eq!(body, "old");
    }
}

/// RFC 9110, section 10.1.1: a server ignores what an old client expects.
#[tokio::test]
async fn section_6_an_old_client_is_not_asked_for_its_body() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(format!(
            "PUT {url} HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(!head.contains("expect"), "{head}");
    client.send("body").await;
    served.expect("body").await;
    served
        .send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.response().await.status, 201);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn section_6_3_the_body_of_an_old_origin_ends_with_its_connection() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send("HTTP/1.0 200 OK\r\n\r\nold").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nvia: 1.0 portcullis-"), "{head}");
    client.expect("3\r\nold\r\n").await;
    served.send("er").await;
    client.expect("2\r\ner\r\n").await;
    drop(served);
    client.expect("0\r\n\r\n").await;
    client.send(get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET /next HTTP/1.1\r\n"));
}

#[tokio::test]
async fn section_9_3_an_old_origin_is_asked_again_only_where_it_keeps_its_connection() {
    let (_proxy, origin, mut client) = scene().await;
    let length = "Content-Length: 2\r\n\r\nok";
    let mut served = origin.asked_by(&mut client).await;
    served
        .send(format!(
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{length}"
        ))
        .await;
    assert_eq!(client.response().await.body, "ok");
    client.send(get(&origin.url("/2"))).await;
    assert!(served.head().await.starts_with("GET /2 "));
    served.send(format!("HTTP/1.0 200 OK\r\n{length}")).await;
    assert_eq!(client.response().await.body, "ok");
    assert_eq!(served.rest().await, "");
    client.send(get(&origin.url("/3"))).await;
    assert!(origin.accept().await.head().await.starts_with("GET /3 "));
}
