//! RFC 9112, HTTP/1.1: how messages are framed and connections are used.

mod early;
mod half_close;
mod old;

use portcullis_tests::{Origin, Proxy, get, ok, post, scene};

#[tokio::test]
async fn section_3_2_1_a_request_reaches_its_origin_in_origin_form() {
    let (_proxy, origin, mut client) = scene().await;
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
async fn section_3_2_2_the_origin_sees_the_host_that_was_judged() {
    let (_proxy, origin, mut client) = scene().await;
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
async fn section_6_3_a_length_that_is_said_twice_is_said_once() {
    let (_proxy, origin, mut client) = scene().await;
    for lengths in [
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2, 2",
    ] {
        let mut served = origin.asked_by(&mut client).await;
        served
            .send(format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\n{lengths}\r\n\r\nok"
            ))
            .await;
        let response = client.response().await;
        assert_eq!(
            response.head.matches("content-length: 2\r\n").count(),
            1,
            "{}",
            response.head
        );
        assert_eq!(response.body, "ok");
    }
}

#[tokio::test]
async fn section_6_3_a_length_beside_chunks_does_not_count() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let url = origin.url("/");
    for fields in [
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
    ] {
        let mut client = proxy.client().await;
        let next = get(&origin.url("/next"));
        client
            .send(format!(
                "POST {url} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n3\r\nabc\r\n0\r\n\r\n{next}"
            ))
            .await;
        let mut served = origin.accept().await;
        let head = served.head().await;
        assert!(!head.contains("content-length"), "{head}");
        assert_eq!(served.chunks().await, ["abc"]);
        served
            .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await;
        assert_eq!(client.response().await.status, 200);
        assert_eq!(client.rest().await, "");
    }
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn section_7_1_broken_chunks_end_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let url = origin.url("/");
    for chunks in [
        "0x1\r\na\r\n",
        "1_0\r\na\r\n",
        "12345678901234567\r\na\r\n",
        "1\r\nab\r\n",
        "1;\ra\r\nb\r\n",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!("POST {url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n{chunks}"))
            .await;
        let mut served = origin.accept().await;
        served.head().await;
        let rest = served.rest().await;
        assert!(!rest.ends_with("0\r\n\r\n"), "{chunks:?}: {rest:?}");
        let answer = client.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 400 "),
            "{chunks:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn section_8_an_origin_that_breaks_off_cannot_look_complete() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for framing in [
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        served.send(format!("HTTP/1.1 200 OK\r\n{framing}")).await;
        drop(served);
        let answer = client.rest().await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let is_cut = head.starts_with("HTTP/1.1 200 ")
            && match head.contains("chunked") {
                true => body == "4\r\nhalf\r\n",
                false => body == "half",
            };
        // The connection may break before the head is on its way, too.
        assert!(is_cut || head.starts_with("HTTP/1.1 502 "), "{answer:?}");
    }
}

#[tokio::test]
async fn section_9_3_1_a_request_that_met_a_closing_connection_is_sent_again() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_again_by(&mut client, "").await;
    served.send(ok("ok")).await;
    assert_eq!(client.response().await.body, "ok");
}

#[tokio::test]
async fn section_9_3_1_a_request_that_may_have_had_an_effect_is_not_sent_again() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("")).await;
    client.response().await;
    drop(served);

    let url = origin.url("/2");
    client
        .send(post(&url, "Content-Length: 3\r\n\r\npay"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("pay").await;
    drop(served);
    assert_eq!(client.response().await.status, 502);
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn section_3_2_4_options_for_a_server_as_a_whole_has_an_asterisk() {
    let (_proxy, origin, mut client) = scene().await;
    let authority = origin.authority();
    let mut served = None;
    for (target, seen) in [
        (format!("http://{authority}"), "*"),
        (format!("http://{authority}/"), "/"),
        (format!("http://{authority}?a"), "/?a"),
        (format!("HTTP://{authority}"), "*"),
    ] {
        client
            .send(format!(
                "OPTIONS {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
            ))
            .await;
        let served = match &mut served {
            Some(served) => served,
            None => served.insert(origin.accept().await),
        };
        let head = served.head().await;
        assert!(
            head.starts_with(&format!("OPTIONS {seen} HTTP/1.1\r\n")),
            "{target}: {head}"
        );
        served.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(client.response().await.status, 204, "{target}");
    }
}

#[tokio::test]
async fn section_3_2_a_host_may_have_an_empty_port() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(format!("GET {url} HTTP/1.1\r\nHost: a:\r\n\r\n"))
        .await;
    let head = origin.accept().await.head().await;
    let host = format!("\r\nhost: {}\r\n", origin.authority());
    assert!(head.contains(&host), "{head}");
}

#[tokio::test]
async fn section_3_2_bytes_that_may_not_stand_in_a_url_reach_the_origin_encoded() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = None;
    for (path, seen) in [
        (&b"/\"a\"<b>`c`"[..], "/%22a%22%3Cb%3E%60c%60"),
        (b"/?q=<\"`>&x={y}|z", "/?q=%3C%22%60%3E&x={y}|z"),
        (
            "/stra\u{df}e?\u{1f600}".as_bytes(),
            "/stra%C3%9Fe?%F0%9F%98%80",
        ),
        (b"/\xe4\xff", "/%E4%FF"),
        (b"/%22%C3%A4", "/%22%C3%A4"),
    ] {
        // In two pieces, too: the first ends within what has to be encoded.
        for pieces in [1, 2] {
            let url = [origin.url("").as_bytes(), path].concat();
            let head = [b"GET ", &url[..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
            let (first, second) = head.split_at(if pieces == 1 { 0 } else { url.len() });
            client.send(first).await;
            client.send(second).await;
            let served = match &mut served {
                Some(served) => served,
                None => served.insert(origin.accept().await),
            };
            let head = served.head().await;
            assert!(
                head.starts_with(&format!("GET {seen} HTTP/1.1\r\n")),
                "{head}"
            );
            served.send("HTTP/1.1 204 No Content\r\n\r\n").await;
            assert_eq!(client.response().await.status, 204, "{seen}");
        }
    }
}

#[tokio::test]
async fn section_3_2_bytes_that_may_not_stand_in_a_host_are_refused() {
    let proxy = Proxy::start().await;
    for host in [
        "a\"b.example",
        "a<b>.example",
        "b\u{fc}cher.example",
        "a`.example",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!("GET http://{host}/ HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        assert_eq!(client.response().await.status, 400, "{host}");
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn section_9_3_2_requests_that_are_sent_ahead_are_answered_in_order() {
    let (_proxy, origin, mut client) = scene().await;
    let url = |n| origin.url(&format!("/\"{n}\""));
    // The second head has bytes to encode, too, and each body ends where it says.
    client
        .send(format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /\r\n\
             POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nGET /\"\r\n0\r\nX-Y: z\r\n\r\n\
             GET {} HTTP/1.1\r\nHost: a\r\n\r\n",
            url(1),
            url(2),
            url(3)
        ))
        .await;
    for (method, n, body) in [
        ("POST", 1, "GET /"),
        ("POST", 2, "6\r\nGET /\"\r\n"),
        ("GET", 3, ""),
    ] {
        let mut served = origin.accept().await;
        let head = served.head().await;
        assert!(
            head.starts_with(&format!("{method} /%22{n}%22 HTTP/1.1\r\n")),
            "{head}"
        );
        served.expect(body).await;
        let answer =
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{n}");
        served.send(answer).await;
        assert_eq!(client.response().await.body, n.to_string());
    }
}

#[tokio::test]
async fn section_5_what_origins_may_be_forgiven_is_mended() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = None;
    let folded = "X-Folded: a\r\n b\r\n\tc\r\n";
    let spaced = "X-Spaced : a\r\nX-Tabbed\t: b\r\n";
    let identity = "Transfer-Encoding: identity\r\n";
    let head = format!("HTTP/1.1 200 OK\r\n{folded}{spaced}{identity}Content-Length: 2\r\n\r\nok");
    // Whole, and in two pieces wherever it may break.
    for at in 0..head.len() {
        client.send(get(&origin.url("/"))).await;
        let served = match &mut served {
            Some(served) => served,
            None => served.insert(origin.accept().await),
        };
        served.head().await;
        let (first, second) = head.split_at(at);
        served.send(first).await;
        served.send(second).await;
        let response = client.response().await;
        let words: Vec<_> = response
            .field("x-folded")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        assert_eq!(words, ["a", "b", "c"], "{}", response.head);
        assert_eq!(response.field("x-spaced"), Some("a"));
        assert_eq!(response.field("x-tabbed"), Some("b"));
        assert_eq!(response.field("transfer-encoding"), None);
        assert_eq!(response.body, "ok");
    }
}

#[tokio::test]
async fn section_2_2_what_is_not_http_is_answered_before_it_ends() {
    let proxy = Proxy::start().await;
    for beginning in [
        "\x16\x03\x01\x02\x00",
        "GET http://a.example/\r\n",
        "\r\n\x16",
    ] {
        let mut client = proxy.client().await;
        client.send(beginning).await;
        assert_eq!(client.response().await.status, 400, "{beginning:?}");
    }
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send("SSH-2.0-server\r\n").await;
    assert_eq!(client.response().await.status, 502);
}
