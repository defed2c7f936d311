//! Names that lead elsewhere with each question, and what leads back to the proxy.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use portcullis::config::{ListenAddress, Listener, PrivateAddresses};
use portcullis_tests::{Log, Response, Row, Stage, Wire, connect, get, ok};

const PERMITTED: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// As good as any address inside of a network that must not be reached.
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// A stage on which one address alone may be reached, and a server at the other.
async fn stage() -> (Stage, TcpListener) {
    let stage = Stage::start_with(|config| {
        config.egress.private = PrivateAddresses::Deny;
        let permitted = PERMITTED.to_string().parse();
        config.egress.allow = vec![permitted.expect("a destination")];
    })
    .await;
    let inside = TcpListener::bind((INSIDE, stage.site.port()));
    let inside = inside.expect("a port that is free there");
    inside.set_nonblocking(true).expect("a socket");
    (stage, inside)
}

/// The three ways in which a client asks for a name.
#[derive(Clone, Copy, Debug)]
enum Way {
    Http,
    Connect,
    Socks,
}

/// Whether a client that asks for the name is served. None but a refusal for its address counts.
async fn is_served(stage: &Stage, name: &str, way: Way) -> bool {
    let port = stage.site.port();
    let mut client = stage.proxy.client().await;
    let is_prohibited = |response: &Response| {
        let said = response.field("proxy-status").unwrap_or_default();
        assert!(
            said.contains("error=destination_ip_prohibited"),
            "{response:?}"
        );
        response.status == 403
    };
    match way {
        Way::Http => {
            client
                .send(stage.request(name, "Connection: close\r\n"))
                .await;
            let response = client.response().await;
            response.status == 200 || !is_prohibited(&response)
        }
        Way::Connect => {
            client.send(connect(&format!("{name}:{port}"))).await;
            let response = client.response_to("CONNECT").await;
            response.status == 200 || !is_prohibited(&response)
        }
        Way::Socks => {
            client.send([5, 1, 0]).await;
            client.exactly_bytes(2).await;
            let length = u8::try_from(name.len()).expect("a short name");
            let start = [&[5, 1, 0, 3, length], name.as_bytes()].concat();
            client
                .send([&start[..], &port.to_be_bytes()].concat())
                .await;
            match client.exactly_bytes(10).await[1] {
                0 => true,
                2 => false,
                code => panic!("{code}"),
            }
        }
    }
}

/// A name that is permitted when it is looked at, and leads inside when it is dialled.
#[tokio::test]
async fn the_address_that_was_judged_is_the_one_that_is_dialled() {
    let mut log = Log::follow();
    let (stage, inside) = stage().await;
    // Each exchange has a connection of its own.
    stage.site.breaks("/", ok("welcome"));
    for (way, name) in [
        (Way::Http, "http.turns.test"),
        (Way::Connect, "connect.turns.test"),
        (Way::Socks, "socks.turns.test"),
    ] {
        let _row = Row::of(name);
        stage.dns.lead_in_turn(name, &[PERMITTED, INSIDE]);
        assert!(is_served(&stage, name, way).await);
        let line = log.says(&["kind=access", &format!(" host={name} ")]).await;
        assert!(line.contains(&format!(" peer={PERMITTED}:")), "{line}");
        // One question for each family of addresses: there is no second look.
        assert_eq!(stage.dns.times_asked_for(name), 2);
        // The next exchange is judged by where the name leads then.
        assert!(!is_served(&stage, name, way).await);
        assert!(inside.accept().is_err(), "nothing dials it");
    }
}

/// A connection that is kept leads where it led, and that is judged, not where its name leads now.
#[tokio::test]
async fn a_kept_connection_does_not_follow_its_name() {
    let mut log = Log::follow();
    let (stage, inside) = stage().await;
    let name = "kept.turns.test";
    stage.dns.lead_in_turn(name, &[PERMITTED, INSIDE]);
    let mut client = stage.proxy.client().await;
    for _ in 0..2 {
        client.send(stage.request(name, "")).await;
        assert_eq!(client.response().await.status, 200);
        let line = log.says(&["kind=access", &format!(" host={name} ")]).await;
        assert!(line.contains(&format!(" peer={PERMITTED}:")), "{line}");
    }
    assert!(inside.accept().is_err(), "nothing dials it");
}

#[tokio::test]
async fn names_that_lead_to_the_proxy_itself_are_refused_at_each_listener() {
    let stage = Stage::start_with(|config| {
        let listener = Listener::at(SocketAddr::from((INSIDE, 0)));
        config.listeners = BTreeMap::from([("second".into(), listener)]);
    })
    .await;
    stage.dns.lead("own.loops.test", &["127.0.0.1"]);
    stage.dns.lead("second.loops.test", &["127.0.0.9"]);
    stage.dns.lead("alias.loops.test", &["second.loops.test"]);
    stage.dns.lead("mapped.loops.test", &["::ffff:127.0.0.9"]);
    let ports = stage
        .proxy
        .addresses()
        .iter()
        .filter_map(ListenAddress::socket);
    let [own, second] = *ports.collect::<Vec<_>>() else {
        panic!("there are two listeners");
    };
    for (host, at) in [
        ("own.loops.test", own),
        ("OWN.loops.test.", own),
        ("second.loops.test", second),
        ("alias.loops.test", second),
        ("mapped.loops.test", second),
        ("127.0.0.9", second),
        ("[::ffff:127.0.0.9]", second),
    ] {
        let _row = Row::of(host);
        for listener in [own, second] {
            let authority = format!("{host}:{}", at.port());
            let mut client = Wire::connect(listener).await;
            client.send(get(&format!("http://{authority}/"))).await;
            assert_is_a_loop(&client.response().await);
            let mut client = Wire::connect(listener).await;
            client.send(connect(&authority)).await;
            assert_is_a_loop(&client.response().await);
            assert_eq!(client.rest().await, "");
        }
    }
}

fn assert_is_a_loop(response: &Response) {
    assert_eq!(response.status, 508, "{response:?}");
    let said = response.field("proxy-status").unwrap_or_default();
    assert!(said.contains("error=proxy_loop_detected"), "{said}");
}
