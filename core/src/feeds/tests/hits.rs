//! Hits on disk: they are those of the very list, whatever has fetched it.

use super::*;

/// A proxy's feeds, of which an entry of `list` has decided twice and another once.
async fn counted(server: &Server, dir: &Path) -> Arc<Feeds> {
    let feeds = open(server.feed(), dir);
    feeds.refresh_list().await.unwrap();
    for host in ["bad.example", "worse.example", "bad.example"] {
        feeds.find(["list"], host).unwrap().hit.count();
    }
    feeds
}

fn names(hits: &ListHits) -> (u64, usize, Vec<(&str, u32)>) {
    let top = hits.top.iter().map(|rule| (&*rule.rule, rule.hits));
    (hits.hits, hits.matched, top.collect())
}

#[tokio::test]
async fn hits_outlive_a_restart_and_a_list_that_another_process_fetches() {
    let dir = TempDir::new().unwrap();
    let longer = format!("new.example\n{LIST}");
    let server = Server::answering([ok("", LIST), ok("", longer)]);
    let feeds = counted(&server, dir.path()).await;
    let known = list_hits(&feeds).unwrap();
    assert_eq!(
        names(&known),
        (3, 2, vec![("bad.example", 2), ("worse.example", 1)])
    );
    assert_eq!(list_hits(&open(server.feed(), dir.path())), None);
    feeds.save_hits();
    let again = open(server.feed(), dir.path());
    assert_eq!(list_hits(&again).unwrap(), known);

    // As `feed refresh` does, while the proxy goes on.
    again.refresh_list().await.unwrap();
    let hits = list_hits(&open(server.feed(), dir.path())).unwrap();
    assert_eq!(names(&hits), names(&known));
    assert_eq!((hits.since, hits.top[0].line), (known.since, 2));
    feeds.find(["list"], "bad.example").unwrap().hit.count();
    let source = feeds.now().feeds["list"].lists[0].source.clone();
    assert!(feeds.take_up(&source).await);
    let hits = list_hits(&open(server.feed(), dir.path())).unwrap();
    assert_eq!(
        names(&hits),
        (4, 2, vec![("bad.example", 3), ("worse.example", 1)])
    );
    server.requests();
}

#[tokio::test]
async fn a_snapshot_that_is_made_anew_is_the_same_list() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = counted(&server, dir.path()).await;
    // Lists in memory have the key of lists on disk, or of their hits.
    let blocked = || {
        let found = feeds.find(["test-names"], "blocked.portcullis.test");
        found.unwrap()
    };
    blocked().hit.count();
    feeds.save_hits();
    let known = list_hits(&feeds);
    // Another file in its place, as the one before is mapped.
    let snapshot = dir.path().join("feeds/list.snapshot");
    fs::remove_file(&snapshot).unwrap();
    fs::write(&snapshot, "damaged").unwrap();
    let again = open(server.feed(), dir.path());
    assert!(lists(&again, "bad.example"));
    assert_eq!(list_hits(&again), known);
    let of_test_names = again.now().feeds["test-names"].lists[0].hits(1).unwrap();
    assert_eq!(names(&of_test_names).0, 1);
    server.requests();
}

#[tokio::test]
async fn a_list_that_comes_back_has_its_hits() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = counted(&server, dir.path()).await;
    let known = list_hits(&feeds);
    let list = feed_of(&feeds);
    feeds.change_to(BTreeMap::new()).await;
    assert!(!feeds.now().has("list"));
    feeds
        .change_to(BTreeMap::from([("list".to_owned(), list)]))
        .await;
    assert_eq!(list_hits(&feeds), known);
    server.requests();
}

#[tokio::test]
async fn entries_that_change_keep_the_hits_of_those_that_stay() {
    let dir = TempDir::new().unwrap();
    let entries = |entries: &[&str]| Feed {
        url: None,
        entries: entries.iter().map(|&entry| entry.to_owned()).collect(),
        ..feed("http://127.0.0.1:9/")
    };
    let feeds = open(entries(&["one.example", "two.example"]), dir.path());
    for host in ["one.example", "two.example"] {
        feeds.find(["list"], host).unwrap().hit.count();
    }
    let other = entries(&["three.example", "two.example"]);
    feeds
        .change_to(BTreeMap::from([("list".to_owned(), other.clone())]))
        .await;
    let hits = list_hits(&feeds).unwrap();
    assert_eq!(names(&hits), (2, 1, vec![("two.example", 1)]));
    feeds.save_hits();
    assert_eq!(list_hits(&open(other, dir.path())), Some(hits));
}

#[expect(clippy::disallowed_methods, reason = "it ends with the test")]
#[tokio::test(start_paused = true)]
async fn a_proxy_writes_hits_while_it_runs() {
    let dir = TempDir::new().unwrap();
    let feeds = open(
        feed(&format!("file://{}/none", dir.path().display())),
        dir.path(),
    );
    let blocked = feeds
        .find(["test-names"], "blocked.portcullis.test")
        .unwrap();
    let file = dir.path().join("feeds/test-names.hits");
    let running = tokio::spawn(feeds.clone().run(CancellationToken::new()));
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(!file.exists(), "there is nothing to write");
    blocked.hit.count();
    tokio::time::sleep(Duration::from_secs(120)).await;
    // The clock stands still while a file is written.
    assert!(file.exists());
    running.abort();
}

#[tokio::test]
async fn hits_that_cannot_be_written_are_written_later() {
    let dir = TempDir::new().unwrap();
    let cache = dir.path().join("cache");
    fs::write(&cache, "a file is in the way").unwrap();
    let feeds = open(feed("file:///none"), &cache);
    let blocked = feeds
        .find(["test-names"], "blocked.portcullis.test")
        .unwrap();
    blocked.hit.count();
    feeds.save_hits();
    fs::remove_file(&cache).unwrap();
    feeds.save_hits();
    assert!(cache.join("feeds/test-names.hits").exists());
}
