//! Lists that have not changed are not sent again, or not read again.

use super::*;

#[tokio::test]
async fn an_unchanged_list_is_not_sent_again() {
    let dir = TempDir::new().unwrap();
    let validators = "ETag: \"v1\"\r\nLast-Modified: Sat, 18 Jul 2026 01:35:22 GMT\r\n";
    let unchanged = || status("304 Not Modified");
    let server = Server::answering([ok(validators, LIST), unchanged(), unchanged()]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);

    let restarted = open(server.feed(), dir.path());
    assert!(lists(&restarted, "bad.example"));
    assert_eq!(restarted.refresh_list().await.unwrap(), Outcome::Unchanged);
    assert!(lists(&restarted, "bad.example"));

    let requests = server.requests();
    assert!(!requests[0].contains("if-none-match"));
    for request in &requests[1..] {
        assert!(request.contains("if-none-match: \"v1\""), "{request}");
        assert!(
            request.contains("if-modified-since: sat, 18 jul 2026 01:35:22 gmt"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_sent_again_is_not_read_again() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST), ok("ETag: \"v1\"\r\n", LIST), ok("", LIST)]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    let generation = feeds.generation();
    assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);
    assert_eq!(feeds.generation(), generation);

    let restarted = open(server.feed(), dir.path());
    assert_eq!(restarted.refresh_list().await.unwrap(), Outcome::Unchanged);
    assert!(lists(&restarted, "bad.example"));
    server.requests();

    // Other settings may find something else in it.
    let file = dir.path().join("list.txt");
    fs::write(&file, "*.bad.example\n").unwrap();
    let list = feed(url::Url::from_file_path(&file).unwrap().as_str());
    open(list.clone(), dir.path()).refresh_list().await.unwrap();
    let exact = Feed {
        subdomains: Some(false),
        ..list
    };
    let feeds = open(exact, dir.path());
    assert!(matches!(
        feeds.refresh_list().await,
        Ok(Outcome::Updated { .. })
    ));
}

/// Makes a copy one that was fetched an hour ago.
fn age(dir: &TempDir) {
    let file = dir.path().join("feeds/list.json");
    let mut description: serde_json::Value =
        serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let fetched_at = description["fetched_at"].as_u64().unwrap();
    description["fetched_at"] = (fetched_at - 3600).into();
    fs::write(&file, description.to_string()).unwrap();
}

fn aged(feed: &Feed, dir: &TempDir) -> bool {
    let restarted = open(feed.clone(), dir.path());
    assert!(lists(&restarted, "bad.example"));
    list_status(&restarted).age.unwrap() >= Duration::from_secs(3600)
}

#[tokio::test]
async fn how_a_server_calls_the_same_list_now_outlives_a_restart() {
    let dir = TempDir::new().unwrap();
    let newer = "ETag: \"v2\"\r\nLast-Modified: Sun, 19 Jul 2026 01:35:22 GMT\r\n";
    let server = Server::answering([
        ok("ETag: \"v1\"\r\n", LIST),
        ok(newer, LIST),
        status("304 Not Modified"),
    ]);
    let list = server.feed();
    let feeds = open(list.clone(), dir.path());
    feeds.refresh_list().await.unwrap();
    age(&dir);
    assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);
    let snapshot = dir.path().join("feeds/list.snapshot");
    let read = fs::metadata(&snapshot).unwrap().modified().unwrap();

    assert!(!aged(&list, &dir), "it was confirmed a moment ago");
    let restarted = open(list.clone(), dir.path());
    assert_eq!(restarted.refresh_list().await.unwrap(), Outcome::Unchanged);
    let now = fs::metadata(&snapshot).unwrap().modified().unwrap();
    assert_eq!(now, read, "the list is not read again");
    let asked = &server.requests()[2];
    assert!(asked.contains("if-none-match: \"v2\""), "{asked}");
    let modified = "if-modified-since: sun, 19 jul 2026";
    assert!(asked.contains(modified), "{asked}");
}

#[tokio::test]
async fn the_age_of_a_list_that_is_not_sent_again_outlives_a_restart() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST), status("304 Not Modified")]);
    let list = server.feed();
    let feeds = open(list.clone(), dir.path());
    feeds.refresh_list().await.unwrap();
    age(&dir);
    assert!(aged(&list, &dir));
    assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);
    assert!(!aged(&list, &dir));
    server.requests();
}

#[tokio::test]
async fn a_copy_of_another_list_is_not_confirmed() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([
        ok("ETag: \"v1\"\r\n", LIST),
        ok("ETag: \"v2\"\r\n", "other.example\n"),
        status("304 Not Modified"),
    ]);
    let list = server.feed();
    let feeds = open(list.clone(), dir.path());
    feeds.refresh_list().await.unwrap();
    // Another process has fetched a newer list meanwhile.
    open(list.clone(), dir.path()).refresh_list().await.unwrap();
    let file = dir.path().join("feeds/list.json");
    let before = fs::read(&file).unwrap();
    assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);
    assert_eq!(fs::read(&file).unwrap(), before);
    server.requests();
}

#[tokio::test]
async fn a_list_whose_copy_could_not_be_kept_is_read_again() {
    let dir = TempDir::new().unwrap();
    let cache = dir.path().join("cache");
    fs::write(&cache, "a file in the way").unwrap();
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST), ok("", LIST)]);
    let feeds = open(server.feed(), &cache);
    feeds.refresh_list().await.unwrap();
    fs::remove_file(&cache).unwrap();
    let outcome = feeds.refresh_list().await.unwrap();
    assert!(matches!(outcome, Outcome::Updated { unkept: None, .. }));
    assert!(lists(&open(server.feed(), &cache), "bad.example"));
    assert!(!server.requests()[1].contains("if-none-match"));
}

#[tokio::test]
async fn a_copy_that_has_vanished_is_written_again() {
    for vanishes in ["", "list.json", "list.list"] {
        let dir = TempDir::new().unwrap();
        let server = Server::answering([
            ok("ETag: \"v1\"\r\n", LIST),
            status("304 Not Modified"),
            ok("ETag: \"v1\"\r\n", LIST),
        ]);
        let feeds = open(server.feed(), dir.path());
        feeds.refresh_list().await.unwrap();
        let copies = dir.path().join("feeds");
        if vanishes.is_empty() {
            fs::remove_dir_all(&copies).unwrap();
        } else {
            fs::remove_file(copies.join(vanishes)).unwrap();
        }
        assert_eq!(feeds.refresh_list().await.unwrap(), Outcome::Unchanged);
        assert!(lists(&feeds, "bad.example"));

        let outcome = feeds.refresh_list().await.unwrap();
        assert!(matches!(outcome, Outcome::Updated { unkept: None, .. }));
        assert!(lists(&open(server.feed(), dir.path()), "bad.example"));
        assert!(!server.requests()[2].contains("if-none-match"));
    }
}
