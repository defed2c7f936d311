//! Parents that are not there, do not answer, or are against it.

use std::time::{Duration, Instant};

use portcullis::config::Fallback;
use portcullis_tests::{Log, Origin, Proxy, connect, get};
use tokio::time::interval;

use super::{asks_for_tunnel, behind, credentials, through};

#[tokio::test]
async fn the_next_parent_takes_the_place_of_one_that_is_gone() {
    let mut log = Log::follow();
    let (gone, there) = (Origin::gone(), Origin::start().await);
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
    log.says(&["WARN", "upstream=corp", &gone, "has failed"])
        .await;
}

/// Two parents, of which either may be asked first.
async fn behind_two() -> (Origin, Origin, Proxy) {
    let (one, other) = (Origin::start().await, Origin::start().await);
    let proxy = Proxy::start_with(|config| {
        let table = through("http", &[&one, &other]);
        config.upstream.insert("corp".into(), table);
    })
    .await;
    (one, other, proxy)
}

#[tokio::test]
async fn a_plain_request_is_repeated_where_a_parent_breaks_off() {
    let (broken, there, proxy) = behind_two().await;
    let (begun, mut asked_broken) = (Instant::now(), 0);
    for _ in 0..4 {
        let mut client = proxy.client().await;
        client.send(get("http://wiki.example/")).await;
        let mut end = loop {
            tokio::select! {
                end = there.accept() => break end,
                mut end = broken.accept() => {
                    end.head().await;
                    asked_broken += 1;
                }
            }
        };
        end.head().await;
        end.send("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
            .await;
        end.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            .await;
        assert_eq!(client.response().await.status, 103);
        assert_eq!(client.response().await.body, "ok");
    }
    // It is left alone for a second.
    let is_over = begun.elapsed() >= Duration::from_secs(1);
    assert!(
        asked_broken == 1 || asked_broken > 1 && is_over,
        "{asked_broken}"
    );
}

#[tokio::test]
async fn what_has_an_effect_is_not_repeated_where_a_parent_breaks_off() {
    let (broken, there, proxy) = behind_two().await;
    let host = "Host: wiki.example\r\nContent-Length: 2";
    // Either parent may be first.
    for _ in 0..2 {
        let mut client = proxy.client().await;
        client
            .send(format!(
                "POST http://wiki.example/ HTTP/1.1\r\n{host}\r\n\r\nhi"
            ))
            .await;
        tokio::select! {
            mut end = there.accept() => {
                end.head().await;
                end.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await;
                assert_eq!(client.response().await.body, "ok");
            }
            mut end = broken.accept() => {
                end.head().await;
                drop(end);
                assert_eq!(client.response().await.status, 502);
                assert!(!there.was_dialled(), "it was sent once more");
                return;
            }
        }
    }
    panic!("the parent that breaks off was never asked");
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_no_fault_of_the_parents() {
    let log = Log::follow();
    let parents = [Origin::start().await, Origin::start().await];
    let proxy = Proxy::start_with(|config| {
        config.limits.connect = Duration::from_millis(100);
        let mut table = through("http", &[&parents[0], &parents[1]]);
        table.fallback = Fallback::Direct;
        config.upstream.insert("corp".into(), table);
    })
    .await;
    for _ in 0..3 {
        let mut client = proxy.client().await;
        client.send(connect("silent.example:443")).await;
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, 504, "{refused:?}");
        assert!(
            refused
                .body
                .contains("silent.example:443 through [upstream.corp]")
        );
    }
    assert!(!log.has_said("a parent proxy has failed"));
}

#[tokio::test]
async fn a_parent_that_breaks_off_does_not_let_a_request_go_straight() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, table| {
        table.fallback = Fallback::Direct
    })
    .await;
    for _ in 0..2 {
        let origin = Origin::start().await;
        let (mut client, end) = asks_for_tunnel(&proxy, &parent, &origin.authority()).await;
        drop(end);
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, 502, "{refused:?}");
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn a_request_that_runs_in_a_circle_of_parents_ends() {
    let free = Origin::free().await;
    let parent = |address: std::net::SocketAddr| {
        let mut table = through("http", &[]);
        table.proxy = vec![format!("http://{address}").parse().expect("a proxy")];
        table
    };
    let first = Proxy::start_with(|config| {
        config.upstream.insert("next".into(), parent(free));
    })
    .await;
    let address = first.address();
    let _second = Proxy::start_with(|config| {
        config.proxy.listen = free.into();
        config.upstream.insert("next".into(), parent(address));
    })
    .await;
    let mut client = first.client().await;
    client.send(connect("wiki.example:443")).await;
    let refused = client.response_to("CONNECT").await;
    assert_eq!(refused.status, 502, "{refused:?}");
    client = first.client().await;
    client.send(get("http://wiki.example/")).await;
    assert_eq!(client.response().await.status, 508);
}

#[tokio::test]
async fn a_host_that_no_request_can_name_is_refused() {
    let log = Log::follow();
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, _| ()).await;
    let mut client = proxy.client().await;
    client.send([5, 1, 0]).await;
    client
        .send(b"\x05\x01\x00\x03\x0ba{b.example\x01\xbb")
        .await;
    assert_eq!(client.exactly_bytes(2).await, [5, 0]);
    assert_eq!(client.exactly_bytes(2).await, [5, 1]);
    assert!(!log.has_said("panicked"));
}

#[tokio::test]
async fn a_request_fails_while_no_parent_can_be_reached_unless_it_may_go_straight() {
    let origin = Origin::start().await;
    for fallback in [Fallback::Refuse, Fallback::Direct] {
        let gone = Origin::gone();
        let proxy = Proxy::start_with(|config| {
            let mut table = through("http", &[]);
            table.proxy = vec![format!("http://{gone}").parse().expect("a proxy")];
            table.fallback = fallback;
            credentials(&mut table);
            config.upstream.insert("corp".into(), table);
        })
        .await;
        // The second requests meet a proxy that is left alone.
        for _ in 0..2 {
            let mut tunnel = proxy.client().await;
            tunnel.send(connect(&origin.authority())).await;
            let mut client = proxy.client().await;
            if fallback == Fallback::Refuse {
                client.send(get(&origin.url("/"))).await;
                for refused in [tunnel.response_to("CONNECT").await, client.response().await] {
                    assert_eq!(refused.status, 502, "{refused:?}");
                    assert!(refused.body.contains("[upstream.corp]"), "{refused:?}");
                }
                continue;
            }
            let _end = origin.accept().await;
            assert_eq!(tunnel.response_to("CONNECT").await.status, 200);
            client.send(get(&origin.url("/"))).await;
            let mut end = origin.accept().await;
            let head = end.head().await;
            assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
            assert!(!head.to_lowercase().contains("proxy-"), "{head}");
            end.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nstraight")
                .await;
            assert_eq!(client.response().await.body, "straight");
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
        log.says(&["WARN", &address, "has failed"]).await;
    }
}

/// More would hold up the other clients of its worker, as it would from an origin.
#[tokio::test]
async fn a_parent_may_send_as_much_before_its_answer_as_an_origin() {
    let progress = "HTTP/1.1 102 Processing\r\n\r\n";
    let unsound = "HTTP/1.1 103 a\nb :c\n\n";
    let link = "a".repeat(60_000);
    let long = format!("HTTP/1.1 103 Early Hints\r\nLink: {link}\r\n\r\n");
    for (before, why) in [
        (progress.repeat(1001), Some("too many interim responses")),
        // No more than those are mended.
        (unsound.repeat(1500), Some("too many interim responses")),
        (long.repeat(12), Some("its head does not end")),
        (progress.repeat(1000), None),
        (long.repeat(3), None),
    ] {
        let mut log = Log::follow();
        let parent = Origin::start().await;
        let proxy = behind("http", &parent, |_, _| ()).await;
        let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
        end.head().await;
        end.try_send(&before).await;
        // What is taken leniently from origins is so from a parent.
        end.try_send("HTTP/1.1 200 OK\r\nX : a\r\n b\r\n\r\nearly")
            .await;
        let answer = client.response_to("CONNECT").await;
        match why {
            None => {
                assert_eq!(answer.status, 200, "{answer:?}");
                client.expect("early").await;
            }
            Some(why) => {
                assert_eq!(answer.status, 502, "{answer:?}");
                let parent = parent.authority();
                log.says(&["WARN", &parent, "has failed", why]).await;
            }
        }
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
async fn a_parent_that_trickles_its_answer_has_no_more_time_for_it() {
    let long = "a".repeat(200);
    for (protocol, answer) in [
        ("http", format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n")),
        // A name of 127 bytes and a port stand behind the reply.
        ("socks5", format!("\x05\0\x05\0\0\x03\x7f{}", &long[..129])),
    ] {
        let parent = Origin::start().await;
        let proxy = behind(protocol, &parent, |config, _| {
            config.limits.connect = Duration::from_millis(200);
        })
        .await;
        let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
        let mut pace = interval(Duration::from_millis(20));
        let trickling = async {
            for byte in answer.bytes() {
                pace.tick().await;
                if !end.try_send([byte]).await {
                    break;
                }
            }
        };
        let (refused, ()) = tokio::join!(client.response_to("CONNECT"), trickling);
        assert_eq!(refused.status, 504, "{refused:?}");
    }
}

#[tokio::test]
async fn the_proxy_is_not_its_own_parent() {
    let free = Origin::free().await;
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
