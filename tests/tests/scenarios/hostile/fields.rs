//! Fields that are for one connection, and those by which a request is meant for the proxy.

use portcullis_tests::{Origin, Proxy, Row, get, ok};

use super::{arrives, is_refused, passes, passes_bytes, to};

const ARRIVING: &str = "GET / HTTP/1.1\r\nHost: {host}\r\nvia: 1.1 portcullis-N\r\n\r\n";

#[tokio::test]
async fn rfc9110_section_7_6_1_framing_and_routing_cannot_be_taken_out() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for nominated in ["content-length", "Host", "content-length, host, close-not"] {
        let sent = format!(
            "POST {{}} HTTP/1.1\r\nHost: a\r\nConnection: {nominated}\r\nContent-Length: 1\r\n\r\na"
        );
        let arriving = "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\n\
                        via: 1.1 portcullis-N\r\n\r\na";
        passes(&proxy, &origin, &sent, arriving).await;
    }
    for nominated in ["transfer-encoding", "Transfer-Encoding, trailer"] {
        let sent = format!(
            "POST {{}} HTTP/1.1\r\nHost: a\r\nConnection: {nominated}\r\n\
             Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
        );
        let arriving = "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
                        via: 1.1 portcullis-N\r\n\r\n1\r\na\r\n0\r\n\r\n";
        passes(&proxy, &origin, &sent, arriving).await;
    }
}

#[tokio::test]
async fn rfc9110_section_7_6_1_fields_of_the_connection_do_not_reach_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "Connection: x-foo\r\nX-Foo: 1",
        "X-Foo: 1\r\nx-foo: 2\r\nConnection: keep-alive, X-FOO",
        "Connection: keep-alive\r\nX-Foo: 1\r\nConnection: x-foo",
        "Connection: ,, x-foo ,\r\nX-Foo: 1",
        "Connection: cookie\r\nCookie: a=b",
        "Connection: @, \"x\", (comment)",
        "Proxy-Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "Proxy-Authorization: Basic eDp5",
        "Proxy-Authorization: Basic eDp5\r\nProxy-Authorization: Basic eTp6",
        "TE: gzip;q=1.0",
        "TE: gzip\r\nConnection: TE",
        "Upgrade: h2c\r\nHTTP2-Settings: AA\r\nConnection: Upgrade, HTTP2-Settings",
        "Upgrade: websocket",
    ] {
        let sent = format!("GET {{}} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        passes(&proxy, &origin, &sent, ARRIVING).await;
    }
    // What is no text takes nothing away from what stands beside it.
    let sent = to(
        &origin,
        "GET {} HTTP/1.1\r\nHost: a\r\nX-Foo: 1\r\nConnection: x-foo, ",
    );
    let sent = [sent.as_bytes(), b"\xe4\r\n\r\n"].concat();
    passes_bytes(&proxy, &origin, &sent, ARRIVING).await;
}

#[tokio::test]
async fn rfc9112_section_9_6_what_is_not_text_does_not_keep_a_connection_open() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let next = get(&origin.url("/next"));
    for fields in [
        &b"Connection: close"[..],
        b"Connection: close, \xff",
        b"Connection: \xe4,Close",
        b"Connection: keep-alive\r\nConnection: \xff, close",
    ] {
        let row = fields.escape_ascii().to_string();
        let _row = Row::of(&row);
        let start = to(&origin, "GET {} HTTP/1.1\r\nHost: a\r\n");
        let sent = [start.as_bytes(), fields, b"\r\n\r\n", next.as_bytes()].concat();
        let mut client = proxy.client().await;
        client.send(sent).await;
        let mut served = origin.accept().await;
        arrives(&mut served, &to(&origin, ARRIVING)).await;
        served.send(ok("ok")).await;
        let answer = client.response().await;
        assert_eq!(answer.field("connection"), Some("close"));
        assert_eq!(answer.body, "ok");
        assert_eq!(client.rest().await, "");
        assert!(!served.has_heard() && !origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc9110_section_7_6_2_a_request_with_no_hops_left_is_answered_here() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for hops in ["0", "00"] {
        let _row = Row::of(hops);
        let mut client = proxy.client().await;
        let sent = format!("OPTIONS {{}} HTTP/1.1\r\nHost: a\r\nMax-Forwards: {hops}\r\n\r\n");
        client.send(to(&origin, &sent)).await;
        let response = client.response().await;
        assert_eq!(response.status, 200);
        assert!(response.field("allow").is_some(), "{}", response.head);
        assert!(!origin.was_dialled());
        // The connection goes on.
        client.send(get(&origin.url("/next"))).await;
        let mut served = origin.accept().await;
        assert!(served.head().await.starts_with("GET /next "));
        served.send(ok("next")).await;
        assert_eq!(client.response().await.body, "next");
    }
    for hops in ["0", "5"] {
        let sent = format!("TRACE {{}} HTTP/1.1\r\nHost: a\r\nMax-Forwards: {hops}\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 405).await;
    }
    for hops in [
        "",
        "-1",
        "+1",
        "1.0",
        "a",
        "0x1",
        "99999999999999999999",
        "1, 2",
    ] {
        let sent = format!("OPTIONS {{}} HTTP/1.1\r\nHost: a\r\nMax-Forwards: {hops}\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9110_section_7_6_2_hops_are_counted_for_options_alone() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for (method, hops, left) in [
        ("OPTIONS", "7", "6"),
        ("OPTIONS", "1", "0"),
        ("GET", "0", "0"),
    ] {
        let sent = format!("{method} {{}} HTTP/1.1\r\nHost: a\r\nMax-Forwards: {hops}\r\n\r\n");
        let arriving = format!(
            "{method} / HTTP/1.1\r\nHost: {{host}}\r\nMax-Forwards: {left}\r\n\
             via: 1.1 portcullis-N\r\n\r\n"
        );
        passes(&proxy, &origin, &sent, &arriving).await;
    }
}

#[tokio::test]
async fn rfc9110_section_7_6_3_a_request_that_was_here_before_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let own = head.lines().find_map(|line| line.strip_prefix("via: 1.1 "));
    let own = own.expect("it leaves its mark").to_owned();
    drop(served);
    for via in [
        format!("1.1 {own}"),
        format!("1.0 {own}"),
        format!("HTTP/1.1 {own} (a comment)"),
        format!("1.1 {}", own.to_uppercase()),
        format!("1.1 a, 1.1 {own}, 1.1 b"),
        format!("1.1 a\r\nVia: 1.1 {own}"),
        format!("1.1 {own} (\u{e4})"),
        format!("1.1 \u{e4}, 1.1 {own}"),
    ] {
        let sent = format!("GET {{}} HTTP/1.1\r\nHost: a\r\nVia: {via}\r\n\r\n");
        let _row = Row::of(&via);
        let mut client = proxy.client().await;
        client.send(to(&origin, &sent)).await;
        let response = client.response().await;
        assert_eq!(response.status, 508);
        let said = response.field("proxy-status").unwrap_or_default();
        assert!(said.contains("error=proxy_loop_detected"), "{said}");
        assert!(!origin.was_dialled());
    }
    // The marks of others stay, and the own one comes behind them.
    let sent = "GET {} HTTP/1.1\r\nHost: a\r\nVia: 1.0 fred, 1.1 portcullis\r\n\r\n";
    let mut client = proxy.client().await;
    client.send(to(&origin, sent)).await;
    let arriving = "GET / HTTP/1.1\r\nHost: {host}\r\nVia: 1.0 fred, 1.1 portcullis\r\n\
                    Via: 1.1 portcullis-N\r\n\r\n";
    arrives(&mut origin.accept().await, &to(&origin, arriving)).await;
}

#[tokio::test]
async fn rfc9110_section_10_1_1_what_is_expected_besides_a_continuation_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for expected in [
        "nonsense",
        "100-continue, nonsense",
        "100-continue\r\nExpect: nonsense",
        "100-continue;a=b",
        "101-continue",
        "",
    ] {
        let sent = format!(
            "PUT {{}} HTTP/1.1\r\nHost: a\r\nExpect: {expected}\r\nContent-Length: 1\r\n\r\na"
        );
        is_refused(&proxy, &origin, &sent, 417).await;
    }
}

#[tokio::test]
async fn rfc9110_section_10_1_1_an_expectation_without_a_body_does_not_reach_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let sent = "GET {} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
    passes(&proxy, &origin, sent, ARRIVING).await;
}
