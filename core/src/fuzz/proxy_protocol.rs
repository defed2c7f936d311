//! What load balancers say about their clients.

use super::{assert_cut, from_digits};
use crate::downstream::proxy_protocol::read;

/// A header is the same wherever its bytes are cut and whatever is behind it. The bytes may stand
/// in hexadecimal digits, as they do in the corpus.
pub fn proxy_protocol(data: &[u8]) {
    let sent = &from_digits(data);
    assert_cut(sent, read);
    if let Ok(Some(header)) = read(sent) {
        assert!(header.bytes <= sent.len());
        // Nothing of the client's own bytes can be taken for a part of it.
        let alone = &sent[..header.bytes];
        assert_eq!(read(alone), Ok(Some(header)));
        assert_eq!(read(&alone[..alone.len() - 1]), Ok(None));
    }
}
