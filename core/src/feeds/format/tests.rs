mod differential;
mod excerpts;
mod exports;
mod long;
mod odd;
mod written;

use super::*;
use crate::config::PublicSuffixes;
use crate::feeds::entries::Tally;
use crate::verdict::MatchKind::{Excepted, Listed};

fn read(format: FeedFormat, body: &str) -> Parsed {
    parse(&format.into(), body.as_bytes()).unwrap_or_else(|error| panic!("{format:?}: {error}"))
}

fn detected(body: &str) -> Option<FeedFormat> {
    detect(&Format::default(), &mut io::Cursor::new(body)).unwrap()
}

fn covered(parsed: &Parsed, host: &str) -> bool {
    let found = parsed.snapshot.find(host);
    found.is_some_and(|found| found.kind == Listed)
}

fn assert_covers(parsed: &Parsed, covers: &[&str], but_not: &[&str]) {
    for host in covers {
        assert!(covered(parsed, host), "{host}");
    }
    for host in but_not {
        assert!(!covered(parsed, host), "{host}");
    }
}

fn counts(parsed: &Parsed) -> [usize; 4] {
    let left_out = &parsed.left_out;
    [
        parsed.snapshot.len(),
        left_out.wrong.count,
        left_out.other.count,
        left_out.held.count,
    ]
}

#[test]
fn a_hosts_file_lists_names_and_not_the_machine_itself() {
    let body = "\u{feff}# comment\r\n\
        127.0.0.1 localhost localhost.localdomain\r\n\
        255.255.255.255\tbroadcasthost\r\n\
        ::1 ip6-localhost ip6-loopback\n\
        fe80::1%lo0 localhost\n\
        0.0.0.0 0.0.0.0\n\
        \n\
        0.0.0.0 One.example\r\n\
        127.0.0.1\ttwo.example  three.example.# both\n\
        \t:: four.example\n\
        0.0.0.0 192.0.2.7";
    let parsed = read(FeedFormat::Hosts, body);
    assert_eq!(counts(&parsed), [5, 0, 0, 0]);
    assert_covers(
        &parsed,
        &[
            "one.example",
            "two.example",
            "www.three.example",
            "four.example",
            "192.0.2.7",
        ],
        &["localhost", "localhost.localdomain", "0.0.0.0", "example"],
    );
    assert_eq!(parsed.snapshot.find("a.three.example").unwrap().line, 9);
}

#[test]
fn a_list_of_domains_may_have_comments_wildcards_addresses_and_any_spelling() {
    let body = "! title\n# title\n; title\n*.one.example\n.two.example\nTHREE.example. # why\n\
        b\u{fc}cher.example\n2001:DB8::0:1\n192.0.2.7\r\n  \t\nfour.example\n198.51.100.0/24";
    let parsed = read(FeedFormat::Domains, body);
    assert_eq!(counts(&parsed), [8, 0, 0, 0]);
    assert_covers(
        &parsed,
        &[
            "one.example",
            "a.one.example",
            "two.example",
            "three.example",
            "xn--bcher-kva.example",
            "2001:db8::1",
            "192.0.2.7",
            "four.example",
            "198.51.100.77",
        ],
        &["192.0.2.8", "198.51.101.1"],
    );
}

/// The list does not say that everything below is meant, so it is not.
#[test]
fn a_public_suffix_is_listed_as_the_one_name_that_it_is() {
    let domains = read(FeedFormat::Domains, "github.io\nco.uk\none.example\n");
    let json = read(FeedFormat::Json, r#"["github.io", "co.uk", "one.example"]"#);
    let hosts = read(FeedFormat::Hosts, "0.0.0.0 co.uk github.io one.example\n");
    for list in [domains, json, hosts] {
        assert_eq!(counts(&list), [3, 0, 0, 0]);
        assert_covers(
            &list,
            &["github.io", "co.uk", "www.one.example"],
            &["rust-lang.github.io", "www.bbc.co.uk"],
        );
    }
}

#[test]
fn a_rule_for_all_of_a_registrys_names_is_held_unless_it_is_wanted() {
    let adblock = "||com.br^\n||zip^\n||github.io^\n||one.example^\n|com.br^\n";
    let domains = "*.com.br\n.zip\n*.github.io\none.example\ncom.br\n";
    for (format, body) in [
        (FeedFormat::Adblock, adblock),
        (FeedFormat::Domains, domains),
    ] {
        let held = read(format, body);
        assert_eq!(counts(&held), [3, 0, 0, 2], "{format:?}");
        assert_covers(
            &held,
            &["www.github.io", "a.one.example", "com.br"],
            &["uol.com.br", "a.zip"],
        );
        let applied = Format {
            reading: Reading {
                public_suffixes: PublicSuffixes::Apply,
                ..Reading::default()
            },
            ..format.into()
        };
        let applied = parse(&applied, body.as_bytes()).unwrap();
        assert_eq!(counts(&applied), [4, 0, 0, 0], "{format:?}");
        assert_covers(&applied, &["uol.com.br", "a.zip"], &[]);
    }
}

#[test]
fn rules_of_adblock_that_speak_of_hosts_are_read_and_others_counted() {
    let body = "[Adblock Plus 2.0]\n! Title: a list\n# remark\n\
        ||one.example^\n||two.example^$important\n@@||two.example^\n\
        @@||ok.one.example^\n||*.below.example^\n|only.example^\n|also-only.example|\nplain.example\n\
        ||192.0.2.7^\n||[2001:db8::1]^\n||198.51.100.0/24^\n||all.example^$all\n0.0.0.0 hosts.example\n\
        ||bad.example^\n||bad.example^$badfilter\n\
        ##.ad\nexample.org##.ad\nexample.org#@#.ad\nexample.org$$script\n!#include other.txt\n\
        /ads[0-9]+/\n/\n||path.example/ads/\n||open.example\n||port.example:8080^\n*ads.example^\n\
        ||third.example^$third-party\n||dns.example^$dnstype=A\n||deny.example^$denyallow=x.example\n\
        ||script.example^$script,important\n||a*b.example^\n&ad=1\n";
    let parsed = read(FeedFormat::Adblock, body);
    assert_eq!(counts(&parsed), [12, 0, 17, 0], "{parsed:?}");
    for (host, kind) in [
        ("one.example", Some(Listed)),
        ("a.one.example", Some(Listed)),
        ("a.ok.one.example", Some(Excepted)),
        ("two.example", Some(Listed)),
        ("below.example", None),
        ("a.below.example", Some(Listed)),
        ("only.example", Some(Listed)),
        ("a.only.example", None),
        ("a.also-only.example", None),
        ("plain.example", Some(Listed)),
        ("a.plain.example", None),
        ("192.0.2.7", Some(Listed)),
        ("2001:db8::1", Some(Listed)),
        ("198.51.100.9", Some(Listed)),
        ("all.example", Some(Listed)),
        ("hosts.example", Some(Listed)),
        ("a.hosts.example", None),
        ("bad.example", None),
        ("path.example", None),
        ("third.example", None),
        ("script.example", None),
    ] {
        let found = parsed.snapshot.find(host).map(|found| found.kind);
        assert_eq!(found, kind, "{host}");
    }
    let first = &parsed.left_out.other.first[0];
    assert_eq!(first, &(19, "##.ad".to_owned()));
}

#[test]
fn options_of_dnsmasq_that_make_names_unknown_are_read() {
    let body = "# comment\nserver=/one.example/\nlocal=/two.example/three.example/\n\
        address=/four.example/\naddress=/five.example/#\naddress=/six.example/0.0.0.0\n\
        address=/seven.example/:: # why\n--address=/.eight.example/127.0.0.1\n\
        server=/elsewhere.example/192.0.2.1\nserver=/usual.example/#\naddress=/home.example/192.0.2.9\n\
        domain-needed\nconf-file=/etc/more\naddress=/#/0.0.0.0\n";
    let parsed = read(FeedFormat::Dnsmasq, body);
    assert_eq!(counts(&parsed), [10, 0, 4, 0]);
    assert_covers(
        &parsed,
        &[
            "one.example",
            "a.two.example",
            "three.example",
            "four.example",
            "a.five.example",
            "six.example",
            "seven.example",
            "a.eight.example",
        ],
        &["elsewhere.example", "usual.example", "home.example"],
    );
}

#[test]
fn zones_and_data_of_unbound_are_read() {
    let body = "server:\n# comment\nlocal-zone: \"one.example\" always_nxdomain\n\
        local-zone: two.example. refuse\n  local-zone: \"three.example\" redirect\n\
        local-data: \"three.example A 0.0.0.0\"\nlocal-data: \"four.example. 3600 IN AAAA ::\"\n\
        local-zone: \"open.example\" transparent\nlocal-data: \"home.example A 192.0.2.1\"\n\
        do-ip6: no\n";
    let parsed = read(FeedFormat::Unbound, body);
    assert_eq!(counts(&parsed), [6, 0, 1, 0]);
    assert_covers(
        &parsed,
        &[
            "a.one.example",
            "two.example",
            "a.three.example",
            "four.example",
        ],
        &["a.four.example", "open.example", "home.example"],
    );
}

#[test]
fn a_response_policy_zone_is_read_relative_to_its_origin() {
    let body = "$TTL 60\n$ORIGIN rpz.local.\n\
        @ IN SOA ns.rpz.local. admin.rpz.local. (\n  1 ; serial\n  3600 600\n  86400 60 )\n  NS ns.rpz.local.\n\
        one.example CNAME .\n*.one.example 60 IN CNAME .\ntwo.example.rpz.local. CNAME *.\n\
        drop.example CNAME rpz-drop.\nok.one.example CNAME rpz-passthru.\n*.sink.example A 0.0.0.0\n\
        \tAAAA ::\ngarden.example CNAME walled.garden.example.\n32.1.2.0.192.rpz-ip CNAME .\n\
        24.0.2.0.192.rpz-client-ip CNAME .\nns.evil.example.rpz-nsdname CNAME .\ntcp.example CNAME rpz-tcp-only.\n\
        other.example.elsewhere. CNAME .\n; comment\n";
    let parsed = read(FeedFormat::Rpz, body);
    assert_eq!(counts(&parsed), [5, 0, 6, 0], "{parsed:?}");
    assert_covers(
        &parsed,
        &[
            "one.example",
            "a.one.example",
            "two.example",
            "drop.example",
            "a.sink.example",
        ],
        &[
            "ok.one.example",
            "a.two.example",
            "sink.example",
            "garden.example",
            "tcp.example",
        ],
    );
    let includes = parse(
        &FeedFormat::Rpz.into(),
        b"a.example CNAME .\n$INCLUDE /etc/passwd\n",
    );
    assert!(
        matches!(includes, Err(Rejected::Include(2))),
        "{includes:?}"
    );
}

#[test]
fn json_has_names_in_an_array_or_where_its_field_says() {
    let list = r#"["one.example", "*.two.example", "thr\u0065e.example", "com", "a b"]"#;
    let parsed = read(FeedFormat::Json, list);
    assert_eq!(counts(&parsed), [3, 2, 0, 0]);
    assert_eq!(parsed.left_out.wrong.first[0], (4, "com".to_owned()));
    assert_covers(&parsed, &["x.three.example"], &[]);

    // As the exports of URLhaus and of ThreatFox are, and a list of phishing sites.
    for (field, body, host) in [
        (
            "/url",
            r#"{"7": [{"url": "http://evil.example:8080/a?b", "tags": ["x"]}]}"#,
            "evil.example",
        ),
        (
            "/ioc_value",
            r#"{"7": [{"ioc_value": "192.0.2.1:443"}, {"ioc_value": "other.example"}]}"#,
            "192.0.2.1",
        ),
        (
            "/blacklist",
            r#"{"version": 2, "whitelist": ["ok.example"], "blacklist": ["evil.example"]}"#,
            "evil.example",
        ),
        (
            "/data/0/hosts",
            r#"[{"data": [{"hosts": ["evil.example"]}]}]"#,
            "evil.example",
        ),
        ("/a~1b", r#"[{"a/b": "evil.example"}]"#, "evil.example"),
        (
            "/url",
            r#"[{"url": "https://u:p@[2001:db8::1]:1/"}]"#,
            "2001:db8::1",
        ),
    ] {
        let format = Format {
            field: Some(field.to_owned()),
            ..Format::default()
        };
        let parsed = parse(&format, body.as_bytes());
        let parsed = parsed.unwrap_or_else(|error| panic!("{field} {error}"));
        assert_covers(&parsed, &[host], &["ok.example"]);
    }
}

#[test]
fn csv_has_names_in_the_column_that_its_feed_names() {
    let body =
        "# id, url\n\"1\",\"http://one.example/a\",\"x, \"\"y\"\"\"\n\"2\",\"two.example\"\n3\n";
    let format = Format {
        column: Some(Column::Number(std::num::NonZeroUsize::new(2).unwrap())),
        ..Format::default()
    };
    let parsed = parse(&format, body.as_bytes()).unwrap();
    assert_eq!(counts(&parsed), [2, 1, 0, 0]);
    assert_covers(&parsed, &["one.example", "two.example"], &[]);
    assert_eq!(parsed.snapshot.find("two.example").unwrap().line, 3);

    let format = Format {
        column: Some(Column::Name("host".to_owned())),
        ..Format::default()
    };
    let parsed = parse(&format, b"id,host\n1,one.example\n").unwrap();
    assert_covers(&parsed, &["one.example"], &[]);
    let without = parse(&format, b"id,name\n1,one.example\n");
    assert!(matches!(without, Err(Rejected::Csv(_))), "{without:?}");
}

#[test]
fn the_operator_may_say_whether_subdomains_are_meant() {
    let body = b"one.example\n198.51.100.0/24\n192.0.2.1\n";
    for (subdomains, expected) in [(None, true), (Some(true), true), (Some(false), false)] {
        let format = Format {
            reading: Reading {
                subdomains,
                ..Reading::default()
            },
            ..Format::default()
        };
        let parsed = parse(&format, body).unwrap();
        assert_eq!(covered(&parsed, "www.one.example"), expected);
        assert_covers(&parsed, &["one.example", "198.51.100.1", "192.0.2.1"], &[]);
    }
}

#[test]
fn the_first_lines_say_what_the_format_is() {
    for (body, format) in [
        (
            "# hosts\n0.0.0.0 one.example\n::1 localhost\n",
            FeedFormat::Hosts,
        ),
        (
            "# domains\none.example\n*.two.example\n",
            FeedFormat::Domains,
        ),
        ("192.0.2.0/24\n2001:db8::/32\n", FeedFormat::Domains),
        ("[Adblock Plus]\n||one.example^\n", FeedFormat::Adblock),
        (
            "! title\n||one.example^\ntwo.example\n",
            FeedFormat::Adblock,
        ),
        ("#dnsmasq\nserver=/one.example/\n", FeedFormat::Dnsmasq),
        (
            "server:\nlocal-zone: \"one.example\" refuse\n",
            FeedFormat::Unbound,
        ),
        (
            "$TTL 60\n@ SOA a. b. 1 2 3 4 5\none.example CNAME .\n",
            FeedFormat::Rpz,
        ),
        ("[\"one.example\"]", FeedFormat::Json),
    ] {
        assert_eq!(detected(body), Some(format), "{body}");
        let parsed = parse(&Format::default(), body.as_bytes());
        assert!(parsed.is_ok(), "{body} {parsed:?}");
    }
    for body in ["", "# nothing\n", "hello world\nthis is prose\n"] {
        assert_eq!(detected(body), None, "{body}");
    }
}

#[test]
fn wrong_entries_are_left_out_and_counted_with_examples() {
    let body =
        b"one.example\ntwo.example # caf\xe9\ncom\nthree.example\n\xff\xfe.example\nfour.example\n\
        a..b\nfive.example\nhttp://six.example/\n# caf\xe9\n";
    let parsed = parse(&FeedFormat::Domains.into(), body).unwrap();
    assert_eq!(counts(&parsed), [5, 4, 0, 0]);
    let Tally { count, first } = &parsed.left_out.wrong;
    assert_eq!((*count, &first[0]), (4, &(3, "com".to_owned())));
    assert_covers(&parsed, &["two.example"], &["google.com", "six.example"]);
}

#[test]
fn a_body_without_names_is_rejected() {
    for body in ["", "\n\n", "# only a comment\n", "127.0.0.1 localhost\n"] {
        let parsed = parse(&FeedFormat::Hosts.into(), body.as_bytes());
        assert!(matches!(parsed, Err(Rejected::Empty)), "{body:?}");
    }
    let json = parse(&FeedFormat::Json.into(), b"[]");
    assert!(matches!(json, Err(Rejected::Empty)));
    let cosmetic = parse(&FeedFormat::Adblock.into(), b"example.org##.ad\n");
    assert!(matches!(cosmetic, Err(Rejected::NoHosts(1))));
    let taken_back = parse(
        &FeedFormat::Adblock.into(),
        b"||a.example^\n||a.example^$badfilter\n",
    );
    assert!(matches!(taken_back, Err(Rejected::Empty)));
}

#[test]
fn garbage_is_rejected_whatever_the_format() {
    let page = b"<!DOCTYPE html>\n<html><head><title>503</title></head>\n<body>\n\
        <h1>Service Unavailable</h1>\nVisit status.example or\nhelp.example\n</body></html>\n";
    let zeros = [0; 4096];
    for format in all() {
        for body in [&page[..], &zeros, b"\xff\xfe\x00a\x00.\x00b", b"Not found"] {
            assert!(parse(&format.into(), body).is_err(), "{format:?} {body:?}");
        }
    }
    let hosts = b"0.0.0.0 one.example\n0.0.0.0 two.example\n";
    for format in [FeedFormat::Domains, FeedFormat::Json] {
        assert!(parse(&format.into(), hosts).is_err(), "{format:?}");
    }
    let rejected = parse(&FeedFormat::Domains.into(), hosts).unwrap_err();
    let told = rejected.to_string();
    let expected = "2 of its 2 entries are not names of hosts, the first at 1: 0.0.0.0 one.example";
    assert_eq!(told, expected);
}
