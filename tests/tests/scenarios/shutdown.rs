//! What is promised for the end: nothing is lost that can be finished, and everything is over
//! within the bound.

use std::net::SocketAddr;
use std::time::Duration;

use portcullis::{Config, Ended, StartError};
use portcullis_tests::{Origin, Proxy, connect, get, ok, scene, within};

#[tokio::test]
async fn an_idle_proxy_stops_at_once() {
    let proxy = Proxy::start().await;
    // With its answer the start is over, which is not what is measured.
    let mut client = proxy.client().await;
    client
        .send("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(client.response().await.status, 200);
    drop(client);
    proxy.signal();
    assert_eq!(proxy.ended().await, Ended::Cleanly);
}

#[tokio::test]
async fn a_proxy_that_was_abandoned_stops_too() {
    Proxy::start().await.abandon().await;
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut unused = proxy.client().await;
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("ok")).await;
    client.response().await;
    proxy.signal();
    assert_eq!(proxy.ended().await, Ended::Cleanly);
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
    assert_eq!(unused.rest().await, "");
}

#[tokio::test]
async fn a_request_in_flight_is_finished() {
    let (proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    proxy.signal();
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        .await;
    client.head().await;
    client.expect("ha").await;
    served.send("lf").await;
    client.expect("lf").await;
    assert_eq!(client.rest().await, "");
    assert_eq!(proxy.ended().await, Ended::Cleanly);
}

#[tokio::test]
async fn a_quiet_tunnel_ends_and_a_busy_one_is_cut_at_the_bound() {
    let bound = Duration::from_secs(2);
    let proxy = Proxy::start_with(|config| config.limits.shutdown = bound).await;
    let origin = Origin::start().await;
    let request = connect(&origin.authority());
    let mut quiet = proxy.client().await;
    quiet.send(&request).await;
    let _quiet_served = origin.accept().await;
    quiet.head().await;
    let mut busy = proxy.client().await;
    busy.send(&request).await;
    let mut busy_served = origin.accept().await;
    busy.head().await;

    proxy.signal();
    let talk = async { while busy.try_send(".").await && busy_served.hears().await {} };
    let (rest, ()) = tokio::join!(quiet.rest(), talk);
    assert_eq!(rest, "");
    let cut = Ended::Cut {
        connections: 1,
        threads: 0,
    };
    assert_eq!(proxy.ended().await, cut);
}

#[tokio::test]
async fn a_request_that_hangs_is_cut_at_the_bound() {
    let bound = Duration::from_millis(500);
    let proxy = Proxy::start_with(|config| config.limits.shutdown = bound).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let _served = origin.asked_by(&mut client).await;
    proxy.signal();
    let cut = Ended::Cut {
        connections: 1,
        threads: 0,
    };
    assert_eq!(proxy.ended().await, cut);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_proxy_that_drains_leaves_its_successor_on_the_same_address_alone() {
    let cache = tempfile::tempdir().unwrap();
    let share_cache = |config: &mut Config| config.cache.dir = cache.path().to_owned();
    let (proxy, origin) = (Proxy::start_with(share_cache).await, Origin::start().await);
    let address = proxy.address();
    let mut client = proxy.client().await;
    let request = get(&origin.url("/"));
    client.send(request).await;
    let mut served = origin.accept().await;
    served.head().await;

    // The address is free while the request is still in flight.
    proxy.signal();
    within("the address is free", async {
        while std::net::TcpListener::bind(address).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let successor = Proxy::start_with(|config| {
        share_cache(config);
        config.proxy.listen = address;
    })
    .await;
    let is_seen = async || {
        let list = portcullis::commands::list_plugins(successor.config().clone()).await;
        list.expect("there is a list").to_string().contains("as of")
    };
    within("the successor is seen", async {
        while !is_seen().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    served.send(ok("ok")).await;
    assert_eq!(client.response().await.body, "ok");
    assert_eq!(proxy.ended().await, Ended::Cleanly);
    assert!(is_seen().await);
}

#[tokio::test]
async fn a_port_in_use_is_said_at_the_start() {
    let proxy = Proxy::start().await;
    let mut config = Config::default();
    config.proxy.listen = proxy.address();
    let error = portcullis::Proxy::bind(config).expect_err("the port is in use");
    assert!(matches!(error, StartError::Bind { address, .. } if address == proxy.address()));
    assert!(
        error
            .to_string()
            .contains(&SocketAddr::to_string(&proxy.address()))
    );
}
