//! Name servers that do not answer, and clients that ask for ever new names.

use std::io::Result;

use crate::load::{Row, Scene};
use crate::peer::{HOSTILE, Peer, get};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::crowd(
            "200 clients that ask for names without an answer",
            200,
            |scene, number| ask(scene, number, "silent.test"),
        ),
        Row::rate(
            "200 names a second without an answer",
            200,
            |scene, number| ask(scene, number, "silent.test"),
        ),
        Row::rate(
            "200 names a second whose AAAA question is dropped",
            200,
            |scene, number| ask(scene, number, "v4only.test"),
        ),
        Row::rate("500 new names a second", 500, |scene, number| {
            ask(scene, number, "new.test")
        }),
        Row::rate(
            "500 names a second that do not exist",
            500,
            |scene, number| ask(scene, number, "nowhere.test"),
        ),
    ]
}

async fn ask(scene: Scene, number: usize, domain: &'static str) -> Result<()> {
    let mut client = Peer::connect(HOSTILE, scene.proxy).await?;
    let port = client.local_port()?;
    let name = format!("n{number}-{port}.{domain}");
    client.ask(get(&scene.target(&name, ""))).await?;
    client.reset()
}
