//! Lines of a head: the request line, the fields, and how lines end (RFC 9112, sections 2 to 5).

use portcullis_tests::{Origin, Proxy};

use super::{is_refused, passes};

const ARRIVING: &str = "GET / HTTP/1.1\r\nHost: {host}\r\nX: b\r\nvia: 1.1 portcullis-N\r\n\r\n";

/// It may be taken for the end of a line, and the origin gets the one that is right.
#[tokio::test]
async fn rfc9112_section_2_2_a_bare_line_feed_ends_a_line_and_does_not_reach_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for sent in [
        "GET {} HTTP/1.1\nHost: a\nX: b\n\n",
        "GET {} HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nX: b\r\n\n",
        "GET {} HTTP/1.1\nHost: a\r\nX: b\n\r\n",
    ] {
        passes(&proxy, &origin, sent, ARRIVING).await;
    }
}

#[tokio::test]
async fn rfc9112_section_2_2_empty_lines_before_a_request_are_passed_over() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for empty in ["\r\n", "\r\n\r\n", "\n"] {
        let sent = format!("{empty}GET {{}} HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n");
        passes(&proxy, &origin, &sent, ARRIVING).await;
    }
}

#[tokio::test]
async fn rfc9112_section_2_2_a_bare_carriage_return_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for sent in [
        "GET {} HTTP/1.1\rHost: a\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nX: \rb\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nX\r: b\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n",
    ] {
        is_refused(&proxy, &origin, sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_2_2_blanks_before_the_first_field_are_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for line in [
        " Host: a",
        "\tHost: a",
        " \r\nHost: a",
        "\t\r\nHost: a",
        " X: b\r\nHost: a",
    ] {
        let sent = format!("GET {{}} HTTP/1.1\r\n{line}\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_3_what_is_not_a_request_line_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for line in [
        "GET {}",
        "GET {} ",
        "GET",
        "{} HTTP/1.1",
        " GET {} HTTP/1.1",
        "GET  {} HTTP/1.1",
        "GET {}  HTTP/1.1",
        "GET\t{} HTTP/1.1",
        "GET {}\tHTTP/1.1",
        "GET {} HTTP/1.1 ",
        "GET {} HTTP/1.1\t",
        "GET {}a b HTTP/1.1",
        "GET {} HTTP/1.1 HTTP/1.1",
        "G@T {} HTTP/1.1",
        "G\u{e4}T {} HTTP/1.1",
        "\"GET\" {} HTTP/1.1",
        "GET: {} HTTP/1.1",
        "GET {}\0 HTTP/1.1",
        "GET {}\x01 HTTP/1.1",
        "GET {}\x7f HTTP/1.1",
        "GET {} http/1.1",
        "GET {} HTTPS/1.1",
        "GET {} HTTP /1.1",
        "GET {} HTTP/ 1.1",
        "GET {} HTTP/1",
        "GET {} HTTP/1.",
        "GET {} HTTP/.1",
        "GET {} HTTP/1.10",
        "GET {} HTTP/2",
        "GET {} HTTP/2.0 ",
        "GET {} http/2.0",
        "GET {}a b HTTP/2.0",
        "GET HTTP/2.0",
        "GET {} HTTP/01.1",
        "GET {} HTTP/1,1",
        "GET {} HTTP/+1.1",
    ] {
        let sent = format!("{line}\r\nHost: a\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9110_section_15_6_6_other_versions_are_told_that_they_are_not_supported() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for version in ["0.9", "1.2", "1.9", "2.0", "3.0"] {
        for end in ["\r\n", "\n"] {
            let sent = format!("GET {{}} HTTP/{version}{end}Host: a{end}{end}");
            is_refused(&proxy, &origin, &sent, 505).await;
        }
    }
    // What a client of HTTP/2 begins with, and its first frame.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    is_refused(&proxy, &origin, preface, 505).await;
}

/// Others let such bytes pass or refuse them. Here they come to the origin as a URL has them.
#[tokio::test]
async fn rfc9112_section_3_2_bytes_beyond_ascii_arrive_encoded() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let sent = "GET {}\u{80}?\u{ff} HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
    let arriving = ARRIVING.replacen('/', "/%C2%80?%C3%BF", 1);
    passes(&proxy, &origin, sent, &arriving).await;
}

#[tokio::test]
async fn rfc9112_section_3_2_a_fragment_does_not_reach_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let sent = "GET {}#a/b HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n";
    passes(&proxy, &origin, sent, ARRIVING).await;
}

#[tokio::test]
async fn rfc9112_section_3_2_a_missing_second_or_invalid_host_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "",
        "Host: {host}\r\nHost: {host}\r\n",
        "Host: a\r\nX: b\r\nhost: b\r\n",
        "Host: a, a\r\n",
        "Host:\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: a\\b\r\n",
        "Host: a@b\r\n",
        "Host: user@{host}\r\n",
        "Host: http://{host}\r\n",
        "Host: a:b\r\n",
        "Host: a:99999\r\n",
        "Host: a:80:80\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: a%00\r\n",
        "Host: <a>\r\n",
    ] {
        let sent = format!("GET {{}} HTTP/1.1\r\n{fields}\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_3_2_2_the_authority_of_the_url_replaces_the_host() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for host in ["other.example", "other.example:8080", "{host}", "127.0.0.1"] {
        let sent = format!("GET {{}} HTTP/1.1\r\nHost: {host}\r\nX: b\r\n\r\n");
        passes(&proxy, &origin, &sent, ARRIVING).await;
    }
}

#[tokio::test]
async fn rfc9112_section_3_2_targets_that_a_proxy_does_not_serve_are_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for target in [
        "/",
        "*",
        "{host}",
        "//{host}/",
        "http:/{host}/",
        "http:{host}/",
        "http:///",
        "http://",
        "http://:80/",
        "https://{host}/",
        "ftp://{host}/",
        "gopher://{host}/",
        "file:///etc/passwd",
        "ws://{host}/",
        "data:text/plain,a",
        "javascript:alert(1)",
        "http://user@{host}/",
        "http://user:password@{host}/",
        "http://@{host}/",
        "http://{host}:/",
        "http://{host}:80/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.1%00.example/",
        "http://127%2e0%2e0%2e1/",
        "http://127.0.0.1\\@other.example/",
        "http://[127.0.0.1]/",
        "http://[::1/",
        "http://a..example/",
    ] {
        let sent = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_5_what_is_not_a_field_is_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for line in [
        "no colon",
        ": empty",
        ":",
        "X : a",
        "X\t: a",
        "b@d: a",
        "b d: a",
        "b\u{e4}d: a",
        "b\"d: a",
        "b\0d: a",
        // Folded (section 5.2).
        "X: a\r\n b",
        "X: a\r\n\tb",
        "X: a\r\n ",
        "X:\r\n a",
        // RFC 9110, section 5.5.
        "X: a\0b",
        "X: a\x01b",
        "X: a\x0bb",
        "X: a\x1fb",
        "X: a\x7fb",
    ] {
        let sent = format!("GET {{}} HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9110_section_5_5_values_of_other_bytes_arrive_as_they_are() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let value = "\u{e4}\t\"'<>&%00:;=,";
    let sent = format!("GET {{}} HTTP/1.1\r\nHost: a\r\nX: \t{value} \r\n\r\n");
    let arriving = ARRIVING.replace("X: b", &format!("X: {value}"));
    passes(&proxy, &origin, &sent, &arriving).await;
}
