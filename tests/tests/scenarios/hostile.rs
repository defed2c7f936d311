//! What broken and malicious peers send: each gets its answer, and exactly what may reach an origin
//! does. Here are requests of which nothing does, and peers that are slow.

mod chunks;
mod fields;
mod framing;
mod lines;
mod names;
mod responses;
mod socks;
mod switches;
mod tunnels;

use std::time::Duration;

use portcullis_tests::{Log, OPTIONS, Origin, Proxy, Response, Row, Wire, get, ok, post, within};

/// `{}` stands for a URL that must not be reached.
const MALFORMED: &[(&str, &str)] = &[
    ("GET {} HTTP/1.1\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost:\r\n\r\n", "400"),
    ("GET http://user@{host}/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET https://{host}/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET gopher://{host}/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET ftp://{host}/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET ws://{host}/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET http://{host}:0/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n", "400"),
    ("GET * HTTP/1.1\r\nHost: {host}\r\n\r\n", "400"),
    ("GET {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", "400"),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\na",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "POST {} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
    (
        "GET {} HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na",
        "400",
    ),
    ("GET {} HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", "400"),
    ("GET {} HTTP/1.1\r\nHost: a\r\nb@d: 1\r\n\r\n", "400"),
    ("GET {} http/1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET {} HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
    ("GET {} HTTP/1.2\r\nHost: a\r\n\r\n", "505"),
    ("GET {}\r\n\r\n", "400"),
    ("GET {}a b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    (
        "GET http://a%00b.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "400",
    ),
    (
        "GET http://127%2e0%2e0%2e1/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "400",
    ),
    ("GET  {} HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("G@T {} HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("TRACE {} HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
    (
        "GET {} HTTP/1.1\r\nHost: a\r\nExpect: nonsense\r\n\r\n",
        "417",
    ),
    (
        "OPTIONS {} HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n",
        "400",
    ),
];

/// A message with the URL of an origin in place of `{}` and its authority in place of `{host}`.
fn to(origin: &Origin, message: &str) -> String {
    let message = message.replace("{}", &origin.url("/"));
    message.replace("{host}", &origin.authority())
}

/// A head without the random number by which the proxy knows its own mark.
fn without_number(head: &str) -> String {
    let mark = ": 1.1 portcullis-";
    let Some((before, after)) = head.split_once(mark) else {
        return head.to_owned();
    };
    let (number, after) = after.split_at(8);
    assert!(
        number.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{head}"
    );
    format!("{before}{mark}N{after}")
}

/// The next request comes to the origin as exactly these bytes.
async fn arrives(served: &mut Wire, bytes: &str) {
    let (head, body) = bytes.split_once("\r\n\r\n").expect("a head");
    let arrived = without_number(&served.spelled_head().await);
    assert_eq!(arrived, format!("{head}\r\n\r\n"));
    served.expect(body).await;
}

/// A request is passed on as exactly these bytes, and another one follows it on the same
/// connections.
async fn passes(proxy: &Proxy, origin: &Origin, sent: &str, arriving: &str) {
    let sent = to(origin, sent);
    passes_bytes(proxy, origin, sent.as_bytes(), arriving).await;
}

/// The same of a message that need not be text.
async fn passes_bytes(proxy: &Proxy, origin: &Origin, sent: &[u8], arriving: &str) {
    let row = sent.escape_ascii().to_string();
    let _row = Row::of(&row);
    let mut client = proxy.client().await;
    let next = get(&origin.url("/next"));
    client.send([sent, next.as_bytes()].concat()).await;
    let mut served = origin.accept().await;
    arrives(&mut served, &to(origin, arriving)).await;
    served.send(ok("first")).await;
    assert_eq!(client.response().await.body, "first");
    let next = "GET /next HTTP/1.1\r\nHost: {host}\r\nvia: 1.1 portcullis-N\r\n\r\n";
    arrives(&mut served, &to(origin, next)).await;
    served.send(ok("second")).await;
    assert_eq!(client.response().await.body, "second");
    assert!(!served.has_heard() && !origin.was_dialled());
}

/// A request is refused with this status. Its connection is closed, and nothing of it or of what
/// follows it reaches an origin.
async fn is_refused(proxy: &Proxy, origin: &Origin, sent: &str, status: u16) {
    let _row = Row::of(sent);
    let mut client = proxy.client().await;
    let next = get(&origin.url("/next"));
    client.send(to(origin, sent) + &next).await;
    let response = client.response().await;
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(client.rest().await, "");
    assert!(!origin.was_dialled());
}

/// The page and the fields of every refusal.
fn assert_is_a_refusal(response: &Response) {
    let proxy_status = response.field("proxy-status").unwrap_or_default();
    let says = "portcullis;error=http_request_error;details=";
    assert!(proxy_status.starts_with(says), "{}", response.head);
    assert_eq!(response.field("cache-control"), Some("no-store"));
    assert_eq!(response.field("connection"), Some("close"));
    assert!(
        response
            .field("date")
            .is_some_and(|date| date.ends_with(" GMT"))
    );
    assert!(response.body.contains("\nReason: "), "{}", response.body);
}

#[tokio::test]
async fn malformed_requests_are_refused_and_nothing_after_them_is_served() {
    let mut log = Log::follow();
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for (request, status) in MALFORMED {
        let request = request
            .replace("{}", &origin.url("/"))
            .replace("{host}:0", "127.0.0.1:0")
            .replace("{host}", &origin.authority());
        let next = get(&origin.url("/next"));
        let _row = Row::of(&request);
        let mut client = proxy.client().await;
        client.send(format!("{request}{next}")).await;
        let response = client.response().await;
        assert_eq!(response.status.to_string(), *status);
        assert_is_a_refusal(&response);
        assert_eq!(client.rest().await, "");
        log.says(&[
            " client=127.0.0.1 ",
            &format!(" status={status} "),
            " error=",
        ])
        .await;
    }
    assert_eq!(log.count(&["kind=access"]), 0, "one line for each");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn what_is_too_large_has_its_own_status() {
    let mut log = Log::follow();
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let url = origin.url("/");
    let many: String = (0..2000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    for (request, status) in [
        (
            format!(
                "GET {url} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
                "x".repeat(100_000)
            ),
            431,
        ),
        (
            format!(
                "GET {url} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
                "x".repeat(1_000_000)
            ),
            431,
        ),
        (format!("GET {url} HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
        (
            format!(
                "GET {url}{} HTTP/1.1\r\nHost: a\r\n\r\n",
                "x".repeat(100_000)
            ),
            414,
        ),
        (
            // Encoded, it is too long.
            format!(
                "GET {url}{} HTTP/1.1\r\nHost: a\r\n\r\n",
                "<".repeat(30_000)
            ),
            414,
        ),
        ("x".repeat(1_000_000), 414),
    ] {
        let mut client = proxy.client().await;
        let next = get(&origin.url("/next"));
        client.send_what_is_taken(request + &next).await;
        let response = client.response().await;
        assert_eq!(response.status, status);
        assert_is_a_refusal(&response);
        assert_eq!(client.rest().await, "");
        log.says(&[
            " client=127.0.0.1 ",
            &format!(" status={status} "),
            " error=",
        ])
        .await;
    }
    assert_eq!(log.count(&["kind=access"]), 0, "one line for each");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn a_head_that_trickles_in_is_not_waited_for() {
    let limit = Duration::from_secs(1);
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.limits.request_head = limit).await;
    let mut silent = proxy.client().await;
    assert_eq!(silent.rest().await, "");
    let mut blank = proxy.client().await;
    blank.send("\r\n\r\n").await;
    assert_eq!(blank.rest().await, "");
    assert_eq!(
        log.count(&["kind=access"]),
        0,
        "they have asked for nothing"
    );
    for begun in ["G", "GET http://example.com/ HTTP/1.1\r\nHo"] {
        let _row = Row::of(begun);
        let mut slow = proxy.client().await;
        slow.send(begun).await;
        assert_is_given_up(&mut slow, &mut log).await;
    }
    // The same behind a request that was served.
    for begun in ["G", "OPTIONS * HTTP/1.1\r\nHo"] {
        let _row = Row::of(begun);
        let mut slow = proxy.client().await;
        slow.send(OPTIONS).await;
        assert_eq!(slow.response().await.status, 200);
        log.says(&["kind=access", " status=200 "]).await;
        slow.send(begun).await;
        assert_is_given_up(&mut slow, &mut log).await;
    }
}

/// RFC 9110, section 15.5.9: a request whose head has begun and does not end.
async fn assert_is_given_up(client: &mut Wire, log: &mut Log) {
    let response = client.response().await;
    assert_eq!(response.status, 408, "{response:?}");
    assert_is_a_refusal(&response);
    assert_eq!(client.rest().await, "");
    log.says(&["kind=access", " status=408 ", " outcome=failed error="])
        .await;
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_but_not_forever() {
    let limit = Duration::from_millis(500);
    let proxy = Proxy::start_with(|config| config.limits.keep_alive = limit).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("ok")).await;
    assert_eq!(client.response().await.body, "ok");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let limit = Duration::from_millis(50);
    let proxy = Proxy::start_with(|config| config.limits.idle = limit).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(post(&url, "Content-Length: 9\r\n\r\nhalf"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    let response = client.response().await;
    assert_eq!(response.status, 408);
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "half");
}

/// A proxy with a limit that no client in this file keeps to, however fast the machine.
async fn impatient() -> Proxy {
    Proxy::start_with(|config| {
        config.limits.idle = Duration::from_secs(2);
        config.limits.body_rate = 1 << 20;
    })
    .await
}

/// What tells the access lines about an origin from those of other tests.
fn line_about(origin: &Origin) -> String {
    let authority = origin.authority();
    let (_, port) = authority.split_once(':').expect("it has a port");
    format!(" port={port} ")
}

/// Sends a body byte by byte until the proxy has had enough of it.
async fn trickle(client: &mut Wire, served: &mut Wire) {
    let trickle = async { while client.try_send("x").await && served.hears().await {} };
    within("the proxy has had enough", trickle).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_with_408() {
    let (proxy, origin, mut log) = (impatient().await, Origin::start().await, Log::follow());
    let mut client = proxy.client().await;
    let head = "Content-Length: 1000000000\r\n\r\n";
    client.send(post(&origin.url("/"), head)).await;
    let mut served = origin.accept().await;
    served.head().await;
    trickle(&mut client, &mut served).await;
    assert_eq!(client.response().await.status, 408);
    assert_eq!(client.rest().await, "");
    log.says(&[&line_about(&origin), "status=408", "too slowly"])
        .await;
}

#[tokio::test]
async fn a_body_that_trickles_after_its_response_is_cut_off() {
    let (proxy, origin) = (impatient().await, Origin::start().await);
    let mut client = proxy.client().await;
    let head = "Content-Length: 1000000000\r\n\r\nx";
    client.send(post(&origin.url("/"), head)).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("x").await;
    served.send(ok("ok")).await;
    assert_eq!(client.response().await.body, "ok");
    trickle(&mut client, &mut served).await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_response_that_trickles_is_cut_where_a_body_has_a_time() {
    let limit = Some(Duration::from_millis(500));
    let proxy = Proxy::start_with(|config| config.limits.body_time = limit);
    let (proxy, origin, mut log) = (proxy.await, Origin::start().await, Log::follow());
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
    served.send(head).await;
    client.head().await;
    let trickle = async { while served.try_send("x").await && client.hears().await {} };
    within("the proxy has had enough", trickle).await;
    log.says(&[&line_about(&origin), "outcome=failed", "did not end"])
        .await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let limit = Duration::from_millis(500);
    let proxy = Proxy::start_with(|config| config.limits.idle = limit).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        .await;
    served.send_until_stuck().await;
    served.rest().await;
}
