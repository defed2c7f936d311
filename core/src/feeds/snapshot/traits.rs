//! What is known of all names of a list together, which spares most lookups. `builder` notes it,
//! `file` keeps it, and a snapshot asks it. It knows no names.

use ipnet::IpNet;

/// What is known of all names of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// The most specific rule counts, whatever its rank.
    pub(super) is_tree: bool,
    pub(super) labels: Labels,
    /// A bit for each length of a prefix that a network of IPv4 or of IPv6 has, from 1. All of a
    /// kind, whose prefix has no length, shares the first.
    pub(super) prefixes: [u128; 2],
}

/// Which numbers of labels names have: a bit for each, from 1. The last is for all higher ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(pub(super) u64);

impl Labels {
    pub(super) fn of(labels: u32) -> Self {
        Self(1 << (labels.clamp(1, u64::BITS) - 1))
    }

    /// These and the others.
    pub(super) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether a name may have so many.
    pub(super) fn has(self, labels: u32) -> bool {
        self.0 & Self::of(labels).0 != 0
    }

    /// The most that a name may have.
    pub(super) fn most(self) -> u32 {
        match u64::BITS - self.0.leading_zeros() {
            u64::BITS => u32::MAX,
            most => most,
        }
    }
}

impl Traits {
    /// Notes a host, or a network in its shortest form.
    pub(super) fn note(&mut self, name: &str, labels: u32) {
        self.labels = self.labels.with(Labels::of(labels));
        if name.contains('/')
            && let Ok(network) = name.parse::<IpNet>()
        {
            let kind = usize::from(network.addr().is_ipv6());
            self.prefixes[kind] |= prefix_bit(network.prefix_len());
        }
    }

    /// The lengths of the prefixes of networks, the shortest first.
    pub(super) fn prefixes(&self, is_ipv6: bool) -> impl Iterator<Item = u8> {
        let all = self.prefixes[usize::from(is_ipv6)];
        (0..=128).filter(move |length| all & prefix_bit(*length) != 0)
    }
}

fn prefix_bit(length: u8) -> u128 {
    1 << (length.clamp(1, 128) - 1)
}
