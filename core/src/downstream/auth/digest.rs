//! What stands for a client, a name, a hash and a password where they are remembered. Without the
//! key, which no other process has, nothing can be learned from it.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac as _};

use crate::flow::ClientKey;

/// A keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
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

    /// A user whose hash is another one has another digest, so a changed password holds at once.
    /// What one client has shown is not known for another, which could try passwords out by it.
    pub(crate) fn digest(
        &self,
        client: ClientKey,
        name: &[u8],
        hash: &str,
        password: &[u8],
    ) -> Digest {
        let client = client.number().to_be_bytes();
        self.of(&[&client, name, hash.as_bytes(), password])
    }

    /// A number for a name.
    pub(crate) fn number(&self, name: &[u8]) -> u64 {
        let Digest([a, b, c, d, e, f, g, h, ..]) = self.of(&[name]);
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn of(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Digest(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_these_parts_and_this_key() {
        let key = Key::random();
        let client = ClientKey::test(1);
        let digest = key.digest(client, b"ada", "hash", b"secret");
        assert!(key.digest(client, b"ada", "hash", b"secret") == digest);
        for (client, name, hash, password) in [
            (1, "adah", "ash", "secret"),
            (1, "ada", "hashs", "ecret"),
            (1, "ada", "other", "secret"),
            (1, "ada", "hash", "Secret"),
            (1, "ada", "hash", ""),
            (2, "ada", "hash", "secret"),
        ] {
            let key_of = ClientKey::test(client);
            let other = key.digest(key_of, name.as_bytes(), hash, password.as_bytes());
            assert!(other != digest, "{client} {name} {hash} {password}");
        }
        assert!(Key::random().digest(client, b"ada", "hash", b"secret") != digest);
    }
}
