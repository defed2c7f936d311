//! Origins that do not answer as they should, and clients that ask them.

use std::io::Result;
use std::time::Duration;

use crate::load::{Row, Scene};
use crate::peer::{HOSTILE, Peer, get};

/// Where a load keeps all processors busy, those too that the neighbour and its origin run on.
const BUSY: Duration = Duration::from_millis(30);

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::crowd(
            "50 requests to an origin of interim responses",
            50,
            |scene, _| ask(scene, "interim"),
        ),
        Row::crowd(
            "4 requests to an origin that sends without end",
            4,
            |scene, _| ask(scene, "large"),
        )
        .promise(BUSY),
        Row::rate(
            "100 times a second a response whose head has 1 MiB",
            100,
            |scene, _| refused(scene, "wide"),
        ),
        Row::crowd(
            "200 requests to an origin that trickles",
            200,
            |scene, _| ask(scene, "trickle"),
        ),
        Row::crowd(
            "300 requests to an origin that never answers",
            300,
            |scene, _| ask(scene, "silent"),
        ),
    ]
}

/// Reads all that comes, as soon as it comes.
async fn ask(scene: Scene, path: &'static str) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    client
        .send(get(&scene.target("hostile.example", path)))
        .await?;
    client.drain().await
}

/// Reads what the proxy answers instead.
async fn refused(scene: Scene, path: &'static str) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    client
        .ask(get(&scene.target("hostile.example", path)))
        .await?;
    client.reset()
}
