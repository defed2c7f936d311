//! Response policy zones: zone files (RFC 1035, section 5) whose names, without that of the zone,
//! are the names that they speak of, and whose data say what to do. `CNAME .` and `CNAME *.` list a
//! name, as does an address that belongs to no host; `CNAME rpz-passthru.` excepts it. A name
//! covers itself, and `*.` before it the names below it. Rules for addresses of clients, servers
//! and answers do not speak of names, and are counted.

use std::borrow::Cow;

use super::is_nowhere;
use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::rule::{Covers, Rule};
use crate::verdict::MatchKind;

/// Owners below these speak of addresses and servers.
const OTHER_TRIGGERS: [&str; 4] = ["rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"];

/// What the lines before have said.
#[derive(Default)]
pub(super) struct Zone {
    /// What names without a dot at their end are below; none before it is said, when they are names
    /// in the zone.
    origin: Option<String>,
    /// The name of the zone, as far as it is known.
    apex: Option<String>,
    /// What a line without an owner is about.
    owner: String,
    /// A record goes on after its line.
    is_open: bool,
}

impl Zone {
    /// Reads a line, with the white space that it begins with.
    pub(super) fn read_line(
        &mut self,
        line: &str,
        number: usize,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let was_open = self.is_open;
        let content = self.content(line);
        if was_open || content.trim().is_empty() {
            return Ok(());
        }
        let mut words = content.split_ascii_whitespace().peekable();
        match words.peek() {
            Some(&"$ORIGIN") => {
                let origin = words.nth(1).unwrap_or_default().to_ascii_lowercase();
                let origin = self.absolute(&origin).map(Cow::into_owned);
                self.apex = self.apex.take().or_else(|| origin.clone());
                self.origin = origin;
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
        // An entry by itself says whom it is about.
        let text = match content.trim_ascii() {
            data if content.starts_with([' ', '\t']) => format!("{} {data}", self.owner).into(),
            whole => Cow::Borrowed(whole),
        };
        let kind = words.find(|word| !is_class_or_time(word));
        let data = words.next().unwrap_or_default();
        self.read_record(kind.unwrap_or_default(), data, number, &text, entries)
    }

    /// The line without its comment. Parentheses let a record go on; in quotes neither means
    /// anything.
    fn content<'l>(&mut self, line: &'l str) -> &'l str {
        let mut is_quoted = false;
        for (at, c) in line.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                ';' if !is_quoted => return &line[..at],
                '(' if !is_quoted => self.is_open = true,
                ')' if !is_quoted => self.is_open = false,
                _ => {}
            }
        }
        line
    }

    fn read_record(
        &mut self,
        kind: &str,
        data: &str,
        number: usize,
        text: &str,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let decides = match (kind.to_ascii_uppercase().as_str(), data) {
            ("SOA", _) => {
                self.apex = self.absolute(&self.owner).map(Cow::into_owned);
                return Ok(());
            }
            ("NS", _) => return Ok(()),
            ("CNAME", "." | "*." | "rpz-drop.") => Some(MatchKind::Listed),
            ("CNAME", "rpz-passthru.") => Some(MatchKind::Excepted),
            ("A" | "AAAA", address) if is_nowhere(address) => Some(MatchKind::Listed),
            ("CNAME" | "A" | "AAAA" | "TXT" | "MX" | "SRV" | "HTTPS" | "SVCB", _) => None,
            _ => {
                entries.wrong(number, text);
                return Ok(());
            }
        };
        let (Some(kind), Some(name)) = (decides, self.name()) else {
            entries.other(number, text);
            return Ok(());
        };
        let (name, covers) = match name.strip_prefix("*.") {
            Some(name) => (name, Covers::Below),
            None => (&*name, Covers::Itself),
        };
        let rule = Rule {
            kind,
            ..Rule::listed(covers)
        };
        Ok(entries.add_rule(name, rule, number, text)?)
    }

    /// A name with all of its labels; none if it is not known what it is below.
    fn absolute<'n>(&self, name: &'n str) -> Option<Cow<'n, str>> {
        if let Some(name) = name.strip_suffix('.') {
            return Some(name.into());
        }
        match (self.origin.as_deref()?, name) {
            (origin, "@") => Some(origin.to_owned().into()),
            ("", name) => Some(name.into()),
            (origin, name) => Some(format!("{name}.{origin}").into()),
        }
    }

    /// What the owner of the record is about; none if that is not a host.
    fn name(&self) -> Option<Cow<'_, str>> {
        let name: Cow<'_, str> = match (self.absolute(&self.owner), &self.apex) {
            (Some(name), Some(apex)) => {
                let within = name.strip_suffix(&**apex)?.strip_suffix('.')?;
                within.to_owned().into()
            }
            (Some(_), None) => return None,
            (None, _) => (&*self.owner).into(),
        };
        let last = name.rsplit('.').next().unwrap_or(&name);
        (name != "@" && !OTHER_TRIGGERS.contains(&last)).then_some(name)
    }
}

/// Whether a line is one of those that only this format has.
pub(super) fn is_line(line: &str) -> bool {
    let is_directive = line.starts_with("$TTL") || line.starts_with("$ORIGIN");
    let mut words = line
        .split_ascii_whitespace()
        .take_while(|word| !word.starts_with(['#', ';']));
    is_directive || words.any(|word| word == "CNAME" || word == "SOA")
}

fn is_class_or_time(word: &str) -> bool {
    matches!(word, "IN" | "in")
        || word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
}
