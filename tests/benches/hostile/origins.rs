//! Origins that do not answer as they should, and clients that ask them.

use std::io::Result;

use crate::load::{Row, Scene};
use crate::peer::{HOSTILE, Peer, get};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::crowd(
            "50 requests to an origin of interim responses",
            50,
            |scene, _| ask(scene, "interim"),
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

async fn ask(scene: Scene, path: &'static str) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    client
        .send(get(&scene.target("hostile.example", path)))
        .await?;
    client.drain().await
}
