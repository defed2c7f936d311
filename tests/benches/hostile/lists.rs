//! Lists that are large, or larger than they say, and logs that are not read.

use std::fs;
use std::future::pending;
use std::io::{Result, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

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
        Row::of(
            "a list of a million names that changes every second",
            change,
        )
        .config("[feeds.large]\nurl = \"file://FOLDER/large.list\"\nformat = \"domains\"\n")
        .prepared(write_versions)
        .promise(Duration::from_millis(5))
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

/// Names on the large list.
const NAMES: usize = 1_000_000;

/// Two versions of the large list, of which the first serves.
fn write_versions(folder: &Path) {
    for version in 0..2 {
        let mut list = Vec::new();
        for name in 0..NAMES {
            // A vector takes what is written.
            let _ = writeln!(list, "evil-{name}-{version}.listed-{}.example", name % 977);
        }
        fs::write(folder.join(format!("version-{version}")), list).expect("there is room");
    }
    replace(folder, 0);
}

/// Has the large list be one of its versions. A link takes no time of the machine.
fn replace(folder: &Path, version: usize) {
    let next = folder.join("next");
    let version = folder.join(format!("version-{}", version % 2));
    // Renaming a link to what is there already leaves it.
    let _ = fs::remove_file(&next);
    fs::hard_link(version, &next).expect("a folder to write to");
    fs::rename(next, folder.join("large.list")).expect("a folder to write to");
}

/// The proxy looks at the file every two seconds, and reads it again each time.
async fn change(scene: Scene, count: Count) {
    loop {
        replace(&scene.folder, count.fetch_add(1, Ordering::Relaxed) + 1);
        sleep(Duration::from_secs(1)).await;
    }
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
