//! How much a client may use of what there is: requests on a connection, tunnels, bandwidth. How
//! many connections it may have is in `connections`.

use std::time::{Duration, Instant};

use portcullis::config::Group;
use portcullis_tests::{Log, Origin, Proxy, Wire, connect, get};

#[tokio::test]
async fn a_connection_is_closed_after_its_last_request_and_the_log_says_so() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| {
        config.limits.requests_per_connection = Some(2);
    })
    .await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    for connection in [None, Some("close")] {
        let mut asked = origin.asked_by(&mut client).await;
        asked
            .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            .await;
        let response = client.response().await;
        assert_eq!((response.status, &*response.body), (200, "ok"));
        assert_eq!(response.field("connection"), connection);
        let host = format!("port={} ", origin.port());
        let line = log.says(&["kind=access", &host]).await;
        assert_eq!(line.contains(" last=true "), connection.is_some(), "{line}");
    }
    // One that was sent all the same reaches no origin.
    client.send_what_is_taken(get(&origin.url("/"))).await;
    assert_eq!(client.rest().await, "");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn a_tunnel_may_be_what_the_last_request_asks_for() {
    let proxy = Proxy::start_with(|config| {
        config.limits.requests_per_connection = Some(1);
    })
    .await;
    let origin = Origin::start().await;
    let (mut client, mut end) = tunnel(&proxy, &origin).await;
    end.send("hello").await;
    client.expect("hello").await;
}

/// A client that has a tunnel, and the origin's end of it.
async fn tunnel(proxy: &Proxy, origin: &Origin) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(connect(&origin.authority())).await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    (client, origin.accept().await)
}

#[tokio::test]
async fn tunnels_beyond_the_limit_are_refused_in_every_protocol() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.limits.tunnels = Some(1)).await;
    let origin = Origin::start().await;
    let (first, first_end) = tunnel(&proxy, &origin).await;

    let mut client = proxy.client().await;
    client.send(connect(&origin.authority())).await;
    let refused = client.response_to("CONNECT").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert!(
        refused
            .body
            .contains("the proxy has as many tunnels as it may")
    );
    let upgrade = get(&origin.url("/")).replace(
        "\r\n\r\n",
        "\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    let mut client = proxy.client().await;
    client.send(&upgrade).await;
    assert_eq!(client.response().await.status, 503);
    let mut client = proxy.client().await;
    let [high, low] = origin.port().to_be_bytes();
    client.send([5, 1, 0]).await;
    client.send([5, 1, 0, 1, 127, 0, 0, 1, high, low]).await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    assert_eq!(client.exactly_bytes(2).await, [5, 1]);
    assert!(!origin.was_dialled());
    log.says(&["WARN", "[limits] tunnels"]).await;

    // What is no tunnel goes on, and so does the tunnel that there is.
    let mut client = proxy.client().await;
    let mut asked = origin.asked_by(&mut client).await;
    asked.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(client.response().await.status, 204);

    drop((first, first_end));
    // The proxy may not have noticed yet.
    loop {
        let mut client = proxy.client().await;
        client.send(connect(&origin.authority())).await;
        if client.response_to("CONNECT").await.status == 200 {
            break;
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_client_cannot_take_the_tunnels_of_others() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.limits.tunnels_per_client = Some(1)).await;
    let origin = Origin::start().await;
    let mut statuses = Vec::new();
    let mut held = Vec::new();
    for last in [2, 2, 3] {
        let mut client = proxy.client_from([127, 0, 0, last]).await;
        client.send(connect(&origin.authority())).await;
        statuses.push(client.response_to("CONNECT").await.status);
        held.push(client);
    }
    assert_eq!(statuses, [200, 503, 200]);
    log.says(&["WARN", "client=127.0.0.2", "[limits] tunnels_per_client"])
        .await;
}

#[tokio::test]
async fn a_client_and_its_group_are_no_faster_than_the_settings_say() {
    let mut log = Log::follow();
    for is_group in [false, true] {
        let proxy = Proxy::start_with(|config| {
            if is_group {
                let network = "127.0.0.0/8".parse().expect("a network");
                let mut group = Group::new([network]);
                group.bandwidth = Some(64 << 10);
                config.groups.insert("lab".into(), group);
            } else {
                config.limits.bandwidth_per_client = Some(64 << 10);
            }
        })
        .await;
        let origin = Origin::start().await;
        let (mut client, mut end) = tunnel(&proxy, &origin).await;
        let begun = Instant::now();
        // A second's worth comes at once.
        end.send(vec![b'x'; 96 << 10]).await;
        client.exactly_bytes(96 << 10).await;
        assert!(begun.elapsed() > Duration::from_millis(400));
        drop((client, end));
        let port = format!("port={} ", origin.port());
        log.says(&["kind=access", &port, " slowed=true "]).await;
    }
}
