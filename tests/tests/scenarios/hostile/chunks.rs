//! Bodies in chunks (RFC 9112, section 7.1). The proxy reads them and writes its own, so an origin
//! never sees what could be read in two ways.

use portcullis_tests::{Origin, Proxy, Row, get};

use super::{arrives, passes, to};

const HEAD: &str = "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const ARRIVING: &str = "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
                        via: 1.1 portcullis-N\r\n\r\n";

/// What follows a good chunk ends both connections: the client gets 400, and this is all that the
/// origin has got of it.
async fn ends_both_sides(proxy: &Proxy, origin: &Origin, broken: &str, arriving: &str) {
    let _row = Row::of(broken);
    let mut client = proxy.client().await;
    client.send(to(origin, HEAD) + "1\r\nx\r\n").await;
    let mut served = origin.accept().await;
    arrives(&mut served, &(to(origin, ARRIVING) + "1\r\nx\r\n")).await;
    let next = get(&origin.url("/next"));
    client.send(format!("{broken}{next}")).await;
    assert_eq!(served.rest().await, arriving);
    assert_eq!(client.response().await.status, 400);
    assert_eq!(client.rest().await, "");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn rfc9112_section_7_1_a_size_that_is_not_hexadecimal_ends_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for size in [
        "0x1",
        "1_0",
        "+1",
        "-1",
        " 1",
        "\t1",
        "",
        "g",
        "1 0",
        "1\0",
        "\u{661}",
        "FFFFFFFFFFFFFFFFF",
        "10000000000000000",
        "00000000000000001",
    ] {
        let chunk = format!("{size}\r\na\r\n0\r\n\r\n");
        ends_both_sides(&proxy, &origin, &chunk, "").await;
    }
}

#[tokio::test]
async fn rfc9112_section_7_1_a_line_without_its_carriage_return_ends_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for (chunk, arriving) in [
        ("1\na\r\n0\r\n\r\n", ""),
        ("1\ra\r\n0\r\n\r\n", ""),
        ("1\r\na\n0\r\n\r\n", "1\r\na\r\n"),
        ("1\r\na\r0\r\n\r\n", "1\r\na\r\n"),
        ("1\r\na0\r\n\r\n", "1\r\na\r\n"),
        ("1\r\nab\r\n0\r\n\r\n", "1\r\na\r\n"),
        ("0\n\r\n", ""),
        ("0\n\n", ""),
        ("0\r\n\n", ""),
        ("0\r\nX: a\n\r\n", ""),
        ("0\r\nX: a\r\n\n", ""),
    ] {
        ends_both_sides(&proxy, &origin, chunk, arriving).await;
    }
}

#[tokio::test]
async fn rfc9112_section_7_1_1_an_extension_that_is_broken_or_endless_ends_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let endless = "x".repeat(20_000);
    for extension in ["\ra", "a=\"\r\"", "\na", "a=b\n", &endless] {
        let chunk = format!("1;{extension}\r\na\r\n0\r\n\r\n");
        ends_both_sides(&proxy, &origin, &chunk, "").await;
    }
}

#[tokio::test]
async fn rfc9112_section_7_1_1_extensions_and_leading_zeros_do_not_reach_the_origin() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for chunk in [
        "1;a=b;c\r\n",
        "1;a=\"0\"\r\n",
        "1 ;a\r\n",
        "1 \t\r\n",
        "0001\r\n",
        "0000000000000001\r\n",
    ] {
        let sent = format!("{HEAD}{chunk}a\r\n0;last\r\n\r\n");
        let arriving = format!("{ARRIVING}1\r\na\r\n0\r\n\r\n");
        passes(&proxy, &origin, &sent, &arriving).await;
    }
}

#[tokio::test]
async fn rfc9112_section_7_1_2_a_trailer_that_is_broken_ends_both_sides() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for trailer in [
        "b@d: 1", "X : 1", " X: 1", "X: a\0b", "X: a\rb", "no colon", ": empty",
    ] {
        let last = format!("0\r\n{trailer}\r\n\r\n");
        ends_both_sides(&proxy, &origin, &last, "").await;
    }
}

/// RFC 9110, section 6.5.1: what frames, routes or logs in means nothing behind a body.
#[tokio::test]
async fn rfc9110_section_6_5_1_trailers_change_nothing_about_their_request() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for trailer in [
        "Host: other.example",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Max-Forwards: 0",
        "Proxy-Authorization: Basic eDp5",
    ] {
        let (name, _) = trailer.split_once(':').expect("a field");
        for announced in [String::new(), format!("Trailer: {name}\r\n")] {
            let head = HEAD.replacen("\r\n\r\n", &format!("\r\n{announced}\r\n"), 1);
            let sent = format!("{head}1\r\na\r\n0\r\n{trailer}\r\n\r\n");
            let arriving = ARRIVING.replace("Transfer", &format!("{announced}Transfer"));
            let arriving = format!("{arriving}1\r\na\r\n0\r\n\r\n");
            passes(&proxy, &origin, &sent, &arriving).await;
        }
    }
}
