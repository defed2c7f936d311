//! What is promised for the end: nothing is lost that can be finished, and everything is over
//! within the bound.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use portcullis::{Config, Ended, StartError};
use portcullis_tests::{Origin, Proxy, Wire, connect, get, ok, scene, within};

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
async fn a_head_that_has_begun_may_be_finished() {
    let proxy = Proxy::start_with(|config| config.proxy.workers = NonZeroUsize::MIN).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let begun = format!("GET {} HTTP/1.1\r\nHost: a\r\n", origin.url("/"));
    client.send(begun).await;
    // The one worker has read that before it answers this, and is stopping when it closes it.
    let mut other = proxy.client().await;
    origin.asked_by(&mut other).await.send(ok("ok")).await;
    assert_eq!(other.response().await.body, "ok");
    proxy.signal();
    assert_eq!(other.rest().await, "");
    client.send("\r\n").await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("done")).await;
    assert_eq!(client.response().await.body, "done");
    assert_eq!(proxy.ended().await, Ended::Cleanly);
}

/// Both ends of a new tunnel, through which nothing has gone yet.
async fn tunnel(proxy: &Proxy, origin: &Origin) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(connect(&origin.authority())).await;
    let served = origin.accept().await;
    client.head().await;
    (client, served)
}

/// Sends bytes through a tunnel for longer than another one has to be quiet to count as idle.
async fn talk_for_a_while((client, served): &mut (Wire, Wire)) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        client.send(".").await;
        served.expect(".").await;
    }
}

#[tokio::test]
async fn a_tunnel_that_was_idle_ends_at_once_and_a_busy_one_is_cut_at_the_bound() {
    // Threads have a tenth of it for their own end, on a slow machine too.
    let bound = Duration::from_secs(8);
    let proxy = Proxy::start_with(|config| config.limits.shutdown = bound).await;
    let origin = Origin::start().await;
    let (mut idle, _idle_served) = tunnel(&proxy, &origin).await;
    let mut busy = tunnel(&proxy, &origin).await;
    talk_for_a_while(&mut busy).await;

    proxy.signal();
    let (client, served) = &mut busy;
    let talk = async { while client.try_send(".").await && served.hears().await {} };
    let (rest, ()) = tokio::join!(idle.rest(), talk);
    assert_eq!(rest, "");
    let cut = Ended::Cut {
        connections: 1,
        threads: 0,
    };
    assert_eq!(proxy.ended().await, cut);
}

#[tokio::test]
async fn a_tunnel_may_pause_while_the_proxy_stops() {
    let bound = Duration::from_secs(60);
    let proxy = Proxy::start_with(|config| config.limits.shutdown = bound).await;
    let origin = Origin::start().await;
    let (mut idle, _idle_served) = tunnel(&proxy, &origin).await;
    let mut busy = tunnel(&proxy, &origin).await;
    talk_for_a_while(&mut busy).await;
    let (mut pausing, mut pausing_served) = tunnel(&proxy, &origin).await;

    proxy.signal();
    // The signal has arrived, and nothing goes through the tunnel for more than a second.
    assert_eq!(idle.rest().await, "");
    talk_for_a_while(&mut busy).await;
    pausing.send("the last word").await;
    pausing_served.expect("the last word").await;
    drop((busy, pausing, pausing_served));
    assert_eq!(proxy.ended().await, Ended::Cleanly);
}

#[tokio::test]
async fn a_tunnel_whose_client_waits_for_an_answer_is_not_idle() {
    let bound = Duration::from_secs(60);
    let proxy = Proxy::start_with(|config| {
        config.limits.shutdown = bound;
        config.proxy.workers = NonZeroUsize::MIN;
    })
    .await;
    let origin = Origin::start().await;
    let mut waiting = tunnel(&proxy, &origin).await;
    let mut answered = tunnel(&proxy, &origin).await;
    for (client, served) in [&mut waiting, &mut answered] {
        client.send("a question").await;
        served.expect("a question").await;
    }
    answered.1.send("an answer").await;
    answered.0.expect("an answer").await;
    let mut busy = tunnel(&proxy, &origin).await;
    talk_for_a_while(&mut busy).await;

    proxy.signal();
    assert_eq!(answered.0.rest().await, "");
    // The one worker has seen the signal, and has looked at the other tunnel since.
    talk_for_a_while(&mut busy).await;
    let (client, served) = &mut waiting;
    served.send("an answer").await;
    client.expect("an answer").await;
    drop((busy, waiting));
    assert_eq!(proxy.ended().await, Ended::Cleanly);
}

#[tokio::test]
async fn a_request_that_hangs_is_cut_at_the_bound() {
    // Threads have a tenth of it for their own end, on a slow machine too.
    let bound = Duration::from_secs(8);
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
        config.proxy.listen = address.into();
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
    config.proxy.listen = proxy.address().into();
    let error = portcullis::Proxy::bind(config).expect_err("the port is in use");
    assert!(
        matches!(&error, StartError::Bind { address, .. } if *address == proxy.address().into())
    );
    assert!(
        error
            .to_string()
            .contains(&SocketAddr::to_string(&proxy.address()))
    );
}
