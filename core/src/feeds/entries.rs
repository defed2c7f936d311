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
    ///
    /// The format does not say whether the names below are meant, and they are, unless it is a
    /// public suffix: `co.uk` on such a list is one site, by mistake or not, and no country.
    pub(super) fn add(&mut self, name: &str, at: usize) -> Result<(), Full> {
        match listed_host(name) {
            Some(host) => {
                if is_public_suffix(&host) {
                    self.builder.insert_alone(&host);
                } else {
                    self.builder.insert(&host)?;
                }
                self.accepted += 1;
            }
            None => self.skip(at),
        }
        Ok(())
    }

    /// Takes a domain in a format that says with `*.` or `.` whether the names below are meant.
    /// With it they are, whatever the domain is.
    pub(super) fn add_domain(&mut self, domain: &str, at: usize) -> Result<(), Full> {
        let below = domain
            .strip_prefix("*.")
            .or_else(|| domain.strip_prefix('.'));
        let Some(host) = below.and_then(listed_host) else {
            return self.add(domain, at);
        };
        self.accepted += 1;
        self.builder.insert(&host)
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

/// Whether names below it are for anybody to register. The list has those of registries (`co.uk`)
/// and those of companies (`github.io`).
fn is_public_suffix(host: &str) -> bool {
    let suffix = psl::suffix(host.as_bytes());
    suffix.is_some_and(|suffix| suffix.is_known() && suffix == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_of_registries_and_of_companies_are_public() {
        for host in [
            "co.uk",
            "com.br",
            "github.io",
            "s3.us-east-2.amazonaws.com",
            "ec2-192-0-2-1.compute-1.amazonaws.com",
            "xn--55qx5d.cn",
        ] {
            assert!(is_public_suffix(host), "{host}");
        }
        for host in ["bbc.co.uk", "a.internal", "example.com", "192.0.2.7"] {
            assert!(!is_public_suffix(host), "{host}");
        }
    }

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
