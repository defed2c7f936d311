//! Feeds in files and variables, and what is wrong with what they say together.

use super::*;
use crate::config::{FeedKind, Preset, PublicSuffixes};

#[test]
fn the_default_feed_is_there_whatever_others_are_named() {
    let list = "[feeds.a-list]\nurl = \"http://a.example\"\nformat = \"hosts\"";
    let variables = [
        ("PORTCULLIS_FEEDS_A_LIST_REFRESH", "1h"),
        ("PORTCULLIS_FEEDS_B_LIST_URL", "http://b.example"),
        ("PORTCULLIS_FEEDS_B_LIST_FORMAT", "json"),
    ];
    let config = load(list, &variables).unwrap();
    assert_eq!(
        config.feeds.keys().collect::<Vec<_>>(),
        ["a-list", "b_list", "malware"]
    );
    assert_eq!(config.feeds["a-list"].refresh.as_secs(), 3600);
    let default = &Config::default().feeds["malware"];
    assert_eq!(&config.feeds["malware"], default);
    assert_eq!(load("[feeds]", &[]).unwrap().feeds, Config::default().feeds);

    let malware = |settings: &str, variables: &[(&str, &str)]| {
        let config = load(&format!("[feeds.malware]\n{settings}"), variables).unwrap();
        config.feeds["malware"].clone()
    };
    let changed = |change: fn(&mut Feed)| {
        let mut feed = default.clone();
        change(&mut feed);
        feed
    };
    let disabled = changed(|feed| feed.enabled = false);
    assert_eq!(malware("enabled = false", &[]), disabled);
    let variables = [("PORTCULLIS_FEEDS_MALWARE_ENABLED", "false")];
    assert_eq!(malware("", &variables), disabled);
    let slower = changed(|feed| feed.refresh = Duration::from_hours(1));
    assert_eq!(malware("refresh = \"1h\"", &[]), slower);
    let elsewhere = malware("url = \"http://a.example/list\"", &[]);
    assert_eq!(
        (url(&elsewhere), elsewhere.format),
        ("http://a.example/list", FeedFormat::Auto)
    );
}

#[test]
fn a_preset_brings_its_list_along_and_other_keys_hold_beside_it() {
    let read = |settings: &str, variables: &[(&str, &str)]| {
        let config = load(settings, variables).unwrap();
        config.feeds["ads"].clone()
    };
    let ads = read("feeds.ads.preset = \"ads\"", &[]);
    assert_eq!(ads, Feed::from_preset(Preset::Ads));
    assert_eq!(ads.refresh, Duration::from_hours(12));
    assert_eq!(ads.read_as(), FeedFormat::Adblock);
    let urls: Vec<_> = ads.sources().collect();
    assert_eq!(urls, [Preset::Ads.url()]);

    let variables = [
        ("PORTCULLIS_FEEDS_ADS_PRESET", "adult"),
        ("PORTCULLIS_FEEDS_ADS_REFRESH", "1h"),
        ("PORTCULLIS_FEEDS_ADS_SUBDOMAINS", "false"),
        ("PORTCULLIS_FEEDS_ADS_ENTRIES", "a.example, b.example"),
    ];
    let ads = read("feeds.ads.kind = \"allow\"", &variables);
    let mut expected = Feed::from_preset(Preset::Adult);
    expected.refresh = Duration::from_hours(1);
    expected.subdomains = Some(false);
    expected.kind = FeedKind::Allow;
    expected.entries = vec!["a.example".into(), "b.example".into()];
    assert_eq!(ads, expected);

    // The default feed may be another list.
    let malware = load("feeds.malware.preset = \"phishing\"", &[]).unwrap();
    assert_eq!(
        malware.feeds["malware"],
        Feed::from_preset(Preset::Phishing)
    );
}

#[test]
fn what_a_format_does_not_have_is_refused() {
    let feed = |settings: &str| format!("[feeds.x]\nurl = \"http://a.example\"\n{settings}");
    for (settings, expected) in [
        (
            "format = \"hosts\"\ncolumn = 2",
            "4:1: feeds.x.column: the format is \"hosts\", and a column is only for \"csv\", so it would do nothing; \
             write format = \"csv\", or remove column",
        ),
        (
            "column = \"host\"\nformat = \"json\"",
            "3:1: feeds.x.column: the format is \"json\", and a column is only for \"csv\", so it would do nothing; \
             write format = \"csv\", or remove column",
        ),
        (
            "format = \"csv\"\nfield = \"/url\"",
            "4:1: feeds.x.field: the format is \"csv\", and a field is only for \"json\", so it would do nothing; \
             write format = \"json\", or remove field",
        ),
        (
            "column = 1\nfield = \"/url\"",
            "3:1: feeds.x.column: a column is for csv, a field is for json, and this feed has both; remove one of them",
        ),
    ] {
        assert_eq!(refusal(&feed(settings)), expected, "{settings}");
    }
    for settings in [
        "format = \"csv\"\ncolumn = 2",
        "format = \"json\"\nfield = \"/url\"",
        // Each says what the format is.
        "column = 2",
        "field = \"/url\"",
    ] {
        load(&feed(settings), &[]).unwrap();
    }
    // The default feed is read as hosts.
    assert_eq!(
        variable_refusal("PORTCULLIS_FEEDS_MALWARE_COLUMN", "2"),
        "environment variable PORTCULLIS_FEEDS_MALWARE_COLUMN: the format is \"hosts\", and a column is only for \
         \"csv\", so it would do nothing; write format = \"csv\", or remove column"
    );
}

#[test]
fn what_happens_to_public_suffixes_may_be_left_open() {
    let feed =
        |word: &str| format!("[feeds.x]\nentries = [\"||zip^\"]\npublic_suffixes = {word:?}");
    let auto = load(&feed("auto"), &[]).unwrap();
    assert_eq!(auto.feeds["x"].public_suffixes, None);
    let hold = load(&feed("hold"), &[]).unwrap();
    assert_eq!(hold.feeds["x"].public_suffixes, Some(PublicSuffixes::Hold));
    assert_eq!(
        refusal(&feed("keep")),
        "3:19: feeds.x.public_suffixes: `keep` is not \"auto\", \"hold\" (rules for all of `com` or `co.uk` are not \
         applied, and told) or \"apply\""
    );
}

#[test]
fn what_a_feed_says_of_its_lists_makes_sense_together() {
    let feed = |settings: &str| format!("[feeds.x]\n{settings}");
    for (settings, expected) in [
        (
            "url = \"http://a.example\"\nurls = [\"http://b.example\"]",
            "3:1: feeds.x.urls: this feed has a url, too; remove one of them, or add that url to these",
        ),
        (
            "urls = [\"http://a.example\", \"http://b.example\", \"http://a.example/\"]",
            "2:1: feeds.x.urls: number 3 is the same as number 1; remove one of them",
        ),
        (
            "preset = \"ads\"\nurl = \"http://a.example\"",
            "3:1: feeds.x.url: this feed has a preset, which has a url of its own; remove one of them, or write a \
             feed of its own for this list",
        ),
        (
            "preset = \"add\"",
            "2:10: feeds.x.preset: `add` is not a preset: \"ads\", \"tracking\", \"phishing\", \"malware\" or \"adult\"",
        ),
        (
            "preset = \"ads\"\ncolumn = 2",
            "3:1: feeds.x.column: the format is \"adblock\", and a column is only for \"csv\", so it would do nothing; \
             write format = \"csv\", or remove column",
        ),
        (
            "preset = \"ads\"\nmin_entries = 2\nmax_entries = 1",
            "3:1: feeds.x.min_entries: no list has 2 names or more and 1 or fewer; change one of them",
        ),
        (
            "urls = [\"http://a.example\", \"http://b.example\"]\nchecksum = \"http://a.example/sum\"",
            "3:1: feeds.x.checksum: a checksum is that of one list, and this feed has several; write a feed for each \
             list that has one",
        ),
        (
            "kind = \"deny\"",
            "2:8: feeds.x.kind: `deny` is not \"block\" or \"allow\" (a host on the list is on no other, as far as \
             filters are told)",
        ),
        (
            "urls = []",
            "1:8: feeds.x: the feed has no url and no entries; add url = \"https://lists.example/hosts\", entries = \
             [\"ads.example\"] or preset = \"ads\"",
        ),
    ] {
        assert_eq!(refusal(&feed(settings)), expected, "{settings}");
    }
    for settings in [
        "enabled = false",
        "entries = [\"ads.example\"]",
        "urls = [\"http://a.example\"]\nentries = [\"ads.example\"]",
        "preset = \"ads\"\nentries = [\"@@||ok.example^\"]",
    ] {
        load(&feed(settings), &[]).unwrap();
    }
    assert_eq!(
        refusal("[groups.x]"),
        "1:9: groups.x: it has neither `networks` nor `users`; add networks = [\"192.168.1.0/24\"], for instance"
    );
}
