//! Absolute-form requests, from the client to the origin and back.

use std::time::Duration;

use portcullis_tests::{Origin, Proxy, Wire};

fn get(url: &str) -> String {
    let host = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default();
    format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[tokio::test]
async fn a_request_reaches_its_origin_in_origin_form() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/path?query=1"))).await;

    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.starts_with("GET /path?query=1 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nhost: {}\r\n", origin.authority())),
        "{head}"
    );
    assert!(head.contains("\r\nvia: 1.1 portcullis-"), "{head}");
    served
        .send("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-Own: yes\r\n\r\nhello")
        .await;

    let response = client.response().await;
    assert!(
        response.head.starts_with("HTTP/1.1 200 Fine\r\n"),
        "{}",
        response.head
    );
    assert_eq!(response.body, "hello");
    assert_eq!(response.field("x-own"), Some("yes"));
    assert!(
        response
            .field("via")
            .is_some_and(|via| via.starts_with("1.1 portcullis-"))
    );
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/1"))).await;
    let mut served = origin.accept().await;
    for n in 1..=3 {
        assert!(served.head().await.starts_with(&format!("GET /{n} ")));
        let answer = [
            "Content-Length: 2\r\n\r\nok",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ];
        served
            .send(format!("HTTP/1.1 200 OK\r\n{}", answer[n % 2]))
            .await;
        assert_eq!(client.response().await.body, "ok");
        client.send(get(&origin.url(&format!("/{}", n + 1)))).await;
    }
    // Another client of the same worker would do as well; there are two workers, so it is this one.
    assert!(served.head().await.starts_with("GET /4 "));
    assert!(!origin.was_dialled().await);
}

#[tokio::test]
async fn bodies_are_passed_on_while_they_come() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    assert!(
        served
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    served.expect("3\r\none\r\n").await;
    client.send("3\r\ntwo\r\n0\r\n\r\n").await;
    served.expect("3\r\ntwo\r\n0\r\n\r\n").await;

    served.send("HTTP/1.1 200 OK\r\n\r\nthree").await;
    assert!(
        client
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    client.expect("5\r\nthree\r\n").await;
    served.send("four").await;
    client.expect("4\r\nfour\r\n").await;
    drop(served);
    client.expect("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_slow_reader_slows_its_sender_down() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    let length = 1 << 30;
    served
        .send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
    let sent = served.send_until_stuck().await;
    assert!(
        sent < 64 << 20,
        "{sent} bytes were taken for a client that reads nothing"
    );

    client.head().await;
    client.exactly(sent).await;
    served.send("more").await;
    client.expect("more").await;
}

#[tokio::test]
async fn an_origin_may_answer_while_it_reads() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\none"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("one").await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nuno")
        .await;
    client.head().await;
    client.expect("uno").await;
    client.send("two").await;
    served.expect("two").await;
    served.send("due").await;
    client.expect("due").await;
    client.send("six").await;
    served.expect("six").await;
    client.send(get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn an_upload_that_no_longer_moves_is_given_up() {
    let origin = Origin::start().await;
    let proxy = Proxy::start_with(|config| {
        config.limits.idle = Duration::from_secs(1);
        config.limits.shutdown = Duration::from_secs(60);
    })
    .await;
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    client.head().await;
    client.expect("ok").await;
    client.send_until_stuck().await;
    drop(client);
    // The origin still holds its connection and reads nothing; the end of the proxy does not wait for it.
    proxy.stop().await;
    drop(served);
}

#[tokio::test]
async fn a_get_with_a_body_stays_framed() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    client
        .send(format!("GET {url} HTTP/1.1\r\nHost: x\r\n{chunked}"))
        .await;
    let mut served = origin.accept().await;
    assert!(
        served
            .head()
            .await
            .contains("\r\ntransfer-encoding: chunked\r\n")
    );
    assert_eq!(served.chunks().await, ["body"]);
    served.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(client.response().await.status, 204);

    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
        ))
        .await;
    assert!(served.head().await.contains("\r\ncontent-length: 4\r\n"));
    served.expect("body").await;
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\nup\r\n0\r\nX-Sum: 1\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(
        head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"),
        "{head}"
    );
    assert_eq!(served.chunks().await, ["up", "x-sum: 1"]);
    served
        .send(
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\ndown\r\n0\r\nX-Sum: 2\r\n\r\n",
        )
        .await;
    client.head().await;
    assert_eq!(client.chunks().await, ["down", "x-sum: 2"]);
    client.send(get(&origin.url("/next"))).await;
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn fields_of_one_connection_do_not_reach_the_other() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: x-a, keep-alive\r\nConnection: X-B, host\r\nX-A: 1\r\nX-B: 1\r\n\
             X-C: 1\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nKeep-Alive: 5\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let names: Vec<_> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split(':').next())
        .collect();
    let mut names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    assert_eq!(names, ["host", "via", "x-c"]);

    served
        .send(
            "HTTP/1.1 200 OK\r\nConnection: close, x-d\r\nX-D: 1\r\nX-E: 1\r\nProxy-Authenticate: Basic\r\n\
             Content-Length: 0\r\n\r\n",
        )
        .await;
    let response = client.response().await;
    assert_eq!(response.field("x-d"), None);
    assert_eq!(response.field("x-e"), Some("1"));
    assert_eq!(response.field("connection"), None);
    assert_eq!(response.field("proxy-authenticate"), None);
}

#[tokio::test]
async fn the_origin_sees_the_host_that_was_judged() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: another.example\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(
        head.contains(&format!("\r\nhost: {}\r\n", origin.authority())),
        "{head}"
    );
    assert!(!head.contains("another"), "{head}");
}

#[tokio::test]
async fn answers_without_a_body_end_where_they_end() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!("HEAD {url} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .await;
    let head = client.response_to("HEAD").await;
    assert_eq!(head.field("content-length"), Some("1000"));
    for status in ["204 No Content", "304 Not Modified"] {
        client.send(get(&url)).await;
        served.head().await;
        served
            .send(format!("HTTP/1.1 {status}\r\nETag: \"a\"\r\n\r\n"))
            .await;
        assert!(
            client
                .response()
                .await
                .head
                .starts_with(&format!("HTTP/1.1 {status}\r\n"))
        );
    }
}

#[tokio::test]
async fn an_old_client_gets_what_it_understands() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client
        .send(format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/")))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nvia: 1.0 portcullis-"), "{head}");
    served
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        .await;
    let response = client.response().await;
    assert!(
        response.head.starts_with("HTTP/1.0 200 OK\r\n"),
        "{}",
        response.head
    );
    assert_eq!(response.field("transfer-encoding"), None);
    assert_eq!(response.body, "ok");
}

#[tokio::test]
async fn a_body_is_asked_for_when_the_origin_asks_for_it() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    assert!(served.head().await.contains("\r\nexpect: 100-continue\r\n"));
    served.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.send("body").await;
    served.expect("body").await;
    served
        .send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(client.response().await.status, 201);
    client.send(get(&origin.url("/next"))).await;
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn a_body_that_the_origin_does_not_want_is_not_asked_for() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let response = client.response().await;
    assert_eq!((response.status, response.body.as_str()), (413, "no"));
    assert_eq!(response.field("connection"), Some("close"));
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn an_origin_that_knows_no_expectations_gets_the_body_all_the_same() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    assert!(client.head().await.starts_with("HTTP/1.1 100 "));
    client.send("body").await;
    served.expect("body").await;
}

#[tokio::test]
async fn a_websocket_is_joined_with_its_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/chat");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ))
        .await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(
        head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nsec-websocket-version: 13\r\n"), "{head}");
    served
        .send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("\r\nconnection: upgrade\r\n") && head.contains("\r\nupgrade: websocket\r\n"),
        "{head}"
    );
    client.expect("first").await;
    client.send("ping").await;
    served.expect("ping").await;
    served.finish().await;
    assert_eq!(client.rest().await, "");
    client.send("last").await;
    client.finish().await;
    assert_eq!(served.rest().await, "last");
}

#[tokio::test]
async fn an_upgrade_that_is_declined_is_an_ordinary_exchange() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    let upgrade = format!(
        "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    );
    // The second request is sent before the first is answered: it is HTTP as long as nothing was switched.
    client.send(upgrade + &get(&origin.url("/next"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
        .await;
    assert_eq!(client.response().await.body, "no");
    assert!(served.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn http_2_is_not_offered_to_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(
        !head.contains("upgrade") && !head.contains("http2"),
        "{head}"
    );
}

#[tokio::test]
async fn responses_that_cannot_be_trusted_are_not_passed_on() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for response in [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
    ] {
        let mut client = proxy.client().await;
        client.send(get(&origin.url("/"))).await;
        let mut served = origin.accept().await;
        served.head().await;
        served.send(response).await;
        let answer = client.response().await;
        assert_eq!(answer.status, 502, "{response:?}");
        let status = answer.field("proxy-status").unwrap_or_default().to_owned();
        assert!(
            status.contains("error=http_protocol_error"),
            "{response:?}: {status}"
        );
        assert_eq!(served.rest().await, "", "{response:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_said_twice_is_said_once() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    for lengths in [
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2, 2",
    ] {
        client.send(get(&origin.url("/"))).await;
        let mut served = origin.accept().await;
        served.head().await;
        served
            .send(format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\n{lengths}\r\n\r\nok"
            ))
            .await;
        let response = client.response().await;
        assert_eq!(
            response.head.matches("content-length: 2\r\n").count(),
            1,
            "{}",
            response.head
        );
        assert_eq!(response.body, "ok");
    }
}

#[tokio::test]
async fn a_request_that_met_a_closing_connection_is_sent_again() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/1"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.response().await;

    client.send(get(&origin.url("/2"))).await;
    served.head().await;
    drop(served);
    let mut served = origin.accept().await;
    assert!(served.head().await.starts_with("GET /2 "));
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    assert_eq!(client.response().await.body, "ok");
}

#[tokio::test]
async fn a_request_that_may_have_had_an_effect_is_not_sent_again() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/1"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.response().await;

    let url = origin.url("/2");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\npay"
        ))
        .await;
    served.head().await;
    served.expect("pay").await;
    drop(served);
    assert_eq!(client.response().await.status, 502);
    assert!(!origin.was_dialled().await);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/1"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.response().await;
    drop(served);

    let url = origin.url("/2");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\npay"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("pay").await;
}

#[tokio::test]
async fn an_origin_that_is_not_there_is_a_bad_gateway() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    let gone = Origin::gone().await;
    client.send(get(&format!("http://{gone}/"))).await;
    let response = client.response().await;
    assert_eq!(response.status, 502);
    let status = response.field("proxy-status").unwrap_or_default();
    assert!(
        status.starts_with("portcullis;error=connection_refused;details="),
        "{status}"
    );
    assert!(
        response.body.contains(&gone.to_string()),
        "{}",
        response.body
    );

    client.send(get("http://name.invalid/")).await;
    let response = client.response().await;
    assert_eq!(response.status, 502);
    let status = response.field("proxy-status").unwrap_or_default();
    assert!(
        status.starts_with("portcullis;error=dns_error;"),
        "{status}"
    );
}

#[tokio::test]
async fn an_origin_that_does_not_answer_is_a_gateway_timeout() {
    let limit = Duration::from_millis(500);
    let proxy = Proxy::start_with(|config| config.limits.response_head = limit).await;
    let origin = Origin::start().await;
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    // Interim responses are no answer, however many there are.
    served.send("HTTP/1.1 102 Processing\r\n\r\n").await;
    let response = client.response().await;
    assert_eq!(response.status, 504);
    let status = response.field("proxy-status").unwrap_or_default();
    assert!(
        status.starts_with("portcullis;error=http_response_timeout;"),
        "{status}"
    );
    assert_eq!(served.rest().await, "");
    client.send(get(&origin.url("/next"))).await;
    assert!(origin.accept().await.head().await.starts_with("GET /next "));
}

#[tokio::test]
async fn an_origin_that_breaks_off_cannot_look_complete() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for framing in [
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let mut client = proxy.client().await;
        client.send(get(&origin.url("/"))).await;
        let mut served = origin.accept().await;
        served.head().await;
        served.send(format!("HTTP/1.1 200 OK\r\n{framing}")).await;
        drop(served);
        let answer = client.rest().await;
        assert!(!answer.ends_with("0\r\n\r\n"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_with_it() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    drop(client);
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn a_request_does_not_run_in_circles() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client
        .send(get(&format!("http://{}/", proxy.address())))
        .await;
    assert_eq!(client.response().await.status, 508);

    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let via = head
        .lines()
        .find(|line| line.starts_with("via: "))
        .unwrap_or_default();
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.response().await;
    let url = origin.url("/");
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: x\r\n{via}, 1.1 other\r\n\r\n"
        ))
        .await;
    assert_eq!(client.response().await.status, 508);
}

#[tokio::test]
async fn a_listener_on_all_addresses_is_dialled_under_none() {
    let proxy = Proxy::start_with(|config| config.listen = "0.0.0.0:0".parse().unwrap()).await;
    let port = proxy.address().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "localhost",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::]",
    ] {
        let mut client = Wire::connect(([127, 0, 0, 1], port).into()).await;
        client.send(get(&format!("http://{host}:{port}/"))).await;
        assert_eq!(client.response().await.status, 508, "{host}");
    }
}

#[tokio::test]
async fn options_may_be_meant_for_the_proxy() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(client.response().await.field("allow").is_some());
    let url = origin.url("/");
    client
        .send(format!(
            "OPTIONS {url} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n"
        ))
        .await;
    assert!(client.response().await.field("allow").is_some());
    client
        .send(format!(
            "OPTIONS {url} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 2\r\n\r\n"
        ))
        .await;
    let head = origin.accept().await.head().await;
    assert!(head.starts_with("OPTIONS / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nmax-forwards: 1\r\n"), "{head}");
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_a_gateway_timeout() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start_with(|config| {
        config.egress.resolvers = vec![silent.local_addr().unwrap()];
        config.limits.resolve = Duration::from_millis(100);
    })
    .await;
    let mut client = proxy.client().await;
    client.send(get("http://name.example/")).await;
    let response = client.response().await;
    assert_eq!(response.status, 504);
    let status = response.field("proxy-status").unwrap_or_default();
    assert!(
        status.starts_with("portcullis;error=dns_timeout;"),
        "{status}"
    );
}
