//! Keyed hashes of names, and of all the domains that a host is in. `builder` and `table` place
//! names by them, and a [`Query`] is asked of every list with the same key. It knows nothing of
//! lists.

use std::net::IpAddr;

/// 2^61 - 1, a prime.
const PRIME: u64 = (1 << 61) - 1;

/// Bytes of a label that are one coefficient, beside four bits that say how many there are and
/// whether the label ends with them.
const CHUNK: usize = 7;

const DOTS: u64 = u64::from_ne_bytes([b'.'; 8]);

/// Domains of a host whose hashes are at hand. Few names on lists have more labels.
pub(super) const AT_HAND: usize = 8;

/// What hashes depend on. A list cannot be written so that its names collide, as its writer does
/// not know this.
///
/// The chunks of a name's labels, from the right, are the coefficients of a polynomial, which is
/// evaluated at a secret point: two names of 253 bytes collide with a probability below 2^-53,
/// however they were chosen. From the right, because the hashes of all domains that a host is in
/// then take one pass over it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    point: u64,
    mask: u64,
}

/// A domain that a host is in, or the host itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Suffix {
    pub(super) hash: u64,
    /// Where it begins in the host.
    pub(super) start: u32,
    /// How many labels it has.
    pub(super) labels: u32,
}

/// A host with the hashes of the domains that it is in.
#[derive(Clone, Debug)]
pub(crate) struct Query<'h> {
    pub(super) host: &'h str,
    pub(super) address: Option<IpAddr>,
    key: Key,
    at_hand: [Suffix; AT_HAND],
    count: usize,
    /// The suffixes that are not at hand.
    others: Suffixes<'h>,
}

/// The domains that a host is in, the shortest first and the host itself last.
#[derive(Clone, Debug)]
pub(super) struct Suffixes<'h> {
    key: Key,
    name: &'h [u8],
    /// The end of what has not been read; none if all has.
    rest: Option<usize>,
    sum: u64,
    /// How many labels were read.
    labels: u32,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// A key of its own.
    pub(crate) fn random() -> Self {
        Self::new(rand::random(), rand::random())
    }

    fn new(point: u64, mask: u64) -> Self {
        // Small points would make a hash of a short name tell the name.
        let point = point % (PRIME - (1 << 32)) + (1 << 32);
        Self { point, mask }
    }

    /// As it stands in a file.
    pub(super) fn bytes(self) -> [u8; 16] {
        (u128::from(self.point) | (u128::from(self.mask) << 64)).to_le_bytes()
    }

    /// The one that a file has.
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let both = u128::from_le_bytes(bytes);
        let point = both as u64;
        let is_point = (1 << 32..PRIME).contains(&point);
        is_point.then_some(Self {
            point,
            mask: (both >> 64) as u64,
        })
    }

    /// The hash of a name, and how many labels it has.
    pub(super) fn hash(self, name: &[u8]) -> (u64, u32) {
        let whole = Suffixes::new(self, name).last();
        let whole = whole.expect("every text has a last label");
        (whole.hash, whole.labels)
    }

    #[inline]
    fn step(self, sum: u64, chunk: u64) -> u64 {
        let product = u128::from(sum + chunk) * u128::from(self.point);
        let folded = (product as u64 & PRIME) + (product >> 61) as u64;
        let folded = (folded & PRIME) + (folded >> 61);
        if folded >= PRIME {
            folded - PRIME
        } else {
            folded
        }
    }

    /// Spreads a sum over all bits. No two sums become one.
    fn spread(self, sum: u64) -> u64 {
        let mut hash = sum ^ self.mask;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

impl<'h> Query<'h> {
    /// The hashes of a canonical host.
    pub(crate) fn new(host: &'h str, key: Key) -> Self {
        let mut others = Suffixes::new(key, host.as_bytes());
        let mut at_hand = [Suffix::default(); AT_HAND];
        let mut count = 0;
        for place in &mut at_hand {
            let Some(suffix) = others.next() else {
                break;
            };
            *place = suffix;
            count += 1;
        }
        Self {
            host,
            address: address(host),
            key,
            at_hand,
            count,
            others,
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Leaves out some of the domains at hand.
    pub(super) fn retain(&mut self, keep: impl Fn(Suffix) -> bool) {
        let mut count = 0;
        for at in 0..self.count {
            let suffix = self.at_hand[at];
            self.at_hand[count] = suffix;
            count += usize::from(keep(suffix));
        }
        self.count = count;
    }

    /// Whether there are some that are not at hand.
    pub(super) fn has_others(&self) -> bool {
        self.others.rest.is_some()
    }

    /// The domains, the shortest first, and the host itself last.
    pub(super) fn at_hand(&self) -> &[Suffix] {
        &self.at_hand[..self.count]
    }

    /// The suffixes that have more labels than any of these.
    pub(super) fn others(&self) -> Suffixes<'h> {
        self.others.clone()
    }

    /// The host itself.
    pub(super) fn whole(&self) -> Suffix {
        let last = self.others().last();
        last.unwrap_or_else(|| self.at_hand[self.count - 1])
    }
}

impl<'h> Suffixes<'h> {
    pub(super) fn new(key: Key, name: &'h [u8]) -> Self {
        Self {
            key,
            name,
            rest: Some(name.len()),
            sum: 0,
            labels: 0,
        }
    }
}

impl Iterator for Suffixes<'_> {
    type Item = Suffix;

    // A host has few labels, and one call for each would be a third of the work.
    #[inline(always)]
    fn next(&mut self) -> Option<Suffix> {
        let mut at = self.rest?;
        loop {
            let eight = eight_before(self.name, at);
            // Eight if there is no dot.
            let behind_dot = dots(eight).leading_zeros() as usize / 8;
            let (length, is_last) = (behind_dot.min(CHUNK), behind_dot <= CHUNK);
            let marks = length as u64 | (u64::from(is_last) << 3);
            // Two shifts, as a shift by 64 is none.
            let bytes = eight >> 8 >> (8 * (CHUNK - length));
            self.sum = self.key.step(self.sum, bytes | (marks << (8 * CHUNK)));
            at -= length;
            if is_last {
                break;
            }
        }
        self.rest = at.checked_sub(1);
        self.labels += 1;
        Some(Suffix {
            labels: self.labels,
            hash: self.key.spread(self.sum),
            start: at as u32,
        })
    }
}

/// The eight bytes before a place in a name, the last one highest. A dot is before the name.
#[inline]
fn eight_before(name: &[u8], at: usize) -> u64 {
    if let Some(eight) = name[..at].last_chunk() {
        return u64::from_le_bytes(*eight);
    }
    let eight = if let Some(eight) = name.first_chunk() {
        u64::from_le_bytes(*eight)
    } else {
        let mut eight = [0; 8];
        eight[..name.len()].copy_from_slice(name);
        u64::from_le_bytes(eight)
    };
    // Two shifts, as a shift by 64 is none.
    (eight << 8 << (8 * (CHUNK - at))) | (DOTS >> (8 * at))
}

/// The highest bit of each byte that is a dot.
#[inline]
fn dots(eight: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    // A byte that is zero is the only one of which no bit is left, and nothing is carried.
    let others = eight ^ DOTS;
    !(((others & LOW) + LOW) | others | LOW)
}

/// A canonical host that is an address. Most are not, which their last byte tells, and that none of
/// the first is a colon.
fn address(host: &str) -> Option<IpAddr> {
    let bytes = host.as_bytes();
    let may_be = bytes.last().is_some_and(u8::is_ascii_digit)
        || bytes.iter().take(5).any(|byte| *byte == b':');
    may_be.then(|| host.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_hash_of_each_domain_that_it_is_in() {
        let deep = "a.".repeat(40) + "example";
        for host in ["a-long-label-of-a-name.b.example", "", ".", "a..b", &deep] {
            let key = Key::random();
            let query = Query::new(host, key);
            let suffixes: Vec<Suffix> = query
                .at_hand()
                .iter()
                .copied()
                .chain(query.others())
                .collect();
            assert_eq!(suffixes.len(), host.split('.').count());
            for (suffix, labels) in suffixes.iter().zip(1_u32..) {
                let domain = &host[suffix.start as usize..];
                assert_eq!(domain.split('.').count(), labels as usize);
                assert_eq!(suffix.labels, labels);
                assert_eq!(key.hash(domain.as_bytes()), (suffix.hash, labels));
            }
            assert_eq!(query.whole().hash, key.hash(host.as_bytes()).0);
        }
    }

    #[test]
    fn names_that_look_alike_have_different_hashes() {
        let key = Key::random();
        let names = [
            "",
            ".",
            "..",
            "a",
            "a.",
            ".a",
            "a.b",
            "ab",
            "b.a",
            "1234567",
            "1234567.",
            "12345678",
            "1.2345678",
            "12345678.1",
            "\0",
            "\0\0",
            "a\0",
            "\0a",
        ];
        let hashes: std::collections::HashSet<u64> = names
            .iter()
            .map(|name| key.hash(name.as_bytes()).0)
            .collect();
        assert_eq!(hashes.len(), names.len());
    }

    #[test]
    fn another_key_makes_other_hashes_and_a_key_is_kept_whole() {
        let (one, other) = (Key::random(), Key::random());
        assert_ne!(one.hash(b"a.example"), other.hash(b"a.example"));
        assert_eq!(Key::from_bytes(one.bytes()), Some(one));
        assert_eq!(Key::from_bytes([0; 16]), None);
        assert_eq!(Key::from_bytes([0xff; 16]), None);
    }
}
