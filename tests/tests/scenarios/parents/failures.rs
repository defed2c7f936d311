//! Parents that are not there, do not answer, or are against it.

use std::time::Duration;

use portcullis::config::Fallback;
use portcullis_tests::{Log, Origin, Proxy, connect, get, ok};

use super::{asks_for_tunnel, behind, credentials, through};

#[tokio::test]
async fn the_next_parent_takes_the_place_of_one_that_is_gone() {
    let mut log = Log::follow();
    let (gone, there) = (Origin::gone().await, Origin::start().await);
    let proxy = Proxy::start_with(|config| {
        let mut table = through("http", &[&there]);
        let gone = format!("http://{gone}").parse().expect("a proxy");
        table.proxy.insert(0, gone);
        config.upstream.insert("corp".into(), table);
    })
    .await;
    // Whichever is tried first.
    for _ in 0..3 {
        let (mut client, mut end) = asks_for_tunnel(&proxy, &there, "wiki.example:443").await;
        end.head().await;
        end.send("HTTP/1.1 200 OK\r\n\r\n").await;
        assert_eq!(client.response_to("CONNECT").await.status, 200);
    }
    let gone = format!("proxy=http://{gone}");
    log.says(&["WARN", "upstream=corp", &gone, "cannot be reached"])
        .await;
}

#[tokio::test]
async fn a_request_fails_while_no_parent_can_be_reached_unless_it_may_go_straight() {
    let origin = Origin::start().await;
    for fallback in [Fallback::Refuse, Fallback::Direct] {
        let gone = Origin::gone().await;
        let proxy = Proxy::start_with(|config| {
            let mut table = through("http", &[]);
            table.proxy = vec![format!("http://{gone}").parse().expect("a proxy")];
            table.fallback = fallback;
            credentials(&mut table);
            config.upstream.insert("corp".into(), table);
        })
        .await;
        // The second request meets a proxy that is left alone.
        for _ in 0..2 {
            let mut tunnel = proxy.client().await;
            tunnel.send(connect(&origin.authority())).await;
            let mut client = proxy.client().await;
            client.send(get(&origin.url("/"))).await;
            if fallback == Fallback::Refuse {
                for refused in [tunnel.response_to("CONNECT").await, client.response().await] {
                    assert_eq!(refused.status, 502, "{refused:?}");
                    assert!(refused.body.contains("[upstream.corp]"), "{refused:?}");
                }
                continue;
            }
            assert_eq!(tunnel.response_to("CONNECT").await.status, 200);
            drop((tunnel, origin.accept().await));
            let mut end = origin.accept().await;
            let head = end.head().await;
            assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
            assert!(!head.to_lowercase().contains("proxy-"), "{head}");
            end.send(ok("straight")).await;
            assert_eq!(client.response().await.body, "straight");
            drop(end);
        }
    }
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn a_parent_that_is_against_it_is_named_with_what_it_answers() {
    let answers = [
        ("403 Forbidden", "it answers 403 Forbidden"),
        ("503 Service Unavailable", "it answers 503"),
        (
            "407 Proxy Authentication Required",
            "does not take the `credentials`",
        ),
    ];
    for (answer, why) in answers {
        let parent = Origin::start().await;
        let proxy = behind("http", &parent, |_, table| credentials(table)).await;
        let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
        end.head().await;
        end.send(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"))
            .await;
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, 502);
        assert!(refused.body.contains("[upstream.corp]"), "{refused:?}");
        assert!(refused.body.contains(why), "{refused:?}");
    }
}

#[tokio::test]
async fn a_parent_that_wants_a_login_for_plain_requests_is_not_taken_for_the_origin() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, _| ()).await;
    let mut client = proxy.client().await;
    let mut end = {
        client.send(get("http://wiki.example/")).await;
        parent.accept().await
    };
    end.head().await;
    end.send(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=p\r\n\
         Content-Length: 0\r\n\r\n",
    )
    .await;
    let refused = client.response().await;
    assert_eq!(refused.status, 502, "{refused:?}");
    assert!(refused.body.contains("there are no `credentials`"));
    // All other answers are the origin's, as far as can be told.
    client.send(get("http://wiki.example/")).await;
    let mut end = parent.accept().await;
    end.head().await;
    end.send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert_eq!(client.response().await.status, 404);
}

#[tokio::test]
async fn a_parent_that_does_not_speak_its_protocol_is_as_good_as_gone() {
    for (protocol, answer) in [("http", "SSH-2.0-x\r\n"), ("socks5", "HTTP/1.1 400 no\r\n")] {
        let mut log = Log::follow();
        let parent = Origin::start().await;
        let proxy = behind(protocol, &parent, |_, _| ()).await;
        let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
        end.send(answer).await;
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, 502, "{refused:?}");
        let address = format!("proxy={protocol}://{}", parent.authority());
        log.says(&["WARN", &address, "cannot be reached"]).await;
    }
}

#[tokio::test]
async fn a_parent_that_never_answers_is_given_up() {
    for protocol in ["http", "https", "socks5"] {
        let parent = Origin::start().await;
        let proxy = behind(protocol, &parent, |config, _| {
            config.limits.connect = Duration::from_millis(100);
        })
        .await;
        let (mut client, _silent) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, 504, "{refused:?}");
        assert!(refused.body.contains("[upstream.corp]"), "{refused:?}");
    }
}

#[tokio::test]
async fn the_proxy_is_not_its_own_parent() {
    let free = Origin::gone().await;
    let proxy = Proxy::start_with(|config| {
        config.proxy.listen = free.into();
        let mut table = through("http", &[]);
        table.proxy = vec![format!("http://{free}").parse().expect("a proxy")];
        config.upstream.insert("self".into(), table);
    })
    .await;
    let mut client = proxy.client().await;
    client.send(connect("wiki.example:443")).await;
    assert_eq!(client.response_to("CONNECT").await.status, 508);
}
