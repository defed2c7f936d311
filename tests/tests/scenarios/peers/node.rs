//! Node.js, with what it has by itself.

use portcullis_tests::{output, peer, script, skip_without};

use super::{ALLOWED, BLOCKED, World, lines};

/// What the script says of the pages.
async fn gets(world: &World, proxy: &str, urls: &[String]) -> Option<Vec<String>> {
    let mut node = peer("node");
    node.env("NODE_EXTRA_CA_CERTS", world.authority.file())
        .arg(script("get.mjs"))
        .arg(proxy)
        .args(urls);
    Some(lines(&output(&mut node).await?))
}

#[tokio::test]
async fn what_is_allowed_arrives_and_what_is_refused_says_why() {
    let world = World::start().await;
    let Some(said) = gets(&world, &world.proxy("http", ""), &world.urls()).await else {
        return skip_without("node");
    };
    let page = format!("403 {BLOCKED} is blocked");
    let refused = "Error: CONNECT 403 Forbidden";
    assert_eq!(said, ["200 welcome", &page, "200 welcome", refused]);
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}

#[tokio::test]
async fn it_logs_in() {
    let world = World::guarded().await;
    let urls = [world.stage.url(ALLOWED), world.secure_url(ALLOWED, "/")];
    let refused = [
        "407 Proxy Authentication Required",
        "Error: CONNECT 407 Proxy Authentication Required",
    ];
    for (login, expected) in [
        ("ada:secret@", ["200 welcome"; 2]),
        ("ada:wrong@", refused),
        ("", refused),
    ] {
        let Some(said) = gets(&world, &world.proxy("http", login), &urls).await else {
            return skip_without("node");
        };
        assert_eq!(said, expected, "{login}");
    }
}
