//! Requests that are refused before their body has been read: the connection is kept if the rest is
//! little, and otherwise closed so that the client sees the answer (RFC 9112, sections 9.3 and
//! 9.6).

use std::time::{Duration, Instant};

use portcullis_tests::{Origin, Response, Stage, Wire, post, within};

/// On the list that the proxy comes with.
const BLOCKED: &str = "http://malware.wicar.org/";

async fn client(stage: &Stage) -> Wire {
    stage.proxy.client().await
}

async fn is_served(stage: &Stage, client: &mut Wire) {
    client.send(stage.request("a.example", "")).await;
    assert_eq!(client.response().await.status, 200);
}

fn assert_is_last(refusal: &Response) {
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.field("connection"), Some("close"));
}

/// What is said to a request whose body comes a moment after its head. It is asked again where this
/// machine took longer for that than the proxy waits.
async fn refused_in_two_parts(client: &mut Wire, stage: &Stage, parts: [&str; 2]) -> Response {
    for _ in 0..10 {
        let begun = Instant::now();
        for part in parts {
            client.send(part).await;
        }
        let refusal = client.response().await;
        let is_slow = begun.elapsed() >= Duration::from_millis(250);
        if refusal.field("connection").is_none() || !is_slow {
            return refusal;
        }
        *client = self::client(stage).await;
    }
    panic!("no body came in time");
}

#[tokio::test]
async fn a_small_body_leaves_the_connection_fit_for_the_next_request() {
    let stage = Stage::start().await;
    let mut client = client(&stage).await;
    for (framing, body) in [
        ("Content-Length: 5\r\n\r\n", "hello"),
        (
            "Transfer-Encoding: chunked\r\n\r\n",
            "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
        ),
    ] {
        // Together, and one after the other, as many clients write them.
        let head = post(BLOCKED, framing);
        client.send(format!("{head}{body}")).await;
        let refusal = client.response().await;
        assert_eq!(refusal.status, 403);
        assert_eq!(refusal.field("connection"), None, "{framing:?}");
        is_served(&stage, &mut client).await;

        let refusal = refused_in_two_parts(&mut client, &stage, [&head, body]).await;
        assert_eq!(refusal.status, 403);
        assert_eq!(refusal.field("connection"), None, "{framing:?}");
        is_served(&stage, &mut client).await;
    }
}

#[tokio::test]
async fn a_body_that_its_origin_does_not_take_is_read_away_as_well() {
    let stage = Stage::start().await;
    let gone = Origin::gone();
    let mut client = client(&stage).await;
    let url = format!("http://{gone}/");
    client
        .send(post(&url, "Content-Length: 5\r\n\r\nhello"))
        .await;
    let refusal = client.response().await;
    assert_eq!(refusal.status, 502);
    assert_eq!(refusal.field("connection"), None);
    is_served(&stage, &mut client).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let stage = Stage::start().await;
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let mut client = client(&stage).await;
        client
            .send(post(BLOCKED, &format!("{framing}\r\n\r\n")))
            .await;
        assert_is_last(&client.response().await);
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn a_client_that_sends_a_large_body_before_it_reads_sees_the_answer() {
    let stage = Stage::start().await;
    let megabyte = "x".repeat(1 << 20);
    let chunk = format!("100000\r\n{megabyte}\r\n");
    for (framing, piece) in [
        ("Content-Length: 8388608", &megabyte),
        ("Transfer-Encoding: chunked", &chunk),
    ] {
        let mut client = client(&stage).await;
        client
            .send(post(BLOCKED, &format!("{framing}\r\n\r\n")))
            .await;
        for _ in 0..8 {
            client.send(piece).await;
        }
        client.finish().await;
        assert_is_last(&client.response().await);
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn a_client_that_sends_on_and_on_is_cut_off() {
    let stage = Stage::start().await;
    let mut client = client(&stage).await;
    let head = "Content-Length: 1000000000000\r\n\r\n";
    client.send(post(BLOCKED, head)).await;
    assert_is_last(&client.response().await);
    let piece = "x".repeat(1 << 16);
    within("the proxy closes", async {
        while client.try_send(&piece).await {}
    })
    .await;
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_not_told_to_send() {
    let stage = Stage::start().await;
    let mut client = client(&stage).await;
    let fields = "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    client.send(post(BLOCKED, fields)).await;
    assert_is_last(&client.response().await);
    // It may send the body all the same.
    client.send("hello").await;
    assert_eq!(client.rest().await, "");
}
