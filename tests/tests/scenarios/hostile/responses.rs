//! Responses of broken and of malicious origins. What follows one on its connection is never taken
//! for the answer to another request: the connection is closed, and the next request has its own.

use portcullis_tests::{Log, Origin, Proxy, Response, Row, get, ok, scene, within};

/// The answer that the client gets to a GET when the origin sends this. The next request, which
/// comes over the client's same connection if that is still open, goes to a connection of its own.
async fn passed_on(proxy: &Proxy, origin: &Origin, sent: &[u8]) -> Response {
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(sent).await;
    let answer = client.response().await;
    assert_eq!(served.rest().await, "", "nothing more is asked there");
    if answer.field("connection") == Some("close") {
        client = proxy.client().await;
    }
    client.send(get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET /next "));
    served.send(ok("next")).await;
    assert_eq!(client.response().await.body, "next");
    answer
}

#[tokio::test]
async fn rfc9112_section_6_3_a_response_whose_end_is_not_clear_is_a_bad_gateway() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3, 4",
        "Content-Length: +3",
        "Content-Length: -3",
        "Content-Length: 0x3",
        "Content-Length:",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: gzip",
    ] {
        let _row = Row::of(fields);
        let sent = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        let answer = passed_on(&proxy, &origin, sent.as_bytes()).await;
        assert_eq!(answer.status, 502, "{answer:?}");
        let said = answer.field("proxy-status").unwrap_or_default();
        assert!(said.contains("error=http_protocol_error"), "{said}");
    }
}

#[tokio::test]
async fn rfc9112_section_4_what_is_not_a_response_is_a_bad_gateway() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for sent in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "220 mail.example ESMTP\r\n\r\n",
        "hello\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 +200 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        "HTTP/1.1 200 OK\r\nb@d: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n X: folded\r\n\r\n",
    ] {
        let _row = Row::of(sent);
        let answer = passed_on(&proxy, &origin, sent.as_bytes()).await;
        assert_eq!(answer.status, 502, "{answer:?}");
        let said = answer.field("proxy-status").unwrap_or_default();
        assert!(said.contains("error=http_protocol_error"), "{said}");
    }
}

/// What becomes of a head does not depend on what hyper passes over before it.
#[tokio::test]
async fn rfc9112_section_5_a_response_behind_empty_lines_is_mended_and_no_more_than_its_head() {
    let (_proxy, origin, mut client) = scene().await;
    let body = "HTTP/1.1 100 a\r\nB : c\r\n\r\n";
    for blank in ["\r\n", "\n", "\r\n\r\n", "\n\n\r\n"] {
        for interim in ["", "HTTP/1.1 103 Early Hints\r\nLink: <a>\x01\r\n\r\n"] {
            let _row = Row::of(&(blank, interim));
            let mut served = origin.asked_by(&mut client).await;
            let length = body.len();
            served
                .send(format!(
                    "{blank}{interim}{blank}HTTP/1.1 200 OK\r\nServer : a\x01b\r\nConnection: close\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                ))
                .await;
            let answer = client.final_response().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.field("server"), Some("a b"));
            assert_eq!(answer.body, body);
        }
    }
}

/// RFC 9112, section 6.3: such a response ends with its head, whatever the head says.
#[tokio::test]
async fn rfc9110_section_15_3_5_a_body_where_there_can_be_none_is_not_passed_on() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for status in ["204 No Content", "304 Not Modified"] {
        for rest in [
            "\r\nbody",
            "Content-Length: 4\r\n\r\nbody",
            "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        ] {
            let _row = Row::of(&(status, rest));
            let sent = format!("HTTP/1.1 {status}\r\nX-Own: 1\r\n{rest}");
            let answer = passed_on(&proxy, &origin, sent.as_bytes()).await;
            assert!(answer.head.starts_with(&format!("HTTP/1.1 {status}\r\n")));
            assert_eq!(answer.field("x-own"), Some("1"));
            assert_eq!(answer.field("transfer-encoding"), None);
        }
    }
}

/// Two answers to one request: the second is not that to the next.
#[tokio::test]
async fn rfc9112_section_9_2_what_comes_unasked_is_thrown_away() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for unasked in [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "\r\n",
        "x",
    ] {
        let _row = Row::of(unasked);
        let sent = ok("good") + unasked;
        let answer = passed_on(&proxy, &origin, sent.as_bytes()).await;
        assert_eq!((answer.status, &*answer.body), (200, "good"));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n";
        let sent = format!("{chunked}{unasked}");
        let answer = passed_on(&proxy, &origin, sent.as_bytes()).await;
        assert_eq!((answer.status, &*answer.body), (200, "good"));
    }
}

/// A client that has a part of a body sees that it is not all.
#[tokio::test]
async fn rfc9112_section_7_1_broken_chunks_of_an_origin_never_look_complete() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for chunk in [
        "0x1\r\na\r\n",
        "1_0\r\na\r\n",
        "-1\r\na\r\n",
        "FFFFFFFFFFFFFFFFF\r\na\r\n",
        "1\na\r\n",
        "1\r\na\n",
        "1\r\nab\r\n",
        "1;\ra\r\na\r\n",
        "0\n\n",
        "0\r\nb@d: 1\r\n\r\n",
    ] {
        let _row = Row::of(chunk);
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        served
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            .await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.expect("1\r\nx\r\n").await;
        served.send(format!("{chunk}0\r\n\r\n")).await;
        let rest = client.rest().await;
        assert!(rest.is_empty() || rest == "1\r\na\r\n", "{rest:?}");
        assert_eq!(served.rest().await, "");
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc9110_section_15_2_interim_responses_have_no_body() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let sent = "HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nevilHTTP/1.1 200 OK\r\n\r\n";
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(sent).await;
    assert_eq!(client.final_response().await.status, 502);
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn rfc9110_section_7_6_1_fields_of_the_origins_connection_do_not_reach_the_client() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "Connection: x-foo\r\nX-Foo: 1",
        "X-Foo: 1\r\nConnection: close\r\nconnection: X-FOO",
        "X-Foo: 1\r\nConnection: x-foo, \u{e4}",
        "Keep-Alive: timeout=5\r\nConnection: keep-alive",
        "Proxy-Connection: keep-alive",
        "Proxy-Authenticate: Basic realm=\"evil\"",
        "Proxy-Authentication-Info: a=b",
        "Upgrade: h2c",
        "TE: trailers",
    ] {
        let _row = Row::of(fields);
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        let sent = format!("HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: 2\r\n\r\nok");
        served.send(sent).await;
        let answer = client.response().await;
        let names = answer
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split(':').next());
        let mut names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "date", "via"], "{}", answer.head);
        assert_eq!(answer.body, "ok");
    }
}

#[tokio::test]
async fn rfc9112_section_3_a_head_of_a_mebibyte_is_a_bad_gateway() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let long = "x".repeat(1 << 20);
    let many: String = (0..2000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    for head in [
        format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n"),
        format!("HTTP/1.1 200 {long}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        // It has no end.
        format!("HTTP/1.1 200 OK\r\nX: {long}"),
    ] {
        let _row = Row::of(&head[..30]);
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        served.send_what_is_taken(head + &ok("evil")).await;
        let answer = client.response().await;
        assert_eq!(answer.status, 502, "{answer:?}");
        let said = answer.field("proxy-status").unwrap_or_default();
        assert!(
            said.contains("error=http_response_header_section_size"),
            "{said}"
        );
        assert_eq!(served.rest().await, "", "nothing more is asked there");
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc9110_section_7_6_a_body_without_end_ends_with_its_client() {
    let (proxy, origin, mut log) = (Proxy::start().await, Origin::start().await, Log::follow());
    for framing in [
        "Transfer-Encoding: chunked\r\n\r\n",
        "Connection: close\r\n\r\n",
        "Content-Length: 9999999999999\r\n\r\n",
    ] {
        let _row = Row::of(framing);
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        served.send(format!("HTTP/1.1 200 OK\r\n{framing}")).await;
        client.head().await;
        let piece = "400\r\n".to_owned() + &"x".repeat(1024) + "\r\n";
        for _ in 0..99 {
            served.send(&piece).await;
        }
        client.exactly(9999).await;
        drop(client);
        let sending = async { while served.try_send(&piece).await {} };
        within("the origin's connection is closed", sending).await;
        let port = format!(" port={} ", origin.port());
        log.says(&["kind=access", &port, " outcome=aborted"]).await;
    }
}
