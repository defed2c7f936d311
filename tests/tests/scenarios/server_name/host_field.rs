//! A client may speak plain HTTP in its tunnel, and the Host field of its request may name another
//! host than the one that it has asked for.

use super::*;

fn get_from(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// The client gets an answer that says so, and the origin nothing.
async fn is_forbidden(mut client: Wire, mut served: Wire) -> String {
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert_eq!(served.rest().await, "");
    answer
}

/// The two ends of a tunnel that a client of SOCKS has asked for by address.
async fn socks_tunnel(scene: &Scene) -> (Wire, Wire) {
    let mut client = scene.stage.proxy.client().await;
    let port = scene.origin.port().to_be_bytes();
    client.send([5, 1, 0]).await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    client
        .send([&[5, 1, 0, 1, 127, 0, 0, 1], &port[..]].concat())
        .await;
    let served = scene.origin.accept().await;
    assert_eq!(client.exactly_bytes(10).await[..2], [5, 0]);
    (client, served)
}

#[tokio::test]
async fn a_host_that_is_refused_closes_the_tunnel_before_the_origin_hears_of_it() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client
        .send(get_from("WWW.Blocked.portcullis.test:80"))
        .await;
    let answer = is_forbidden(client, served).await;
    for part in [
        &format!("{BLOCKED} is blocked"),
        "Filter: blocklist",
        "proxy-status: portcullis;error=http_request_denied",
    ] {
        assert!(answer.contains(part), "{part:?} is not in {answer}");
    }
    let line = log.says(&["kind=access", "host=front.example"]).await;
    for field in [
        &format!(" host_field={BLOCKED} host_field_verdict=block status=200 "),
        " verdict=block filter=blocklist ",
        " up=0 ",
        " outcome=complete",
    ] {
        assert!(line.contains(field), "{field:?} is not in {line}");
    }
    // An address has no name to compare with, and clients of SOCKS may ask for one.
    let (mut client, served) = socks_tunnel(&scene).await;
    client.send(get_from(BLOCKED)).await;
    is_forbidden(client, served).await;
    let line = log.says(&["protocol=socks5", "host=127.0.0.1"]).await;
    assert!(line.contains(" host_field_verdict=block "), "{line}");
}

#[tokio::test]
async fn the_host_that_was_asked_for_is_not_judged_twice() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let port = scene.origin.port();
    for request in [
        get_from("same.example"),
        get_from(&format!("Same.Example.:{port}")),
        format!("GET http://same.example:{port}/ HTTP/1.1\r\nHost: same.example\r\n\r\n"),
    ] {
        let (mut client, mut served) = scene.tunnel("same.example").await;
        for piece in request.as_bytes().chunks(9) {
            client.send(piece).await;
        }
        arrives(request.as_bytes(), &mut served).await;
        served.send("answer").await;
        client.expect("answer").await;
        drop((client, served));
        let line = log.says(&["kind=access", "host=same.example"]).await;
        assert!(
            line.contains(" host_field=same.example status=200 "),
            "{line}"
        );
    }
}

#[tokio::test]
async fn another_host_is_judged_and_filters_are_told_where_it_was_found() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| {
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    let mut told = log.clone();
    told.says(&["judge-host knows", "exchange.found-in=request"])
        .await;
    let request = get_from("other.example");
    client.send(&request).await;
    arrives(request.as_bytes(), &mut served).await;
    let line = told
        .says(&["judge-host knows", "exchange.found-in=host-field"])
        .await;
    assert!(line.contains("exchange.host=other.example"), "{line}");
    assert!(!line.contains("exchange.server-name"), "{line}");
    drop((client, served));
    log.says(&[" host_field=other.example host_field_verdict=next "])
        .await;
}

#[tokio::test]
async fn a_protocol_that_is_not_http_is_not_held_back() {
    let scene = Scene::start().await;
    let zeros = "\0".repeat(30_000);
    // A text without an end of a line could become a request, and none has come yet.
    for sent in [
        "hello",
        "SSH-2.0-client\r\n",
        "GET / HTTP",
        "\0binary",
        "AMQP\0\0\u{9}\u{1}",
        "220 mail.example\r\n",
        "{\"a\": \"HTTP/1.1\"}",
        zeros.as_str(),
        "GET /\r\n",
    ] {
        let (mut client, mut served) = scene.tunnel("front.example").await;
        client.send(sent).await;
        served.expect(sent).await;
        served.send("answer").await;
        client.expect("answer").await;
    }
    // It becomes one.
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send("GET /").await;
    served.expect("GET /").await;
    client
        .send(format!(" HTTP/1.1\r\nHost: {BLOCKED}\r\n\r\n"))
        .await;
    assert!(client.rest().await.starts_with("HTTP/1.1 403 "));
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn what_only_lenient_servers_take_for_a_request_is_refused() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let lines: [&[u8]; 10] = [
        b"GET /\x01 HTTP/1.1",
        b"GET /\x07 HTTP/1.1",
        b"GET /\x1b HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET / \x1c HTTP/1.1",
        b"GET\xa0/ HTTP/1.1",
        b"GET\x1c/\x1cHTTP/1.1",
        b"\x1cGET / HTTP/1.1",
        b"\"GET / HTTP/1.1",
        // HTTP/0.9, behind which some read fields all the same.
        b"GET /\x01",
    ];
    let fields = format!("\r\nHost: {BLOCKED}\r\n\r\n");
    for (at, line) in lines.into_iter().enumerate() {
        let host = format!("lenient-{at}.example");
        let (mut client, served) = scene.tunnel(&host).await;
        client.send([line, fields.as_bytes()].concat()).await;
        is_forbidden(client, served).await;
        log.says(&[&format!("host={host}"), "in more than one way"])
            .await;
    }
}

#[tokio::test]
async fn a_host_behind_a_line_without_a_version_is_judged() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client
        .send(format!("GET /\r\nHost: {BLOCKED}\r\n\r\n"))
        .await;
    is_forbidden(client, served).await;
    let judged = format!(" host_field={BLOCKED} host_field_verdict=block ");
    log.says(&["host=front.example", &judged]).await;
    // The line alone is all that HTTP/0.9 has, so it goes on. No server answers it while it waits
    // for fields.
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send("GET /\r\n").await;
    served.expect("GET /\r\n").await;
    client.send("X: y\r\n").await;
    served.expect("X: y\r\n").await;
    client.send(format!("Host: {BLOCKED}\r\n\r\n")).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 403 "));
    assert_eq!(served.rest().await, "");
    // One that has answered does not.
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send("GET key\r\n").await;
    served.expect("GET key\r\n").await;
    served.send("answer").await;
    client.expect("answer").await;
    client.send("Host: a\r\n").await;
    served.expect("Host: a\r\n").await;
}

#[tokio::test]
async fn a_client_that_stops_in_the_first_line_is_heard_to_the_end() {
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send("hello").await;
    client.finish().await;
    assert_eq!(served.rest().await, "hello");
    served.send("answer").await;
    drop(served);
    assert_eq!(client.rest().await, "answer");
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_with_the_reason() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| {
        config.limits.client_hello = Duration::from_millis(200);
        let denied = "*.denied.example".parse().expect("a destination");
        config.egress.deny = vec![denied];
    })
    .await;
    let head = |fields: &str| format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n");
    let cut = head("Host: a")[..25].to_owned();
    let long = head(&format!("X: {}", "x".repeat(20_000)));
    for (host, sent, reason) in [
        (
            "late.example",
            cut.clone(),
            "HTTP request has not come in time",
        ),
        ("long.example", long, "HTTP request is longer than 16 KiB"),
        ("space.example", head("Host: no host"), "by what is no host"),
        ("user.example", head("Host: a@b"), "by what is no host"),
        (
            "two.example",
            head("Host: a\r\nHost: b"),
            "more than one host",
        ),
        (
            "fold.example",
            head("X: y\r\n Host: b"),
            "in more than one way",
        ),
        (
            "denied.example",
            head("Host: www.denied.example"),
            "is in [egress] deny",
        ),
    ] {
        let (mut client, served) = scene.tunnel(host).await;
        client.send_what_is_taken(&sent).await;
        let answer = is_forbidden(client, served).await;
        assert!(answer.contains(reason), "{reason:?} is not in {answer}");
        let line = log.says(&["kind=access", &format!("host={host}")]).await;
        assert!(
            line.contains("outcome=failed") && line.contains(reason),
            "{line}"
        );
    }
    // With the default limit, as the client may take longer to stop.
    let scene = Scene::start().await;
    let (mut client, served) = scene.tunnel("cut.example").await;
    client.send(cut).await;
    client.finish().await;
    is_forbidden(client, served).await;
    log.says(&["host=cut.example", "middle of its first HTTP request"])
        .await;
}

#[tokio::test]
async fn the_settings_of_tunnels_hold_for_a_host_field_too() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| config.tunnel.mismatch = SniMismatch::Refuse).await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(get_from("other.example")).await;
    is_forbidden(client, served).await;
    log.says(&["names other.example in its HTTP request"]).await;
    let (mut client, mut served) = scene.tunnel("127.0.0.1").await;
    let request = get_from("other.example");
    client.send(&request).await;
    arrives(request.as_bytes(), &mut served).await;
    for sni in [SniCheck::Log, SniCheck::Off] {
        let scene = Scene::start_with(|config| config.tunnel.sni = sni).await;
        let (mut client, mut served) = scene.tunnel("logged.example").await;
        let request = get_from(BLOCKED);
        client.send(&request).await;
        arrives(request.as_bytes(), &mut served).await;
        drop((client, served));
        let line = log.says(&["kind=access", "host=logged.example"]).await;
        assert!(line.contains(" verdict=next "), "{line}");
        let says = line.contains(&format!(" host_field={BLOCKED} host_field_verdict=block "));
        assert_eq!(says, sni == SniCheck::Log, "{line}");
    }
}
