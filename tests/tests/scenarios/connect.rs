//! CONNECT tunnels.

use std::time::Duration;

use portcullis_tests::{Origin, Proxy, Wire, connect, get, scene};

async fn tunnel(proxy: &Proxy, origin: &Origin) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    let authority = origin.authority();
    client.send(connect(&authority)).await;
    let served = origin.accept().await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        !head.contains("content-length") && !head.contains("transfer-encoding"),
        "{head}"
    );
    (client, served)
}

#[tokio::test]
async fn bytes_pass_both_ways_and_each_way_ends_on_its_own() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let (mut client, mut served) = tunnel(&proxy, &origin).await;
    client.send("question").await;
    served.expect("question").await;
    served.send("answer").await;
    client.expect("answer").await;
    client.finish().await;
    assert_eq!(served.rest().await, "");
    served.send("the last word").await;
    drop(served);
    assert_eq!(client.rest().await, "the last word");
}

#[tokio::test]
async fn what_is_sent_ahead_arrives_once() {
    let (_proxy, origin, mut client) = scene().await;
    let authority = origin.authority();
    client.send(connect(&authority) + "early").await;
    let mut served = origin.accept().await;
    client.head().await;
    client.send(" and late").await;
    client.finish().await;
    assert_eq!(served.rest().await, "early and late");
}

#[tokio::test]
async fn much_passes_at_its_own_pace() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let (mut client, mut served) = tunnel(&proxy, &origin).await;
    let sent = client.send_until_stuck().await;
    assert!(
        sent < 64 << 20,
        "{sent} bytes were taken for a peer that reads nothing"
    );
    // The other direction does not wait.
    served.send("hello").await;
    client.expect("hello").await;
    served.exactly(sent).await;
    client.send("end").await;
    served.expect("end").await;
}

#[tokio::test]
async fn a_refused_tunnel_is_answered_and_closed() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let gone = Origin::gone();
    let smuggled = get(&origin.url("/smuggled"));
    for (target, status) in [
        (gone.to_string(), 502),
        ("www.blocked.portcullis.test:443".into(), 403),
        ("name.invalid:443".into(), 502),
        (proxy.address().to_string(), 508),
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!(
                "CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n{smuggled}"
            ))
            .await;
        let response = client.response().await;
        assert_eq!(response.status, status, "{target}");
        assert!(response.field("proxy-status").is_some(), "{target}");
        assert_eq!(response.field("connection"), Some("close"), "{target}");
        assert_eq!(client.rest().await, "", "{target}");
    }
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn what_names_no_host_and_port_is_malformed() {
    let proxy = Proxy::start().await;
    for target in [
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "127.0.0.1:65616",
        "127.0.0.1:+80",
        "user@127.0.0.1:80",
        "http://127.0.0.1:80/",
        "/path",
        "*",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n"))
            .await;
        assert_eq!(client.response().await.status, 400, "{target}");
        assert_eq!(client.rest().await, "", "{target}");
    }
    for body in [
        "Content-Length: 4",
        "Transfer-Encoding: chunked",
        "Content-Length: 0, 4",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!(
                "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n{body}\r\n\r\nbody"
            ))
            .await;
        assert_eq!(client.response().await.status, 400, "{body}");
        assert_eq!(client.rest().await, "", "{body}");
    }
}

#[tokio::test]
async fn a_tunnel_at_rest_is_closed() {
    let idle = Duration::from_secs(2);
    let proxy = Proxy::start_with(|config| config.limits.idle = idle).await;
    let origin = Origin::start().await;
    let (mut client, mut served) = tunnel(&proxy, &origin).await;
    client.send("hello").await;
    served.expect("hello").await;
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn one_side_that_breaks_takes_the_other_with_it() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let (client, mut served) = tunnel(&proxy, &origin).await;
    drop(client);
    assert_eq!(served.rest().await, "");
}
