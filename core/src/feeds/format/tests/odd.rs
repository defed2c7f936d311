//! Bodies that are easily read wrong.

use super::*;

#[test]
fn names_in_a_tree_follow_the_nearest_rule() {
    let rpz = "*.one.example CNAME rpz-passthru.\nads.one.example CNAME .\n";
    let dnsmasq = "local=/one.example/\nserver=/ok.one.example/#\nlocal=/bad.ok.one.example/\n";
    let unbound = "local-zone: \"one.example\" static\nlocal-data: \"nas.one.example A 192.0.2.2\"\n\
        local-zone: \"ok.one.example\" always_transparent\n";
    assert_covers(
        &read(FeedFormat::Rpz, rpz),
        &["ads.one.example"],
        &["a.one.example"],
    );
    assert_covers(
        &read(FeedFormat::Dnsmasq, dnsmasq),
        &["a.one.example", "bad.ok.one.example"],
        &["ok.one.example", "a.ok.one.example"],
    );
    assert_covers(
        &read(FeedFormat::Unbound, unbound),
        &["one.example", "a.one.example"],
        &["nas.one.example", "a.ok.one.example"],
    );
}

#[test]
fn values_of_unbound_may_have_single_quotes_or_none() {
    let body = "local-zone: 'one.example' refuse\nlocal-zone: two.example 'always_null'\n\
        local-zone: \"three.example\" inform_redirect\nlocal-data: 'four.example A 0.0.0.0'\n\
        local-data: 'nas.one.example. A 192.0.2.1'\nlocal-data: 'five.example TXT \"x\"'\n";
    let parsed = read(FeedFormat::Unbound, body);
    assert_eq!(counts(&parsed), [6, 0, 0, 0], "{parsed:?}");
    assert_covers(
        &parsed,
        &[
            "a.one.example",
            "two.example",
            "a.three.example",
            "four.example",
        ],
        &["nas.one.example", "a.four.example", "five.example"],
    );
    let found = parsed.snapshot.find("one.example").unwrap();
    assert_eq!(found.rule(), "local-zone: 'one.example' refuse");
}

#[test]
fn a_zone_may_be_written_in_parts() {
    let body = "$ORIGIN .\nrpz.local 60 IN SOA a. b. 1 2 3 4 5\n$ORIGIN com.rpz.local.\n\
        evil CNAME .\nwww.ads CNAME .\n$ORIGIN rpz.local.\nx.example TXT \"sad :( ; no\"\n\
        one.example CNAME .\n";
    let parsed = read(FeedFormat::Rpz, body);
    assert_eq!(counts(&parsed), [3, 0, 1, 0]);
    assert_covers(
        &parsed,
        &["evil.com", "www.ads.com", "one.example"],
        &["www.ads"],
    );
}

#[test]
fn a_record_of_a_zone_may_go_on_over_lines_and_be_in_any_case() {
    let body = "$origin rpz.local.\n@ In Soa a. b. (\n 1 2 ; )\n 3 4 5 )\n\
        one.example CNAME (\n  .\n)\ntwo.example ( cname\n; nothing\n  . ) ; done\n\
        three.example In 60 Cname RPZ-Drop.\nfour.example CNAME RPZ-PassThru.\n\
        five.example TXT \"(\"\nsix.example CNAME .\nseven.example CNAME (\n .\n";
    let parsed = read(FeedFormat::Rpz, body);
    assert_eq!(counts(&parsed), [5, 1, 1, 0], "{parsed:?}");
    assert_covers(
        &parsed,
        &["one.example", "two.example", "three.example", "six.example"],
        &["four.example", "seven.example"],
    );
    assert_eq!(parsed.snapshot.find("two.example").unwrap().line, 8);
    let cut_off = &parsed.left_out.wrong.first[0];
    assert_eq!(cut_off.0, 15);
    let includes = parse(&FeedFormat::Rpz.into(), b"$include /etc/passwd\n");
    assert!(
        matches!(includes, Err(Rejected::Include(1))),
        "{includes:?}"
    );
}

#[test]
fn what_the_operator_says_of_subdomains_does_not_widen_a_registrys_suffix() {
    let with = |subdomains| Format {
        reading: Reading {
            subdomains,
            ..Reading::default()
        },
        ..FeedFormat::Adblock.into()
    };
    let wide = parse(&with(Some(true)), b"|co.uk^\n|one.example^\n").unwrap();
    assert_covers(&wide, &["co.uk", "a.one.example"], &["bbc.co.uk"]);
    let narrow = parse(&with(Some(false)), b"||*.one.example^\n||co.uk^\n").unwrap();
    assert_eq!(counts(&narrow), [2, 0, 0, 0]);
    assert_covers(
        &narrow,
        &["a.one.example", "co.uk"],
        &["one.example", "bbc.co.uk"],
    );
}

#[test]
fn a_rule_is_taken_back_by_one_that_says_just_the_same() {
    let body = "||one.example^\n|one.example^$badfilter\n||198.51.100.0/24^\n\
        ||198.51.100.0/24^$badfilter\n";
    let parsed = read(FeedFormat::Adblock, body);
    assert_covers(
        &parsed,
        &["one.example", "a.one.example"],
        &["198.51.100.1"],
    );
}

#[test]
fn remarks_and_titles_do_not_mislead() {
    for (body, format) in [
        (
            "## my list\n## by me\n## CC0\nads.example\nb.example\n",
            FeedFormat::Domains,
        ),
        (
            "#########\n# a\n#########\nads.example\n",
            FeedFormat::Domains,
        ),
        ("#x\n#y\n#z\na.example\n", FeedFormat::Domains),
        (
            "a.example # CNAME t.example\nb.example\n",
            FeedFormat::Domains,
        ),
        ("192.0.2.1 #bad\n", FeedFormat::Domains),
        ("192.0.2.0/24 ; SBL1\n", FeedFormat::Domains),
        (
            "[Adblock Plus 2.0]\na.example\nb.example\n",
            FeedFormat::Adblock,
        ),
        ("[\n  \"a.example\"\n]", FeedFormat::Json),
        ("[ \"a.example\" ]", FeedFormat::Json),
    ] {
        assert_eq!(detected(body), Some(format), "{body}");
        assert!(parse(&Format::default(), body.as_bytes()).is_ok(), "{body}");
    }
    for range in ["192.0.2.0 192.0.2.255\n", "192.0.2.0 a.example 192.0.2.7\n"] {
        let read = parse(&FeedFormat::Hosts.into(), range.as_bytes());
        assert!(read.is_err(), "{read:?}");
    }
    let named = read(FeedFormat::Hosts, "0.0.0.0 a.example 192.0.2.7\n");
    let mut names: Vec<&str> = named.snapshot.names().collect();
    names.sort_unstable();
    assert_eq!(names, ["192.0.2.7", "a.example"]);
}

#[test]
fn a_list_of_top_level_domains_says_what_it_needs() {
    let refused = parse(&Format::default(), b"||zip^\n||mov^\n").unwrap_err();
    assert!(refused.to_string().contains("public_suffixes"), "{refused}");
}

#[test]
fn remarks_of_adblock_lists_are_told_from_rules_for_pages() {
    let body = "a.example # why\nb.example ## why\n# see b.example##.ad\n#### c ##.ad\n!## d\n::1\n\
        ###banner\n##.ad\nc.example ##.ad\n!#if x\n";
    let parsed = read(FeedFormat::Adblock, body);
    assert_eq!(counts(&parsed), [2, 0, 5, 0], "{parsed:?}");
    assert_covers(&parsed, &["a.example", "::1"], &["b.example", "c.example"]);
    let found = parsed.snapshot.find("a.example").unwrap();
    assert_eq!(found.rule(), "a.example");
}

#[test]
fn names_in_a_zone_are_below_what_was_said_before() {
    let body = "zone.test. SOA a. b. 1 2 3 4 5\n$ORIGIN deeper\none.example CNAME .\n\
        $ORIGIN zone.test.\n A 0.0.0.0\n$ORIGIN .\ntwo.example.zone.test CNAME rpz-passthru\n";
    let parsed = read(FeedFormat::Rpz, body);
    assert_eq!(counts(&parsed), [2, 0, 0, 0], "{parsed:?}");
    assert_covers(
        &parsed,
        &["one.example.deeper"],
        &["one.example", "two.example"],
    );
    let unnamed = read(
        FeedFormat::Rpz,
        "$ORIGIN deeper\none.example CNAME .\n@ CNAME .\n",
    );
    assert_covers(
        &unnamed,
        &["one.example.deeper"],
        &["one.example", "deeper"],
    );
}

#[test]
fn parts_of_urls_are_not_names() {
    let body = "||one.example^\n-advert-\n_ads_\n_ads.js\n&ad=\n##.ad\nexample.org#@%#x\n";
    let parsed = read(FeedFormat::Adblock, body);
    assert_eq!(counts(&parsed), [1, 0, 6, 0], "{parsed:?}");
}

#[test]
fn only_the_hosts_of_this_machine_are_left_out_of_a_hosts_file() {
    let parsed = read(
        FeedFormat::Hosts,
        "0.0.0.0 ip6-ads.example\n::1 ip6-localhost\n",
    );
    assert_eq!(counts(&parsed), [1, 0, 0, 0]);
}

#[test]
fn a_pointer_may_lead_through_arrays_and_beside_other_values() {
    for (field, body) in [
        (
            "/ioc",
            r#"{"query_status": "ok", "n": 1, "data": [{"ioc": "one.example"}]}"#,
        ),
        ("/data/0/hosts", r#"{"data": [{"hosts": ["one.example"]}]}"#),
        ("/url", r#"{"7": {"url": "HTTP://one.example/"}}"#),
        ("/x", r#"[{"x": ["one.example", 7]}, {"x": "two.example"}]"#),
    ] {
        let format = Format {
            field: Some(field.to_owned()),
            ..Format::default()
        };
        let parsed = parse(&format, body.as_bytes());
        let parsed = parsed.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_covers(&parsed, &["one.example"], &[]);
    }
}

#[test]
fn a_url_lists_its_host_alone() {
    let format = Format {
        field: Some("/url".to_owned()),
        ..Format::default()
    };
    let body = br#"[{"url": "https://one.example/a"}, {"url": "two.example:443"}]"#;
    let parsed = parse(&format, body).unwrap();
    assert_covers(
        &parsed,
        &["one.example", "a.two.example"],
        &["a.one.example"],
    );
}

#[test]
fn lines_of_csv_are_counted_with_comments_and_either_line_end() {
    let format = Format {
        column: Some(Column::default()),
        ..Format::default()
    };
    for (body, host, line) in [
        ("# c\n# d\n\na.example\n", "a.example", 4),
        ("a.example,1\r\nb.example,2\r\n", "b.example", 2),
        ("\"a.example\", \"b\"\nc.example\n", "c.example", 2),
    ] {
        let parsed = parse(&format, body.as_bytes()).unwrap();
        assert_eq!(parsed.snapshot.find(host).unwrap().line, line, "{body:?}");
    }
    // What is cut off could make it another host.
    for rest in ["a".repeat(9000), " ".repeat(9000)] {
        let long = format!("http://good.example:{rest}@evil.example/\nb.example\n");
        let parsed = parse(&format, long.as_bytes()).unwrap();
        assert_eq!(counts(&parsed), [1, 1, 0, 0]);
    }
}

#[test]
fn json_of_another_shape_is_rejected() {
    for body in [
        r#"{"domains": ["a.example"]}"#,
        r#"[1, null, {"x": "a.example"}]"#,
        r#"["a.example", 1,]"#,
        r#"["a.example", "\u12"]"#,
        r#"["a.example""#,
        r#"["a.example"] trailing"#,
        r#""a.example""#,
    ] {
        let parsed = parse(&FeedFormat::Json.into(), body.as_bytes());
        assert!(matches!(parsed, Err(Rejected::Json(_))), "{body}");
    }
}

/// Of three entries of a list in JSON the second is wrong, and this is shown of it.
pub(super) fn assert_loses_one(field: Option<&str>, body: &[u8], wrong: &str) {
    let format = Format {
        field: field.map(str::to_owned),
        ..FeedFormat::Json.into()
    };
    let shown = String::from_utf8_lossy(body);
    let parsed = parse(&format, body).unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(counts(&parsed), [2, 1, 0, 0], "{shown}");
    let left_out = &parsed.left_out.wrong.first;
    assert_eq!(left_out, &[(2, wrong.to_owned())], "{shown}");
    let last = parsed.snapshot.find("b.example").unwrap();
    assert_eq!(last.line, 3, "{shown}");
}

#[test]
fn a_value_that_is_not_a_name_costs_a_json_list_itself_alone() {
    for (value, shown) in [
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("null", "null"),
        (r#"{"x": 1}"#, "{\u{2026}}"),
    ] {
        let names = format!(r#"["a.example", {value}, ["b.example"]]"#);
        assert_loses_one(None, names.as_bytes(), shown);
    }
    let rows =
        |second: &str| format!(r#"[{{"url": "a.example"}}, {second}, {{"url": "b.example"}}]"#);
    for (row, shown) in [
        (r#"{"url": 7}"#, "7"),
        (r#"{"id": 1}"#, "{\u{2026}}"),
        (r#""x.example""#, "x.example"),
    ] {
        for field in [None, Some("/url")] {
            assert_loses_one(field, rows(row).as_bytes(), shown);
        }
    }
    let first = parse(
        &FeedFormat::Json.into(),
        br#"[1, "a.example", "b.example"]"#,
    );
    assert_eq!(counts(&first.unwrap()), [2, 1, 0, 0]);
    let url = Format {
        field: Some("/url".to_owned()),
        ..FeedFormat::Json.into()
    };
    let rows = br#"[{"url": 7}, {"url": "a.example"}, {"url": "b.example"}]"#;
    let first = parse(&url, rows).unwrap().left_out.wrong.first;
    assert_eq!(first, [(1, "7".to_owned())]);
}

#[test]
fn a_string_that_is_not_text_costs_a_json_list_itself_alone() {
    for (string, shown) in [
        (&b"a\xff.c"[..], "a\u{fffd}.c"),
        (b"x\xc3", "x\u{fffd}"),
        (br"a\ud800.c", "a\u{fffd}.c"),
    ] {
        let names = [&b"[\"a.example\", \""[..], string, b"\", \"b.example\"]"];
        assert_loses_one(None, &names.concat(), shown);
        let rows = [
            &b"[{\"url\": \"a.example\"}, {\"url\": \""[..],
            string,
            b"\"}, {\"url\": \"b.example\"}]",
        ];
        assert_loses_one(None, &rows.concat(), shown);
    }
}
