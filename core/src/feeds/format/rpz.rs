//! Response policy zones: zone files (RFC 1035, section 5) whose names are the names that they speak
//! of, and whose data say what to do. `CNAME .` and `CNAME *.` list a name, as does an address that
//! is no host's; `CNAME rpz-passthru.` excepts it. A name covers itself, and `*.` before it the
//! names below it. Rules for addresses of clients, servers and answers speak of no name, and are
//! counted.

use std::net::IpAddr;

use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::rule::{Covers, Rule};
use crate::verdict::MatchKind;

/// Owners below these speak of addresses and servers.
const OTHER_TRIGGERS: [&str; 5] = [
    "rpz-ip",
    "rpz-client-ip",
    "rpz-nsip",
    "rpz-nsdname",
    "rpz-tcp-only",
];

/// What the lines before have said.
#[derive(Default)]
pub(super) struct Zone {
    origin: String,
    /// What a line without an owner is about.
    owner: String,
    /// A record that goes on.
    open: bool,
}

impl Zone {
    /// Reads a line, with the white space that it begins with.
    pub(super) fn read_line(
        &mut self,
        line: &str,
        number: usize,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let content = line.split(';').next().unwrap_or(line);
        let was_open = self.open;
        // Only the record of the zone itself is longer than a line.
        self.open = (was_open || content.contains('(')) && !content.contains(')');
        if was_open || content.trim().is_empty() {
            return Ok(());
        }
        let mut words = content.split_ascii_whitespace().peekable();
        match words.peek() {
            Some(&"$ORIGIN") => {
                self.origin = words.nth(1).unwrap_or_default().to_ascii_lowercase();
                return Ok(());
            }
            Some(&"$INCLUDE") => return Err(Rejected::Include(number)),
            Some(&"$GENERATE") => {
                entries.other(number, line);
                return Ok(());
            }
            Some(word) if word.starts_with('$') => return Ok(()),
            _ => {}
        }
        if !content.starts_with([' ', '\t']) {
            self.owner = words.next().unwrap_or_default().to_ascii_lowercase();
        }
        let kind = words.find(|word| !is_class_or_time(word));
        let data = words.next().unwrap_or_default();
        self.read_record(kind.unwrap_or_default(), data, number, line, entries)
    }

    fn read_record(
        &mut self,
        kind: &str,
        data: &str,
        number: usize,
        line: &str,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let decides = match (kind.to_ascii_uppercase().as_str(), data) {
            ("SOA", _) => {
                if self.origin.is_empty() && self.owner.ends_with('.') {
                    self.origin.clone_from(&self.owner);
                }
                return Ok(());
            }
            ("NS", _) => return Ok(()),
            ("CNAME", "." | "*." | "rpz-drop.") => Some(MatchKind::Listed),
            ("CNAME", "rpz-passthru.") => Some(MatchKind::Excepted),
            ("A" | "AAAA", address) if is_nowhere(address) => Some(MatchKind::Listed),
            ("CNAME" | "A" | "AAAA" | "TXT" | "MX" | "SRV" | "HTTPS" | "SVCB", _) => None,
            _ => {
                entries.wrong(number, line.trim());
                return Ok(());
            }
        };
        let (Some(kind), Some(name)) = (decides, self.name()) else {
            entries.other(number, line.trim());
            return Ok(());
        };
        let (name, covers) = match name.strip_prefix("*.") {
            Some(name) => (name, Covers::Below),
            None => (name, Covers::Itself),
        };
        let rule = Rule {
            kind,
            ..Rule::listed(covers)
        };
        Ok(entries.add_rule(name, rule, number, line.trim())?)
    }

    /// What the owner of the record is about, relative to the zone; none if that is no host.
    fn name(&self) -> Option<&str> {
        let name = match self.owner.strip_suffix('.') {
            None => &*self.owner,
            Some(_) if self.origin.is_empty() => return None,
            Some(_) => self.owner.strip_suffix(&*self.origin)?.strip_suffix('.')?,
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        (name != "@" && !OTHER_TRIGGERS.contains(&last)).then_some(name)
    }
}

/// Whether a line is one of those that only this format has.
pub(super) fn is_line(line: &str) -> bool {
    let is_directive = line.starts_with("$TTL") || line.starts_with("$ORIGIN");
    is_directive
        || line
            .split_ascii_whitespace()
            .any(|word| word == "CNAME" || word == "SOA")
}

fn is_class_or_time(word: &str) -> bool {
    matches!(word, "IN" | "in")
        || word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
}

fn is_nowhere(address: &str) -> bool {
    address
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}
