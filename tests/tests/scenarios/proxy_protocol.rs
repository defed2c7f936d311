//! Listeners behind load balancers, which say whose connection it is.

#![cfg(target_os = "linux")]

mod peers;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use portcullis::Config;
use portcullis::config::{
    Balancer, Clients, Egress, ListenAddress, Listener, Ports, PrivateAddresses,
};
use portcullis_tests::{Log, OPTIONS, Origin, Proxy, Wire, connect, get, ok};
use tempfile::TempDir;

/// What version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A client of a load balancer, which is this machine.
const CLIENT: &str = "203.0.113.7";

/// The load balancer at this address.
fn balancer(address: &str) -> Balancer {
    Balancer::Network(address.parse().expect("an address"))
}

/// The clients of these networks.
fn clients<const N: usize>(networks: [&str; N]) -> Clients {
    Clients::new(networks.map(|network| network.parse().expect("a network")))
}

/// A header of version 1 for this client.
fn version_1(client: impl Into<IpAddr>) -> String {
    let client = client.into();
    let (family, other) = if client.is_ipv4() {
        ("TCP4", "192.0.2.1")
    } else {
        ("TCP6", "::1")
    };
    format!("PROXY {family} {client} {other} 51234 3128\r\n")
}

/// A header of version 2 with this command, for [`CLIENT`], with these fields behind the addresses.
fn version_2(command: u8, fields: &[u8]) -> Vec<u8> {
    let addresses = [203, 0, 113, 7, 192, 0, 2, 1, 200, 34, 12, 56];
    let length = u16::try_from(addresses.len() + fields.len()).expect("it is short");
    [
        SIGNATURE,
        &[0x20 | command, 0x11],
        &length.to_be_bytes(),
        &addresses,
        fields,
    ]
    .concat()
}

/// A proxy with a listener that believes 127.0.0.1, for clients in 203.0.113.0/24 and
/// 2001:db8::/32, besides one on loopback.
async fn proxy(change: impl FnOnce(&mut Config)) -> Proxy {
    Proxy::start_with(|config| {
        let mut listener = Listener::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        listener.proxy_protocol = Some(vec![balancer("127.0.0.1/32")]);
        config.listeners = BTreeMap::from([("balanced".into(), listener)]);
        config.clients = clients(["203.0.113.0/24", "2001:db8::/32", "127.0.0.2/32"]);
        config.egress.private = PrivateAddresses::Allow;
        config.egress.connect_ports = Some(vec![Ports::new(1, u16::MAX)]);
        change(config);
    })
    .await
}

/// The listener that believes balancers.
fn balanced(proxy: &Proxy) -> SocketAddr {
    let address = proxy.addresses().last().and_then(ListenAddress::socket);
    address.expect("it has a port")
}

/// A connection that begins with `header`.
async fn through(proxy: &Proxy, header: impl AsRef<[u8]>) -> Wire {
    let mut client = Wire::connect(balanced(proxy)).await;
    client.send(header).await;
    client
}

/// Whether the proxy closes a connection without a word.
async fn is_closed(mut client: Wire) -> bool {
    client.send_what_is_taken(OPTIONS).await;
    client.rest_bytes().await.is_empty()
}

#[tokio::test]
async fn the_announced_client_is_the_client_everywhere() {
    let mut log = Log::follow();
    let origin = Origin::start().await;
    for header in [
        version_1([203, 0, 113, 7]).into_bytes(),
        version_2(1, b""),
        // Fields that say nothing to the proxy are passed over.
        version_2(1, b"\x02\0\x01a\x04\0\0"),
    ] {
        let proxy = proxy(|config| config.limits.connections_per_client = Some(1)).await;
        let mut client = through(
            &proxy,
            [&header[..], get(&origin.url("/")).as_bytes()].concat(),
        )
        .await;
        let mut served = origin.accept().await;
        let head = served.head().await;
        assert!(!head.contains(CLIENT), "{head}");
        served.send(ok("hello")).await;
        assert_eq!(client.response().await.body, "hello");

        // Its share of connections is its own.
        let mut second = through(&proxy, &header).await;
        second.send_what_is_taken(OPTIONS).await;
        assert_eq!(second.response().await.status, 503);
        let mut neighbour = through(&proxy, version_1([203, 0, 113, 8])).await;
        neighbour.send(OPTIONS).await;
        assert_eq!(neighbour.response().await.status, 200);
        drop(client);
        let name = format!(" client={CLIENT} listener=balanced ");
        log.says(&["kind=access", &name, " method=GET "]).await;
    }
}

#[tokio::test]
async fn ipv6_clients_of_one_network_are_one_client() {
    let proxy = proxy(|config| config.limits.connections_per_client = Some(1)).await;
    let address = |last: u16| version_1([0x2001, 0xdb8, 1, 2, 0, 0, 0, last]);
    let mut first = through(&proxy, address(1)).await;
    first.send(OPTIONS).await;
    assert_eq!(first.response().await.status, 200);
    let mut second = through(&proxy, address(2)).await;
    second.send_what_is_taken(OPTIONS).await;
    assert_eq!(second.response().await.status, 503);
}

#[tokio::test]
async fn an_announced_client_is_never_of_this_machine() {
    let proxy = proxy(|_| ()).await;
    // Not even one that the balancer itself has met on loopback.
    for (client, status) in [
        ([127, 0, 0, 1], 403),
        ([198, 51, 100, 1], 403),
        ([127, 0, 0, 2], 200),
    ] {
        let mut client = through(&proxy, version_1(client)).await;
        client.send(OPTIONS).await;
        assert_eq!(client.response().await.status, status);
    }
    // A person on this machine is told by which command a host would pass.
    let blocked = get("http://www.blocked.portcullis.test/");
    let way_out = "allow www.blocked.portcullis.test";
    let mut direct = Wire::connect_from([127, 0, 0, 2].into(), proxy.address()).await;
    direct.send(&blocked).await;
    assert!(direct.response().await.body.contains(way_out));
    let mut announced = through(&proxy, version_1([127, 0, 0, 2])).await;
    announced.send(&blocked).await;
    let response = announced.response().await;
    assert_eq!(response.status, 403);
    assert!(!response.body.contains(way_out), "{}", response.body);
}

#[tokio::test]
async fn a_balancer_that_names_no_client_does_not_stand_for_one_of_this_machine() {
    let proxy = proxy(|config| config.clients = clients(["127.0.0.1/32"])).await;
    let blocked = get("http://www.blocked.portcullis.test/");
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0, b"")] {
        let mut client = through(&proxy, header).await;
        client.send(&blocked).await;
        let response = client.response().await;
        assert_eq!(response.status, 403);
        assert!(response.body.contains("blocked.portcullis.test"));
        assert!(!response.body.contains("allow www"), "{}", response.body);
    }
}

#[tokio::test]
async fn a_header_comes_from_trusted_addresses_alone_and_before_all_else() {
    let mut log = Log::follow();
    let proxy = proxy(|_| ()).await;
    let header = version_1([203, 0, 113, 7]);
    let mut stranger = Wire::connect_from([127, 0, 0, 3].into(), balanced(&proxy)).await;
    assert!(stranger.try_send(&header).await);
    assert!(is_closed(stranger).await);
    let mut without = through(&proxy, OPTIONS).await;
    assert_eq!(without.rest().await, "");
    log.says(&[
        "a load balancer has not said who its client is",
        "listener=balanced",
    ])
    .await;
    // Elsewhere it is no header.
    let mut direct = Wire::connect_from([127, 0, 0, 2].into(), proxy.address()).await;
    direct.send(&header).await;
    assert_eq!(direct.response().await.status, 400);
    // A second one is the client's word.
    for second in [header.clone().into_bytes(), version_2(1, b"")] {
        let mut client = through(&proxy, [header.as_bytes(), &second].concat()).await;
        assert_eq!(client.response().await.status, 400, "{second:?}");
        assert_eq!(client.rest().await, "", "it ends");
    }
}

#[tokio::test]
async fn a_header_that_is_wrong_closes_the_connection() {
    let proxy = proxy(|_| ()).await;
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
    assert_eq!(long.len(), 108);
    let right = [0x03, 0, 4, 0, 0, 0, 0];
    for (what, header) in [
        ("108 bytes", long.into_bytes()),
        ("no address", b"PROXY TCP4 a b 1 2\r\n".to_vec()),
        ("a wrong checksum", version_2(1, &right)),
        ("a field without its end", version_2(1, &[4, 0, 1])),
        ("another command", version_2(3, b"")),
    ] {
        assert!(is_closed(through(&proxy, header).await).await, "{what}");
    }
}

#[tokio::test]
async fn a_header_that_does_not_come_in_time_closes_the_connection() {
    let mut log = Log::follow();
    let proxy = proxy(|config| config.limits.request_head = Duration::from_millis(200)).await;
    let mut client = through(&proxy, "PROXY TCP4 203").await;
    assert_eq!(client.rest().await, "");
    log.says(&["did not come in time", "peer=127.0.0.1"]).await;
}

#[tokio::test]
async fn a_balancer_without_a_client_is_known_by_its_own_address() {
    let headers = [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0, b"")];
    for (allowed, status) in [("127.0.0.1/32", 200), ("203.0.113.0/24", 403)] {
        let proxy = proxy(|config| config.clients = clients([allowed])).await;
        for header in &headers {
            let mut client = through(&proxy, header).await;
            client.send(OPTIONS).await;
            assert_eq!(client.response().await.status, status, "{allowed}");
        }
    }
}

#[tokio::test]
async fn a_header_may_come_byte_by_byte_and_socks_behind_it() {
    let (proxy, origin) = (proxy(|_| ()).await, Origin::start().await);
    let port = origin.port().to_be_bytes();
    let request = [&[5, 1, 0, 1, 127, 0, 0, 1], &port[..]].concat();
    for header in [version_1([203, 0, 113, 7]).into_bytes(), version_2(1, b"")] {
        let mut client = Wire::connect(balanced(&proxy)).await;
        for byte in header.iter().chain(&[5, 1, 0]) {
            client.send([*byte]).await;
        }
        assert_eq!(client.exactly_bytes(2).await, [5, 0]);
        client.send(&request).await;
        assert_eq!(client.exactly_bytes(10).await[1], 0);
        origin.accept().await;
    }
}

#[tokio::test]
async fn a_unix_socket_may_be_behind_a_balancer_too() {
    let (folder, mut log) = (TempDir::new().expect("a folder"), Log::follow());
    let path = folder.path().join("proxy.sock");
    let proxy = proxy(|config| {
        let mut listener = Listener::at(ListenAddress::Unix(path.clone()));
        listener.proxy_protocol = Some(vec![Balancer::Unix]);
        config.listeners = BTreeMap::from([("balanced".into(), listener)]);
    })
    .await;
    for (header, name, status) in [
        (version_1([203, 0, 113, 7]), CLIENT, 200),
        (version_1([198, 51, 100, 1]), "198.51.100.1", 403),
        ("PROXY UNKNOWN\r\n".to_owned(), "unix", 403),
    ] {
        let mut client = Wire::connect_unix(&path);
        client.send(header).await;
        client.send(OPTIONS).await;
        assert_eq!(client.response().await.status, status);
        let name = format!(" client={name} listener=balanced ");
        log.says(&["kind=access", &name]).await;
    }
    drop(proxy);
}

#[test]
fn a_listener_behind_a_balancer_is_for_other_machines() {
    let mut config = Config::default();
    let mut listener = Listener::at(SocketAddr::from(([127, 0, 0, 1], 0)));
    listener.proxy_protocol = Some(vec![balancer("127.0.0.1/32")]);
    config.proxy.listen = [].into_iter().collect();
    config.listeners = BTreeMap::from([("balanced".into(), listener)]);
    let refused = portcullis::Proxy::bind(config)
        .expect_err("it would be open")
        .to_string();
    assert!(
        refused.contains("balanced 127.0.0.1:0 through its load balancers"),
        "{refused}"
    );
    assert!(refused.contains("[clients]\nallow = "), "{refused}");
}

#[tokio::test]
async fn the_defaults_of_a_listener_behind_a_balancer_are_those_of_one_beyond_loopback() {
    let origin = Origin::start().await;
    let proxy = proxy(|config| config.egress = Egress::default()).await;
    let mut client = through(&proxy, version_1([203, 0, 113, 7])).await;
    client.send(connect(&origin.authority())).await;
    assert_eq!(client.response_to("CONNECT").await.status, 403, "the port");
    let mut client = through(&proxy, version_1([203, 0, 113, 7])).await;
    client.send(get(&origin.url("/"))).await;
    assert_eq!(client.response().await.status, 403, "the address");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn explain_says_who_may_come_in_where() {
    let proxy = proxy(|_| ()).await;
    for (client, decided_by) in [(CLIENT, "nothing"), ("198.51.100.1", "clients")] {
        let config = proxy.config().clone();
        let client = client.parse().ok();
        let explained = portcullis::commands::explain(config, "a.example", client, None).await;
        let explained = explained.expect("a host");
        let said = explained.to_string();
        let networks = "for clients in 203.0.113.0/24, 2001:db8::/32, 127.0.0.2/32";
        assert!(
            said.contains(&format!("listener: {}, {networks}\n", proxy.address())),
            "{said}"
        );
        assert!(said.contains(", as said by 127.0.0.1/32\n"), "{said}");
        let json = serde_json::to_value(&explained).expect("it is JSON");
        assert_eq!(json["decided_by"], decided_by, "{said}");
        assert_eq!(json["listeners"].as_array().map(Vec::len), Some(2));
    }
}
