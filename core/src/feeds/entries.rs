//! Collects the entries of a list, whatever its format, and says in the end whether it is one.
//! Called by the readers in `format`. It knows nothing of where a body came from.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::IpAddr;

use super::snapshot::{Builder, Draft, Full, Key};
use crate::config::PublicSuffixes;
use crate::error::Escaped;
use crate::target::canonical_host;
use crate::verdict::rule::name::{listed_host, listed_label, listed_network};
use crate::verdict::rule::written::wildcard;
use crate::verdict::rule::{Covers, Rule};

/// A line, a value or a name of so many bytes is wrong, whatever it says.
pub(super) const TOO_LONG: usize = 8 << 10;

/// How many bytes of a list there are for each name, as an estimate: memory for so many names is
/// there from the start.
const BYTES_PER_NAME: usize = 20;

/// The entries of a list may take this many times its size. They can take more than the list does,
/// because what stands beside the names of a line is kept with each of them.
const MOST_GROWTH: usize = 8;

/// What the entries of a short list may take, in bytes.
const LEAST_ROOM: usize = 1 << 20;

/// How many entries of a kind are shown to people.
const EXAMPLES: usize = 3;

/// Characters that are shown of an entry.
const EXAMPLE_LENGTH: usize = 60;

/// As much of an entry as is needed to show it, and to see that it goes on.
pub(super) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(4 * (EXAMPLE_LENGTH + 1))]
}

/// What the operator says about all entries of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Whether a name covers those below it, whatever the format says.
    pub(crate) subdomains: Option<bool>,
    pub(crate) public_suffixes: PublicSuffixes,
}

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) draft: Draft,
    pub(crate) left_out: LeftOut,
}

/// What a list has besides hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Entries that are not names of hosts, or single labels such as `com`.
    pub(crate) wrong: Tally,
    /// Rules that mean something, but not about whole hosts.
    pub(crate) other: Tally,
    /// Rules for everything below a suffix of a registry, such as `com` or `co.uk`.
    pub(crate) held: Tally,
}

/// How many there are, and the first of them. As text: `2, the first at line 7: x y`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: usize,
    /// Where they stand (their line, or their place in a list without lines, from 1) and what they
    /// say.
    pub(crate) first: Vec<(usize, String)>,
}

impl Tally {
    fn add(&mut self, at: usize, text: &str) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            let mut shown: String = text.chars().take(EXAMPLE_LENGTH).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            self.first.push((at, shown));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        let mut separator = if self.count > self.first.len() {
            ", the first at "
        } else {
            ", at "
        };
        for (at, text) in &self.first {
            write!(f, "{separator}{at}: {}", Escaped(text))?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Why a body is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    /// It has nothing but comments and blanks, or nothing at all.
    #[error("there is no name in it")]
    Empty,
    /// All that it has are rules for everything below a suffix.
    #[error(
        "its rules are all about everything below a suffix such as `com`; they count with \
         `public_suffixes = \"apply\"`"
    )]
    AllHeld,
    /// It has rules, but none about whole hosts.
    #[error("none of its {0} rules is about whole hosts")]
    NoHosts(usize),
    /// More entries are wrong than right: it is an error page, or in another format.
    #[error("{wrong} of its {entries} entries are not names of hosts, the first at {at}: {}", Escaped(.text))]
    Garbage {
        wrong: usize,
        entries: usize,
        /// Where the first wrong one stands.
        at: usize,
        /// What it says.
        text: String,
    },
    /// It is not JSON, or not of the shape that its feed's settings say.
    #[error("it is not JSON in which `field` leads to names of hosts, or an array of them")]
    Json(#[from] serde_json::Error),
    /// It is not CSV with the column that the feed's settings name.
    #[error("it is not CSV with the column {0}")]
    Csv(String),
    /// A zone file that would read another file.
    #[error("line {0} includes another file, which is not read")]
    Include(usize),
    /// It looks like several formats, or like none.
    #[error("its format cannot be told from its first lines; name it with `format`")]
    Unrecognized,
    #[error("it cannot be read back from where it is kept")]
    Read(#[from] io::Error),
    /// It is more than a snapshot can hold, or its lines repeat too much beside each of many names.
    #[error(
        "its entries, each with what stands beside its name, would take more than eight times its \
         size, or more than 4 GiB"
    )]
    TooLarge,
}

/// What has been read so far.
pub(super) struct Entries {
    builder: Builder,
    reading: Reading,
    accepted: usize,
    left_out: LeftOut,
    /// The bytes that more entries may take.
    room: usize,
}

impl Entries {
    /// In a tree of names the most specific rule counts, and elsewhere the one of the highest rank.
    /// The list has this size in bytes.
    pub(super) fn new(reading: Reading, is_tree: bool, key: Key, size: usize) -> Self {
        Self {
            reading,
            builder: Builder::with_room(key, is_tree, size / BYTES_PER_NAME),
            accepted: 0,
            left_out: LeftOut::default(),
            room: size.saturating_mul(MOST_GROWTH).max(LEAST_ROOM),
        }
    }

    /// Takes a domain, an address or a network in a format that does not say whether the names
    /// below a domain are meant.
    ///
    /// They are, unless it is a public suffix: `co.uk` on such a list is one site, by mistake or
    /// not, and no country. `text` is the entry as it is written.
    pub(super) fn add(&mut self, name: &str, at: usize, text: &str) -> Result<(), Full> {
        let covers = |subject: &Subject<'_>| match subject.suffix {
            Some(_) => Covers::Itself,
            None => Covers::Both,
        };
        match Subject::read(name) {
            Some(subject) => self.take(&subject, Rule::listed(covers(&subject)), at, text),
            None => {
                self.wrong(at, text);
                Ok(())
            }
        }
    }

    /// Takes an entry that says with `*.` or `.` before a domain that the names below are meant,
    /// too.
    pub(super) fn add_wildcard(&mut self, name: &str, at: usize, text: &str) -> Result<(), Full> {
        match wildcard(name) {
            Some(domain) => self.add_rule(domain, Rule::listed(Covers::Both), at, text),
            None => self.add(name, at, text),
        }
    }

    /// Takes a rule in a format that says what it covers. `text` is the entry as it is written.
    pub(super) fn add_rule(
        &mut self,
        name: &str,
        rule: Rule,
        at: usize,
        text: &str,
    ) -> Result<(), Full> {
        match Subject::read(name) {
            Some(subject) => self.take(&subject, rule, at, text),
            None => {
                self.wrong(at, text);
                Ok(())
            }
        }
    }

    fn take(
        &mut self,
        subject: &Subject<'_>,
        rule: Rule,
        at: usize,
        text: &str,
    ) -> Result<(), Full> {
        let rule = subject.as_read(rule, &self.reading);
        if rule.covers == Covers::Itself && subject.is_label {
            self.wrong(at, text);
            return Ok(());
        }
        let is_wide = subject.suffix == Some(psl::Type::Icann) && rule.covers != Covers::Itself;
        if is_wide && self.reading.public_suffixes == PublicSuffixes::Hold {
            self.left_out.held.add(at, text);
            return Ok(());
        }
        let line = u32::try_from(at).unwrap_or(u32::MAX);
        let room = self.room.checked_sub(subject.name.len() + text.len());
        self.room = room.ok_or(Full)?;
        self.accepted += 1;
        self.builder.add(&subject.name, rule.into(), line, text)
    }

    /// Takes back a rule, wherever it stands.
    pub(super) fn take_back(&mut self, name: &str, rule: Rule, at: usize, text: &str) {
        match Subject::read(name) {
            Some(subject) => {
                let rule = subject.as_read(rule, &self.reading);
                self.builder.take_back(&subject.name, rule.into());
            }
            None => self.other(at, text),
        }
    }

    /// Counts an entry that is not a name.
    pub(super) fn wrong(&mut self, at: usize, text: &str) {
        self.left_out.wrong.add(at, text);
    }

    /// Counts a rule that is not about whole hosts.
    pub(super) fn other(&mut self, at: usize, text: &str) {
        self.left_out.other.add(at, text);
    }

    /// The list, unless more was wrong than right.
    pub(super) fn finish(self) -> Result<Listed, Rejected> {
        let LeftOut { wrong, other, held } = &self.left_out;
        let right = self.accepted + held.count;
        match wrong.first.first() {
            Some((at, text)) if wrong.count > right => {
                return Err(Rejected::Garbage {
                    wrong: wrong.count,
                    entries: wrong.count + right,
                    at: *at,
                    text: text.clone(),
                });
            }
            _ if !self.builder.is_empty() => {}
            _ if !held.is_empty() => return Err(Rejected::AllHeld),
            _ if other.is_empty() => return Err(Rejected::Empty),
            _ => return Err(Rejected::NoHosts(other.count)),
        }
        let draft = self.builder.finish();
        if draft.len() == 0 {
            return Err(Rejected::Empty);
        }
        Ok(Listed {
            draft,
            left_out: self.left_out,
        })
    }
}

/// What a rule is about.
#[derive(Debug, PartialEq, Eq)]
struct Subject<'n> {
    /// A canonical host, or a network in its shortest form.
    name: Cow<'n, str>,
    /// A top-level domain.
    is_label: bool,
    /// Others may register names below it; who says so.
    suffix: Option<psl::Type>,
    /// It is an address, or a network, which has no names below it.
    address: Option<Covers>,
}

impl<'n> Subject<'n> {
    fn read(text: &'n str) -> Option<Self> {
        // Strings in JSON have no other bound.
        if text.len() >= TOO_LONG {
            return None;
        }
        // Most names of most lists are canonical as they are written. Then they are no addresses.
        match canonical_host(text) {
            Ok(Cow::Borrowed(name)) if name.contains('.') => Some(Self {
                suffix: public_suffix(name),
                name: name.into(),
                is_label: false,
                address: None,
            }),
            _ => Self::read_closely(text),
        }
    }

    fn read_closely(text: &'n str) -> Option<Self> {
        let subject = |name: Cow<'n, str>, is_label| Self {
            suffix: if is_label {
                Some(psl::Type::Icann)
            } else {
                public_suffix(&name)
            },
            address: name.parse::<IpAddr>().is_ok().then_some(Covers::Itself),
            is_label,
            name,
        };
        if let Some(host) = listed_host(text) {
            return Some(subject(host, false));
        }
        if let Some(label) = listed_label(text) {
            return Some(subject(label, true));
        }
        Some(Self {
            name: listed_network(text)?.into(),
            is_label: false,
            suffix: None,
            address: Some(Covers::Below),
        })
    }

    /// The rule as the operator wants it read.
    fn as_read(&self, rule: Rule, reading: &Reading) -> Rule {
        let is_held = self.suffix == Some(psl::Type::Icann)
            && reading.public_suffixes == PublicSuffixes::Hold;
        let covers = match (self.address, reading.subdomains, rule.covers) {
            (Some(covers), ..) => covers,
            (None, Some(true), Covers::Itself) if is_held => Covers::Itself,
            (None, Some(true), Covers::Itself | Covers::Both) => Covers::Both,
            (None, Some(false), Covers::Both) => Covers::Itself,
            (None, _, covers) => covers,
        };
        Rule { covers, ..rule }
    }
}

impl From<Full> for Rejected {
    fn from(Full: Full) -> Self {
        Self::TooLarge
    }
}

/// Whether others may register names below it, and who says so: registries (`co.uk`) or
/// companies (`github.io`).
fn public_suffix(host: &str) -> Option<psl::Type> {
    let suffix = psl::suffix(host.as_bytes())?;
    suffix.typ().filter(|_| suffix == host)
}
