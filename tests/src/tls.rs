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
