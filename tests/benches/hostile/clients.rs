//! Clients that are slow, many, or write nonsense.

use std::future::pending;
use std::io::Result;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::sleep;

use crate::load::{Row, Scene};
use crate::peer::{HOSTILE, Peer, get};

/// Between two bytes of a client that trickles.
const TRICKLE: Duration = Duration::from_millis(200);

pub(crate) fn rows() -> Vec<Row> {
    vec![
        // What the measurement itself differs by.
        Row::of("no other client", |_, _| pending()),
        Row::crowd("300 clients that trickle heads", 300, slow_head),
        Row::crowd("200 clients that trickle bodies", 200, slow_body),
        Row::crowd(
            "100 clients that read large responses slowly",
            100,
            slow_reader,
        ),
        Row::crowd(
            "200 tunnels that are not read while the origin sends",
            200,
            unread_tunnel,
        ),
        Row::crowd(
            "600 idle connections of a client that may have 500",
            600,
            idle,
        )
        .config("[limits]\nconnections = 2000\nconnections_per_client = 500\n"),
        Row::rate("1000 connections a second, opened and closed", 1000, storm),
        Row::rate("500 times a second bytes that are not HTTP", 500, junk),
        Row::rate(
            "100 heads of 64 KiB with 1000 fields a second",
            100,
            large_head,
        ),
        Row::rate(
            "100 heads with 2000 fields a second, which are refused",
            100,
            many_fields,
        ),
        Row::rate("500 names of 1 KiB in Punycode a second", 500, long_name),
        Row::rate(
            "200 names of 59 KB in Punycode a second, which are refused",
            200,
            longest_name,
        ),
    ]
}

async fn slow_head(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    client
        .send(format!(
            "GET http://{} HTTP/1.1\r\nHost: a\r\nX: ",
            scene.target("slow.example", "")
        ))
        .await?;
    loop {
        client.send("x").await?;
        sleep(TRICKLE).await;
    }
}

/// As slowly as a body may come.
async fn slow_body(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let target = scene.target("slow.example", "takes");
    client
        .send(format!(
            "POST http://{target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
        ))
        .await?;
    loop {
        client.send("a body that trickles along").await?;
        sleep(TRICKLE).await;
    }
}

async fn slow_reader(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect_narrow(HOSTILE, scene.proxy).await?;
    client
        .send(get(&scene.target("slow.example", "large")))
        .await?;
    loop {
        client.sip(4096).await?;
        sleep(TRICKLE).await;
    }
}

/// Asks for what has no end, and stays.
async fn unread_tunnel(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect_narrow(HOSTILE, scene.proxy).await?;
    let target = scene.target("unread.example", "");
    let authority = target.trim_end_matches('/');
    client
        .ask(format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
        ))
        .await?;
    client
        .send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await?;
    pending().await
}

/// Clients for which there is no room try again.
async fn idle(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let ended = client.drain().await;
    sleep(TRICKLE).await;
    ended
}

/// Every other one asks for something first.
async fn storm(scene: Scene, number: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    if number.is_multiple_of(2) {
        client.send(get(&scene.target("storm.example", ""))).await?;
    }
    client.reset()
}

async fn junk(scene: Scene, _: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    client
        .send("\x16\x03\x01 this is not HTTP\r\n\r\n".repeat(50))
        .await?;
    client.response().await?;
    client.reset()
}

async fn large_head(scene: Scene, _: usize) -> Result<()> {
    static FIELDS: LazyLock<String> = LazyLock::new(|| {
        let field = |n| format!("X-Field-{n}: {n:040}\r\n");
        (0..990).map(field).collect()
    });
    ask_with(scene, &FIELDS).await
}

async fn many_fields(scene: Scene, _: usize) -> Result<()> {
    static FIELDS: LazyLock<String> = LazyLock::new(|| {
        let field = |n| format!("X-{n}: {n}\r\n");
        (0..2000).map(field).collect()
    });
    ask_with(scene, &FIELDS).await
}

/// With more fields, each with its end of line.
async fn ask_with(scene: Scene, fields: &str) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let target = scene.target("large.example", "");
    let head = format!("GET http://{target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    client.ask(head).await?;
    client.reset()
}

async fn long_name(scene: Scene, number: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let name = format!("xn--{}{number:06}", "z".repeat(1000));
    client.ask(get(&scene.target(&name, ""))).await?;
    client.reset()
}

/// Once, as a head has room for it only once.
async fn longest_name(scene: Scene, _: usize) -> Result<()> {
    static NAME: LazyLock<String> = LazyLock::new(|| format!("xn--{}", "z".repeat(59_000)));
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let target = scene.target(&NAME, "");
    let head = format!("GET http://{target} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.ask(head).await?;
    client.reset()
}
