//! Who may use the proxy, and what those get who may not.

#![cfg(target_os = "linux")]

use std::net::SocketAddr;

use portcullis::Config;
use portcullis::config::Clients;
use portcullis_tests::{Log, Origin, Proxy, Response, Stage, Wire, connect, get, ok};

const ALICE: [u8; 4] = [127, 0, 0, 2];

fn only_alice(config: &mut Config) {
    config.clients = Clients::new(["127.0.0.2/32".parse().expect("a network")]);
}

fn assert_is_refused(response: &Response) {
    assert_eq!(response.status, 403, "{response:?}");
    assert_eq!(response.field("connection"), Some("close"));
    let said = response.field("proxy-status").expect("it says why");
    assert!(
        said.starts_with("portcullis;error=http_request_denied;details="),
        "{said}"
    );
    assert!(response.body.contains("[clients] allow"), "{response:?}");
}

#[tokio::test]
async fn a_client_that_is_not_allowed_gets_403_and_nothing_is_done_for_it() {
    let mut log = Log::follow();
    let stage = Stage::start_with(only_alice).await;
    let url = stage.url("clients.example");
    for (method, request) in [
        ("GET", get(&url)),
        ("CONNECT", connect("clients.example:443")),
        (
            "OPTIONS",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        ),
    ] {
        let mut client = stage.proxy.client().await;
        // What follows is not served.
        client.send(request + &get(&url)).await;
        assert_is_refused(&client.response_to(method).await);
        assert_eq!(client.rest().await, "");
        let method = format!(" method={method} ");
        let line = log
            .says(&["kind=access", " client=127.0.0.1 ", &method, " status=403 "])
            .await;
        assert!(
            line.contains("[clients] allow") && !line.contains("verdict="),
            "{line}"
        );
    }
    assert!(!stage.dns.was_asked_for("clients.example"));
    assert_eq!(log.count(&["kind=access"]), 0, "one line for each");
}

#[tokio::test]
async fn a_client_that_is_allowed_is_served_also_over_a_kept_connection() {
    let (proxy, origin) = (Proxy::start_with(only_alice).await, Origin::start().await);
    let mut alice = proxy.client_from(ALICE).await;
    let mut served = origin.asked_by(&mut alice).await;
    for _ in 0..2 {
        served.send(ok("hello")).await;
        assert_eq!(alice.response().await.body, "hello");
        alice.send(get(&origin.url("/"))).await;
        served.head().await;
    }
    let mut alice = proxy.client_from(ALICE).await;
    alice.send(connect(&origin.authority())).await;
    origin.accept().await;
    assert!(alice.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn an_ipv4_client_of_a_listener_for_both_families_is_known_by_its_address() {
    let proxy = Proxy::start_with(|config| {
        only_alice(config);
        config.proxy.listen = "[::]:0".parse().unwrap();
    });
    let proxy = proxy.await;
    let address = SocketAddr::from(([127, 0, 0, 1], proxy.address().port()));
    let question = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut alice = Wire::connect_from(ALICE.into(), address).await;
    alice.send(question).await;
    assert_eq!(alice.response().await.status, 200);
    let mut other = Wire::connect(address).await;
    other.send(question).await;
    assert_is_refused(&other.response().await);
}
