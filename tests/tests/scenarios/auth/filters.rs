//! What filters know of clients that log in, and what they note about them.

use std::num::NonZeroUsize;

use portcullis_tests::{Log, Origin, client_hello, connect, guests, plug};

use super::{Guarded, login, with};

const REMEMBERS: &str = "[grants]\nstate = true\nfeeds = [\"*\"]\n[config]\nseconds = 3600";

#[tokio::test]
async fn a_verdict_that_is_used_again_brings_no_note_about_another_client() {
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| {
        config.proxy.workers = NonZeroUsize::MIN;
        plug(&config.plugins.dir, "remembers.toml", REMEMBERS);
        plug(&config.plugins.dir, "remembers.wasm", guests::remembers());
    })
    .await;
    let origin = Origin::start().await;
    let (asked, hello) = (
        connect(&format!("noted.example:{}", origin.port())),
        client_hello("kept.example"),
    );
    for user in ["ada", "bob"] {
        let mut client = guarded.stage.proxy.client().await;
        client.send(with(&asked, &login(user, "secret"))).await;
        let mut served = origin.accept().await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.send(&hello).await;
        assert_eq!(served.exactly_bytes(hello.len()).await, hello);
        drop((client, served));
        let user = format!("user={user} ");
        let line = log
            .says(&["kind=access", "host=noted.example", &user])
            .await;
        // The second client's verdict about the name is the one that the first client got.
        let noted = format!("remembers.question=2,remembers.{}", user.trim_end());
        assert!(line.contains(&noted), "{line}");
    }
}
