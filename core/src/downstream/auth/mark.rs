//! What stands for a name, a hash and a password where they are remembered. Without the key, which
//! no other process has, nothing can be learned from it.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac as _};

/// A keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mark([u8; 32]);

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(…)")
    }
}

/// The key of a process.
#[derive(Clone)]
pub(crate) struct Key(Blake2bMac<U32>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    pub(crate) fn random() -> Self {
        let key: [u8; 32] = rand::random();
        Self(Blake2bMac::new_from_slice(&key).expect("the key is not too long"))
    }

    /// A user whose hash is another one has another mark, so a changed password holds at once.
    pub(crate) fn mark(&self, name: &[u8], hash: &str, password: &[u8]) -> Mark {
        self.of(&[name, hash.as_bytes(), password])
    }

    /// A number for a name.
    pub(crate) fn number(&self, name: &[u8]) -> u64 {
        let Mark([a, b, c, d, e, f, g, h, ..]) = self.of(&[name]);
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn of(&self, parts: &[&[u8]]) -> Mark {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Mark(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_these_parts_and_this_key() {
        let key = Key::random();
        let mark = key.mark(b"ada", "hash", b"secret");
        assert!(key.mark(b"ada", "hash", b"secret") == mark);
        for (name, hash, password) in [
            ("adah", "ash", "secret"),
            ("ada", "hashs", "ecret"),
            ("ada", "other", "secret"),
            ("ada", "hash", "Secret"),
            ("ada", "hash", ""),
        ] {
            let other = key.mark(name.as_bytes(), hash, password.as_bytes());
            assert!(other != mark, "{name} {hash} {password}");
        }
        assert!(Key::random().mark(b"ada", "hash", b"secret") != mark);
    }
}
