//! What an entry of a list means, whatever its format. `format` reads entries, `snapshot` keeps
//! them and decides which one counts.

pub(crate) mod name;
pub(crate) mod written;

use crate::verdict::MatchKind;

/// Which hosts an entry speaks of, beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// The name and nothing below it.
    Itself,
    /// The names below it.
    Below,
    /// The name and the names below it.
    Both,
}

/// What an entry says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) kind: MatchKind,
    pub(crate) covers: Covers,
    /// It precedes all that are not.
    pub(crate) is_important: bool,
}

/// Rules of one name, as a set of bits: two for each rank, for the name itself and for the names
/// below it. The rank of a rule says which of several counts: an important exception, an important
/// entry, an exception, an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Rules(u8);

const ITSELF: u8 = 0b0101_0101;
const BELOW: u8 = 0b1010_1010;

impl Rule {
    /// An entry that covers so much.
    pub(crate) const fn listed(covers: Covers) -> Self {
        Self {
            kind: MatchKind::Listed,
            covers,
            is_important: false,
        }
    }

    /// An exception that covers so much.
    pub(crate) const fn excepted(covers: Covers) -> Self {
        Self {
            kind: MatchKind::Excepted,
            covers,
            is_important: false,
        }
    }

    fn rank(self) -> u8 {
        2 * u8::from(self.is_important) + u8::from(self.kind == MatchKind::Excepted)
    }
}

impl From<Rule> for Rules {
    fn from(rule: Rule) -> Self {
        let covers = match rule.covers {
            Covers::Itself => 0b01,
            Covers::Below => 0b10,
            Covers::Both => 0b11,
        };
        Self(covers << (2 * rule.rank()))
    }
}

impl Rules {
    /// As they stand in a file.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// The rules that a file has. Any bits are some.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// These and the others.
    pub(crate) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The rules that are also in the others.
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether one of them has this rank.
    pub(crate) fn has_rank(self, rank: u8) -> bool {
        self.0 >> (2 * rank) & 0b11 != 0
    }

    /// The rules that speak of the name itself.
    pub(crate) fn about_itself(self) -> Self {
        Self(self.0 & ITSELF)
    }

    /// The rules that speak of the names below it.
    pub(crate) fn about_below(self) -> Self {
        Self(self.0 & BELOW)
    }

    /// The rank of the one that counts, and whether it is an exception; none if there is none.
    pub(crate) fn first(self) -> Option<(u8, MatchKind)> {
        let rank = u8::try_from(self.0.checked_ilog2()? / 2).ok()?;
        let kind = match rank % 2 {
            0 => MatchKind::Listed,
            _ => MatchKind::Excepted,
        };
        Some((rank, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn important_rules_precede_the_others_and_exceptions_precede_entries() {
        let rule = |kind, is_important| Rule {
            kind,
            covers: Covers::Both,
            is_important,
        };
        let ranked = [
            rule(MatchKind::Listed, false),
            rule(MatchKind::Excepted, false),
            rule(MatchKind::Listed, true),
            rule(MatchKind::Excepted, true),
        ];
        let mut rules = Rules::default();
        assert_eq!(rules.first(), None);
        for (rank, rule) in (0..).zip(ranked) {
            rules = rules.with(rule.into());
            assert_eq!(rules.first(), Some((rank, rule.kind)));
        }
    }

    #[test]
    fn a_rule_speaks_of_a_name_or_of_those_below_it_or_of_both() {
        for (covers, itself, below) in [
            (Covers::Itself, true, false),
            (Covers::Below, false, true),
            (Covers::Both, true, true),
        ] {
            let rules = Rules::from(Rule::excepted(covers));
            assert_eq!(rules.about_itself().first().is_some(), itself, "{covers:?}");
            assert_eq!(rules.about_below().first().is_some(), below, "{covers:?}");
        }
    }
}
