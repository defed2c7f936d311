//! Reads the body of a feed into a snapshot, or says why it is not a list. Each format is a file.
//! `feeds` calls it off the async threads. It knows nothing of where the body came from.

mod domains;
mod hosts;
mod json;

use super::entries::{Entries, Parsed, Rejected};
use super::snapshot::Full;
use crate::config::FeedFormat;

/// Reads `body`. A few wrong entries are skipped and counted.
pub(crate) fn parse(format: FeedFormat, body: &[u8]) -> Result<Parsed, Rejected> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut entries = Entries::default();
    match format {
        FeedFormat::Hosts => lines(body, &mut entries, hosts::read_line)?,
        FeedFormat::Domains => lines(body, &mut entries, domains::read_line)?,
        FeedFormat::Json => json::read(body, &mut entries)?,
    }
    entries.finish()
}

/// Hands each line that is not blank to `read`, without its line end and white space.
fn lines(
    body: &[u8],
    entries: &mut Entries,
    read: impl Fn(&str, usize, &mut Entries) -> Result<(), Full>,
) -> Result<(), Full> {
    for (line, number) in body.split(|&byte| byte == b'\n').zip(1..) {
        match std::str::from_utf8(line.trim_ascii()) {
            Ok("") => {}
            Ok(line) => read(line, number, entries)?,
            Err(_) => entries.skip(number),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(parsed: &Parsed, host: &str) -> bool {
        parsed.snapshot.lookup(host).is_some()
    }

    #[test]
    fn a_hosts_file_lists_names_and_not_the_machine_itself() {
        let body = b"\xef\xbb\xbf# comment\r\n\
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
        let parsed = parse(FeedFormat::Hosts, body).unwrap();
        assert_eq!(parsed.skipped, 0, "{parsed:?}");
        assert_eq!(parsed.snapshot.len(), 5);
        for host in [
            "one.example",
            "two.example",
            "www.three.example",
            "four.example",
            "192.0.2.7",
        ] {
            assert!(covered(&parsed, host), "{host}");
        }
        for host in ["localhost", "localhost.localdomain", "0.0.0.0", "example"] {
            assert!(!covered(&parsed, host), "{host}");
        }
    }

    #[test]
    fn a_list_of_domains_may_have_comments_wildcards_and_any_spelling() {
        let body = "! title\n# title\n*.one.example\n.two.example\nTHREE.example. # why\n\
            b\u{fc}cher.example\n2001:DB8::0:1\n192.0.2.7\r\n  \t\nfour.example";
        let parsed = parse(FeedFormat::Domains, body.as_bytes()).unwrap();
        assert_eq!((parsed.snapshot.len(), parsed.skipped), (7, 0));
        for host in [
            "one.example",
            "a.one.example",
            "two.example",
            "three.example",
            "xn--bcher-kva.example",
            "2001:db8::1",
            "192.0.2.7",
            "four.example",
        ] {
            assert!(covered(&parsed, host), "{host}");
        }
    }

    /// `*.` before a name says that the names below are meant.
    #[test]
    fn a_public_suffix_is_listed_as_the_one_name_that_it_is() {
        let body = "github.io\n*.com.br\n.gov.br\none.example\n";
        let json = br#"["github.io", "*.com.br", ".gov.br", "one.example"]"#;
        for list in [
            parse(FeedFormat::Domains, body.as_bytes()).unwrap(),
            parse(FeedFormat::Json, json).unwrap(),
        ] {
            assert_eq!((list.snapshot.len(), list.skipped), (4, 0));
            assert!(covered(&list, "github.io"));
            assert!(!covered(&list, "rust-lang.github.io"));
            assert!(covered(&list, "www.uol.com.br"));
            assert!(covered(&list, "www.gov.br"));
        }
        let hosts = parse(FeedFormat::Hosts, b"0.0.0.0 co.uk a.co.uk\n").unwrap();
        assert!(covered(&hosts, "co.uk") && covered(&hosts, "www.a.co.uk"));
        assert!(!covered(&hosts, "www.bbc.co.uk"));
    }

    #[test]
    fn a_json_array_of_strings_is_a_list() {
        let body = br#"["one.example", "*.two.example", "thr\u0065e.example", "com", "a b"]"#;
        let parsed = parse(FeedFormat::Json, body).unwrap();
        assert_eq!(parsed.snapshot.len(), 3);
        assert_eq!((parsed.skipped, parsed.first_skipped), (2, Some(4)));
        assert!(covered(&parsed, "x.three.example"));
    }

    #[test]
    fn wrong_entries_are_skipped_and_counted() {
        let body =
            b"one.example\ntwo.example\ncom\nthree.example\n\xff\xfe.example\nfour.example\n\
            a..b\nfive.example\nhttp://six.example/";
        let parsed = parse(FeedFormat::Domains, body).unwrap();
        assert_eq!(parsed.snapshot.len(), 5);
        assert_eq!((parsed.skipped, parsed.first_skipped), (4, Some(3)));
        assert!(!covered(&parsed, "google.com"));
        assert!(!covered(&parsed, "six.example"));
    }

    #[test]
    fn a_body_without_names_is_rejected() {
        for body in ["", "\n\n", "# only a comment\n", "127.0.0.1 localhost\n"] {
            let parsed = parse(FeedFormat::Hosts, body.as_bytes());
            assert!(matches!(parsed, Err(Rejected::Empty)), "{body:?}");
        }
        assert!(matches!(
            parse(FeedFormat::Json, b"[]"),
            Err(Rejected::Empty)
        ));
    }

    #[test]
    fn garbage_is_rejected_whatever_the_format() {
        let page = b"<!DOCTYPE html>\n<html><head><title>503</title></head>\n<body>\n\
            <h1>Service Unavailable</h1>\nVisit status.example or\nhelp.example\n</body></html>\n";
        let zeros = [0; 4096];
        let hosts = b"0.0.0.0 one.example\n0.0.0.0 two.example\n";
        for format in [FeedFormat::Hosts, FeedFormat::Domains, FeedFormat::Json] {
            for body in [&page[..], &zeros, b"\xff\xfe\x00a\x00.\x00b", b"Not found"] {
                assert!(parse(format, body).is_err(), "{format:?} {body:?}");
            }
        }
        for format in [FeedFormat::Domains, FeedFormat::Json] {
            assert!(parse(format, hosts).is_err(), "{format:?}");
        }
        assert!(matches!(
            parse(FeedFormat::Domains, hosts),
            Err(Rejected::Garbage {
                skipped: 2,
                entries: 2,
                at: 1
            })
        ));
    }

    #[test]
    fn json_of_another_shape_is_rejected() {
        for body in [
            r#"{"domains": ["a.example"]}"#,
            r#"["a.example", 1]"#,
            r#"["a.example", null]"#,
            r#"["a.example""#,
            r#"["a.example"] trailing"#,
            r#""a.example""#,
        ] {
            let parsed = parse(FeedFormat::Json, body.as_bytes());
            assert!(matches!(parsed, Err(Rejected::Json(_))), "{body}");
        }
    }
}
