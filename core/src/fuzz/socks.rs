//! What clients of SOCKS send.

use super::{assert_cut, assert_target, from_digits};
use crate::downstream::socks::message::{Method, Version, greeting, login, request};

/// A message is the same wherever its bytes are cut and whatever is behind it, and a target is what
/// its own spellings name. The bytes may stand in hexadecimal digits, as they do in the corpus.
pub fn socks(data: &[u8]) {
    let sent = &from_digits(data);
    for wanted in [Method::NoLogin, Method::Password] {
        assert_cut(sent, |sent| {
            greeting(wanted, sent).map_err(|malformed| malformed.reply())
        });
    }
    assert_cut(sent, |sent| {
        login(sent).map_err(|malformed| malformed.reply())
    });
    for version in [Version::V4, Version::V5] {
        if let Ok(Some(request)) = request(version, sent) {
            assert!(request.bytes <= sent.len());
            assert_target(&request.target);
        }
        assert_cut(sent, |sent| {
            request(version, sent).map_err(|malformed| malformed.reply())
        });
    }
}
