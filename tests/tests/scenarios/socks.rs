//! Clients of SOCKS, on the port of all others.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
#[cfg(target_os = "linux")]
use std::time::Duration;

use portcullis::config::{Clients, PrivateAddresses};
use portcullis_tests::{
    Log, Origin, Stage, Wire, client_hello, connect, curl, get, skip_without, within,
};

/// On the list of the tests.
const BLOCKED: &str = "www.blocked.portcullis.test";

/// A request of version 5 for a name.
fn by_name(host: &str, port: u16) -> Vec<u8> {
    let length = u8::try_from(host.len()).expect("a short name");
    [&[5, 1, 0, 3, length], host.as_bytes(), &port.to_be_bytes()].concat()
}

/// The same for an address.
fn by_address(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    [&[5, 1, 0, 1], &ip.octets()[..], &port.to_be_bytes()].concat()
}

/// A client that has agreed with the proxy upon version 5.
async fn client(stage: &Stage) -> Wire {
    let mut client = stage.proxy.client().await;
    client.send([5, 1, 0]).await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    client
}

/// The code of the answer to a request. The client is closed unless that is 0.
async fn answer(client: &mut Wire, request: &[u8]) -> u8 {
    client.send(request).await;
    let answer = client.exactly_bytes(10).await;
    assert_eq!((answer[0], answer[3]), (5, 1), "{answer:?}");
    if answer[1] != 0 {
        assert_eq!(client.rest().await, "");
    }
    answer[1]
}

#[tokio::test]
async fn a_name_is_judged_and_then_a_tunnel_to_it() {
    let mut log = Log::follow();
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = client(&stage).await;
    let request = by_name("front.example", origin.port());
    assert_eq!(answer(&mut client, &request).await, 0);
    let mut served = origin.accept().await;
    client.send("question").await;
    served.expect("question").await;
    served.send("answer").await;
    client.expect("answer").await;
    drop((client, served));
    let line = log.says(&["kind=access", "host=front.example"]).await;
    assert!(
        line.contains(" protocol=socks5 ") && line.contains(" verdict=next "),
        "{line}"
    );
    assert!(line.contains(" up=8 down=6 "), "{line}");
}

#[tokio::test]
async fn a_client_may_send_all_that_it_has_at_once() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = stage.proxy.client().await;
    // To a reader of HTTP, it is a head.
    let request = b"GET / HTTP/1.1\r\nHost: front.example\r\n\r\n";
    let target = by_name("front.example", origin.port());
    client
        .send([&[5, 1, 0], &target[..], request].concat())
        .await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    assert_eq!(client.exactly_bytes(10).await[..2], [5, 0]);
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET / HTTP/1.1\r\n"));
    served.send("answer").await;
    client.expect("answer").await;
}

#[tokio::test]
async fn what_is_refused_has_the_code_that_says_why() {
    let mut log = Log::follow();
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let gone = Origin::gone().port();
    for (request, code) in [
        (by_name(BLOCKED, origin.port()), 2),
        (by_name("127.0.0.1", gone), 5),
        (by_address(Ipv4Addr::LOCALHOST, gone), 5),
        (by_name("unknown.invalid", 80), 4),
        (
            by_address(Ipv4Addr::LOCALHOST, stage.proxy.address().port()),
            2,
        ),
        (vec![5, 2, 0, 1, 127, 0, 0, 1, 0, 80], 7),
        (vec![5, 3, 0, 1, 127, 0, 0, 1, 0, 80], 7),
        (vec![5, 1, 0, 9, 127, 0, 0, 1, 0, 80], 8),
        (by_name("no\0host.example", 80), 1),
    ] {
        let mut client = client(&stage).await;
        assert_eq!(answer(&mut client, &request).await, code, "{request:?}");
    }
    assert!(!origin.was_dialled());
    let line = log
        .clone()
        .says(&["kind=access", &format!("host={BLOCKED}")])
        .await;
    assert!(line.contains(" verdict=block filter=blocklist "), "{line}");
    log.says(&["protocol=socks5", "outcome=failed", "the only command"])
        .await;
}

#[tokio::test]
async fn the_settings_may_refuse_a_client_or_an_address() {
    let stage = Stage::start_with(|config| config.egress.private = PrivateAddresses::Deny).await;
    let mut asking = client(&stage).await;
    let request = by_name("private.egress.test", 443);
    assert_eq!(answer(&mut asking, &request).await, 2);
    let mut asking = client(&stage).await;
    let request = by_address(Ipv4Addr::LOCALHOST, 443);
    assert_eq!(answer(&mut asking, &request).await, 2);

    let stage = Stage::start_with(|config| {
        config.clients = Clients::new(["127.0.0.2/32".parse().expect("a network")]);
    })
    .await;
    let mut asking = client(&stage).await;
    let request = by_name("front.example", 443);
    assert_eq!(answer(&mut asking, &request).await, 2);
    assert!(!stage.dns.was_asked_for("front.example"));
}

#[tokio::test]
async fn a_client_that_insists_on_a_login_is_told_that_there_is_none() {
    let stage = Stage::start().await;
    for ways in [&[5, 1, 2][..], &[5, 0]] {
        let mut client = stage.proxy.client().await;
        client.send(ways).await;
        assert_eq!(client.rest_bytes().await, [5, 0xff]);
    }
}

#[tokio::test]
async fn version_4_is_served_with_addresses_and_with_names() {
    let mut log = Log::follow();
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let port = origin.port().to_be_bytes();
    let address = [&[4, 1], &port[..], &[127, 0, 0, 1], b"me\0"].concat();
    let name = [&[4, 1], &port[..], b"\0\0\0\x01me\0front.example\0"].concat();
    for request in [address, name] {
        let mut client = stage.proxy.client().await;
        // What is sent ahead is for the origin.
        client.send([&request[..], b"early"].concat()).await;
        assert_eq!(client.exactly_bytes(8).await[..2], [0, 90]);
        let mut served = origin.accept().await;
        served.expect("early").await;
    }
    let blocked = [
        &[4, 1],
        &port[..],
        b"\0\0\0\x01\0",
        BLOCKED.as_bytes(),
        b"\0",
    ]
    .concat();
    let mut client = stage.proxy.client().await;
    client.send(blocked).await;
    assert_eq!(client.rest_bytes().await, [0, 91, 0, 0, 0, 0, 0, 0]);
    log.says(&[
        "kind=access",
        "protocol=socks4",
        &format!("host={BLOCKED}"),
        "verdict=block",
    ])
    .await;
}

#[tokio::test]
async fn the_name_in_a_handshake_is_judged_also_where_an_address_was_asked_for() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = client(&stage).await;
    let request = by_address(Ipv4Addr::LOCALHOST, origin.port());
    assert_eq!(answer(&mut client, &request).await, 0);
    let mut served = origin.accept().await;
    client.send(client_hello(BLOCKED)).await;
    assert!(!client.rest().await.is_empty(), "it gets an alert");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn what_is_sent_ahead_of_the_answer_is_judged_too() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = client(&stage).await;
    let request = by_name("front.example", origin.port());
    client.send([request, client_hello(BLOCKED)].concat()).await;
    let mut served = origin.accept().await;
    assert_eq!(client.exactly_bytes(10).await[1], 0);
    assert!(!client.rest().await.is_empty(), "it gets an alert");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn a_handshake_may_come_byte_by_byte() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    let mut client = stage.proxy.client().await;
    for byte in [5, 2, 1, 0] {
        client.send([byte]).await;
    }
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    for byte in by_name("front.example", origin.port()) {
        client.send([byte]).await;
    }
    assert_eq!(client.exactly_bytes(10).await[1], 0);
}

#[tokio::test]
async fn other_clients_are_served_as_before() {
    let (stage, origin) = (Stage::start().await, Origin::start().await);
    // SOCKS is known by the first byte of a connection, and not by one of a later request.
    let mut client = stage.proxy.client().await;
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.response().await.status, 200);
    client.send([5, 1, 0]).await;
    assert_eq!(client.response().await.status, 400);
    let mut client = stage.proxy.client().await;
    client.send(connect(&origin.authority())).await;
    let _served = origin.accept().await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn curl_gets_a_page_by_each_version() {
    let stage = Stage::start().await;
    for scheme in ["socks5", "socks5h", "socks4", "socks4a"] {
        let host = if scheme.ends_with(['h', 'a']) {
            "front.example"
        } else {
            "127.0.0.1"
        };
        let get = |host: &str| {
            let mut curl = curl();
            curl.arg("--proxy")
                .arg(format!("{scheme}://{}", stage.proxy.address()))
                .arg(stage.url(host));
            curl
        };
        let asked = match within("curl ends", get(host).output()).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return skip_without("curl");
            }
            asked => asked.expect("curl runs"),
        };
        assert!(asked.status.success(), "{scheme}: {asked:?}");
        if host != "127.0.0.1" {
            let asked = within("curl ends", get(BLOCKED).output())
                .await
                .expect("curl runs");
            assert_eq!(asked.status.code(), Some(97), "{scheme}: {asked:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_origin_that_is_silent_is_given_up_in_time_whatever_asks_for_it() {
    let log = Log::follow();
    let stage = Stage::start_with(|config| config.limits.connect = Duration::from_millis(100));
    let (stage, silent) = (stage.await, Origin::silent().await);
    for request in [
        get(&format!("http://{silent}/")),
        connect(&silent.to_string()),
    ] {
        let mut client = stage.proxy.client().await;
        client.send(request).await;
        let response = client.response().await;
        assert_eq!(response.status, 504, "{response:?}");
        let said = response.field("proxy-status").expect("it says why");
        assert!(said.contains(";error=connection_timeout;"), "{said}");
    }
    let request = by_address(Ipv4Addr::LOCALHOST, silent.port());
    // "TTL expired" is the nearest that the protocol has.
    assert_eq!(answer(&mut client(&stage).await, &request).await, 6);
    let port = format!(" port={} ", silent.port());
    for protocol in ["http", "connect", "socks5"] {
        let protocol = format!(" protocol={protocol} ");
        let line = log.clone().says(&["kind=access", &port, &protocol]).await;
        assert!(
            line.contains(" outcome=failed ") && !line.contains(" peer="),
            "{line}"
        );
    }
}
