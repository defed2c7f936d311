//! What clients are told when the proxy answers in place of an origin.

use std::time::Duration;

use portcullis_tests::{Family, Origin, Stage, plug};

/// What Chromium says when its user types an address.
const BROWSER: &str =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n";

const BLOCKED: &str = "malware.wicar.org";

#[tokio::test]
async fn a_browser_gets_a_page_and_others_get_text() {
    let stage = Stage::start().await;
    let page = stage.get_with(BLOCKED, BROWSER).await;
    assert_eq!(page.status, 403);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.field("cache-control"), Some("no-store"));
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    assert!(
        page.body.contains("<h1>malware.wicar.org is blocked</h1>"),
        "{}",
        page.body
    );

    for fields in ["", "Accept: */*\r\n", "Accept: application/json\r\n"] {
        let text = stage.get_with(BLOCKED, fields).await;
        assert_eq!(text.status, 403);
        assert_eq!(
            text.field("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert!(
            text.body
                .starts_with("malware.wicar.org is blocked\n\nReason: "),
            "{}",
            text.body
        );
    }
}

#[tokio::test]
async fn a_reason_cannot_become_markup_or_a_header_field() {
    let stage = Stage::start_with(|config| {
        let reason = "status = 451\nreason = '<script>alert(\"{host}\")</script>'";
        plug(
            &config.plugins.dir,
            "blocklist.toml",
            format!("[config]\n{reason}"),
        );
    })
    .await;
    let page = stage.get_with(BLOCKED, BROWSER).await;
    assert_eq!(page.status, 451);
    assert!(!page.body.contains("<script"), "{}", page.body);
    let escaped = "&lt;script&gt;alert(&quot;malware.wicar.org&quot;)&lt;/script&gt;";
    assert!(page.body.contains(escaped), "{}", page.body);
    assert_eq!(
        page.field("proxy-status"),
        Some(
            r#"portcullis;error=http_request_denied;details="<script>alert(\"malware.wicar.org\")</script>; feed test-names, rule malware.wicar.org, line 8""#
        )
    );
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_fit_for_the_next() {
    let stage = Stage::start().await;
    let mut client = stage.proxy.client().await;
    for (host, status) in [(BLOCKED, 403), ("a.example", 200)].repeat(2) {
        let url = stage.url(host);
        client
            .send(format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .await;
        assert_eq!(client.response().await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_bad_gateway() {
    let stage = Stage::start().await;
    let host = "www.nowhere.test";
    for answer in [stage.get(host).await, stage.connect(host).await] {
        assert_eq!(answer.status, 502);
        let status = answer.field("proxy-status").expect("it says why");
        assert!(
            status.starts_with("portcullis;error=dns_error;"),
            "{status}"
        );
        assert!(answer.body.contains(host), "{}", answer.body);
    }
    assert!(stage.dns.was_asked_for(host));
}

#[tokio::test]
async fn a_name_whose_servers_are_silent_is_a_gateway_timeout() {
    let limit = Duration::from_secs(2);
    let stage = Stage::start_with(|config| config.limits.resolve = limit).await;
    let host = "www.silent.test";
    for answer in [stage.get(host).await, stage.connect(host).await] {
        assert_eq!(answer.status, 504);
        let status = answer.field("proxy-status").expect("it says why");
        assert!(
            status.starts_with("portcullis;error=dns_timeout;"),
            "{status}"
        );
    }
    assert!(stage.dns.was_asked_for(host));
    assert_eq!(stage.get("a.example").await.status, 200);
}

/// Waiting for every server in turn to answer the other question takes longer than a name may.
#[tokio::test]
async fn a_name_whose_ipv6_question_is_dropped_is_reached_by_its_ipv4_address() {
    let stage = Stage::start_with(|config| {
        config.egress.resolvers = [&*config.egress.resolvers; 2].concat();
    });
    let stage = stage.await;
    let host = "www.v4only.test";
    for answer in [stage.get(host).await, stage.connect(host).await] {
        assert_eq!(answer.status, 200);
    }
    assert!(stage.dns.was_asked_for(host));
}

/// Longer than the addresses of one family wait for those of the other before they are dialled.
const LATE: Duration = Duration::from_millis(100);

/// Nothing listens at the IPv6 address, as where there is no way to it.
#[tokio::test]
async fn a_name_whose_ipv6_address_is_known_first_is_reached_by_its_ipv4_address() {
    let stage = Stage::start().await;
    let host = "both.test";
    stage.dns.lead(host, &["::1", "127.0.0.1"]);
    stage.dns.delay(Family::V4, LATE);
    for answer in [stage.get(host).await, stage.connect(host).await] {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_name_whose_ipv4_address_cannot_be_dialled_is_reached_by_a_late_ipv6_address() {
    if std::net::UdpSocket::bind("[::]:0").is_err() {
        // There are machines without IPv6.
        return;
    }
    for deny in [vec![], vec!["127.0.0.2"]] {
        let stage = Stage::start_with(|config| {
            let deny = deny.iter().map(|entry| entry.parse().expect("an address"));
            config.egress.deny = deny.collect();
        });
        let (stage, host) = (stage.await, "both.test");
        stage.dns.lead(host, &["127.0.0.2", "::ffff:127.0.0.1"]);
        stage.dns.delay(Family::V6, LATE);
        for answer in [stage.get(host).await, stage.connect(host).await] {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_origin_that_is_gone_is_named_in_the_answer() {
    let mut stage = Stage::start().await;
    stage.site.stop().await;
    for answer in [
        stage.get("a.example").await,
        stage.connect("a.example").await,
    ] {
        assert_eq!(answer.status, 502);
        let status = answer.field("proxy-status").expect("it says why");
        assert!(
            status.starts_with("portcullis;error=connection_refused;"),
            "{status}"
        );
        assert!(answer.body.contains("a.example:"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_origin_that_says_nothing_is_a_gateway_timeout() {
    let limit = Duration::from_millis(500);
    let stage = Stage::start_with(|config| config.limits.response_head = limit).await;
    let silent = Origin::start().await;
    let mut client = stage.proxy.client().await;
    let url = silent.url("/");
    client
        .send(format!("GET {url} HTTP/1.1\r\nHost: a\r\n{BROWSER}\r\n"))
        .await;
    let mut served = silent.accept().await;
    served.head().await;
    let answer = client.response().await;
    assert_eq!(answer.status, 504);
    let status = answer.field("proxy-status").expect("it says why");
    assert!(
        status.starts_with("portcullis;error=http_response_timeout;"),
        "{status}"
    );
    assert!(
        answer.body.contains("<h1>Gateway Timeout</h1>"),
        "{}",
        answer.body
    );
    assert_eq!(served.rest().await, "");
}
