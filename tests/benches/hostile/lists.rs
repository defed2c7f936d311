//! Lists that are large, or larger than they say, and logs that are not read.

use std::future::pending;
use std::io::Result;
use std::sync::atomic::Ordering;

use crate::load::{Count, Row, Scene};
use crate::peer::{HOSTILE, Peer, get};
use crate::world::LISTS_ARE_HOSTILE;

/// Each is fetched every ten seconds, as often as may be.
const LISTS: usize = 10;

/// As long as a few of them take.
const PHASES: u32 = 4;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::of("ten lists of 76 000 names that change every 10 s", turn)
            .config(feeds("list"))
            .phases(PHASES),
        Row::of("ten lists that unpack to 256 MiB every 10 s", turn)
            .config(feeds("bomb"))
            .phases(PHASES),
        Row::rate("a log that is not read, 1000 lines a second", 200, ask).unread(),
    ]
}

fn feeds(path: &str) -> String {
    let feed = |n| {
        let url = format!("http://ORIGIN/{path}");
        format!("[feeds.list-{n}]\nurl = \"{url}\"\nformat = \"hosts\"\nrefresh = \"10s\"\n")
    };
    (0..LISTS).map(feed).collect()
}

/// Has the lists be hostile while it runs.
async fn turn(_: Scene, _: Count) {
    let _turned = Turned::now();
    pending().await
}

struct Turned;

impl Turned {
    fn now() -> Self {
        LISTS_ARE_HOSTILE.store(true, Ordering::Relaxed);
        Self
    }
}

impl Drop for Turned {
    fn drop(&mut self) {
        LISTS_ARE_HOSTILE.store(false, Ordering::Relaxed);
    }
}

async fn ask(scene: Scene, number: usize) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    for _ in 0..5 {
        client
            .ask(get(&scene.target(&format!("n{number}.example"), "")))
            .await?;
    }
    client.reset()
}
