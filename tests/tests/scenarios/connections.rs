//! How many clients there may be, and what those get for whom there is no room.

use std::num::NonZeroUsize;
use std::time::Duration;

use portcullis_tests::{Log, Origin, Proxy, Wire, ok, post, within};

const QUESTION: &str = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";

async fn is_answered(client: &mut Wire) {
    client.send(QUESTION).await;
    assert_eq!(client.response().await.status, 200);
}

async fn is_turned_away(client: &mut Wire, why: &str) {
    client.send(QUESTION).await;
    let answer = client.response().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.field("retry-after"), Some("1"));
    let said = answer.field("proxy-status").expect("it says why");
    assert!(said.contains("error=connection_limit_reached"), "{said}");
    assert!(answer.body.contains(why), "{answer:?}");
    assert_eq!(client.rest().await, "");
}

/// Tries again and again, as the proxy may not have noticed yet.
async fn has_room_again(proxy: &Proxy) {
    let asking = async {
        loop {
            let mut client = proxy.client().await;
            client.send(QUESTION).await;
            if client.response().await.status == 200 {
                break;
            }
        }
    };
    within("there is room again", asking).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_answered_at_once() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.limits.connections = 2).await;
    let (mut first, mut second) = (proxy.client().await, proxy.client().await);
    is_answered(&mut first).await;
    is_answered(&mut second).await;
    for _ in 0..3 {
        let mut third = proxy.client().await;
        is_turned_away(&mut third, "as many connections as it can serve").await;
    }
    log.says(&["WARN", "connections=2", "[limits] connections"])
        .await;
    is_answered(&mut second).await;

    drop(first);
    has_room_again(&proxy).await;
    is_answered(&mut second).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_client_cannot_take_the_connections_of_others() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| {
        config.limits.connections = 4;
        config.limits.connections_per_client = Some(2);
    })
    .await;
    let eve = [127, 0, 0, 2];
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = proxy.client_from(eve).await;
        is_answered(&mut client).await;
        held.push(client);
    }
    let mut third = proxy.client_from(eve).await;
    is_turned_away(&mut third, "this client has as many connections").await;
    log.says(&["WARN", "client=127.0.0.2", "connections_per_client"])
        .await;
    for _ in 0..2 {
        let mut alice = proxy.client().await;
        is_answered(&mut alice).await;
        held.push(alice);
    }
}

/// It has a connection to the origin, and holds what that does not read.
#[tokio::test]
async fn an_upload_that_outlives_its_client_counts_as_one_of_that_clients_connections() {
    let proxy = Proxy::start_with(|config| {
        config.limits.connections_per_client = Some(1);
        config.limits.body_time = Some(Duration::from_secs(2));
    })
    .await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    let head = "Content-Length: 999999999\r\n\r\n";
    client.send(post(&origin.url("/"), head)).await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("early")).await;
    assert_eq!(client.response().await.body, "early");
    client.send_until_stuck().await;
    assert_eq!(client.rest().await, "", "its time for the body is over");

    let mut next = proxy.client().await;
    is_turned_away(&mut next, "this client has as many connections").await;
    drop(served);
    has_room_again(&proxy).await;
}

#[tokio::test]
async fn connections_that_leave_no_access_line_are_told_of_at_the_end_at_the_latest() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| {
        config.limits.connections = 3;
        config.limits.request_head = Duration::from_secs(2);
        config.limits.keep_alive = Duration::from_millis(100);
    })
    .await;
    let origin = Origin::start().await;
    let (mut one, mut two) = (proxy.client().await, proxy.client().await);
    let mut asked = [
        origin.asked_by(&mut one).await,
        origin.asked_by(&mut two).await,
    ];
    let mut busy = proxy.client().await;
    let _asked = origin.asked_by(&mut busy).await;
    let mut third = proxy.client().await;
    is_turned_away(&mut third, "as many connections as it can serve").await;
    for (client, asked) in [&mut one, &mut two].into_iter().zip(&mut asked) {
        asked.send(ok("ok")).await;
        assert_eq!(client.response().await.body, "ok");
        assert_eq!(client.rest().await, "", "it has no other request");
    }
    let mut silent = proxy.client().await;
    assert_eq!(silent.rest().await, "");
    drop(busy);
    proxy.stop().await;
    let line = log.says(&["INFO", "without an access line"]).await;
    assert!(line.ends_with(" unused=1 idle=2 no_room=1"), "{line}");
}

#[tokio::test]
async fn clients_that_break_off_in_their_request_are_counted() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.proxy.workers = NonZeroUsize::MIN).await;
    let begun = [
        "GE",
        "GET http://a.example/ HTTP/1.1\r\nHost: a.exa",
        "\x05\x02\0",
    ];
    for begun in begun {
        let mut client = proxy.client().await;
        client.send(begun).await;
        client.finish().await;
        assert_eq!(client.rest().await, "");
    }
    let mut kept = proxy.client().await;
    is_answered(&mut kept).await;
    kept.send("GE").await;
    kept.reset();
    // The one worker hears of that before it answers this.
    is_answered(&mut proxy.client().await).await;
    proxy.stop().await;
    let line = log.says(&["INFO", "without an access line"]).await;
    assert!(line.contains(" broken_off=4"), "{line}");
}

#[tokio::test]
async fn where_each_connection_has_its_line_nothing_more_is_told() {
    let log = Log::follow();
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    is_answered(&mut client).await;
    proxy.stop().await;
    assert!(!log.has_said("without an access line"));
}
