//! Other protocols than HTTP (RFC 9110, section 7.8): nothing is passed on unread before the origin
//! has switched.

use portcullis_tests::{Origin, Proxy, Row, get, ok};

use super::{arrives, passes, to};

const WANTS: &str =
    "GET {} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

const ARRIVING: &str = "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\n\
                        Upgrade: websocket\r\nvia: 1.1 portcullis-N\r\n\r\n";

#[tokio::test]
async fn rfc9110_section_7_8_what_follows_an_upgrade_that_is_declined_is_a_request() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    passes(&proxy, &origin, WANTS, ARRIVING).await;
}

/// An origin that has declined and speaks the other protocol all the same is not heard, and neither
/// is a client.
#[tokio::test]
async fn rfc9110_section_7_8_what_follows_a_success_without_a_switch_is_framed_as_http() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let frame = "\u{1}\u{5}hello";
    let mut client = proxy.client().await;
    client.send(to(&origin, WANTS)).await;
    let mut served = origin.accept().await;
    arrives(&mut served, &to(&origin, ARRIVING)).await;
    served.send(ok("first") + frame).await;
    assert_eq!(client.response().await.body, "first");
    assert_eq!(served.rest().await, "", "nothing more is asked there");
    client.send(frame).await;
    let answer = client.response().await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(client.rest().await, "");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn rfc9931_section_4_what_is_sent_ahead_of_a_switch_arrives_behind_it() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let ahead = get(&origin.url("/next"));
    client.send(to(&origin, WANTS) + &ahead).await;
    let mut served = origin.accept().await;
    arrives(&mut served, &to(&origin, ARRIVING)).await;
    // It is not there before, although the proxy has it.
    client.send("last").await;
    assert!(!served.has_heard());
    served
        .send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.finish().await;
    assert_eq!(served.rest().await, ahead + "last");
}

#[tokio::test]
async fn rfc9110_section_7_8_an_upgrade_that_cannot_be_made_is_not_asked_for() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket";
    for (sent, arriving) in [
        (
            // What comes first, the body or the other protocol?
            format!("POST {{}} HTTP/1.1\r\nHost: a\r\n{upgrade}\r\nContent-Length: 1\r\n\r\na"),
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nvia: 1.1 portcullis-N\r\n\r\na",
        ),
        (
            "GET {} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n"
                .into(),
            "GET / HTTP/1.1\r\nHost: {host}\r\nvia: 1.1 portcullis-N\r\n\r\n",
        ),
    ] {
        passes(&proxy, &origin, &sent, arriving).await;
    }
}

/// RFC 9110, section 15.2.2: an origin switches only where it was asked to.
#[tokio::test]
async fn rfc9110_section_15_2_2_a_switch_that_was_not_asked_for_is_a_bad_gateway() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    for request in [
        "GET {} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
        "GET {} HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let _row = Row::of(request);
        let mut client = proxy.client().await;
        client.send(to(&origin, request)).await;
        let mut served = origin.accept().await;
        served.head().await;
        served.send(switch.to_owned() + &ok("evil")).await;
        assert_eq!(client.response().await.status, 502);
        assert_eq!(served.rest().await, "");
    }
}
