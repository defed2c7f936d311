//! Real first messages come from rustls. `fuzz` has it read them, and what was made of them, as an
//! independent server.

use std::sync::Arc;

use proptest::prelude::*;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;

const NAME: &str = "www.example.com";

/// What a client sends first that wants `name`, an address if it wants none.
fn hello(name: &'static str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
    let mut sent = Vec::new();
    client.write_tls(&mut sent).unwrap();
    sent
}

fn name_in(sent: &[u8]) -> Option<String> {
    match read(sent) {
        Ok(FirstMessage::Hello(hello)) => {
            let name = hello.server_name?.into_owned();
            Some(String::from_utf8(name).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// The same message in records of so many bytes.
fn in_records(sent: &[u8], size: usize) -> Vec<u8> {
    let records = sent[RECORD_HEADER..].chunks(size).flat_map(|fragment| {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[HANDSHAKE, 3, 1], &length[..], fragment].concat()
    });
    records.collect()
}

/// A message with these extensions, in one record.
fn with_extensions(extensions: &[u8]) -> Vec<u8> {
    let length = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
    let start = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
    let message = [&start, &length(extensions.len())[..], extensions].concat();
    let header = [CLIENT_HELLO, 0];
    let bytes = [&header[..], &length(message.len()), &message].concat();
    [&[HANDSHAKE, 3, 1], &length(bytes.len())[..], &bytes].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), content].concat()
}

fn names(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names
        .iter()
        .flat_map(|name| [&[0, 0, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat())
        .collect();
    [&[0, u8::try_from(list.len()).unwrap()], &list[..]].concat()
}

#[test]
fn the_name_is_found_however_the_message_is_split() {
    let sent = hello(NAME);
    assert_eq!(name_in(&sent).as_deref(), Some(NAME));
    for size in [1, 3, 4, 100, 10_000] {
        assert_eq!(name_in(&in_records(&sent, size)).as_deref(), Some(NAME));
    }
    // What comes behind the message is not read.
    let more = [&sent, &b"\x14\x03\x03\x00\x01\x01"[..]].concat();
    assert_eq!(name_in(&more).as_deref(), Some(NAME));
}

#[test]
fn what_follows_a_message_is_told_from_it() {
    let sent = hello(NAME);
    for sent in [sent.clone(), in_records(&sent, 7)] {
        let early = [23, 3, 3, 0, 2, 1, 2];
        let more = [&sent[..], &early, &sent[..10]].concat();
        let Ok(FirstMessage::Hello(first)) = read(&more) else {
            panic!("it is a whole message");
        };
        assert!(first.may_be_repeated);
        assert_eq!(first.length, sent.len());
        assert_eq!(other_records(&more[sent.len()..]), Ok(early.len()));
        // Half a record is none.
        assert_eq!(other_records(&early[..6]), Ok(0));
    }
    let [high, low] = (RECORD_BYTES + ENCRYPTION_BYTES + 1).to_be_bytes()[6..] else {
        panic!("there are eight bytes");
    };
    let long = other_records(&[23, 3, 3, high, low]);
    assert_eq!(long, Err(MalformedHello::Records));
}

#[test]
fn a_second_message_is_found_behind_other_records() {
    let second = hello(NAME);
    let sent = [&[20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 0][..], &second].concat();
    for end in 0..sent.len() {
        assert_eq!(read_again(&sent[..end]), Ok(None), "{end}");
    }
    let again = read_again(&sent).unwrap().unwrap();
    assert_eq!(again.server_name.as_deref(), Some(NAME.as_bytes()));
    let finished = [HANDSHAKE, 3, 3, 0, 4, 20, 0, 0, 0];
    assert_eq!(read_again(&finished), Err(MalformedHello::Records));
}

#[test]
fn nothing_stands_behind_a_message_in_its_record() {
    let sent = hello(NAME);
    let length = u16::try_from(sent.len() - RECORD_HEADER + 1).unwrap();
    let longer = [&sent[..3], &length.to_be_bytes(), &sent[RECORD_HEADER..]].concat();
    assert_eq!(read(&longer), Err(MalformedHello::Records));
    let whole = [&longer[..], &[1]].concat();
    assert_eq!(read(&whole), Err(MalformedHello::Records));
}

#[test]
fn a_message_is_waited_for_until_its_last_byte() {
    for sent in [hello(NAME), in_records(&hello(NAME), 50)] {
        for end in 0..sent.len() {
            assert_eq!(read(&sent[..end]), Ok(FirstMessage::Incomplete), "{end}");
        }
    }
}

#[test]
fn a_client_that_wants_an_address_names_no_server() {
    assert_eq!(name_in(&hello("192.0.2.1")), None);
}

#[test]
fn other_protocols_are_told_by_their_first_byte() {
    for sent in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "GET / HTTP/1.1\r\n",
        "\0",
        "\u{80}.",
    ] {
        assert_eq!(read(sent.as_bytes()), Ok(FirstMessage::NotTls), "{sent:?}");
    }
    // What a server would have to refuse is no handshake: here is a player who looks for a game.
    let game = b"\x16\x00\xf3\x05\x0fplay.example.com\x63\xdd\x02";
    assert_eq!(read(game), Ok(FirstMessage::NotTls));
    assert_eq!(read(&[HANDSHAKE, 0x10]), Ok(FirstMessage::NotTls));
    assert_eq!(read(&[21, 0x20]), Ok(FirstMessage::NotTls));
    for sent in [&b""[..], &[HANDSHAKE], &[21]] {
        assert_eq!(read(sent), Ok(FirstMessage::Incomplete));
    }
}

#[test]
fn a_hidden_name_is_seen_as_that() {
    let outer = extension(SERVER_NAME, &names(&["outer.example"]));
    let hidden = extension(ENCRYPTED_CLIENT_HELLO, &[0; 40]);
    let sent = with_extensions(&[outer, hidden].concat());
    let Ok(FirstMessage::Hello(hello)) = read(&sent) else {
        panic!("it is a whole message");
    };
    assert!(hello.has_hidden_name);
    assert_eq!(hello.server_name.as_deref(), Some(&b"outer.example"[..]));
}

#[test]
fn what_servers_could_read_in_two_ways_is_malformed() {
    let one = extension(SERVER_NAME, &names(&["a.example"]));
    let other = extension(SERVER_NAME, &names(&["b.example"]));
    let both = extension(SERVER_NAME, &names(&["a.example", "b.example"]));
    let longer = extension(SERVER_NAME, &[&names(&["a.example"])[..], b"x"].concat());
    for (extensions, problem) in [
        ([&one[..], &other].concat(), MalformedHello::TwoNames),
        (both, MalformedHello::TwoNames),
        (longer, MalformedHello::Lengths),
        (extension(SERVER_NAME, &[]), MalformedHello::Lengths),
        (extension(SERVER_NAME, &[0, 0]), MalformedHello::Lengths),
        ([&one[..], &[0]].concat(), MalformedHello::Lengths),
    ] {
        assert_eq!(read(&with_extensions(&extensions)), Err(problem));
    }
    for (sent, problem) in [
        (&[HANDSHAKE, 3, 1, 0, 0][..], MalformedHello::Records),
        (&[HANDSHAKE, 3, 1, 0x40, 1], MalformedHello::Records),
        (&[HANDSHAKE, 3, 1, 0x40, 1, 16], MalformedHello::Records),
        (&[HANDSHAKE, 3, 1, 0, 1, 1, 21], MalformedHello::Records),
        (&[21, 3, 1, 0, 2, 1, 90], MalformedHello::Records),
        (&[20, 3], MalformedHello::Records),
        (
            &[HANDSHAKE, 3, 1, 0, 5, 1, 0, 0, 1, 3],
            MalformedHello::Lengths,
        ),
    ] {
        assert_eq!(read(sent), Err(problem), "{sent:?}");
    }
}

proptest! {
    /// A client must not show one name to the proxy and another to the server.
    #[test]
    fn no_other_name_is_found_than_a_server_finds(
        size in 1..600_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut sent = in_records(&hello(NAME), size);
        for (at, byte) in changes {
            let at = at.index(sent.len());
            sent[at] = byte;
        }
        crate::fuzz::client_hello(&sent);
    }

    #[test]
    fn no_bytes_are_too_odd(sent in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&sent);
        let _ = read(&[&[HANDSHAKE, 3, 1], &sent[..]].concat());
        let _ = read(&with_extensions(&sent));
    }
}
