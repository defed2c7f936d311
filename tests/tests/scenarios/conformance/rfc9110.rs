//! RFC 9110, HTTP semantics: what a proxy must do with messages that it understands.

mod content;

use portcullis_tests::{OPTIONS, Origin, Proxy, Wire, get, ok, scene};

/// Another request over the same connections on both sides.
async fn next_is_answered(client: &mut Wire, served: &mut Wire, origin: &Origin) {
    client.send(get(&origin.url("/next"))).await;
    assert!(served.head().await.starts_with("GET /next "));
    served.send(ok("next")).await;
    assert_eq!(client.response().await.body, "next");
}

#[tokio::test]
async fn section_7_6_1_fields_of_one_connection_do_not_reach_the_other() {
    let (_proxy, origin, mut client) = scene().await;
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
async fn section_7_6_3_a_request_does_not_run_in_circles() {
    let (proxy, origin, mut client) = scene().await;
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
    served.send(ok("")).await;
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
async fn section_9_3_7_options_may_be_meant_for_the_proxy() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(OPTIONS).await;
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

#[tokio::test]
async fn section_6_5_trailers_pass_both_ways() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\nup\r\n0\r\nX-Sum: 1\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(
        head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"),
        "{head}"
    );
    assert_eq!(served.chunks().await, ["up", "x-sum: 1"]);
    served
        .send(
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\ndown\r\n0\r\nX-Sum: 2\r\n\r\n",
        )
        .await;
    client.head().await;
    assert_eq!(client.chunks().await, ["down", "x-sum: 2"]);
    client.send(get(&origin.url("/next"))).await;
    assert!(served.head().await.starts_with("GET /next "));
}

/// A request whose body waits until it is asked for: the origin's end.
async fn expecting(origin: &Origin, client: &mut Wire) -> Wire {
    let url = origin.url("/");
    client
        .send(format!(
            "PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ))
        .await;
    origin.accept().await
}

#[tokio::test]
async fn section_10_1_1_a_body_is_asked_for_when_the_origin_asks_for_it() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = expecting(&origin, &mut client).await;
    assert!(served.head().await.contains("\r\nexpect: 100-continue\r\n"));
    served.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.send("body").await;
    served.expect("body").await;
    served
        .send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.response().await.status, 201);
    client.send(get(&origin.url("/next"))).await;
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn section_10_1_1_a_body_that_the_origin_does_not_want_is_not_asked_for() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = expecting(&origin, &mut client).await;
    served.head().await;
    served
        .send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let response = client.response().await;
    assert_eq!((response.status, response.body.as_str()), (413, "no"));
    assert_eq!(response.field("connection"), Some("close"));
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn section_10_1_1_an_origin_that_knows_no_expectations_gets_the_body_all_the_same() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = expecting(&origin, &mut client).await;
    served.head().await;
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.send("body").await;
    served.expect("body").await;
}

#[tokio::test]
async fn section_5_4_heads_have_many_fields_and_a_limit_in_bytes() {
    let (proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    let fields = |n: usize| -> String { (0..n).map(|n| format!("X-{n}: {n}\r\n")).collect() };
    let mut served = None;
    for n in [120, 990] {
        let many = fields(n);
        client
            .send(format!("GET {url} HTTP/1.1\r\nHost: a\r\n{many}\r\n"))
            .await;
        let served = match &mut served {
            Some(served) => served,
            None => served.insert(origin.accept().await),
        };
        let head = served.head().await;
        assert_eq!(head.matches("\r\nx-").count(), n);
        served
            .send(format!(
                "HTTP/1.1 200 OK\r\n{many}Content-Length: 2\r\n\r\nok"
            ))
            .await;
        let response = client.response().await;
        assert_eq!(response.head.matches("\r\nx-").count(), n);
        assert_eq!(response.body, "ok");
    }
    let size = proxy.config().limits.head_size;
    drop(served);
    for head in [fields(1001), format!("X: {}\r\n", "x".repeat(size))] {
        client.send(get(&url)).await;
        let mut served = origin.accept().await;
        served.head().await;
        let answer = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nok");
        served.send_what_is_taken(answer).await;
        let response = client.response().await;
        assert_eq!(response.status, 502);
        let proxy_status = response.field("proxy-status").unwrap_or_default();
        assert!(
            proxy_status.contains("error=http_response_header_section_size;"),
            "{proxy_status}"
        );
    }
}

#[tokio::test]
async fn section_5_4_the_limit_of_a_head_is_a_setting() {
    let proxy = Proxy::start_with(|config| config.limits.head_size = 200 << 10).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let (url, large) = (origin.url("/"), "x".repeat(190 << 10));
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: a\r\nX: {large}\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    assert!(served.head().await.contains(&large));
    served
        .send(format!(
            "HTTP/1.1 200 OK\r\nX: {large}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    assert_eq!(client.response().await.field("x"), Some(&*large));
}

#[tokio::test]
async fn section_5_1_names_of_fields_are_spelled_as_their_sender_spells_them() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHOST: x\r\nSOAPAction: a\r\ncontent-Type: text/xml\r\nX-aPI-KEY: 1\r\nx-api-key: 2\r\n\
             Content-Length: 2\r\n\r\nhi"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.spelled_head().await;
    let host = format!("HOST: {}", origin.authority());
    for field in [
        &host,
        "SOAPAction: a",
        "content-Type: text/xml",
        "X-aPI-KEY: 1",
        "x-api-key: 2",
        "Content-Length: 2",
    ] {
        assert!(head.contains(&format!("\r\n{field}\r\n")), "{head}");
    }
    served.expect("hi").await;
    served
        .send("HTTP/1.1 200 OK\r\nX-Organization: a\r\nETag: \"1\"\r\nWWW-Authenticate: Basic realm=x\r\nCONTENT-Length: 0\r\n\r\n")
        .await;
    let head = client.spelled_head().await;
    for name in [
        "X-Organization",
        "ETag",
        "WWW-Authenticate",
        "CONTENT-Length",
    ] {
        assert!(head.contains(&format!("\r\n{name}: ")), "{head}");
    }

    // Also if the request has to be sent again.
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHoST: x\r\nX-aPI-KEY: 1\r\n\r\n"
        ))
        .await;
    served.head().await;
    drop(served);
    let head = origin.accept().await.spelled_head().await;
    let host = host.replace("HOST", "HoST");
    assert!(head.contains(&format!("\r\n{host}\r\n")), "{head}");
    assert!(head.contains("\r\nX-aPI-KEY: 1\r\n"), "{head}");
}

#[tokio::test]
async fn section_5_1_names_in_interim_responses_are_spelled_as_their_sender_spells_them() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    served
        .send("HTTP/1.1 100 Continue\r\nlink: 0\r\n\r\nHTTP/1.1 102 Processing\r\nX-iD: 1\r\n\r\n")
        .await;
    let head = client.spelled_head().await;
    assert!(head.contains("\r\nX-iD: 1\r\n"), "{head}");
    // The space before the colon is taken out.
    served
        .send(
            "HTTP/1.1 103 Early Hints\r\nLINK: <a>\r\nX-ID: 2\r\n\r\nHTTP/1.1 103 Early Hints\r\nLinK : <b>\r\n\r\n\
             HTTP/1.1 200 OK\r\nlINK: <c>\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
    for fields in ["LINK: <a>\r\nX-ID: 2", "LinK: <b>", "lINK: <c>"] {
        let head = client.spelled_head().await;
        assert!(head.contains(&format!("\r\n{fields}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn section_5_5_control_characters_of_an_origin_become_spaces() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nServer: a\x01b\x7fc\x0bd\r\nContent-Length: 2\r\n\r\no\x01")
        .await;
    let response = client.response().await;
    assert_eq!(response.field("server"), Some("a b c d"));
    assert_eq!(response.body, "o\x01", "only in the head");

    for dangerous in ["a\0b", "a\rb"] {
        client.send(get(&origin.url("/"))).await;
        served.head().await;
        let answer = format!("HTTP/1.1 200 OK\r\nServer: {dangerous}\r\nContent-Length: 0\r\n\r\n");
        served.send(answer).await;
        assert_eq!(client.response().await.status, 502, "{dangerous:?}");
        client.send(get(&origin.url("/"))).await;
        served = origin.accept().await;
        served.head().await;
        served.send(ok("")).await;
        client.response().await;
    }
}

#[tokio::test]
async fn section_15_2_interim_responses_are_forwarded() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client.send(get(&url)).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 102 Processing\r\nConnection: x-a\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n")
        .await;
    let interim = client.response().await;
    assert_eq!(interim.status, 102);
    assert_eq!(interim.field("x-a"), None);
    assert!(
        interim
            .field("via")
            .is_some_and(|via| via.starts_with("1.1 portcullis-"))
    );
    served.send("\r\n").await;
    let interim = client.response().await;
    assert!(interim.head.starts_with("HTTP/1.1 103 Early Hints\r\n"));
    assert_eq!(interim.field("link"), Some("<a>"));
    served
        .send("HTTP/1.1 103 Early Hints\r\nLink: <b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    assert_eq!(client.response().await.field("link"), Some("<b>"));
    assert_eq!(client.response().await.body, "ok");

    // The client's connection goes on, and what a body waits for is said once.
    drop(served);
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        .await;
    let first = client.response().await.status;
    let second = client.response().await.status;
    assert_eq!([first.min(second), first.max(second)], [100, 103]);
    client.send("hi").await;
    served.expect("hi").await;
    served.send(ok("fine")).await;
    assert_eq!(client.response().await.body, "fine");
}

#[tokio::test]
async fn section_15_2_an_old_client_gets_no_interim_response() {
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/");
    client.send(format!("GET {url} HTTP/1.0\r\n\r\n")).await;
    let mut served = origin.accept().await;
    served.head().await;
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n";
    served.send(format!("{interim}{}", ok("ok"))).await;
    let response = client.response().await;
    assert_eq!(response.status, 200);
    assert_eq!(response.field("link"), None);
    assert_eq!(response.body, "ok");
}
