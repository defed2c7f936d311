//! Lines, names and what stands beside them that are longer than any list has: each costs itself
//! alone, and no more memory than others.

use super::odd::assert_loses_one;
use super::*;
use crate::feeds::entries::TOO_LONG;

/// Writes an entry about a name.
type Write = fn(&str) -> String;

/// An entry in each format that has lines.
const ENTRIES: [(FeedFormat, Write); 6] = [
    (FeedFormat::Domains, |name| name.to_owned()),
    (FeedFormat::Hosts, |name| format!("0.0.0.0 {name}")),
    (FeedFormat::Adblock, |name| format!("||{name}^")),
    (FeedFormat::Dnsmasq, |name| format!("local=/{name}/")),
    (FeedFormat::Unbound, |name| {
        format!("local-zone: {name} refuse")
    }),
    (FeedFormat::Rpz, |name| format!("{name} CNAME .")),
];

#[test]
fn a_line_that_is_too_long_is_wrong_and_the_next_ones_are_read() {
    for (format, entry) in ENTRIES {
        let [one, long, two] = ["one.example", "long.example", "two.example"].map(entry);
        let spaces = " ".repeat(TOO_LONG);
        let body = format!("{one}\n{long}{spaces}\n{two}\n");
        assert_eq!(detected(&body), Some(format));
        let parsed = read(format, &body);
        assert_eq!(counts(&parsed), [2, 1, 0, 0], "{format:?}");
        assert_covers(&parsed, &["one.example", "two.example"], &["long.example"]);
        assert_eq!(parsed.snapshot.find("two.example").unwrap().line, 3);
        assert_eq!(parsed.left_out.wrong.first, [(2, long)]);
    }
}

#[test]
fn a_body_of_megabytes_without_a_line_end_is_one_wrong_line() {
    let body = "a".repeat(4 << 20);
    for (format, _) in ENTRIES {
        let rejected = parse(&format.into(), body.as_bytes()).unwrap_err();
        let Rejected::Garbage {
            wrong: 1,
            at: 1,
            text,
            ..
        } = &rejected
        else {
            panic!("{format:?}: {rejected}");
        };
        assert_eq!(*text, "a".repeat(60) + "\u{2026}", "{format:?}");
    }
}

#[test]
fn a_line_of_a_zone_that_is_too_long_takes_its_record_and_its_owner_with_it() {
    let spaces = " ".repeat(TOO_LONG);
    let body = format!(
        "one.example CNAME .\nlong.example CNAME .{spaces}\n CNAME .\nopen.example (\n\
         {spaces};\n CNAME . )\ntwo.example CNAME .\n"
    );
    let parsed = read(FeedFormat::Rpz, &body);
    assert_eq!(counts(&parsed), [2, 2, 2, 0], "{parsed:?}");
    let others = ["long.example", "open.example"];
    assert_covers(&parsed, &["one.example", "two.example"], &others);
}

#[test]
fn a_comment_of_a_zone_is_one_however_long_it_is() {
    let comment = format!("; {}", "x".repeat(TOO_LONG));
    let body = format!(
        "one.example CNAME .\n{comment}\n TXT one\n  {comment}\ntwo.example (\n{comment}\n\
         CNAME . )\n"
    );
    let parsed = read(FeedFormat::Rpz, &body);
    assert_eq!(counts(&parsed), [2, 0, 1, 0], "{parsed:?}");
    assert_covers(&parsed, &["one.example", "two.example"], &[]);
}

#[test]
fn a_zone_keeps_its_name_where_the_owner_of_its_first_record_is_lost() {
    let long = format!("@ TXT {}", "x".repeat(TOO_LONG));
    let body = format!("$ORIGIN rpz.local.\n{long}\n SOA a. b. 1 2 3 4 5\none.example CNAME .\n");
    let parsed = read(FeedFormat::Rpz, &body);
    assert_eq!(counts(&parsed), [1, 1, 0, 0], "{parsed:?}");
    assert_covers(&parsed, &["one.example"], &[]);
}

#[test]
fn owners_and_origins_that_are_too_long_are_wrong_with_what_is_below_them() {
    let long = "a".repeat(300);
    let body = format!(
        "one.example CNAME .\n{long} CNAME .\n A 0.0.0.0\n$ORIGIN {long}.\n\
         below.example CNAME .\nabsolute.example. CNAME .\n$ORIGIN rpz.local.\n\
         two.example CNAME .\nthree.example CNAME .\nfour.example CNAME .\n"
    );
    let parsed = read(FeedFormat::Rpz, &body);
    assert_eq!(counts(&parsed), [4, 3, 2, 0], "{parsed:?}");
    let listed = ["one.example", "two.example", "four.example"];
    assert_covers(&parsed, &listed, &["below.example", "absolute.example"]);

    // Each is below the one before.
    let deeper = "$ORIGIN a\n".repeat(1000) + "one.example CNAME .\n";
    let rejected = parse(&FeedFormat::Rpz.into(), deeper.as_bytes());
    assert!(
        matches!(rejected, Err(Rejected::Garbage { .. })),
        "{rejected:?}"
    );
}

#[test]
fn what_stands_beside_many_names_is_short() {
    let zone = format!("fe80::1%{}", "z".repeat(300));
    let hosts = format!("0.0.0.0 a.example\n{zone} b.example c.example\n0.0.0.0 d.example\n");
    let around = |line: String| format!("local=/a.example/\n{line}\nlocal=/d.example/\n");
    let target = around(format!("server=/b.example/c.example/{}", "1".repeat(300)));
    let option = around(format!("{}local=/b.example/c.example/", "--".repeat(150)));
    for (format, body) in [
        (FeedFormat::Hosts, &hosts),
        (FeedFormat::Adblock, &hosts),
        (FeedFormat::Dnsmasq, &target),
        (FeedFormat::Dnsmasq, &option),
    ] {
        let parsed = read(format, body);
        assert_eq!(counts(&parsed), [2, 1, 0, 0], "{format:?} {body}");
        assert_covers(&parsed, &["a.example", "d.example"], &["b.example"]);
    }
}

#[test]
fn a_list_whose_entries_would_have_many_times_its_size_is_refused() {
    let names = |line: usize, separator: &str| -> String {
        let names: Vec<_> = (0..500).map(|n| format!("{line}-{n}.example")).collect();
        names.join(separator)
    };
    let beside = "1".repeat(200);
    let lines = |write: &dyn Fn(usize) -> String| -> String { (0..20).map(write).collect() };
    let hosts = lines(&|line| format!("fe80::1%{beside} {}\n", names(line, " ")));
    let dnsmasq = lines(&|line| format!("server=/{}/{beside}\n", names(line, "/")));
    let origin = "a.".repeat(100);
    let records: String = (0..10_000).map(|n| format!("{n} CNAME .\n")).collect();
    let zone = format!("$ORIGIN rpz.local.\n$ORIGIN {origin}example.rpz.local.\n{records}");
    for (format, body) in [
        (FeedFormat::Hosts, hosts),
        (FeedFormat::Dnsmasq, dnsmasq),
        (FeedFormat::Rpz, zone),
    ] {
        let rejected = parse(&format.into(), body.as_bytes()).unwrap_err();
        assert!(
            matches!(rejected, Rejected::TooLarge),
            "{format:?}: {rejected}"
        );
    }
    let usual = lines(&|line| format!("0.0.0.0 {}\n", names(line, " ")));
    assert_eq!(counts(&read(FeedFormat::Hosts, &usual)), [10_000, 0, 0, 0]);
}

#[test]
fn json_whose_entries_take_too_much_is_refused_for_that() {
    let names: Vec<_> = (0..40_000).map(|n| format!("{n}.one.example")).collect();
    let row = |name: &String| serde_json::json!({ "host": name });
    let rows: Vec<_> = names.iter().map(row).collect();
    let (names, rows) = (serde_json::json!(names), serde_json::json!(rows));
    for (field, body) in [
        (None, &names),
        (Some(""), &names),
        (None, &rows),
        (Some("/host"), &rows),
    ] {
        // Room is for a much smaller list: in JSON little stands beside a name.
        let mut entries = Entries::new(Reading::default(), false, Key::random(), 0);
        let mut body = io::Cursor::new(body.to_string());
        let rejected = json::read(&mut body, field, &mut entries).unwrap_err();
        assert!(
            matches!(rejected, Rejected::TooLarge),
            "{field:?}: {rejected:?}"
        );
    }
}

#[test]
fn of_a_long_string_in_json_a_beginning_is_shown() {
    let long = "a".repeat(1 << 20);
    let shown = "a".repeat(60) + "\u{2026}";
    let names = format!(r#"["a.example", "{long}", "b.example"]"#);
    assert_loses_one(None, names.as_bytes(), &shown);
    let rows = format!(r#"[{{"url": "a.example"}}, "{long}", {{"url": "b.example"}}]"#);
    assert_loses_one(Some("/url"), rows.as_bytes(), &shown);
}
