//! What an access log says of each host: the report of `exec`, and the allowlist that `propose`
//! makes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::access_log::{self, Entry};
use crate::error::{Escaped, PluginError};
use crate::verdict::VerdictKind;

/// Different hosts. More would fill the memory.
const MOST: usize = 100_000;

/// The status of what the settings refuse.
const FORBIDDEN: u16 = 403;

/// How requests for one host have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostTraffic {
    /// Canonical.
    pub host: String,
    /// Requests for which the host was connected to.
    pub reached: u64,
    /// Requests that filters or settings have refused.
    pub refused: u64,
    /// Requests that may pass and have come to nothing.
    pub failed: u64,
    /// Why the last of those that were refused was.
    pub refusal: Option<String>,
    /// Why the last of those that failed has.
    pub failure: Option<String>,
}

/// The hosts of an access log, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Traffic {
    /// By name.
    pub hosts: Vec<HostTraffic>,
    /// Whether there were more hosts, which were left out.
    pub has_more: bool,
}

/// The settings of the built-in filter `allowlist` that would have let the requests of an access
/// log pass, and no other hosts. Its text is a file `allowlist.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proposal {
    /// By name; one that stands for names below it stands for them, too.
    pub hosts: Vec<String>,
}

/// Reads which hosts the requests in an access log were for, `-` for standard input, and makes an
/// allowlist of those that have passed.
///
/// # Errors
///
/// If the file cannot be read or has no access lines.
pub fn propose(log: &Path) -> Result<Proposal, PluginError> {
    let mut tally = Tally::default();
    access_log::read(log, |entry| tally.count(entry))?;
    Ok(tally.end().proposal())
}

/// Counts the lines of a log.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hosts: BTreeMap<String, HostTraffic>,
    has_more: bool,
}

impl Tally {
    pub(super) fn count(&mut self, entry: &Entry<'_>) {
        // A name in a tunnel that was let pass has to be allowed, too.
        let also = entry.shown_name.as_deref();
        for host in [Some(&*entry.host), also].into_iter().flatten() {
            if self.hosts.len() >= MOST && !self.hosts.contains_key(host) {
                self.has_more = true;
                continue;
            }
            let traffic = self.hosts.entry(host.to_owned()).or_default();
            traffic.count(entry);
        }
    }

    pub(super) fn end(self) -> Traffic {
        let hosts = self.hosts.into_iter();
        let named = hosts.map(|(host, traffic)| HostTraffic { host, ..traffic });
        Traffic {
            hosts: named.collect(),
            has_more: self.has_more,
        }
    }
}

impl HostTraffic {
    fn count(&mut self, entry: &Entry<'_>) {
        let passes = matches!(entry.verdict, Some(VerdictKind::Next | VerdictKind::Allow));
        let (count, reason) = if !passes || !entry.is_reached && entry.status == Some(FORBIDDEN) {
            (&mut self.refused, &mut self.refusal)
        } else if entry.is_reached {
            self.reached += 1;
            return;
        } else {
            (&mut self.failed, &mut self.failure)
        };
        *count += 1;
        let said = entry.reason.as_deref().or(entry.error.as_deref());
        *reason = said.map(str::to_owned);
    }
}

impl Traffic {
    /// The allowlist of what has passed, whether or not it could be reached.
    pub fn proposal(&self) -> Proposal {
        let passed = self
            .hosts
            .iter()
            .filter(|host| host.reached + host.failed > 0);
        let passed: Vec<&str> = passed.map(|host| &*host.host).collect();
        let is_covered = |host: &str| {
            passed.iter().any(|other| {
                let before = host.strip_suffix(other);
                before.is_some_and(|before| before.ends_with('.'))
                    && host.parse::<std::net::IpAddr>().is_err()
            })
        };
        let hosts = passed.iter().filter(|host| !is_covered(host));
        Proposal {
            hosts: hosts.map(|host| (*host).to_owned()).collect(),
        }
    }
}

/// One line a host, with those first that were refused.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.hosts.iter().map(|host| host.host.len()).max();
        let width = width.unwrap_or_default().min(40);
        let mut line = |what: &str, host: &HostTraffic, count: u64, reason: Option<&str>| {
            let times = if count == 1 { "request" } else { "requests" };
            write!(f, "  {what:<8} {:<width$}  {count} {times}", host.host)?;
            match reason {
                Some(reason) => writeln!(f, ": {}", Escaped(reason)),
                None => writeln!(f),
            }
        };
        for host in self.hosts.iter().filter(|host| host.refused > 0) {
            line("refused", host, host.refused, host.refusal.as_deref())?;
        }
        for host in self.hosts.iter().filter(|host| host.failed > 0) {
            line("failed", host, host.failed, host.failure.as_deref())?;
        }
        for host in self.hosts.iter().filter(|host| host.reached > 0) {
            line("reached", host, host.reached, None)?;
        }
        if self.has_more {
            writeln!(
                f,
                "  There were more than {MOST} hosts; the others are left out."
            )?;
        }
        Ok(())
    }
}

/// A file that the built-in filter reads.
impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Each host stands for the names below it, too.\n[config]"
        )?;
        if self.hosts.is_empty() {
            return writeln!(
                f,
                "# No request has passed. An allowlist without hosts is refused.\nhosts = []"
            );
        }
        writeln!(f, "hosts = [")?;
        for host in &self.hosts {
            // A canonical host needs no escapes.
            writeln!(f, "    \"{host}\",")?;
        }
        writeln!(f, "]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(lines: &[&str]) -> Traffic {
        let mut tally = Tally::default();
        let text: String = lines
            .iter()
            .map(|line| {
                format!("time=2026-11-23T13:42:32Z kind=access id=4 {line} outcome=complete\n")
            })
            .collect();
        access_log::read_lines(text.as_bytes(), |entry| tally.count(entry)).unwrap();
        tally.end()
    }

    #[test]
    fn hosts_are_told_apart_by_what_has_become_of_their_requests() {
        let traffic = traffic(&[
            "host=a.example protocol=http peer=192.0.2.1:80 status=200 verdict=next",
            "host=a.example protocol=http peer=192.0.2.1:80 status=502 verdict=next",
            "host=b.example protocol=connect status=403 verdict=block filter=blocklist reason=listed",
            "host=c.example protocol=http status=502 verdict=next",
            "host=d.example protocol=http status=403 verdict=next",
        ]);
        let counts =
            |host: &HostTraffic| (host.host.clone(), host.reached, host.refused, host.failed);
        assert_eq!(
            traffic.hosts.iter().map(counts).collect::<Vec<_>>(),
            [
                ("a.example".to_owned(), 2, 0, 0),
                ("b.example".to_owned(), 0, 1, 0),
                ("c.example".to_owned(), 0, 0, 1),
                ("d.example".to_owned(), 0, 1, 0),
            ]
        );
        assert_eq!(
            traffic.to_string(),
            "  refused  b.example  1 request: listed\n  refused  d.example  1 request\n  \
             failed   c.example  1 request\n  reached  a.example  2 requests\n"
        );
    }

    #[test]
    fn a_proposal_has_what_has_passed_and_no_name_below_another() {
        let proposal = traffic(&[
            "host=a.example protocol=http peer=192.0.2.1:80 status=200 verdict=next",
            "host=www.a.example protocol=http peer=192.0.2.1:80 status=200 verdict=next",
            "host=ba.example protocol=http status=502 verdict=allow",
            "host=192.0.2.7 protocol=http peer=192.0.2.7:80 status=200 verdict=next",
            "host=front.example protocol=connect peer=192.0.2.1:443 sni=inner.example sni_verdict=next status=200 \
             verdict=next",
            "host=evil.example protocol=http status=403 verdict=block",
        ])
        .proposal();
        let hosts = [
            "192.0.2.7",
            "a.example",
            "ba.example",
            "front.example",
            "inner.example",
        ];
        assert_eq!(proposal.hosts, hosts);
        let read: toml::Table = proposal.to_string().parse().unwrap();
        assert_eq!(
            read["config"]["hosts"],
            hosts.map(toml::Value::from).to_vec().into()
        );
    }
}
