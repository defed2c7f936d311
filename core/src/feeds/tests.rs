//! Feeds against a real server on this machine that answers what it is told to, and against real
//! files.

mod bounds;
mod changes;
mod copies;
mod egress;
mod failures;
mod hits;
#[cfg(feature = "cli")]
mod inspect;
mod long;
mod requests;
mod schedule;
mod unchanged;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::entries::Rejected;
use super::fetch::{FetchError, Fetcher, Version};
use super::hits::{ListHits, RuleHits};
use super::origin::Origin;
use super::{FeedError, FeedStatus, Feeds, Outcome};
use crate::config::{Feed, FeedFormat};

const LIST: &str = "bad.example\nworse.example\n";

/// A list that makes the parser panic.
pub(super) const PANICS: &str = "panic.example";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn ok(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
}

/// Gives each connection the next answer and then stops listening.
struct Server {
    address: SocketAddr,
    requests: JoinHandle<Vec<String>>,
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = std::thread::spawn(move || {
            let answer = |answer: Vec<u8>| {
                let (mut client, _) = listener.accept().unwrap();
                let request = read_head(&mut client);
                // A client that has seen enough closes before it has read everything.
                let _ = client.write_all(&answer);
                request
            };
            answers.into_iter().map(answer).collect()
        });
        Self { address, requests }
    }

    fn feed(&self) -> Feed {
        feed(&format!("http://{}/list", self.address))
    }

    /// The heads of the requests, once all answers are given.
    fn requests(self) -> Vec<String> {
        self.requests.join().unwrap()
    }
}

fn read_head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

fn feed(url: &str) -> Feed {
    Feed {
        refresh: Duration::from_secs(3600),
        max_size: 1024 * 1024,
        ..Feed::new(url.parse().unwrap(), FeedFormat::Domains)
    }
}

fn open(feed: Feed, cache: &Path) -> Arc<Feeds> {
    Feeds::open(&BTreeMap::from([("list".to_owned(), feed)]), cache)
}

fn lists(feeds: &Feeds, host: &str) -> bool {
    feeds.find(["list"], host).is_some()
}

fn list_status(feeds: &Feeds) -> FeedStatus {
    feeds.status().swap_remove(0)
}

/// What the feed `list` has done; none if nothing.
fn list_hits(feeds: &Feeds) -> Option<ListHits> {
    feeds.now().feeds["list"].lists[0].hits(10)
}

fn feed_of(feeds: &Feeds) -> Feed {
    let settings = feeds.now().feeds["list"].settings.clone();
    settings.unwrap().as_ref().clone()
}

fn origin(list: &Feed) -> Origin {
    Origin::all("list", list).swap_remove(0)
}

impl Feeds {
    /// Fetches the feed `list` now.
    async fn refresh_list(&self) -> Result<Outcome, FeedError> {
        let source = self.now().feeds["list"].lists[0].source.clone();
        self.refresh(&source).await
    }
}

#[tokio::test]
async fn a_fetched_list_serves() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = open(server.feed(), dir.path());
    assert!(!lists(&feeds, "bad.example"));
    assert_eq!(list_status(&feeds).age, None);

    let outcome = feeds.refresh_list().await.unwrap();
    assert!(matches!(
        outcome,
        Outcome::Updated {
            names: 2,
            bytes: 26,
            ..
        }
    ));
    assert_eq!(
        feeds
            .find(["other", "list"], "www.BAD.example.")
            .map(|found| (found.feed, found.rule)),
        Some((Some("list".into()), "bad.example".into()))
    );
    assert!(!lists(&feeds, "notbad.example"));
    assert!(!lists(&feeds, "not a host"));
    assert!(list_status(&feeds).age.is_some());

    let request = &server.requests()[0];
    assert!(
        request.contains(concat!(
            "user-agent: portcullis/",
            env!("CARGO_PKG_VERSION")
        )),
        "{request}"
    );
    assert!(request.contains("accept-encoding: gzip"), "{request}");
}

#[tokio::test]
async fn hits_are_counted_and_outlive_a_new_list() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST), ok("", "new.example\nworse.example\n")]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    let count = |host: &str| feeds.find(["list"], host).unwrap().hit.count();
    let hosts = ["bad.example", "worse.example", "www.worse.example"];
    hosts.into_iter().for_each(count);
    // A kept verdict has the match from before.
    let kept = feeds.find(["list"], "worse.example").unwrap();
    kept.hit.count();

    let hits = list_hits(&feeds).unwrap();
    assert_eq!((hits.hits, hits.matched), (4, 2));
    let rule = |rule: &str, line, hits| RuleHits {
        rule: rule.to_owned(),
        line,
        hits,
    };
    let [worse, bad] = [rule("worse.example", 2, 3), rule("bad.example", 1, 1)];
    assert_eq!(hits.top, [worse.clone(), bad]);

    feeds.refresh_list().await.unwrap();
    let hits = list_hits(&feeds).unwrap();
    // An entry that is gone has decided all the same.
    assert_eq!((hits.hits, hits.matched), (4, 1));
    assert_eq!(hits.top, [worse]);
    server.requests();
}

#[tokio::test]
async fn a_compressed_list_serves() {
    let dir = TempDir::new().unwrap();
    let compressed = gzip(LIST.as_bytes());
    let server = Server::answering([ok("Content-Encoding: gzip\r\n", compressed)]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "worse.example"));
}

#[tokio::test]
async fn a_parser_that_panics_at_the_start_costs_only_the_copy() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = open(server.feed(), dir.path());
    let (now, version) = (SystemTime::now(), Version::default());
    let mut body = PANICS.as_bytes().to_vec().into();
    let saved = feeds
        .cache
        .save(&origin(&server.feed()), &mut body, &version, now);
    saved.unwrap();

    let restarted = open(server.feed(), dir.path());
    assert!(!lists(&restarted, "panic.example"));
    restarted.refresh_list().await.unwrap();
    assert!(lists(&restarted, "bad.example"));
}

#[tokio::test]
async fn redirects_are_followed_but_not_for_ever() {
    let target = Server::answering([ok("", LIST)]);
    let location = format!("302 Found\r\nLocation: http://{}/", target.address);
    let server = Server::answering([status(&location)]);
    let dir = TempDir::new().unwrap();
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "bad.example"));
    assert_eq!(server.requests().len() + target.requests().len(), 2);

    let server = Server::answering(vec![status("302 Found\r\nLocation: /again"); 6]);
    let feeds = open(server.feed(), dir.path());
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(
        matches!(&error, FeedError::Fetch(FetchError::Redirect(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_restart_without_the_server_serves_the_copy_on_disk() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let list = server.feed();
    open(list.clone(), dir.path()).refresh_list().await.unwrap();
    server.requests();

    let feeds = open(list, dir.path());
    assert!(lists(&feeds, "bad.example"));
    assert!(list_status(&feeds).age.is_some());
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Http(_))),
        "{error:?}"
    );
    assert!(lists(&feeds, "bad.example"));
}

#[tokio::test]
async fn a_copy_of_another_source_or_a_broken_one_is_not_used() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST)]);
    let list = server.feed();
    open(list.clone(), dir.path()).refresh_list().await.unwrap();
    server.requests();

    let elsewhere = feed("http://127.0.0.1:9/other");
    assert!(!lists(&open(elsewhere, dir.path()), "bad.example"));
    let other_format = Feed {
        format: FeedFormat::Json,
        ..list.clone()
    };
    assert!(!lists(&open(other_format, dir.path()), "bad.example"));
    let smaller = Feed {
        max_size: 10,
        ..list.clone()
    };
    assert!(!lists(&open(smaller, dir.path()), "bad.example"));
    assert!(lists(&open(list.clone(), dir.path()), "bad.example"));

    let body = dir.path().join("feeds/list.list");
    fs::write(&body, "<html>\n<p>not a list").unwrap();
    assert!(!lists(&open(list.clone(), dir.path()), "bad.example"));
    fs::write(&body, LIST).unwrap();
    fs::write(dir.path().join("feeds/list.json"), "{").unwrap();
    assert!(!lists(&open(list, dir.path()), "bad.example"));
}

#[tokio::test]
async fn half_a_copy_with_an_odd_date_serves_and_is_asked_for_in_full() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST), ok("", LIST)]);
    open(server.feed(), dir.path())
        .refresh_list()
        .await
        .unwrap();
    fs::write(dir.path().join("feeds/list.list"), "bad.example\n").unwrap();

    let json = dir.path().join("feeds/list.json");
    let mut description: serde_json::Value =
        serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    description["fetched_at"] = u64::MAX.into();
    fs::write(&json, description.to_string()).unwrap();

    let feeds = open(server.feed(), dir.path());
    assert!(lists(&feeds, "bad.example") && !lists(&feeds, "worse.example"));
    assert!(list_status(&feeds).age.unwrap() < Duration::from_secs(3600));
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "worse.example"));
    assert!(!server.requests()[1].contains("if-none-match"));
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_costs_only_the_copy() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = open(server.feed(), &file);
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "bad.example"));
}

#[tokio::test]
async fn a_file_is_a_feed_too() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("list.txt");
    let list = feed(url::Url::from_file_path(&path).unwrap().as_str());
    let feeds = open(list.clone(), dir.path());
    for missing_or_odd in [false, true] {
        if missing_or_odd {
            fs::create_dir(&path).unwrap();
        }
        let error = feeds.refresh_list().await.unwrap_err();
        assert!(
            matches!(error, FeedError::Fetch(FetchError::File { .. })),
            "{error:?}"
        );
    }
    fs::remove_dir(&path).unwrap();
    fs::write(&path, LIST).unwrap();
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "bad.example"));

    let feeds = open(
        Feed {
            max_size: LIST.len() as u64 - 1,
            ..list
        },
        dir.path(),
    );
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(
        matches!(error, FeedError::Fetch(FetchError::TooLarge { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn running_fetches_at_once_and_ends_at_the_shutdown() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST)]);
    let feeds = open(server.feed(), dir.path());
    let shutdown = CancellationToken::new();
    let running = feeds.clone().run(shutdown.clone());
    let stop_when_loaded = async {
        while !lists(&feeds, "bad.example") {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
    };
    tokio::join!(running, stop_when_loaded);
}

#[tokio::test]
async fn the_test_names_are_always_there() {
    let dir = TempDir::new().unwrap();
    let feeds = Feeds::open(&BTreeMap::new(), dir.path());
    assert_eq!(
        feeds.now().names().map(|name| &**name).collect::<Vec<_>>(),
        ["test-names"]
    );
    for host in [
        "malware.wicar.org",
        "testsafebrowsing.appspot.com",
        "x.blocked.portcullis.test",
    ] {
        assert!(feeds.find(["test-names"], host).is_some(), "{host}");
    }
    for host in ["wicar.org", "appspot.com", "google.test", "example.com"] {
        assert_eq!(feeds.find(["test-names"], host), None, "{host}");
    }
    assert!(!feeds.now().has("other"));
}

#[test]
fn a_source_is_shown_without_what_may_be_secret() {
    let url = "https://ada:secret@lists.example/ads?key=secret#all";
    let url = url.parse().unwrap();
    assert_eq!(&*super::shown(&url), "https://lists.example/ads");
}

#[tokio::test]
async fn of_several_lists_of_a_feed_the_entry_for_the_nearest_name_counts() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("list.txt");
    fs::write(&file, "b.example\n10.0.0.0/8\n").unwrap();
    let both = Feed {
        entries: ["a.b.example", "10.9.0.0/16", "example"]
            .map(|entry| entry.to_owned())
            .into(),
        ..feed(url::Url::from_file_path(&file).unwrap().as_str())
    };
    let feeds = open(both, dir.path());
    feeds.refresh_list().await.unwrap();
    for (host, rule) in [
        ("x.a.b.example", "a.b.example"),
        ("x.b.example", "b.example"),
        ("10.9.1.1", "10.9.0.0/16"),
        ("10.1.1.1", "10.0.0.0/8"),
    ] {
        let found = feeds.find(["list"], host).unwrap();
        assert_eq!(&*found.rule, rule, "{host}");
    }
}
