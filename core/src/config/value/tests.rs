//! Values as they are written, right and wrong.

use super::*;

fn assert_reads<K: FromText>(good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(K::parse(text).is_some(), "{text}");
    }
    for text in bad {
        assert!(K::parse(text).is_none(), "{text}");
    }
}

#[test]
fn values_are_read_or_refused_with_an_example() {
    assert_reads::<Workers>(&["1", "1024"], &["0", "-1", "1025", "2.5", "two"]);
    assert_reads::<Time>(
        &["1ms", "30s", "1m 30s", "365d"],
        &["", "30", "0s", "-1s", "366d", "99999999999999y"],
    );
    assert_reads::<Refresh>(&["10s", "1h"], &["9s", "1h!"]);
    assert_reads::<FeedSize>(
        &["1", "64MiB", "1 GiB"],
        &["0", "2GiB", "-1", "many", "1e99"],
    );
    assert_reads::<MemorySize>(&["64KiB", "4GiB"], &["64KB", "5GiB"]);
    assert_reads::<FeedUrl>(
        &["http://a.example/x", "https://u:p@a.example", "file:///a"],
        &[
            "",
            "a.example",
            "ftp://a.example",
            "file://host/a",
            "http://",
        ],
    );
    assert_reads::<Ttl>(&["0s", "1d"], &["", "-1s", "366d"]);
    assert_reads::<LogFilter>(
        &[
            "info",
            "WARN",
            "off",
            "info,portcullis=debug",
            "portcullis::feeds=trace",
            "info, portcullis=debug",
            "info,  gefährlich=debug",
        ],
        &["", "verbose", "info,x=y", "inof"],
    );
    assert_reads::<Connections>(&["1", "1000000"], &["0", "1000001", "many"]);
    assert_reads::<AccessLogTo>(
        &["stderr", "stdout", "off", "access.log", "/var/log/access"],
        &["", "Off", "sdterr"],
    );
    assert_reads::<FeedName>(
        &["malware", "a-1_b"],
        &["", "Malware", "a.b", "../x", "a b", "test-names"],
    );
}
