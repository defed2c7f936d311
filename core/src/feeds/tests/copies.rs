//! The snapshot beside the copy on disk: what a restart begins with.

use sha2::{Digest, Sha256};

use super::*;
use crate::config::{Checksum, FeedKind, UntilFirst};
use crate::feeds::cache::Cache;

/// A fetched list in a folder of its own, whose server answers again with the same.
async fn fetched() -> (TempDir, Server, Feed) {
    let dir = TempDir::new().unwrap();
    let answer = || ok("ETag: \"v1\"\r\n", LIST);
    let server = Server::answering([answer(), answer()]);
    let list = server.feed();
    open(list.clone(), dir.path()).refresh_list().await.unwrap();
    (dir, server, list)
}

fn has_snapshot(list: &Feed, dir: &TempDir) -> bool {
    let saved = Cache::new(dir.path()).load(&origin(list)).unwrap().unwrap();
    saved.snapshot.is_ok()
}

#[tokio::test]
async fn a_restart_has_the_snapshot_and_reads_no_body() {
    let (dir, server, list) = fetched().await;
    let body = dir.path().join("feeds/list.list");
    fs::write(&body, LIST.replace("bad", "new")).unwrap();
    let feeds = open(list, dir.path());
    assert!(lists(&feeds, "www.bad.example") && !lists(&feeds, "new.example"));
    assert_eq!(list_status(&feeds).names, 2);
    feeds.refresh_list().await.unwrap();
    assert!(server.requests()[1].contains("if-none-match: \"v1\""));
}

#[tokio::test]
async fn without_a_good_snapshot_the_body_serves_and_a_fetch_makes_a_new_one() {
    let whole = fs::read(fetched().await.0.path().join("feeds/list.snapshot")).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        Some(bytes)
    };
    let (half, longer) = (whole[..whole.len() / 2].to_vec(), [&*whole, b"x"].concat());
    for bytes in [
        None,
        Some(Vec::new()),
        Some(b"<html>".to_vec()),
        Some(half),
        Some(longer),
        // Of another list, for all that is in it is right.
        Some(whole.clone()),
        changed(0),
        changed(17),
        changed(40),
        changed(whole.len() - 1),
    ] {
        let (dir, server, list) = fetched().await;
        assert!(has_snapshot(&list, &dir));
        let snapshot = dir.path().join("feeds/list.snapshot");
        match &bytes {
            Some(bytes) => fs::write(&snapshot, bytes).unwrap(),
            None => fs::remove_file(&snapshot).unwrap(),
        }
        let feeds = open(list.clone(), dir.path());
        assert!(lists(&feeds, "www.bad.example"));
        assert!(!has_snapshot(&list, &dir), "{bytes:?}");
        feeds.refresh_list().await.unwrap();
        assert!(lists(&feeds, "www.bad.example"));
        assert!(has_snapshot(&list, &dir));
        assert!(!server.requests()[1].contains("if-none-match"));
    }
}

#[tokio::test]
async fn other_settings_count_at_once_and_without_the_server() {
    let (dir, _, list) = fetched().await;
    let narrow = Feed {
        subdomains: Some(false),
        ..list.clone()
    };
    assert!(!has_snapshot(&narrow, &dir) && has_snapshot(&list, &dir));
    let feeds = open(narrow, dir.path());
    assert!(lists(&feeds, "bad.example") && !lists(&feeds, "www.bad.example"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_list_that_serves_needs_its_folder_no_more_and_others_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let (dir, _, list) = fetched().await;
    for file in fs::read_dir(dir.path().join("feeds")).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let feeds = open(list, dir.path());
    dir.close().unwrap();
    assert!(lists(&feeds, "bad.example") && !lists(&feeds, "good.example"));
}

#[tokio::test]
async fn lists_whose_hashes_have_different_keys_are_all_found() {
    let (one, _, list) = fetched().await;
    let (other, _, _) = fetched().await;
    let as_other = |from: &str, to: &str| {
        let folder = |dir: &TempDir| dir.path().join("feeds");
        fs::copy(folder(&other).join(from), folder(&one).join(to)).unwrap();
    };
    for end in ["list", "json", "snapshot"] {
        as_other(&format!("list.{end}"), &format!("other.{end}"));
    }
    let description = fs::read_to_string(other.path().join("feeds/list.json")).unwrap();
    let description: serde_json::Value = serde_json::from_str(&description).unwrap();
    let second = Feed {
        url: Some(description["url"].as_str().unwrap().parse().unwrap()),
        ..list.clone()
    };
    let feeds = BTreeMap::from([("list".to_owned(), list), ("other".to_owned(), second)]);
    let feeds = Feeds::open(&feeds, one.path());
    for name in ["list", "other"] {
        assert!(feeds.find([name], "www.worse.example").is_some(), "{name}");
        assert!(feeds.find([name], "good.example").is_none(), "{name}");
    }
}

#[tokio::test]
async fn what_a_recording_has_found_is_found_again_in_the_same_words() {
    let dir = TempDir::new().unwrap();
    let body = "||B\u{fc}cher.example^\n@@||ok.xn--bcher-kva.example^\n";
    let server = Server::answering([ok("", body)]);
    let settings = Feed {
        format: FeedFormat::Adblock,
        ..server.feed()
    };
    let feeds = open(settings.clone(), dir.path());
    feeds.refresh_list().await.unwrap();
    server.requests();
    let settings = BTreeMap::from([("list".to_owned(), settings)]);
    let recording = Feeds::open_canonical(&settings, dir.path());
    let told = |feeds: &Feeds| {
        ["www.xn--bcher-kva.example", "ok.xn--bcher-kva.example"]
            .map(|host| feeds.find(["list"], host).unwrap().rule.into_string())
    };
    assert_eq!(told(&feeds)[0], "||B\u{fc}cher.example^");
    let written = told(&recording);
    assert_eq!(
        written,
        ["xn--bcher-kva.example", "@@ok.xn--bcher-kva.example"]
    );
    let again = Feeds::from_lists(&BTreeMap::from([("list".to_owned(), written.to_vec())]));
    assert_eq!(told(&again), written);
}

#[tokio::test]
async fn a_copy_that_was_cut_off_serves_only_where_a_part_of_it_is_better_than_nothing() {
    type Change = fn(&mut Feed);
    let cases: [(Change, bool); 4] = [
        (|_| (), true),
        (|list| list.until_first = UntilFirst::Block, false),
        (|list| list.kind = FeedKind::Allow, false),
        (
            |list| list.checksum = Some(Checksum::Sha256(Sha256::digest(LIST).into())),
            false,
        ),
    ];
    for (change, serves) in cases {
        let dir = TempDir::new().unwrap();
        let server = Server::answering([ok("", LIST), ok("", LIST)]);
        let mut list = server.feed();
        change(&mut list);
        open(list.clone(), dir.path()).refresh_list().await.unwrap();
        fs::write(dir.path().join("feeds/list.list"), "bad.example\n").unwrap();

        let feeds = open(list, dir.path());
        assert_eq!(lists(&feeds, "bad.example"), serves);
        assert_eq!(feeds.awaited().is_empty(), serves);
        feeds.refresh_list().await.unwrap();
        assert!(lists(&feeds, "worse.example"));
        assert!(feeds.awaited().is_empty());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_place_of_a_file_of_the_copy_keeps_no_start_waiting() {
    for (end, serves) in [
        ("snapshot", true),
        ("hits", true),
        ("json", false),
        ("list", false),
    ] {
        let (dir, server, list) = fetched().await;
        let file = dir.path().join("feeds/list").with_extension(end);
        // One that was never written need not be there.
        drop(fs::remove_file(&file));
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.unwrap().success());
        let feeds = open(list.clone(), dir.path());
        assert_eq!(lists(&feeds, "bad.example"), serves, "{end}");
        feeds.refresh_list().await.unwrap();
        assert!(lists(&feeds, "bad.example"), "{end}");
        server.requests();
    }
}
