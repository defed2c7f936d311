//! What people are shown of a host, beside what filters are told.

use super::*;
use crate::config::FeedKind;

/// Lists whose entries speak of the same hosts and addresses.
fn overlapping(dir: &TempDir) -> Arc<Feeds> {
    let entries = |entries: &[&str]| {
        let mut feed = feed("http://127.0.0.1:9/");
        feed.url = None;
        feed.entries = entries.iter().map(|&entry| entry.to_owned()).collect();
        feed
    };
    let important = entries(&[
        "||b.example^$important",
        "@@||a.b.example^",
        "c.a.b.example",
    ]);
    let allow = Feed {
        kind: FeedKind::Allow,
        ..entries(&["d.c.a.b.example", "192.0.2.64/26", "@@||e.d.c.a.b.example^"])
    };
    let nets = entries(&[
        "192.0.2.0/24",
        "192.0.2.70",
        "2001:db8::/32",
        "198.51.100.0/24",
    ]);
    let deep = entries(&[
        "a.b.c.d.e.f.g.h.i.j.k.example",
        "@@||c.d.e.f.g.h.i.j.k.example^",
    ]);
    let all = [
        ("allow", allow),
        ("deep", deep),
        ("important", important),
        ("nets", nets),
    ];
    let all = all.map(|(name, feed)| (name.to_owned(), feed));
    Feeds::open(&BTreeMap::from(all), dir.path())
}

#[test]
fn the_entry_that_counts_is_the_one_that_filters_are_told() {
    let dir = TempDir::new().unwrap();
    let feeds = overlapping(&dir);
    for (host, count) in [
        ("b.example", 1),
        ("x.a.b.example", 2),
        ("c.a.b.example", 3),
        ("d.c.a.b.example", 4),
        ("e.d.c.a.b.example", 5),
        ("192.0.2.1", 1),
        ("192.0.2.70", 3),
        ("198.51.100.1", 1),
        ("2001:db8::1", 1),
        ("2001:db9::1", 0),
        ("x.a.b.c.d.e.f.g.h.i.j.k.example", 2),
        ("blocked.portcullis.test", 1),
        ("example.com", 0),
    ] {
        let shown = feeds.entries_about(host);
        assert_eq!(shown.len(), count, "{host}: {shown:?}");
        let now = feeds.now();
        let told = now.find(now.names().map(|name| &**name), host);
        let told = told.map(|told| (told.feed.unwrap(), told.line.unwrap()));
        let counting = shown.iter().filter(|entry| entry.counts);
        let counting: Vec<_> = counting
            .map(|entry| (entry.feed.clone(), entry.line))
            .collect();
        assert_eq!(counting, Vec::from_iter(told), "{host}");
    }
}
