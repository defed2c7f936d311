//! Where the body of a request ends (RFC 9112, section 6): the proxy and an origin never see
//! different ends.

use portcullis_tests::{Origin, Proxy, Row, get, ok};

use super::{arrives, is_refused, passes, to};

#[tokio::test]
async fn rfc9112_section_6_1_a_length_beside_chunks_is_dropped_and_the_connection_closed() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive",
    ] {
        let _row = Row::of(fields);
        let next = get(&origin.url("/next"));
        let request =
            format!("POST {{}} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n3\r\nabc\r\n0\r\n\r\n{next}");
        let mut client = proxy.client().await;
        client.send(to(&origin, &request)).await;
        let mut served = origin.accept().await;
        let arriving = "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
                        via: 1.1 portcullis-N\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        arrives(&mut served, &to(&origin, arriving)).await;
        served.send(ok("ok")).await;
        assert_eq!(client.response().await.body, "ok");
        assert_eq!(client.rest().await, "");
        assert!(!served.has_heard() && !origin.was_dialled());
    }
}

#[tokio::test]
async fn rfc9112_section_6_3_equal_lengths_in_several_fields_are_one() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for lengths in [
        "Content-Length: 4\r\ncontent-length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 04",
    ] {
        let sent = format!("POST {{}} HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\nbody");
        let arriving = "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n\
                    via: 1.1 portcullis-N\r\n\r\nbody";
        passes(&proxy, &origin, &sent, arriving).await;
    }
}

#[tokio::test]
async fn rfc9112_section_6_3_lengths_that_can_be_read_in_two_ways_are_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for lengths in [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1\r\nX: 1\r\ncontent-length: 2",
        "Content-Length: 1, 1",
        "Content-Length: 1, 2",
        "Content-Length: 1,",
        "Content-Length: +1",
        "Content-Length: -1",
        "Content-Length: 0x1",
        "Content-Length: 1_0",
        "Content-Length: 1.0",
        "Content-Length: 1e1",
        "Content-Length: 1 0",
        "Content-Length: \"1\"",
        "Content-Length:",
        "Content-Length: \t ",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999",
        "Content-Length : 1",
    ] {
        let sent = format!("POST {{}} HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\na");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_6_1_codings_that_are_not_plain_chunked_are_refused() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for codings in [
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: chunked;a=b",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked\x0c",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\x0b: chunked",
    ] {
        let sent = format!("POST {{}} HTTP/1.1\r\nHost: a\r\n{codings}\r\n\r\n0\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_6_1_an_old_client_has_no_transfer_coding() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    for fields in [
        "Transfer-Encoding: chunked",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
    ] {
        let sent = format!("POST {{}} HTTP/1.0\r\n{fields}\r\n\r\n0\r\n\r\n");
        is_refused(&proxy, &origin, &sent, 400).await;
    }
}

#[tokio::test]
async fn rfc9112_section_6_1_the_name_of_the_coding_has_any_case() {
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    passes(
        &proxy,
        &origin,
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\t CHUNKED \r\n\r\n1\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
         via: 1.1 portcullis-N\r\n\r\n1\r\na\r\n0\r\n\r\n",
    )
    .await;
}
