//! Where the proxy may connect. Nothing here leaves this machine: what leads elsewhere is refused
//! before it is dialled.

use portcullis::Config;
use portcullis::config::{Clients, Destination, Ports, PrivateAddresses};
use portcullis_tests::{Dns, Log, Response, Stage, Wire, connect, get};

fn deny_private(config: &mut Config) {
    config.egress.private = PrivateAddresses::Deny;
}

fn entries(entries: &[&str]) -> Vec<Destination> {
    let parse = |entry: &&str| entry.parse().expect("a destination");
    entries.iter().map(parse).collect()
}

fn assert_is_refused(response: &Response, error: &str, says: &str) {
    assert_eq!(response.status, 403, "{response:?}");
    let said = response.field("proxy-status").expect("it says why");
    assert!(
        said.starts_with(&format!("portcullis;error={error};details=")),
        "{said}"
    );
    assert!(said.contains(says), "{said}");
    assert!(
        response.body.contains("\nReason: ") && response.body.contains(says),
        "{response:?}"
    );
}

/// The code that a client of SOCKS 5 gets for port 443 of a name.
async fn socks_code(stage: &Stage, name: &str) -> u8 {
    let mut client = stage.proxy.client().await;
    client.send([5, 1, 0]).await;
    client.exactly_bytes(2).await;
    let length = u8::try_from(name.len()).expect("a short name");
    let port = 443_u16.to_be_bytes();
    client
        .send([&[5, 1, 0, 3, length], name.as_bytes(), &port].concat())
        .await;
    client.exactly_bytes(10).await[1]
}

/// A name, where it leads, and what is said of that.
const NOT_PUBLIC: &[(&str, &[&str], &str)] = &[
    ("private.egress.test", &["10.0.0.1"], "a private address"),
    ("shared.egress.test", &["100.64.0.1"], "a shared address"),
    ("here.egress.test", &["127.0.0.1"], "a loopback address"),
    (
        "metadata.egress.test",
        &["169.254.169.254"],
        "a cloud metadata address",
    ),
    (
        "mapped.egress.test",
        &["::ffff:10.0.0.1"],
        "a private address",
    ),
    (
        "nat64.egress.test",
        &["64:ff9b::a00:1"],
        "10.0.0.1, is a private address",
    ),
    (
        "6to4.egress.test",
        &["2002:7f00:1::"],
        "127.0.0.1, is a loopback address",
    ),
    (
        "several.egress.test",
        &["192.168.0.1", "fd00::1"],
        "address",
    ),
    (
        "alias.egress.test",
        &["private.egress.test"],
        "a private address",
    ),
];

#[tokio::test]
async fn a_name_that_leads_to_an_address_that_is_not_public_is_refused_undialled() {
    let log = Log::follow();
    let stage = Stage::start_with(deny_private).await;
    let mut kept = stage.proxy.client().await;
    for &(name, to, class) in NOT_PUBLIC {
        stage.dns.lead(name, to);
        kept.send(stage.request(name, "")).await;
        assert_is_refused(&kept.response().await, "destination_ip_prohibited", class);
        let mut client = stage.proxy.client().await;
        client.send(connect(&format!("{name}:443"))).await;
        assert_is_refused(&client.response().await, "destination_ip_prohibited", class);
        assert_eq!(client.rest().await, "");
        assert_eq!(socks_code(&stage, name).await, 2, "{name}");
        for protocol in [" protocol=http ", " protocol=connect ", " protocol=socks5 "] {
            let line = log
                .clone()
                .says(&["kind=access", &format!(" host={name} "), protocol])
                .await;
            assert!(line.contains(class), "{line}");
            assert!(!line.contains(" peer="), "{line}");
        }
    }
    assert!(!stage.site.has_been_asked(""));
}

#[tokio::test]
async fn a_host_is_judged_as_the_address_that_it_is() {
    let stage = Stage::start_with(deny_private).await;
    let port = stage.site.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "127.1",
        "0x7f.1",
        "0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
    ] {
        let mut client = stage.proxy.client().await;
        client.send(get(&format!("http://{host}:{port}/"))).await;
        let response = client.response().await;
        assert_is_refused(&response, "destination_ip_prohibited", "address");
    }
    assert!(!stage.site.has_been_asked(""));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn of_a_mixed_answer_only_what_is_allowed_is_dialled() {
    let stage = Stage::start_with(|config| {
        deny_private(config);
        config.egress.allow = entries(&["127.0.0.0/8"]);
        config.egress.deny = entries(&["127.0.0.9"]);
    });
    let (mut log, stage) = (Log::follow(), stage.await);
    let denied = std::net::TcpListener::bind(("127.0.0.9", stage.site.port()));
    let denied = denied.expect("a port that is free there");
    denied.set_nonblocking(true).expect("a socket");
    stage
        .dns
        .lead("mixed.egress.test", &["127.0.0.9", "127.0.0.1"]);
    assert_eq!(stage.get("mixed.egress.test").await.status, 200);
    log.says(&[" host=mixed.egress.test ", " peer=127.0.0.1:"])
        .await;
    assert!(denied.accept().is_err(), "it was not dialled");

    stage.dns.lead("denied.egress.test", &["127.0.0.9"]);
    let refused = stage.get("denied.egress.test").await;
    assert_is_refused(
        &refused,
        "destination_ip_prohibited",
        "`127.0.0.9` is in [egress] deny",
    );
    assert!(denied.accept().is_err());
}

#[tokio::test]
async fn a_host_that_is_denied_is_not_looked_up() {
    let stage = Stage::start_with(|config| {
        config.egress.deny = entries(&[".denied.test", "*.below.test", "ports.test:1-1023"]);
    });
    let stage = stage.await;
    for name in ["denied.test", "www.denied.test", "www.below.test"] {
        let refused = stage.get(name).await;
        assert_is_refused(&refused, "http_request_denied", "is in [egress] deny");
        assert!(!stage.dns.was_asked_for(name), "{name}");
    }
    for name in ["below.test", "notdenied.test", "ports.test"] {
        assert_eq!(stage.get(name).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn connect_leads_to_some_ports_and_other_requests_to_any() {
    let stage = Stage::start_with(|config| {
        config.egress.connect_ports = Some(vec![Ports::new(443, 443)]);
    });
    let stage = stage.await;
    let refused = stage.connect("ports.egress.test").await;
    assert_is_refused(&refused, "http_request_denied", "[egress] connect_ports");
    assert!(!stage.dns.was_asked_for("ports.egress.test"));
    assert_eq!(stage.get("ports.egress.test").await.status, 200);
    let port = stage.site.port();
    let named = Stage::start_with(|config| {
        config.egress.connect_ports = Some(vec![Ports::new(443, 443)]);
        config.egress.allow = entries(&["named.egress.test:1-65535"]);
    });
    let named = named.await;
    assert_eq!(named.connect("named.egress.test").await.status, 200);
    assert_ne!(port, 443);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn beyond_loopback_the_internal_network_is_out_of_reach_unless_it_is_named() {
    for (allow, status) in [(&[][..], 403), (&["127.0.0.1"], 200)] {
        let stage = Stage::start_with(|config| {
            config.proxy.listen = "0.0.0.0:0".parse().expect("an address");
            config.clients = Clients::new(["127.0.0.0/8".parse().expect("a network")]);
            config.egress.allow = entries(allow);
        });
        let stage = stage.await;
        let address = ([127, 0, 0, 1], stage.proxy.address().port()).into();
        let mut client = Wire::connect(address).await;
        client.send(stage.request("inside.egress.test", "")).await;
        let response = client.response().await;
        assert_eq!(response.status, status, "{response:?}");
        let mut client = Wire::connect(address).await;
        client.send(connect("inside.egress.test:25")).await;
        assert_is_refused(&client.response().await, "http_request_denied", "port 25");
    }
}

#[tokio::test]
async fn no_server_is_asked_for_names_of_the_settings_and_the_policy_holds_for_them() {
    let stage = Stage::start_with(|config| {
        let hosts = [
            ("wiki.settings.test", "127.0.0.1"),
            ("*.settings.test", "127.0.0.1"),
            ("metadata.settings.test", "169.254.169.254"),
        ];
        let hosts = hosts.map(|(name, address)| {
            let address = address.parse().expect("an address");
            (name.to_owned(), vec![address])
        });
        config.egress.hosts = hosts.into();
    })
    .await;
    for (name, status) in [
        ("wiki.settings.test", 200),
        ("any.thing.settings.test", 200),
        ("metadata.settings.test", 403),
    ] {
        assert_eq!(stage.get(name).await.status, status, "{name}");
        assert!(!stage.dns.was_asked_for(name), "{name}");
    }
}

#[tokio::test]
async fn a_domain_may_have_name_servers_of_its_own() {
    let inner = Dns::start().await;
    inner.lead("wiki.corp.test", &["127.0.0.1"]);
    let servers = vec![inner.address().into()];
    let stage = Stage::start_with(|config| {
        config.egress.name_servers = [("corp.test".to_owned(), servers)].into();
    })
    .await;
    stage.dns.lead("outer.test", &["127.0.0.1"]);
    assert_eq!(stage.get("wiki.corp.test").await.status, 200);
    assert_eq!(stage.get("outer.test").await.status, 200);
    assert!(inner.was_asked_for("wiki.corp.test") && !inner.was_asked_for("outer.test"));
    assert!(stage.dns.was_asked_for("outer.test") && !stage.dns.was_asked_for("wiki.corp.test"));
}
