//! SOCKS (RFC 1928): what is malformed gets the code that says so, and its connection is closed.

use std::time::Duration;

use portcullis::config::{Feed, FeedFormat};
use portcullis_tests::{Log, Origin, Row, Stage, Wire, get};

/// A client that has agreed with the proxy upon version 5.
async fn client(stage: &Stage) -> Wire {
    let mut client = stage.proxy.client().await;
    client.send([5, 1, 0]).await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    client
}

/// A request for a name, however long it is said to be.
fn by_name(length: u8, name: &[u8], port: u16) -> Vec<u8> {
    [&[5, 1, 0, 3, length], name, &port.to_be_bytes()].concat()
}

#[tokio::test]
async fn rfc1928_section_6_a_request_that_is_malformed_has_its_code() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let port = origin.port();
    let named = |name: &[u8]| by_name(u8::try_from(name.len()).expect("short"), name, port);
    let address = [&[127, 0, 0, 1], &port.to_be_bytes()[..]].concat();
    let with = |start: [u8; 4]| [&start[..], &address].concat();
    let labels = [[b'a'; 63], [b'b'; 63], [b'c'; 63], [b'd'; 63]].join(&b'.');
    for (what, request, code) in [
        ("version 4", with([4, 1, 0, 1]), 1),
        ("version 0", with([0, 1, 0, 1]), 1),
        ("no command", with([5, 0, 0, 1]), 7),
        ("bind", with([5, 2, 0, 1]), 7),
        ("datagrams", with([5, 3, 0, 1]), 7),
        ("another command", with([5, 0xff, 0, 1]), 7),
        ("no kind of address", with([5, 1, 0, 0]), 8),
        ("another kind of address", with([5, 1, 0, 2]), 8),
        ("port 0", vec![5, 1, 0, 1, 127, 0, 0, 1, 0, 0], 1),
        ("an empty name", named(b""), 1),
        ("a name with a NUL", named(b"a\0.example"), 1),
        ("a name with the end of a line", named(b"a\r\nb.example"), 1),
        ("a name with a space", named(b"a b.example"), 1),
        ("a name with a slash", named(b"a.example/"), 1),
        ("a name with a user", named(b"user@a.example"), 1),
        ("a name with a port", named(b"a.example:80"), 1),
        ("a name with a percent sign", named(b"a%00.example"), 1),
        ("a name that is not text", named(b"\xff\xfe"), 1),
        ("a dot", named(b"."), 1),
        ("an empty label", named(b"a..example"), 1),
        ("255 bytes in a label", named(&[b'a'; 255]), 1),
        ("255 bytes in labels", named(&labels), 1),
    ] {
        let _row = Row::of(what);
        let mut client = client(&stage).await;
        // What follows is not read as a request.
        let smuggled = get(&origin.url("/smuggled"));
        client.send([&request, smuggled.as_bytes()].concat()).await;
        let answer = client.rest_bytes().await;
        assert_eq!(answer, [5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc1928_section_3_a_greeting_that_is_malformed_is_refused() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    for ways in [&[5, 0][..], &[5, 1, 1], &[5, 1, 2], &[5, 2, 0x80, 0xff]] {
        let _row = Row::of(ways);
        let mut client = stage.proxy.client().await;
        let request = by_name(9, b"127.0.0.1", origin.port());
        client.send([ways, &request].concat()).await;
        assert_eq!(client.rest_bytes().await, [5, 0xff]);
        assert!(!origin.was_dialled());
    }
    // Other versions are taken for HTTP, which they are not.
    for version in [0, 1, 3, 6, 0xff] {
        let _row = Row::of(&version);
        let mut client = stage.proxy.client().await;
        client.send([version, 1, 0]).await;
        assert_eq!(client.response().await.status, 400);
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn rfc1928_section_6_a_name_that_is_an_address_is_judged_as_one() {
    let stage = Stage::start_with(|config| {
        config.egress.private = portcullis::config::PrivateAddresses::Deny;
    })
    .await;
    let origin = Origin::start().await;
    for (name, code) in [
        ("127.0.0.1", 2),
        ("127.1", 2),
        ("2130706433", 2),
        ("0x7f.1", 2),
        ("0", 2),
        ("::1", 2),
        ("::ffff:127.0.0.1", 2),
        // Brackets are for URLs.
        ("[::1]", 1),
        ("localhost", 2),
        ("LOCALHOST.", 2),
    ] {
        let _row = Row::of(name);
        let mut client = client(&stage).await;
        let length = u8::try_from(name.len()).expect("short");
        client
            .send(by_name(length, name.as_bytes(), origin.port()))
            .await;
        assert_eq!(client.rest_bytes().await[..2], [5, code]);
        assert!(!origin.was_dialled());
    }
}

/// A client that does not wait for the answer: what it sends is the origin's, once, and not before
/// there is a tunnel.
#[tokio::test]
async fn rfc1928_section_6_what_is_sent_ahead_arrives_once() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = stage.proxy.client().await;
    let request = by_name(9, b"127.0.0.1", origin.port());
    client
        .send([&[5, 1, 0], &request[..], b"early"].concat())
        .await;
    let mut served = origin.accept().await;
    assert_eq!(client.exactly_bytes(12).await[..4], [5, 0, 5, 0]);
    client.send(" and late").await;
    client.finish().await;
    assert_eq!(served.rest().await, "early and late");
}

/// SOCKS 4 and 4a have texts that end with a NUL, and a limit for those that do not.
#[tokio::test]
async fn version_4_is_refused_where_it_is_malformed() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let port = origin.port().to_be_bytes();
    let start = |command, ip: [u8; 4]| [&[4, command], &port[..], &ip].concat();
    let (connect, by_name) = (start(1, [127, 0, 0, 1]), start(1, [0, 0, 0, 1]));
    for (what, request) in [
        (
            "bind",
            [start(2, [127, 0, 0, 1]), b"me\0".to_vec()].concat(),
        ),
        (
            "another command",
            [start(9, [127, 0, 0, 1]), b"me\0".to_vec()].concat(),
        ),
        ("port 0", b"\x04\x01\0\0\x7f\0\0\x01me\0".to_vec()),
        ("an endless user", [connect, vec![b'u'; 5000]].concat()),
        (
            "an endless name",
            [by_name.clone(), b"me\0".to_vec(), vec![b'n'; 5000]].concat(),
        ),
        (
            "an empty name",
            [by_name.clone(), b"me\0\0".to_vec()].concat(),
        ),
        (
            "a name with a space",
            [by_name, b"me\0a b.example\0".to_vec()].concat(),
        ),
    ] {
        let _row = Row::of(what);
        let mut client = stage.proxy.client().await;
        client.send(request).await;
        assert_eq!(client.rest_bytes().await, [0, 91, 0, 0, 0, 0, 0, 0]);
        assert!(!origin.was_dialled());
    }
}

/// RFC 5890, section 2.3.2.1: the same name.
#[tokio::test]
async fn rfc5890_a_name_in_letters_of_its_language_is_judged_as_the_other_spelling_of_it() {
    let stage = Stage::start_with(|config| {
        let nowhere = "http://127.0.0.1:1/".parse().expect("a URL");
        let mut denied = Feed::new(nowhere, FeedFormat::Domains);
        denied.url = None;
        denied.entries = vec!["xn--bcher-kva.example".into()];
        config.feeds.insert("denied".into(), denied);
    })
    .await;
    let (origin, mut log) = (Origin::start().await, Log::follow());
    for name in [
        "b\u{fc}cher.example",
        "B\u{dc}CHER.example",
        "bu\u{308}cher.example",
        "b\u{fc}cher\u{3002}example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.example.",
    ] {
        let _row = Row::of(name);
        let mut client = client(&stage).await;
        let length = u8::try_from(name.len()).expect("short");
        client
            .send(by_name(length, name.as_bytes(), origin.port()))
            .await;
        assert_eq!(client.rest_bytes().await[..2], [5, 2]);
        assert!(!origin.was_dialled());
        let line = log.says(&["kind=access", "protocol=socks5"]).await;
        assert!(line.contains(" host=xn--bcher-kva.example "), "{line}");
        assert!(line.contains(" verdict=block "), "{line}");
    }
}

/// A client that stops in the middle of what it has to say first.
#[tokio::test]
async fn a_client_that_stalls_is_given_up_and_has_a_line() {
    let limit = Duration::from_secs(1);
    let stage = Stage::start_with(|config| config.limits.request_head = limit).await;
    let mut log = Log::follow();
    for (sent, answer, protocol) in [
        (&[5][..], &[][..], "socks5"),
        (&[5, 2, 0], &[], "socks5"),
        (&[5, 1, 0], &[5, 0], "socks5"),
        (&[5, 1, 0, 5, 1, 0, 3, 9, b'a'], &[5, 0], "socks5"),
        (&[4, 1, 0, 80, 127, 0, 0, 1, b'm'], &[], "socks4"),
    ] {
        let _row = Row::of(sent);
        let mut client = stage.proxy.client().await;
        client.send(sent).await;
        assert_eq!(client.rest_bytes().await, answer);
        let protocol = format!("protocol={protocol}");
        log.says(&["kind=access", &protocol, "did not arrive in time"])
            .await;
    }
}
