//! Collects the entries of a list, whatever its format, and says in the end whether it is one.
//! Called by the readers in `format`. It knows nothing of where a body came from.

use std::borrow::Cow;
use std::net::IpAddr;

use super::snapshot::{Builder, Full, Snapshot};
use crate::target::canonical_host;

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) snapshot: Snapshot,
    /// Entries that are not names of hosts, or single labels: `com` would cover everything below
    /// it.
    pub(crate) skipped: usize,
    /// Where the first of them stands: its line, or its place in a JSON array, from 1.
    pub(crate) first_skipped: Option<usize>,
}

/// Why a body is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    /// It has nothing but comments and blanks, or nothing at all.
    #[error("there is no name in it")]
    Empty,
    /// More entries are wrong than right: it is an error page, or in another format.
    #[error("{skipped} of its {entries} entries are not names of hosts, the first at {at}")]
    Garbage {
        /// How many are wrong.
        skipped: usize,
        /// How many there are.
        entries: usize,
        /// The line of the first wrong one, or its place in a JSON array, from 1.
        at: usize,
    },
    /// It is not what `format = "json"` promises.
    #[error("it is not a JSON array of strings")]
    Json(#[from] serde_json::Error),
    /// It is more than a snapshot can hold.
    #[error("its names take more than 4 GiB")]
    TooLarge,
}

/// What has been read so far.
#[derive(Default)]
pub(super) struct Entries {
    builder: Builder,
    accepted: usize,
    skipped: usize,
    first_skipped: Option<usize>,
}

impl Entries {
    /// Takes the name that stands at line or place `at`. A wrong name is skipped and counted.
    pub(super) fn add(&mut self, name: &str, at: usize) -> Result<(), Full> {
        match listed_host(name) {
            Some(host) => {
                self.builder.insert(&host)?;
                self.accepted += 1;
            }
            None => self.skip(at),
        }
        Ok(())
    }

    /// Counts an entry that is not a name.
    pub(super) fn skip(&mut self, at: usize) {
        self.skipped += 1;
        self.first_skipped.get_or_insert(at);
    }

    /// The list, unless more was skipped than taken.
    pub(super) fn finish(self) -> Result<Parsed, Rejected> {
        match self.first_skipped {
            Some(at) if self.skipped > self.accepted => Err(Rejected::Garbage {
                skipped: self.skipped,
                entries: self.skipped + self.accepted,
                at,
            }),
            _ if self.builder.len() == 0 => Err(Rejected::Empty),
            _ => Ok(Parsed {
                snapshot: self.builder.build(),
                skipped: self.skipped,
                first_skipped: self.first_skipped,
            }),
        }
    }
}

/// The canonical host that an entry means.
///
/// This is stricter than the parser of traffic, which would take `404` for an IPv4 address and
/// `{"a".b}` for a domain. In a list these are signs of another format.
fn listed_host(name: &str) -> Option<Cow<'_, str>> {
    let host = canonical_host(name).ok()?;
    if let Cow::Owned(changed) = &host
        && changed.parse::<IpAddr>().is_ok()
    {
        return name.parse::<IpAddr>().is_ok().then_some(host);
    }
    let is_name = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (host.contains('.') && host.bytes().all(is_name)).then_some(host)
}

impl From<Full> for Rejected {
    fn from(Full: Full) -> Self {
        Self::TooLarge
    }
}

/// Removes `*.` or `.` before a domain: it says what a domain in a list means anyway.
pub(super) fn without_wildcard(name: &str) -> &str {
    name.strip_prefix("*.")
        .or_else(|| name.strip_prefix('.'))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_host_is_not_listed() {
        for entry in [
            "404",
            "1.5",
            "0x7f.1",
            "com",
            "*",
            "*.a.example",
            "a*b.example",
            "||a.example^",
            "example.com:8080",
            "user@a.example",
            "{\"a\".b}",
            "&nbsp;a.example",
            "a..b",
            "..example",
            "1.2.3.4.5",
        ] {
            assert_eq!(listed_host(entry), None, "{entry}");
        }
    }
}
