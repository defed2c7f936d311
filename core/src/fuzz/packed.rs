//! Bodies of lists that are packed.

use super::from_digits;
use crate::error::ErrorChain;
use crate::feeds::fetch::body::Body;
use crate::feeds::fetch::unpack::{UnpackError, decode, unpack};

/// How long a list may be, in bytes.
const MAX: u64 = 1 << 20;

/// What is unpacked is no longer than it may be, and an error says in one line what is wrong. The
/// bytes may stand in hexadecimal digits, as they do in the corpus.
pub fn packed(data: &[u8]) {
    let sent = &*from_digits(data);
    for codings in ["gzip", "br", "zstd", "gzip, zstd"] {
        assert_bounded(sent, |body, max| decode(body, codings, max));
    }
    assert_bounded(sent, unpack);
}

fn assert_bounded(sent: &[u8], unpack: impl Fn(Body, u64) -> Result<Body, UnpackError>) {
    let unpacked = |max| unpack(sent.to_vec().into(), max);
    match unpacked(MAX) {
        Ok(body) => {
            let list = body.into_bytes().expect("it is in memory");
            // What is not packed stays as it is, however long it is.
            if list.is_empty() || list == sent {
                return;
            }
            let length = list.len() as u64;
            assert!(length <= MAX, "{length}");
            let cut = unpacked(length - 1);
            assert!(matches!(cut, Err(UnpackError::TooLarge)), "{cut:?}");
        }
        Err(error) => {
            if let UnpackError::Damaged { source, .. } = &error {
                assert_ne!(source.to_string(), "", "{error}");
            }
            let told = ErrorChain(&error).to_string();
            assert!(!told.contains(|c: char| c.is_control()), "{told:?}");
        }
    }
}
