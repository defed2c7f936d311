//! One proxy for a household: which lists count depends on who asks.

#![cfg(target_os = "linux")]

use std::net::IpAddr;
use std::num::NonZeroUsize;

use portcullis::Config;
use portcullis::commands::explain;
use portcullis::config::Group;
use portcullis_tests::{Log, Response, Site, Stage, plug};

use super::auth::{ADA, BOB, login};

/// The list of malware counts for all clients.
const RULES: &str = "[config.groups]\nchildren = [\"games\", \"adult\"]\nguests = [\"games\"]\n";

const CHILDREN: [[u8; 4]; 2] = [[127, 0, 0, 2], [127, 0, 0, 3]];

const ADULT: [u8; 4] = [127, 0, 0, 4];

async fn household(lists: &Site) -> Stage {
    household_with(lists, |_| ()).await
}

async fn household_with(lists: &Site, change: impl FnOnce(&mut Config)) -> Stage {
    lists.serves("/malware", "evil.example\n");
    lists.serves("/games", "games.example\n");
    lists.serves("/adult", "adult.example\n");
    // Lists arrive in any order.
    let logs = ["malware", "games", "adult"].map(|feed| (feed, Log::follow()));
    let stage = Stage::start_with(|config| {
        for feed in ["malware", "games", "adult"] {
            config
                .feeds
                .insert(feed.into(), lists.feed(&format!("/{feed}")));
        }
        let networks = CHILDREN.map(|child| IpAddr::from(child).into());
        config
            .groups
            .insert("children".into(), Group::new(networks));
        let networks = ["127.0.1.0/24".parse().expect("a network")];
        config.groups.insert("guests".into(), Group::new(networks));
        plug(&config.plugins.dir, "blocklist.toml", RULES);
        change(config);
    })
    .await;
    for (feed, mut log) in logs {
        log.says(&["feed updated", feed]).await;
    }
    stage
}

async fn asks(stage: &Stage, client: [u8; 4], host: &str) -> Response {
    let mut client = stage.proxy.client_from(client).await;
    client.send(stage.request(host, "")).await;
    client.response().await
}

#[tokio::test]
async fn two_children_an_adult_and_a_guest_have_lists_of_their_own() {
    let lists = Site::start().await;
    let stage = household(&lists).await;
    let guest = [127, 0, 1, 9];
    let [ann, ben] = CHILDREN;
    // Twice, for the second time verdicts are kept.
    for _ in 0..2 {
        for (host, refused) in [
            ("evil.example", &[ann, ben, ADULT, guest][..]),
            ("games.example", &[ann, ben, guest]),
            ("www.adult.example", &[ann, ben]),
            ("calm.example", &[]),
        ] {
            for client in [ann, ADULT, guest, ben] {
                let expected = if refused.contains(&client) { 403 } else { 200 };
                let response = asks(&stage, client, host).await;
                assert_eq!(response.status, expected, "{host} for {client:?}");
            }
        }
    }
}

/// A verdict that is kept for the group of the one is not for the group of the other.
#[tokio::test]
async fn a_child_and_an_adult_at_one_computer_have_lists_of_their_own() {
    let lists = Site::start().await;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, format!("{ADA}{BOB}")).unwrap();
    let stage = household_with(&lists, |config| {
        // Another worker would not have the verdict.
        config.proxy.workers = NonZeroUsize::MIN;
        config.auth.users = Some(users);
        let children = config.groups.get_mut("children").expect("it is there");
        children.users = vec!["ada".into()];
    });
    let stage = stage.await;
    for _ in 0..2 {
        for (host, child, adult) in [
            ("evil.example", 403, 403),
            ("games.example", 403, 200),
            ("www.adult.example", 403, 200),
            ("calm.example", 200, 200),
        ] {
            for (user, expected) in [("ada", child), ("bob", adult)] {
                let response = stage.get_with(host, &login(user, "secret")).await;
                assert_eq!(response.status, expected, "{host} for {user}");
            }
        }
    }
}

#[tokio::test]
async fn explain_says_that_it_matters_who_asks() {
    let lists = Site::start().await;
    let stage = household(&lists).await;
    let explained = explain(stage.proxy.config().clone(), "games.example", None, None).await;
    let text = explained.unwrap().to_string();
    let note = "note: blocklist asked who the client is; name one with --client\n";
    assert!(text.contains(note), "{text}");
    let child = Some(IpAddr::from(CHILDREN[0]));
    let explained = explain(stage.proxy.config().clone(), "games.example", child, None).await;
    let text = explained.unwrap().to_string();
    assert!(text.contains("block by blocklist with 403"), "{text}");
}

#[tokio::test]
async fn a_misspelt_group_is_refused_and_leaves_no_client_out() {
    let lists = Site::start().await;
    let stage = household(&lists).await;
    let mut log = Log::follow();
    stage.plug(
        "blocklist.toml",
        "[config.groups]\nchildern = [\"adult\"]\n",
    );
    log.says(&[
        "ERROR",
        "blocklist",
        "blocklist.toml:2:12",
        "`childern`",
        "did you mean `children`?",
    ])
    .await;
    // What was there before goes on.
    let response = asks(&stage, CHILDREN[0], "adult.example").await;
    assert_eq!(response.status, 403);
}
