//! Bodies of requests and of responses: how they are framed, and that they flow.

use std::time::Duration;

use portcullis_tests::{OPTIONS, Origin, Proxy, get, ok, post, scene};

#[tokio::test]
async fn bodies_are_passed_on_while_they_come() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n"))
        .await;
    let mut served = origin.accept().await;
    assert!(
        served
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    served.expect("3\r\none\r\n").await;
    client.send("3\r\ntwo\r\n0\r\n\r\n").await;
    served.expect("3\r\ntwo\r\n0\r\n\r\n").await;

    served.send("HTTP/1.1 200 OK\r\n\r\nthree").await;
    assert!(
        client
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    client.expect("5\r\nthree\r\n").await;
    served.send("four").await;
    client.expect("4\r\nfour\r\n").await;
    drop(served);
    client.expect("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_slow_reader_slows_its_sender_down() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    let length = 1 << 30;
    served
        .send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
    let sent = served.send_until_stuck().await;
    assert!(
        sent < 64 << 20,
        "{sent} bytes were taken for a client that reads nothing"
    );

    client.head().await;
    client.exactly(sent).await;
    served.send("more").await;
    client.expect("more").await;
}

#[tokio::test]
async fn an_origin_may_answer_while_it_reads() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Content-Length: 9\r\n\r\none"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("one").await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nuno")
        .await;
    client.head().await;
    client.expect("uno").await;
    client.send("two").await;
    served.expect("two").await;
    served.send("due").await;
    client.expect("due").await;
    client.send("six").await;
    served.expect("six").await;
    client.send(get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn an_upload_that_no_longer_moves_is_given_up() {
    let origin = Origin::start().await;
    let proxy = Proxy::start_with(|config| {
        config.limits.idle = Duration::from_secs(1);
        config.limits.shutdown = Duration::from_secs(60);
    })
    .await;
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Content-Length: 999999999\r\n\r\n"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("ok")).await;
    client.head().await;
    client.expect("ok").await;
    client.send_until_stuck().await;
    drop(client);
    // The origin still holds its connection and reads nothing; the end of the proxy does not wait
    // for it.
    proxy.stop().await;
    drop(served);
}

#[tokio::test]
async fn a_get_with_a_body_stays_framed() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    client
        .send(format!("GET {url} HTTP/1.1\r\nHost: x\r\n{chunked}"))
        .await;
    let mut served = origin.accept().await;
    assert!(
        served
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    assert_eq!(served.chunks().await, ["body"]);
    served.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(client.response().await.status, 204);
    drop(served);

    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
        ))
        .await;
    let mut served = origin.accept().await;
    assert!(served.head().await.contains("\r\ncontent-length: 4\r\n"));
    served.expect("body").await;
}

#[tokio::test]
async fn answers_without_a_body_end_where_they_end() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(format!("HEAD {url} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .await;
    let head = client.response_to("HEAD").await;
    assert_eq!(head.field("content-length"), Some("1000"));
    for status in ["204 No Content", "304 Not Modified"] {
        client.send(get(&url)).await;
        served.head().await;
        served
            .send(format!("HTTP/1.1 {status}\r\nETag: \"a\"\r\n\r\n"))
            .await;
        assert!(
            client
                .response()
                .await
                .head
                .starts_with(&format!("HTTP/1.1 {status}\r\n"))
        );
    }
}

#[tokio::test]
async fn a_response_that_overtakes_its_upload_goes_on_while_it_moves() {
    let idle = Duration::from_secs(2);
    let proxy = Proxy::start_with(|config| config.limits.idle = idle).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("3\r\none\r\n").await;
    served
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.head().await;
    // The upload rests for longer than the limit, and the response does not.
    let begun = std::time::Instant::now();
    while begun.elapsed() < idle + idle / 4 {
        served.send("1\r\n.\r\n").await;
        client.expect("1\r\n.\r\n").await;
    }
    served.send("0\r\n\r\n").await;
    client.expect("0\r\n\r\n").await;
}

/// It is no head of a request, for which there is less room.
#[tokio::test]
async fn an_upload_of_any_length_may_outlive_its_response() {
    let (_proxy, origin, mut client) = scene().await;
    let piece = "x".repeat(64 << 10);
    let pieces = 320;
    let length = pieces * piece.len();
    let head = format!("Content-Length: {length}\r\n\r\n");
    client.send(post(&origin.url("/"), &head)).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("early")).await;
    assert_eq!(client.response().await.body, "early");
    for _ in 0..pieces {
        client.send(&piece).await;
        served.expect(&piece).await;
    }
    client.send(OPTIONS).await;
    assert_eq!(client.response().await.status, 200);
}
