//! Lists that are longer than what is kept of a body in memory.

use super::*;
use crate::config::Checksum;
use crate::feeds::fetch::Forged;

const NAMES: usize = 100_000;

fn long_list() -> String {
    let line = |number| format!("bad-{number}.long.example\n");
    (0..NAMES).map(line).collect()
}

fn with_room(server: &Server) -> Feed {
    Feed {
        max_size: 8 << 20,
        ..server.feed()
    }
}

fn serves_all(feeds: &Feeds) -> bool {
    let hosts = [0, NAMES / 2, NAMES - 1].map(|number| format!("bad-{number}.long.example"));
    hosts.iter().all(|host| lists(feeds, host))
}

fn files(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir.join("feeds")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_long_list_serves_however_it_comes_and_leaves_only_its_copy() {
    let list = long_list();
    let packed = gzip(list.as_bytes());
    for (headers, body) in [
        ("", list.as_bytes()),
        ("", &packed),
        ("Content-Encoding: gzip\r\n", &packed),
    ] {
        let dir = TempDir::new().unwrap();
        let server = Server::answering([ok(headers, body)]);
        let feeds = open(with_room(&server), dir.path());
        feeds.refresh_list().await.unwrap();
        assert!(serves_all(&feeds));
        let copy = ["list.json", "list.list", "list.snapshot"];
        assert_eq!(files(dir.path()), copy);
        assert_eq!(
            fs::read_to_string(dir.path().join("feeds/list.list")).unwrap(),
            list
        );
    }
}

#[tokio::test]
async fn a_long_list_that_is_not_the_published_one_is_not_taken_up() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST), ok("", long_list())]);
    let feeds = open(with_room(&server), dir.path());
    feeds.refresh_list().await.unwrap();
    let checked = Feed {
        checksum: Some(Checksum::Sha256([7; 32])),
        ..with_room(&server)
    };
    let checked = Feeds::open(&BTreeMap::from([("other".to_owned(), checked)]), dir.path());
    let source = checked.now().feeds["other"].lists[0].source.clone();
    let refused = checked.refresh(&source);
    let error = refused.await.unwrap_err();
    assert!(
        matches!(
            error,
            FeedError::Fetch(FetchError::Forged(Forged::Checksum { .. }))
        ),
        "{error:?}"
    );
    assert_eq!(checked.status()[0].names, 0);
    let copy = ["list.json", "list.list", "list.snapshot"];
    assert_eq!(files(dir.path()), copy);
}

#[tokio::test]
async fn a_long_list_serves_where_nothing_can_be_written() {
    let dir = TempDir::new().unwrap();
    let in_the_way = dir.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let server = Server::answering([ok("", long_list())]);
    let feeds = open(with_room(&server), &in_the_way);
    let outcome = feeds.refresh_list().await.unwrap();
    assert!(
        matches!(
            outcome,
            Outcome::Updated {
                names: NAMES,
                unkept: Some(_),
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(serves_all(&feeds));
}
