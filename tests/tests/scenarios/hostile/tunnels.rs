//! CONNECT (RFC 9110, section 9.3.6, and RFC 9112, section 3.2.3): what is refused, what is held
//! back, and that a client cannot say what the proxy would take for a request.

use std::time::Duration;

use portcullis_tests::{Log, Origin, Proxy, Row, Stage, Wire, connect, get};

use super::to;

/// The head that a client gets with its tunnel, and the origin's end of it.
async fn opens(client: &mut Wire, origin: &Origin, request: &str) -> Wire {
    client.send(to(origin, request)).await;
    let served = origin.accept().await;
    let head = client.head().await;
    assert!(head.contains(" 200 "), "{head}");
    served
}

#[tokio::test]
async fn rfc9110_section_9_3_6_a_target_that_is_not_a_host_and_a_port_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    // A port that fits when it is cut to sixteen bits.
    let beyond = format!("127.0.0.1:{}", 65_536 + u32::from(origin.port()));
    for target in [
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "127.0.0.1:+80",
        "127.0.0.1:0x50",
        "127.0.0.1:80a",
        "127.0.0.1:8 0",
        &beyond,
        ":80",
        "{host}/",
        "{host}?a",
        "{host}#a",
        "/{host}",
        "http://{host}/",
        "//{host}",
        "user@{host}",
        "user:password@{host}",
        "@{host}",
        "{host},{host}",
        "127.0.0.1%00:80",
        "127%2e0%2e0%2e1:80",
        "[::1:80",
        "::1:80",
        "*",
        "/",
    ] {
        let _row = Row::of(target);
        let smuggled = get(&origin.url("/smuggled"));
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {{host}}\r\n\r\n{smuggled}");
        let mut client = proxy.client().await;
        client.send(to(&origin, &request)).await;
        assert_eq!(client.response().await.status, 400);
        assert_eq!(client.rest().await, "");
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc9110_section_9_3_6_a_body_is_refused_and_an_empty_one_is_not() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for field in [
        "Content-Length: 4",
        "Content-Length: 0, 4",
        "Content-Length: 0\r\nContent-Length: 4",
        "Transfer-Encoding: chunked",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ] {
        let _row = Row::of(field);
        let body = "0\r\n\r\n";
        let request =
            format!("CONNECT {{host}} HTTP/1.1\r\nHost: {{host}}\r\n{field}\r\n\r\n{body}");
        let mut client = proxy.client().await;
        client.send(to(&origin, &request)).await;
        assert_eq!(client.response().await.status, 400);
        assert_eq!(client.rest().await, "");
        assert!(!origin.was_dialled());
    }
    let request = "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\nearly";
    let mut client = proxy.client().await;
    let mut served = opens(&mut client, &origin, request).await;
    client.finish().await;
    assert_eq!(served.rest().await, "early");
}

#[tokio::test]
async fn rfc9110_section_9_3_6_nothing_of_the_request_is_in_its_tunnel() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for request in [
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: other.example:1\r\n\r\n",
        "CONNECT {host} HTTP/1.1\nHost: {host}\n\n",
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic eDp5\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n\
         Connection: upgrade\r\n\r\n",
        "CONNECT {host} HTTP/1.0\r\n\r\n",
    ] {
        let _row = Row::of(request);
        let mut client = proxy.client().await;
        let mut served = opens(&mut client, &origin, request).await;
        // In a tunnel this is not a request to the proxy.
        let inside = get("http://other.example/");
        client.send(&inside).await;
        client.finish().await;
        assert_eq!(served.rest().await, inside);
    }
}

#[tokio::test]
async fn rfc9110_section_9_3_6_a_host_is_judged_as_the_address_that_it_is() {
    let stage = Stage::start_with(|config| {
        config.egress.private = portcullis::config::PrivateAddresses::Deny;
    })
    .await;
    let origin = Origin::start().await;
    for host in [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7F.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "a.localhost",
    ] {
        let _row = Row::of(host);
        let mut client = stage.proxy.client().await;
        let smuggled = get(&origin.url("/smuggled"));
        let request = connect(&format!("{host}:{}", origin.port()));
        client.send(request + &smuggled).await;
        let response = client.response().await;
        assert_eq!(response.status, 403);
        let said = response.field("proxy-status").unwrap_or_default();
        assert!(said.contains("error=destination_ip_prohibited"), "{said}");
        assert_eq!(client.rest().await, "");
        assert!(!origin.was_dialled());
    }
}

/// RFC 9931, section 8: what a client sends ahead of a refused CONNECT is not read as a request.
#[tokio::test]
async fn rfc9931_section_8_nothing_behind_a_refused_connect_is_served() {
    let stage = Stage::start_with(|config| config.limits.resolve = Duration::from_secs(2)).await;
    let (origin, gone) = (Origin::start().await, Origin::gone());
    let refused = [
        ("www.blocked.portcullis.test:443".to_owned(), 403),
        (gone.to_string(), 502),
        ("name.nowhere.test:443".to_owned(), 502),
        (stage.proxy.address().to_string(), 508),
        ("127.0.0.1:0".to_owned(), 400),
        ("name.silent.test:443".to_owned(), 504),
    ];
    for (target, status) in &refused {
        for (version, fields) in [
            ("1.1", "Connection: keep-alive\r\n"),
            ("1.1", "Proxy-Connection: keep-alive\r\n"),
            ("1.0", "Connection: keep-alive\r\n"),
        ] {
            let row = (target, version, fields);
            let _row = Row::of(&row);
            let mut client = stage.proxy.client().await;
            let next = get(&origin.url("/next"));
            let head = format!("CONNECT {target} HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
            client.send(head + &next).await;
            let response = client.response().await;
            assert_eq!(response.status, *status);
            assert_eq!(client.rest().await, "");
            assert!(!origin.was_dialled());
        }
    }
}

#[tokio::test]
async fn rfc9931_section_8_what_is_sent_ahead_waits_and_is_not_collected() {
    let stage = Stage::start_with(|config| config.limits.resolve = Duration::from_secs(60)).await;
    let mut client = stage.proxy.client().await;
    client.send(connect("name.silent.test:443")).await;
    let sent = client.send_until_stuck().await;
    // The buffers of the system on both sides of the connection have most of it; what the proxy has
    // is measured beside `downstream::connection`.
    assert!(
        sent < 32 << 20,
        "{sent} bytes were taken before there was a tunnel"
    );
    assert!(!client.has_heard());
}

/// The origin says nothing before, and the client does not wait for its answer.
#[tokio::test]
async fn rfc9931_section_8_what_is_sent_ahead_arrives_once_behind_the_answer() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    // More than is read ahead at a time.
    let early: String = (0..20_000).map(|n| format!("{n}\n")).collect();
    let mut client = proxy.client().await;
    client.send(connect(&origin.authority()) + &early).await;
    let mut served = origin.accept().await;
    served.expect(&early[..1000]).await;
    assert!(client.has_heard(), "the client has had its answer before");
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    served.expect(&early[1000..]).await;
    client.send("late").await;
    client.finish().await;
    assert_eq!(served.rest().await, "late");
    drop(served);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_reads_nothing_of_its_tunnel_is_given_up() {
    let limit = Duration::from_millis(500);
    let proxy = Proxy::start_with(|config| config.limits.idle = limit).await;
    let (origin, mut log) = (Origin::start().await, Log::follow());
    let mut client = proxy.client().await;
    let request = "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n";
    let mut served = opens(&mut client, &origin, request).await;
    let sent = served.send_until_stuck().await;
    // The buffers of the system on both sides of the proxy have all of it.
    assert!(sent < 32 << 20, "{sent} bytes were taken");
    assert_eq!(served.rest().await, "");
    let port = format!(" port={} ", origin.port());
    log.says(&["kind=access", &port, "nothing was sent for too long"])
        .await;
}
