//! What clients of TLS send.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// The first message of a real client that wants the server of this name; of an address, the
/// message says nothing.
pub fn client_hello(name: &str) -> Vec<u8> {
    sent_by(&mut client(name))
}

/// What a client and a server say until the client has sent its first message again.
#[derive(Debug)]
pub struct Repeated {
    /// The first message of the client.
    pub first: Vec<u8>,
    /// The server wants a key of another kind (HelloRetryRequest).
    pub request: Vec<u8>,
    /// The message that follows, behind a record that old machines on the way want to see.
    pub second: Vec<u8>,
}

/// What a real client sends that wants the server of this name and is asked again.
pub fn repeated(name: &str) -> Repeated {
    let mut client = client(name);
    let first = sent_by(&mut client);
    let request = hello_retry_request(&first);
    client
        .read_tls(&mut &request[..])
        .expect("a slice can be read");
    client.process_new_packets().expect("the client goes on");
    let second = sent_by(&mut client);
    Repeated {
        first,
        request,
        second,
    }
}

/// Asks for a key on the curve P-384 (RFC 8446, section 4.1.4).
fn hello_retry_request(hello: &[u8]) -> Vec<u8> {
    let random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    let random = data_encoding::HEXLOWER.decode(random.as_bytes());
    let session = &hello[43..][..1 + usize::from(hello[43])];
    let extensions = [0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24];
    let body = [
        &[3, 3][..],
        &random.expect("digits"),
        session,
        &[0x13, 2, 0],
        &extensions,
    ]
    .concat();
    let length = u8::try_from(body.len()).expect("a short message");
    [&[22, 3, 3, 0, length + 4, 2, 0, 0, length][..], &body].concat()
}

fn client(name: &str) -> ClientConnection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the usual versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("the name of a server");
    ClientConnection::new(Arc::new(config), name).expect("a client")
}

fn sent_by(client: &mut ClientConnection) -> Vec<u8> {
    let mut sent = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut sent).expect("a vector takes it all");
    }
    sent
}

/// The same in records of so many bytes.
pub fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    let (header, message) = hello.split_at(5);
    let records = message.chunks(size).flat_map(|fragment| {
        let length = u16::try_from(fragment.len()).expect("a short fragment");
        [&header[..3], &length.to_be_bytes(), fragment].concat()
    });
    records.collect()
}

/// The same message with one more extension, in one record.
pub fn with_extension(hello: &[u8], kind: u16, content: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u16::try_from(bytes).expect("a short message").to_be_bytes();
    let message = &hello[9..];
    // Behind the version and the random bytes are the session, the ciphers and the compressions.
    let mut at = 2 + 32;
    at += 1 + usize::from(message[at]);
    at += 2 + usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
    at += 1 + usize::from(message[at]);
    let (start, extensions) = (&message[..at], &message[at + 2..]);
    let extension = [&kind.to_be_bytes(), &length(content.len()), content].concat();
    let extensions = [extensions, &extension].concat();
    let message = [start, &length(extensions.len()), &extensions].concat();
    let message = [&[1, 0], &length(message.len())[..], &message].concat();
    [&hello[..3], &length(message.len()), &message].concat()
}
