//! The logins that were right, so that the next request need not wait. An entry stands for client,
//! name, hash and password together, so it cannot become wrong, only out of use.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

use super::digest::Digest;

/// How many are remembered. The one that was not used for longest goes first.
const MOST: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// How long one is remembered after it was used.
const UNUSED: Duration = Duration::from_hours(1);

/// Digests of logins that were right.
#[derive(Debug)]
pub(super) struct Verified(LruCache<Digest, Instant>);

impl Default for Verified {
    fn default() -> Self {
        Self::holding(MOST)
    }
}

impl Verified {
    fn holding(most: NonZeroUsize) -> Self {
        Self(LruCache::new(most))
    }

    pub(super) fn has(&mut self, digest: &Digest, now: Instant) -> bool {
        match self.0.get_mut(digest) {
            Some(used) if now.duration_since(*used) < UNUSED => {
                *used = now;
                true
            }
            Some(_) => {
                self.0.pop(digest);
                false
            }
            None => false,
        }
    }

    pub(super) fn add(&mut self, digest: Digest, now: Instant) {
        self.0.put(digest, now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::Key;
    use super::*;
    use crate::flow::ClientKey;

    #[test]
    fn a_login_is_remembered_while_it_is_used_and_there_is_room() {
        let (key, start) = (Key::random(), Instant::now());
        let digest = |name: &str| key.digest(ClientKey::test(1), name.as_bytes(), "", b"");
        let mut verified = Verified::holding(NonZeroUsize::new(2).unwrap());
        verified.add(digest("a"), start);
        assert!(!verified.has(&digest("b"), start));
        let (almost, moment) = (UNUSED - Duration::from_secs(1), Duration::from_secs(1));
        assert!(verified.has(&digest("a"), start + almost));
        assert!(verified.has(&digest("a"), start + 2 * almost));
        assert!(!verified.has(&digest("a"), start + 2 * almost + UNUSED));
        assert!(!verified.has(&digest("a"), start + moment), "it is gone");

        for name in ["a", "b"] {
            verified.add(digest(name), start);
        }
        assert!(verified.has(&digest("a"), start));
        verified.add(digest("c"), start);
        assert!(!verified.has(&digest("b"), start));
        assert!(verified.has(&digest("a"), start));
    }
}
