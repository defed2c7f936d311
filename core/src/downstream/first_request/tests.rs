//! How lenient servers read what a client of a tunnel sends first.

use super::FirstRequest::{Incomplete, NotHttp, Undecided, Unversioned};
use super::*;

fn name(sent: &str) -> Option<&str> {
    match read(sent.as_bytes()) {
        Ok(FirstRequest::Named(name)) => {
            name.map(|name| std::str::from_utf8(name).expect("it is text"))
        }
        other => panic!("{sent:?}: {other:?}"),
    }
}

#[test]
fn the_name_is_found_as_lenient_servers_find_it() {
    for sent in [
        "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET / HTTP/1.1\nhOST:a.example\n\n",
        "\r\n\r\n GET /a b HTTP/1.1\r\nX: y\r\nHost: \t a.example \r\n\r\nHost: c",
        "GET /\u{e4} HTTP/1.1\r\nX: \u{c5}\r\nHost: a.example\r\n\r\n",
        "get\t/\thttp/1.0\r\nHost: a.example\r\n\r\n",
        "WHATEVER / HTTP/2.7 x\r\nno field\r\nHost: a.example\r\n\r\n",
        "GET http://a.example HTTP/1.1\r\n\r\n",
        "GET HTTP://a.example?b HTTP/1.1\r\nHost: A.example:80\r\n\r\n",
        "GET ws+x://a.example#b HTTP/1.1\r\nHost:\r\n\r\n",
    ] {
        assert_eq!(name(sent), Some("a.example"), "{sent:?}");
    }
    for (sent, found) in [
        ("GET / HTTP/1.1\r\nHost: [::1]:8\r\n\r\n", "[::1]:8"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: A\r\n\r\n", "a:443"),
        ("GET http://b\\@a/ HTTP/1.1\r\n\r\n", "b\\@a"),
        ("GET b HTTP/1.1\r\n\r\n", "b"),
    ] {
        assert_eq!(name(sent), Some(found), "{sent:?}");
    }
    for sent in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:  \r\n\r\n",
        "GET /?a=http://b HTTP/1.1\r\nX-Host: c\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        assert_eq!(name(sent), None, "{sent:?}");
    }
}

#[test]
fn what_servers_could_read_in_two_ways_is_refused() {
    use MalformedRequest::{Lines, TwoNames};
    for (fields, why) in [
        ("Host: a\r\nHost: a\r\n", TwoNames),
        ("Host: a\r\nhost: b\r\n", TwoNames),
        ("Host : a\r\n", Lines),
        ("X: y\r\n Host: a\r\n", Lines),
        ("\tHost: a\r\n", Lines),
        ("X: y\rHost: a\r\n", Lines),
        ("X: y\0\r\n", Lines),
        ("X: y\u{b}Host: a\r\n", Lines),
        ("\u{1}Host: a\r\n", Lines),
        ("Host\u{a0}: a\r\n", Lines),
    ] {
        let sent = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        assert_eq!(read(sent.as_bytes()), Err(why), "{fields:?}");
    }
    for sent in [
        "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "CONNECT b.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
    ] {
        assert_eq!(read(sent.as_bytes()), Err(TwoNames), "{sent:?}");
    }
    // As soon as it is clear, also in the middle of a line.
    for sent in [
        "GET / HTTP/1.1\rHost: a\r\r\n",
        "GET / HTTP/1.1\rHost: a\r\r",
    ] {
        assert_eq!(read(sent.as_bytes()), Err(Lines), "{sent:?}");
    }
}

#[test]
fn a_first_line_that_only_some_servers_take_for_a_request_is_refused() {
    let lines: [&[u8]; 19] = [
        // Python takes these, and a file server finds nothing at the path or does not look.
        b"GET /\x01 HTTP/1.1",
        b"GET /\x07 HTTP/1.1",
        b"GET /\x1b HTTP/1.1",
        b"GET /\x7f HTTP/1.1",
        b"GET /\0 HTTP/1.1",
        // It takes all of these for blanks.
        b"GET / \x1c HTTP/1.1",
        b"GET\xa0/ HTTP/1.1",
        b"GET\x1c/\x1cHTTP/1.1",
        b"GET\x85/\x85http/1.1",
        b"GET /\xa0HTTP/1.1",
        b"GET\x0b/\x0cHTTP/1.1",
        b"\x1c GET / HTTP/1.1",
        b"\xa0GET / HTTP/1.1",
        b"GET /\rHTTP/1.1",
        // A server that decodes UTF-8 takes these for blanks.
        b"GET\xe2\x80\x83/\xe2\x80\x83HTTP/1.1",
        // wsgiref takes any method.
        b"\"GET / HTTP/1.1",
        b"G\x01ET / HTTP/1.1",
        // Some pass over what cannot be seen.
        b"\x01\r\n\0GET / HTTP/1.1",
        b"\0\x01GET / HTTP/1.1",
    ];
    for line in lines {
        for rest in [&b"\r\nHost: a\r\n\r\n"[..], b"\nHost: a\n\n", b"\r\n", b""] {
            let sent = [line, rest].concat();
            assert_eq!(read(&sent), Err(MalformedRequest::Lines), "{sent:?}");
        }
    }
    // However long it is.
    for method in ["a".repeat(LONGEST_LINE), "(".into()] {
        let sent = format!("{method}\u{1} HTTP/1.1");
        let expected = if method.len() == 1 {
            Err(MalformedRequest::Lines)
        } else {
            Ok(FirstRequest::NotHttp)
        };
        assert_eq!(read(sent.as_bytes()), expected);
    }
}

#[test]
fn a_first_line_that_begins_with_a_method_is_read_to_its_end() {
    for target in [
        "/".to_owned(),
        "x".repeat(LONGEST_LINE),
        "/\u{e4}".repeat(LONGEST_LINE),
    ] {
        let line = format!("GET {target}/{}", "a".repeat(LONGEST_LINE));
        assert_eq!(read(line.as_bytes()), Ok(Undecided));
        let sent = format!("{line} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
        assert_eq!(read(sent.as_bytes()), Err(MalformedRequest::TwoNames));
        let begun = format!("{line} HTTP/");
        assert_eq!(read(begun.as_bytes()), Ok(Incomplete));
    }
}

#[test]
fn fields_behind_a_line_without_a_version_name_a_host() {
    for sent in [
        "GET /\r\nHost: a.example\r\n\r\n",
        "get /x\nX: y\nHost: a.example\n\n",
        "WHATEVER /x FOO\r\nHost: a.example\r\n\r\n",
        "GET http://a.example/\r\nHost: a.example\r\n\r\n",
    ] {
        assert_eq!(name(sent), Some("a.example"), "{sent:?}");
        for (at, _) in sent.match_indices("Host").chain(sent.match_indices('\n')) {
            let begun = read(&sent.as_bytes()[..at]);
            let is_open = matches!(begun, Ok(Undecided | Unversioned | Incomplete));
            assert!(is_open, "{begun:?} of {sent:?} up to {at}");
        }
        let held = &sent[..sent.find("Host:").expect("a field") + 5];
        assert_eq!(read(held.as_bytes()), Ok(Incomplete), "{held:?}");
    }
    for (sent, why) in [
        (
            "GET /\r\nHost: a\r\nHost: b\r\n",
            MalformedRequest::TwoNames,
        ),
        ("GET /\r\nX: y\rHost: a\r\n", MalformedRequest::Lines),
        ("GET /\u{1}\r\nHost: a\r\n", MalformedRequest::Lines),
    ] {
        assert_eq!(read(sent.as_bytes()), Err(why), "{sent:?}");
    }
    for sent in [
        "GET /\r\n",
        "GET /\r\nX: y\r\nHo",
        "GET /\r\n continued",
        "OPTIONS rtsp://a.example RTSP/1.0\r\nCSeq: 1\r\n",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(Unversioned), "{sent:?}");
    }
    for sent in [
        "GET /\r\n\r\nHost: a\r\n",
        "OPTIONS rtsp://a.example RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        // A first message of STOMP.
        "CONNECT\nhost:a\n\n\0",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(NotHttp), "{sent:?}");
    }
}

#[test]
fn what_is_no_request_is_told_as_soon_as_it_can_be() {
    for sent in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "NICK someone\r\n",
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 200 OK\r\n",
        "{\"a\": \"HTTP/1.1\"}\n",
        "MAIL FROM:<a@b>\r\nHost: a\r\n",
        "\0\0\0\u{8}?\n",
        "\u{1}\u{8}\0HTTP/1.1\0\n",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(NotHttp), "{sent:?}");
    }
    for start in ["a", "(", "\u{ff}", "\0"] {
        let line = start.repeat(LONGEST_LINE / start.len());
        assert_eq!(read(line.as_bytes()), Ok(Undecided));
        assert_eq!(read((line + start).as_bytes()), Ok(NotHttp));
    }
    for sent in [
        "",
        "\r\n",
        "\0\0\0\u{8}",
        "G",
        "hello",
        "GET / HTT",
        "SSH-2.0-OpenSSH",
        "0032git-upload-pack /a\0host=a\0",
        "{\"a\": 1}",
        "<?xml",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(Undecided), "{sent:?}");
    }
    for sent in [
        "GET / HTTP/",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(Incomplete), "{sent:?}");
    }
}
