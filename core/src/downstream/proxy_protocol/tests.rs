use proptest::prelude::*;

use super::*;

/// The client, and the length of the header.
fn client(sent: &[u8]) -> Result<Option<(Option<String>, usize)>, Malformed> {
    let header = read(sent)?;
    Ok(header.map(|header| (header.client.map(|it| it.to_string()), header.bytes)))
}

/// A header of version 2 with these addresses and fields. A checksum among the fields is made
/// right.
fn version_2(command: u8, family: u8, addresses: &[u8], fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut rest = addresses.to_vec();
    let mut checksum = None;
    for (kind, value) in fields {
        rest.push(*kind);
        rest.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        checksum = (*kind == CHECKSUM)
            .then_some(FIXED + rest.len())
            .or(checksum);
        rest.extend(*value);
    }
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let mut header = [&SIGNATURE[..], &[0x20 | command, family], &length, &rest].concat();
    if let Some(at) = checksum {
        let value = CRC32C.checksum(&header).to_be_bytes();
        header[at..at + 4].copy_from_slice(&value);
    }
    header
}

/// Source and destination addresses, source and destination ports.
fn addresses(source: SocketAddr) -> Vec<u8> {
    let ports = [source.port().to_be_bytes(), [0, 80]].concat();
    match source.ip() {
        IpAddr::V4(ip) => [&ip.octets()[..], &[192, 0, 2, 1], &ports].concat(),
        IpAddr::V6(ip) => [&ip.octets()[..], &[1; 16], &ports].concat(),
    }
}

fn family(source: SocketAddr) -> u8 {
    if source.is_ipv4() { 0x11 } else { 0x21 }
}

/// A header of version 1 as a balancer writes it.
fn version_1(source: SocketAddr) -> String {
    let (family, destination) = match source.ip() {
        IpAddr::V4(_) => ("TCP4", "192.0.2.1"),
        IpAddr::V6(_) => ("TCP6", "2001:db8::1"),
    };
    format!(
        "PROXY {family} {} {destination} {} 80\r\n",
        source.ip(),
        source.port()
    )
}

/// Lines of version 1, and the client.
const LINES: &[(&str, Option<&str>)] = &[
    (
        "PROXY TCP4 203.0.113.7 192.0.2.1 51234 3128\r\n",
        Some("203.0.113.7:51234"),
    ),
    (
        "PROXY TCP4 203.0.113.7 192.0.2.1 0 65535\r\n",
        Some("203.0.113.7:0"),
    ),
    (
        "PROXY TCP6 2001:db8::7 ::1 51234 3128\r\n",
        Some("[2001:db8::7]:51234"),
    ),
    (
        "PROXY TCP6 ffff:f0f0:ffff:ffff:ffff:ffff:ffff:ffff ffff:f0f0:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        Some("[ffff:f0f0:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
    ),
    ("PROXY UNKNOWN\r\n", None),
    ("PROXY UNKNOWN what ever \u{e9}\r\n", None),
];

#[test]
fn a_line_names_a_client_or_says_that_it_does_not() {
    for &(line, expected) in LINES {
        let expected = Ok(Some((expected.map(str::to_owned), line.len())));
        assert_eq!(client(line.as_bytes()), expected, "{line}");
        assert_eq!(client(format!("{line}GET").as_bytes()), expected, "{line}");
    }
}

#[test]
fn a_line_has_at_most_107_bytes() {
    let line = |length: usize| {
        let text = format!("PROXY UNKNOWN {}", "x".repeat(length - 16));
        [text.as_bytes(), b"\r\n"].concat()
    };
    assert_eq!(client(&line(107)), Ok(Some((None, 107))));
    assert_eq!(client(&line(108)), Err(Malformed::LineTooLong));
    assert_eq!(client(&line(108)[..106]), Ok(None));
    assert_eq!(client(&line(108)[..107]), Err(Malformed::LineTooLong));
}

#[test]
fn what_is_no_line_of_version_1_is_refused() {
    for line in [
        "PROXY TCP4 203.0.113.7 192.0.2.1 51234 3128\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 51234\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 51234 3128 \r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 51234 65536\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 +1 3128\r\n",
        "PROXY TCP4 203.0.113.7 192.0.2.1 01 3128\r\n",
        "PROXY TCP4 203.0.113.07 192.0.2.1 1 3128\r\n",
        "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
        "PROXY TCP6 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY  TCP4 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY UDP4 203.0.113.7 192.0.2.1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
    ] {
        assert_eq!(client(line.as_bytes()), Err(Malformed::Line), "{line}");
    }
    for line in ["GET / HTTP/1.1\r\n", "PROXYTCP4", "PUT", "\u{5}", "\r\r"] {
        assert_eq!(client(line.as_bytes()), Err(Malformed::NoHeader), "{line}");
    }
}

#[test]
fn a_header_of_version_2_names_a_client_or_says_that_it_does_not() {
    let v4: SocketAddr = "203.0.113.7:51234".parse().unwrap();
    let v6: SocketAddr = "[2001:db8::7]:51234".parse().unwrap();
    let named = |it: SocketAddr| Some(it.to_string());
    for (header, expected) in [
        (version_2(1, 0x11, &addresses(v4), &[]), named(v4)),
        (version_2(1, 0x21, &addresses(v6), &[]), named(v6)),
        (version_2(1, 0x31, &[7; 216], &[]), None),
        (version_2(1, 0x00, &[], &[]), None),
        // A sender's own connection, whatever it says of that.
        (version_2(0, 0x00, &[], &[]), None),
        (version_2(0, 0x11, &addresses(v4), &[]), None),
        (version_2(0, 0x99, b"anything", &[]), None),
        (version_2(0, 0x11, b"short", &[]), None),
        // Fields are passed over.
        (
            version_2(
                1,
                0x11,
                &addresses(v4),
                &[(4, b""), (2, b"a.example"), (0xea, &[1; 300])],
            ),
            named(v4),
        ),
    ] {
        assert_eq!(
            client(&header),
            Ok(Some((expected, header.len()))),
            "{header:02x?}"
        );
    }
}

#[test]
fn what_is_no_header_of_version_2_is_refused() {
    let v4 = addresses("203.0.113.7:51234".parse().unwrap());
    let other_version = [&SIGNATURE[..], &[0x11]].concat();
    for (header, expected) in [
        (other_version, Malformed::Command),
        (version_2(2, 0x11, &v4, &[]), Malformed::Command),
        (version_2(1, 0x12, &v4, &[]), Malformed::Family),
        (version_2(1, 0x41, &v4, &[]), Malformed::Family),
        (version_2(1, 0x11, &v4[..11], &[]), Malformed::Addresses),
        (version_2(1, 0x21, &v4, &[]), Malformed::Addresses),
        (version_2(1, 0x31, &v4, &[]), Malformed::Addresses),
        (
            version_2(1, 0x11, &[&v4[..], &[4]].concat(), &[]),
            Malformed::Fields,
        ),
        (
            version_2(1, 0x11, &[&v4[..], &[4, 0, 1]].concat(), &[]),
            Malformed::Fields,
        ),
        (version_2(1, 0x00, b"x", &[]), Malformed::Fields),
        (
            version_2(1, 0x11, &[7; LONGEST_REST + 1], &[]),
            Malformed::TooLong,
        ),
    ] {
        assert_eq!(client(&header), Err(expected), "{header:02x?}");
    }
}

#[test]
fn a_checksum_must_be_right() {
    // As RFC 3720 has it for 32 bytes of zeros.
    assert_eq!(CRC32C.checksum(&[0; 32]), 0x8a91_36aa);
    let source: SocketAddr = "203.0.113.7:51234".parse().unwrap();
    let header = version_2(
        1,
        0x11,
        &addresses(source),
        &[(4, b"pad"), (3, &[0; 4]), (5, b"id")],
    );
    assert_eq!(
        client(&header),
        Ok(Some((Some(source.to_string()), header.len())))
    );
    // Without its kind, the field is no checksum.
    let kind = FIXED + 12 + FIELD_HEADER + 3;
    for at in (FIXED..header.len()).filter(|at| *at != kind) {
        let mut damaged = header.clone();
        damaged[at] ^= 1;
        assert!(read(&damaged).is_err(), "at {at}");
    }
    // A balancer's own connection has a checksum, too.
    let mut own = version_2(0, 0x00, &[], &[(3, &[0; 4])]);
    assert_eq!(client(&own), Ok(Some((None, own.len()))));
    *own.last_mut().unwrap() ^= 1;
    assert_eq!(client(&own), Err(Malformed::Checksum));
    for fields in [&[(3u8, &[0u8; 3][..])][..], &[(3, &[0; 4]), (3, &[0; 4])]] {
        let mut header = version_2(1, 0x00, &[], &[]);
        let fields: Vec<u8> = fields
            .iter()
            .flat_map(|(kind, value)| [&[*kind, 0, value.len() as u8], *value].concat())
            .collect();
        header[15] = fields.len() as u8;
        assert_eq!(read(&[header, fields].concat()), Err(Malformed::Checksum));
    }
}

/// Whatever a client may send first, and headers that are cut or damaged.
fn sent() -> impl Strategy<Value = Vec<u8>> {
    let header = (
        any::<SocketAddr>(),
        any::<bool>(),
        prop::collection::vec(any::<u8>(), ..40),
    );
    let header = header.prop_map(|(source, is_text, fields)| {
        let source = SocketAddr::new(source.ip(), source.port());
        if is_text {
            version_1(source).into_bytes()
        } else {
            let fields: &[(u8, &[u8])] = &[(4, &fields), (3, &[0; 4])];
            version_2(1, family(source), &addresses(source), fields)
        }
    });
    let damaged = (
        header,
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<bool>(),
    );
    let damaged = damaged.prop_map(|(mut header, at, byte, is_damaged)| {
        if is_damaged {
            let at = at.index(header.len());
            header[at] = byte;
        }
        [&header[..], b"GET / HTTP/1.1\r\n"].concat()
    });
    prop_oneof![8 => damaged, 1 => prop::collection::vec(any::<u8>(), ..300)]
}

proptest! {
    #[test]
    fn what_was_written_is_read(source: SocketAddr) {
        let source = SocketAddr::new(source.ip(), source.port());
        for header in [
            version_1(source).into_bytes(),
            version_2(1, family(source), &addresses(source), &[]),
            version_2(1, family(source), &addresses(source), &[(1, b"h2"), (3, &[0; 4])]),
        ] {
            let expected = Header { bytes: header.len(), client: Some(source) };
            prop_assert_eq!(read(&header), Ok(Some(expected)));
        }
    }

    #[test]
    fn what_is_read_does_not_depend_on_where_the_bytes_are_cut(sent in sent()) {
        let decided = (0..=sent.len()).find(|&end| read(&sent[..end]) != Ok(None));
        if let Some(end) = decided {
            for longer in end..=sent.len() {
                prop_assert_eq!(read(&sent[..longer]), read(&sent[..end]));
            }
        }
    }
}
