//! What clients of TLS send.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// The first message of a real client that wants the server of this name; of an address, the
/// message says nothing.
pub fn client_hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the usual versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("the name of a server");
    let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut sent = Vec::new();
    client.write_tls(&mut sent).expect("a vector takes it all");
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
