//! Feeds whose settings change while they are in use.

use super::*;
use crate::config::FeedKind;
use crate::feeds::cache::Arrival;

fn named(feeds: &[(&str, &Feed)]) -> BTreeMap<String, Feed> {
    let feeds = feeds.iter();
    feeds
        .map(|(name, feed)| ((*name).to_owned(), (*feed).clone()))
        .collect()
}

/// The feed `list` as it was fetched from a server that answers once.
async fn fetched(dir: &TempDir) -> (Arc<Feeds>, Feed) {
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST)]);
    let list = server.feed();
    let feeds = open(list.clone(), dir.path());
    feeds.refresh_list().await.unwrap();
    (feeds, list)
}

#[tokio::test]
async fn a_feed_that_stays_keeps_its_list_its_task_and_its_hits() {
    let dir = TempDir::new().unwrap();
    let (feeds, list) = fetched(&dir).await;
    let source = || feeds.now().feeds["list"].lists[0].source.clone();
    let (before, generation, edition) = (source(), feeds.generation(), feeds.now().edition());
    feeds.find(["list"], "bad.example").unwrap().hit.count();
    let other = Feed {
        entries: vec!["other.example".into()],
        url: None,
        ..list.clone()
    };
    feeds
        .change_to(named(&[("list", &list), ("other", &other)]))
        .await;
    assert!(Arc::ptr_eq(&before, &source()) && !before.retired().is_cancelled());
    assert_eq!(list_hits(&feeds).unwrap().matched, 1);
    assert!(feeds.find(["other"], "other.example").is_some());
    assert!(feeds.generation() > generation && feeds.now().edition() > edition);

    // What is about fetching alone starts another task, which knows what the one before knew.
    let generation = feeds.generation();
    let longer = Feed {
        refresh: 2 * list.refresh,
        ..list.clone()
    };
    feeds
        .change_to(named(&[("list", &longer), ("other", &other)]))
        .await;
    assert!(before.retired().is_cancelled() && !Arc::ptr_eq(&before, &source()));
    assert_eq!(source().state().version, before.state().version);
    assert_eq!(list_hits(&feeds).unwrap().matched, 1);
    assert!(feeds.generation() > generation);
    // Nothing has changed.
    let generation = feeds.generation();
    feeds
        .change_to(named(&[("list", &longer), ("other", &other)]))
        .await;
    assert_eq!(feeds.generation(), generation);
}

#[tokio::test]
async fn a_list_that_stands_in_tells_where_it_is_from_and_is_not_awaited() {
    let dir = TempDir::new().unwrap();
    let (feeds, list) = fetched(&dir).await;
    let moved = Feed {
        url: Some("http://127.0.0.1:1/moved".parse().unwrap()),
        min_entries: Some(1),
        ..list.clone()
    };
    feeds.change_to(named(&[("list", &moved)])).await;
    let found = feeds.find(["list"], "bad.example").unwrap();
    assert_eq!(
        found.source.as_deref(),
        list.url.as_ref().map(|url| url.as_str())
    );
    assert!(feeds.awaited().is_empty());
    assert_eq!(
        list_status(&feeds).source.as_deref(),
        Some("http://127.0.0.1:1/moved")
    );
    // Nothing is known of the list that is to come.
    let state = feeds.now().feeds["list"].lists[0]
        .source
        .state()
        .version
        .clone();
    assert_eq!(state, Version::default());

    // It never allows anything.
    let allow = Feed {
        kind: FeedKind::Allow,
        ..moved.clone()
    };
    feeds.change_to(named(&[("list", &allow)])).await;
    assert!(feeds.find(["list"], "bad.example").is_none());
    assert_eq!(feeds.awaited().len(), 1);
}

#[tokio::test]
async fn a_list_whose_copy_has_another_name_is_fetched_as_a_whole() {
    let dir = TempDir::new().unwrap();
    let (feeds, list) = fetched(&dir).await;
    let several = Feed {
        url: None,
        urls: vec![
            list.url.clone().unwrap(),
            "http://127.0.0.1:1/more".parse().unwrap(),
        ],
        ..list.clone()
    };
    feeds.change_to(named(&[("list", &several)])).await;
    assert!(lists(&feeds, "bad.example"));
    let awaited = feeds.awaited();
    assert_eq!(
        awaited[0].missing.as_deref(),
        Some(&["http://127.0.0.1:1/more".into()][..])
    );
    let version = feeds.now().feeds["list"].lists[0]
        .source
        .state()
        .version
        .clone();
    assert_eq!(version, Version::default());
}

#[tokio::test]
async fn a_fetch_that_is_under_way_ends_with_its_feed() {
    let dir = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/list", listener.local_addr().unwrap());
    let (asked, is_asked) = tokio::sync::oneshot::channel();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        read_head(&mut client);
        asked.send(()).unwrap();
        // Nothing is answered; the client leaves.
        client.read(&mut [0]).unwrap()
    });
    let feeds = open(feed(&url), dir.path());
    let run = feeds.clone().run(CancellationToken::new());
    let change = async {
        is_asked.await.unwrap();
        feeds.change_to(BTreeMap::new()).await;
        tokio::task::spawn_blocking(|| server.join()).await
    };
    let read = tokio::select! {
        () = run => panic!("it runs on"),
        read = change => read.unwrap().unwrap(),
    };
    assert_eq!(read, 0);
    assert!(!feeds.now().has("list"));
}

#[tokio::test]
async fn a_list_that_comes_too_late_neither_serves_nor_is_kept() {
    let dir = TempDir::new().unwrap();
    let feeds = open(feed("http://127.0.0.1:1/list"), dir.path());
    let source = feeds.now().feeds["list"].lists[0].source.clone();
    feeds
        .change_to(named(&[("list", &feed("http://127.0.0.1:1/moved"))]))
        .await;
    let arrival = Arrival {
        cache: feeds.cache.clone(),
        feed: source.feed.clone(),
        origin: source.origin.clone().unwrap(),
        version: Version::default(),
        fetched_at: SystemTime::now(),
    };
    let taken = feeds
        .lists
        .take(&source, arrival, LIST.as_bytes().to_vec().into());
    assert!(matches!(taken, Err(FeedError::Retired)), "{taken:?}");
    assert!(!lists(&feeds, "bad.example"));
    assert!(!dir.path().join("feeds").exists());
}
