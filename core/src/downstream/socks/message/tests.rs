use proptest::prelude::*;

use super::*;

fn target(host: &str, port: u16) -> Target {
    Target::of_host(host, port).unwrap()
}

/// What a whole message is read as. None of its beginnings is one, and what is behind it is not
/// read.
fn whole<T>(message: &[u8], read: impl Fn(&[u8]) -> Result<Option<T>, Malformed>) -> T {
    for end in 0..message.len() {
        assert!(
            matches!(read(&message[..end]), Ok(None)),
            "{message:?} to {end}"
        );
    }
    let more = [message, b"more"].concat();
    read(&more).unwrap().expect("the message is whole")
}

fn asked(version: Version, message: &[u8]) -> Target {
    let request = whole(message, |sent| request(version, sent));
    assert_eq!(request.bytes, message.len());
    request.target
}

fn refused(version: Version, message: &[u8]) -> Malformed {
    request(version, message).unwrap_err()
}

#[test]
fn a_client_of_version_5_has_to_offer_to_log_in_not_at_all() {
    let greeting = |sent: &[u8]| greeting(Method::NoLogin, sent);
    for ways in [&[5, 1, 0][..], &[5, 2, 2, 0]] {
        assert_eq!(whole(ways, greeting), ways.len());
    }
    for ways in [&[5, 0][..], &[5, 2, 1, 2]] {
        assert_eq!(greeting(ways), Err(Malformed::Login));
    }
    assert_eq!(greeting(&[4, 1, 0]), Err(Malformed::Version));
}

#[test]
fn a_client_of_version_5_may_have_to_log_in() {
    let greeting = |sent: &[u8]| greeting(Method::Password, sent);
    for ways in [&[5, 1, 2][..], &[5, 2, 0, 2]] {
        assert_eq!(whole(ways, greeting), ways.len());
    }
    assert_eq!(greeting(&[5, 1, 0]), Err(Malformed::NoPassword));
    for (name, password) in [("ada", "secret"), ("", ""), (&*"n".repeat(255), "p")] {
        let lengths = [name, password].map(|text| u8::try_from(text.len()).unwrap());
        let message = [
            &[1, lengths[0]],
            name.as_bytes(),
            &lengths[1..],
            password.as_bytes(),
        ]
        .concat();
        let (credentials, bytes) = whole(&message, login);
        assert_eq!(credentials.name, name.as_bytes());
        assert_eq!(credentials.password, password.as_bytes());
        assert_eq!(bytes, message.len());
    }
    assert_eq!(login(&[5, 1, 0]), Err(Malformed::Version));
}

#[test]
fn version_5_names_addresses_and_hosts() {
    let v5 = |message: &[u8]| asked(Version::V5, message);
    assert_eq!(
        v5(&[5, 1, 0, 1, 192, 0, 2, 7, 1, 187]),
        target("192.0.2.7", 443)
    );
    let ipv6 = [&[5, 1, 0, 4, 0x20, 1, 0xd, 0xb8], &[0; 11][..], &[1, 0, 80]].concat();
    assert_eq!(v5(&ipv6), target("2001:db8::1", 80));
    assert_eq!(
        v5(b"\x05\x01\0\x03\x09WWW.Test.\x01\xbb"),
        target("www.test", 443)
    );
}

#[test]
fn an_address_is_known_as_one_however_it_is_spelled() {
    let v5 = |name: &[u8]| {
        let message = [
            &[5, 1, 0, 3, u8::try_from(name.len()).unwrap()],
            name,
            &[0, 80],
        ]
        .concat();
        asked(Version::V5, &message)
    };
    for name in ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "127.0.0.1."] {
        assert_eq!(v5(name.as_bytes()), target("127.0.0.1", 80), "{name}");
    }
    assert_eq!(v5(b"::1"), target("::1", 80));
    let mapped = [
        &[5, 1, 0, 4],
        &[0; 10][..],
        &[0xff, 0xff, 127, 0, 0, 1, 0, 80],
    ]
    .concat();
    assert_eq!(asked(Version::V5, &mapped), target("127.0.0.1", 80));
}

#[test]
fn version_4_has_names_where_the_address_is_none() {
    let v4 = |message: &[u8]| asked(Version::V4, message);
    assert_eq!(
        v4(b"\x04\x01\0\x50\xc0\0\x02\x07\0"),
        target("192.0.2.7", 80)
    );
    assert_eq!(
        v4(b"\x04\x01\0\x50\xc0\0\x02\x07me\0"),
        target("192.0.2.7", 80)
    );
    assert_eq!(
        v4(b"\x04\x01\0\x50\0\0\0\x01me\0a.test\0"),
        target("a.test", 80)
    );
    // 0.0.0.0 is an address.
    assert_eq!(v4(b"\x04\x01\0\x50\0\0\0\0\0"), target("0.0.0.0", 80));
}

#[test]
fn what_is_not_served_has_its_own_answer() {
    let v5 = |message: &[u8]| refused(Version::V5, message).reply();
    assert_eq!(v5(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 80]), Reply::UnknownCommand);
    assert_eq!(v5(&[5, 3, 0, 1, 0, 0, 0, 0, 0, 80]), Reply::UnknownCommand);
    assert_eq!(v5(&[5, 1, 0, 0]), Reply::UnknownAddressType);
    assert_eq!(v5(&[4, 1, 0, 1]), Reply::Failed);
    assert_eq!(v5(&[5, 1, 0, 1, 192, 0, 2, 7, 0, 0]), Reply::Failed);
    assert_eq!(v5(b"\x05\x01\0\x03\0\0\x50"), Reply::Failed);
    assert_eq!(v5(b"\x05\x01\0\x03\x03a\0b\0\x50"), Reply::Failed);
    assert_eq!(v5(b"\x05\x01\0\x03\x02\xff\xfe\0\x50"), Reply::Failed);
    assert_eq!(refused(Version::V4, &[4, 2]), Malformed::Command);
    let long = [&b"\x04\x01\0\x50\xc0\0\x02\x07"[..], &[b'x'; 256]].concat();
    assert_eq!(refused(Version::V4, &long), Malformed::TooLong);
}

#[test]
fn answers_are_written_as_their_version_has_them() {
    let v4 = |reply: Reply| reply.to_bytes(Version::V4);
    let v5 = |reply: Reply| reply.to_bytes(Version::V5);
    let from = Reply::Connected("192.0.2.1:8080".parse().unwrap());
    assert_eq!(v5(from), [5, 0, 0, 1, 192, 0, 2, 1, 0x1f, 0x90]);
    assert_eq!(v4(from), [0, 90, 0x1f, 0x90, 192, 0, 2, 1]);
    let from = Reply::Connected("[::1]:80".parse().unwrap());
    assert_eq!(
        v5(from),
        [&[5, 0, 0, 4], &[0; 15][..], &[1, 0, 80]].concat()
    );
    assert_eq!(v5(Reply::NotAllowed), [5, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(v4(Reply::NotAllowed), [0, 91, 0, 0, 0, 0, 0, 0]);
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(sent in prop::collection::vec(any::<u8>(), 0..600)) {
        for wanted in [Method::NoLogin, Method::Password] {
            let _ = greeting(wanted, &sent);
        }
        let _ = login(&sent);
        for version in [Version::V4, Version::V5] {
            if let Ok(Some(request)) = request(version, &sent) {
                prop_assert!(request.bytes <= sent.len());
            }
        }
    }
}
