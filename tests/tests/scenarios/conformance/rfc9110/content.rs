//! Responses that have no content, whatever their heads say.

use portcullis_tests::{Proxy, Row, get, ok, scene};

use super::next_is_answered;

#[tokio::test]
async fn section_9_3_2_an_answer_to_head_has_the_head_of_one_to_get_and_no_content() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    let mut served = None;
    for (fields, length) in [
        ("Content-Length: 1000\r\nETag: \"1\"", Some("1000")),
        ("Content-Length: 0\r\nETag: \"1\"", Some("0")),
        ("Transfer-Encoding: chunked\r\nETag: \"1\"", None),
        ("ETag: \"1\"", None),
    ] {
        let _row = Row::of(fields);
        client
            .send(format!("HEAD {url} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        let served = match &mut served {
            Some(served) => served,
            None => served.insert(origin.accept().await),
        };
        assert!(served.head().await.starts_with("HEAD / HTTP/1.1\r\n"));
        served
            .send(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"))
            .await;
        let head = client.response_to("HEAD").await;
        assert_eq!(head.status, 200);
        assert_eq!(head.field("content-length"), length);
        assert_eq!(head.field("etag"), Some("\"1\""));
        next_is_answered(&mut client, served, &origin).await;
    }
}

#[tokio::test]
async fn section_9_3_2_a_refusal_of_head_has_the_head_of_one_of_get_and_no_content() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    let url = "http://www.blocked.portcullis.test/";
    client.send(get(url)).await;
    let page = client.response().await;
    assert_eq!(page.status, 403);
    client
        .send(format!("HEAD {url} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .await;
    let head = client.response_to("HEAD").await;
    assert_eq!(head.status, 403);
    let length = page.body.len().to_string();
    assert_eq!(head.field("content-length"), Some(&*length));
    client.send(get(url)).await;
    assert_eq!(client.response().await.body, page.body);
}

/// A response to a request that was not HEAD, and has no content all the same.
#[tokio::test]
async fn sections_15_3_5_and_15_4_5_204_and_304_end_with_their_heads() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("")).await;
    client.response().await;
    for status in ["204 No Content", "304 Not Modified"] {
        for fields in ["ETag: \"1\"", "ETag: \"1\"\r\nContent-Length: 5"] {
            let _row = Row::of(&(status, fields));
            client.send(get(&origin.url("/"))).await;
            served.head().await;
            served
                .send(format!("HTTP/1.1 {status}\r\n{fields}\r\n\r\n"))
                .await;
            let answer = client.response().await;
            assert!(answer.head.starts_with(&format!("HTTP/1.1 {status}\r\n")));
            assert_eq!(answer.field("etag"), Some("\"1\""));
            // Section 8.6: 204 has no length, and a 304 without one says the same.
            assert_eq!(answer.field("content-length"), None);
            assert_eq!(answer.field("transfer-encoding"), None);
            next_is_answered(&mut client, &mut served, &origin).await;
        }
    }
}

#[tokio::test]
async fn section_15_3_6_205_has_an_end_although_it_has_no_content() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    for fields in [
        "Content-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let _row = Row::of(fields);
        served
            .send(format!("HTTP/1.1 205 Reset Content\r\n{fields}"))
            .await;
        let answer = client.response().await;
        assert_eq!((answer.status, &*answer.body), (205, ""));
        client.send(get(&origin.url("/"))).await;
        served.head().await;
    }
}
