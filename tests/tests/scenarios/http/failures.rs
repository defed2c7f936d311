//! Origins that cannot be trusted, reached or waited for, and clients that leave.

use std::cell::Cell;
use std::time::{Duration, Instant};

use portcullis_tests::{Origin, Proxy, Row, get, ok, post, scene};

#[tokio::test]
async fn responses_that_cannot_be_trusted_are_not_passed_on() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for response in [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
    ] {
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
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
async fn a_connection_that_was_closed_while_idle_is_not_used() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("")).await;
    client.response().await;
    drop(served);

    let url = origin.url("/2");
    client
        .send(post(&url, "Content-Length: 3\r\n\r\npay"))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("pay").await;
}

#[tokio::test]
async fn what_may_be_repeated_is_sent_again_though_a_part_of_its_response_has_come() {
    let (_proxy, origin, mut client) = scene().await;
    let part = "HTTP/1.1 200 OK\r\nContent-Le";
    let mut served = origin.asked_again_by(&mut client, part).await;
    served.send(ok("whole")).await;
    assert_eq!(client.response().await.body, "whole");
}

#[tokio::test]
async fn interim_responses_to_what_is_sent_again_are_passed_on() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_again_by(&mut client, "").await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n";
    served.send(format!("{hints}{}", ok("whole"))).await;
    let hints = client.response().await;
    assert_eq!((hints.status, hints.field("link")), (103, Some("<a>")));
    assert_eq!(client.response().await.body, "whole");
}

/// An origin may close its connection while the next request is already on the way there.
#[tokio::test]
async fn what_cannot_be_repeated_never_meets_a_connection_that_is_closing() {
    let (_proxy, origin, mut client) = scene().await;
    let post = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\npay",
        origin.url("/")
    );
    // How long the last connection was open after its answer.
    let rested = Cell::new(Duration::ZERO);
    let serve = async {
        for turns in (0..50).cycle() {
            let mut served = origin.accept().await;
            served.head().await;
            served.expect("pay").await;
            let answered = Instant::now();
            served
                .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await;
            // Each connection closes at another moment.
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            drop(served);
            rested.set(answered.elapsed());
        }
    };
    let ask = async {
        for _ in 0..200 {
            client.send(&post).await;
            let status = client.response().await.status;
            // A connection that has rested so long is taken for such a request where it is open at
            // that moment, and may close afterwards.
            let is_steady = rested.get() >= Duration::from_millis(20);
            assert!(status == 200 || is_steady && status == 502, "{status}");
        }
    };
    tokio::select! {
        () = serve => {}
        () = ask => {}
    }
}

/// Whichever comes first, the client hears something.
#[tokio::test]
async fn an_origin_that_breaks_off_early_is_never_an_empty_reply() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut refused = 0;
    for body in ["", "abc"].repeat(50) {
        let mut client = proxy.client().await;
        client.send(get(&origin.url("/"))).await;
        let mut served = origin.accept().await;
        served.head().await;
        served
            .send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}"
            ))
            .await;
        served.reset();
        let head = client.head().await;
        if head.starts_with("HTTP/1.1 502 ") {
            refused += 1;
        } else {
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            let rest = client.rest().await;
            assert!(body.starts_with(&rest), "{rest}");
        }
    }
    assert!(refused > 0, "the reset never came before the client's head");
}

/// An origin that has heard enough answers and closes, and the rest of the upload is reset.
#[tokio::test]
async fn an_answer_to_an_upload_is_passed_on_although_the_origin_closes() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for _ in 0..50 {
        let mut client = proxy.client().await;
        let url = origin.url("/");
        let head = format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n");
        let upload = async {
            client.send(head).await;
            let piece = vec![b'x'; 64 * 1024];
            while client.try_send(&piece).await {
                if client.has_heard() {
                    break;
                }
            }
            client.response().await
        };
        let refuse = async {
            let mut served = origin.accept().await;
            served.head().await;
            served
                .send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwhy?")
                .await;
        };
        let (response, ()) = tokio::join!(upload, refuse);
        assert_eq!((response.status, &*response.body), (401, "why?"));
    }
}

#[tokio::test]
async fn interim_responses_without_end_are_a_bad_gateway() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000);
    while served.try_send(&hints).await {}
    let response = client.final_response().await;
    assert_eq!(response.status, 502);
    let status = response.field("proxy-status").unwrap_or_default();
    assert!(status.contains("error=http_protocol_error"), "{status}");
}

#[tokio::test]
async fn many_interim_responses_are_no_failure() {
    let (_proxy, origin, mut client) = scene().await;
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    served.head().await;
    let progress = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
    served.send(progress).await;
    served
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    for _ in 0..1000 {
        assert_eq!(client.response().await.status, 102);
    }
    assert_eq!(client.response().await.body, "ok");
}

#[tokio::test]
async fn more_interim_responses_than_a_thousand_are_a_bad_gateway() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let progress = "HTTP/1.1 102 Processing\r\n\r\n";
    for sent in [
        progress.repeat(1001),
        // Empty lines before a response are passed over.
        format!("\r\n\r\n{}", progress.repeat(1001)),
        "HTTP/1.1 103 a\nb :c\n\n".repeat(3000),
    ] {
        let _row = Row::of(&sent[..30]);
        let mut client = proxy.client().await;
        let mut served = origin.asked_by(&mut client).await;
        served.try_send(&sent).await;
        let response = client.final_response().await;
        assert_eq!(response.status, 502);
        let status = response.field("proxy-status").unwrap_or_default();
        assert!(status.contains("too many interim responses"), "{status}");
        assert_eq!(served.rest().await, "");
    }
}

#[tokio::test]
async fn an_origin_that_is_not_there_is_a_bad_gateway() {
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    let gone = Origin::gone();
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
    let mut served = origin.asked_by(&mut client).await;
    // Interim responses are no answer, however many there are.
    served.send("HTTP/1.1 102 Processing\r\n\r\n").await;
    let response = client.final_response().await;
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
async fn a_client_that_resets_its_connection_takes_its_request_with_it() {
    let (_proxy, origin, mut client) = scene().await;
    let mut served = origin.asked_by(&mut client).await;
    client.reset();
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_a_gateway_timeout() {
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start_with(|config| {
        config.egress.resolvers = vec![silent.local_addr().unwrap().into()];
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
