//! Response policy zones: zone files (RFC 1035, section 5) whose names, without that of the zone,
//! are the names that they speak of, and whose data say what to do. `CNAME .` and `CNAME *.` list a
//! name, as does an address that belongs to no host; `CNAME rpz-passthru.` excepts it. A name
//! covers itself, and `*.` before it the names below it. Rules for addresses of clients, servers
//! and answers do not speak of names, and are counted.

use std::borrow::Cow;
use std::io::Read;

use super::lines::{Line, Lines};
use super::{LONGEST_REPEATED, is_nowhere};
use crate::feeds::entries::{Entries, Rejected};
use crate::verdict::MatchKind;
use crate::verdict::rule::{Covers, Rule};

/// Owners below these speak of addresses and servers.
const OTHER_TRIGGERS: [&str; 4] = ["rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"];

/// Bytes that are kept of a record which goes on over several lines. What it does stands in them.
const LONGEST_RECORD: usize = 4 << 10;

/// What a zone is called whose name nothing says. No zone has this name.
const UNNAMED: &str = "@";

/// Reads the whole body.
pub(super) fn read(body: impl Read, entries: &mut Entries) -> Result<(), Rejected> {
    let mut zone = Zone::default();
    let mut lines = Lines::new(body);
    while let Some(some) = lines.next()? {
        for Line {
            text,
            number,
            is_too_long,
        } in some
        {
            let line = text.trim_end();
            if is_too_long {
                zone.skip_line(line, number, entries);
            } else {
                zone.read_line(line, number, entries)?;
            }
        }
    }
    zone.finish(entries);
    Ok(())
}

/// What the lines before have said.
#[derive(Default)]
struct Zone {
    origin: Origin,
    /// The name of the zone, if it is known.
    apex: Option<String>,
    /// What a line without an owner is about, as it is written.
    owner: String,
    /// The same with all of its labels; none if a line before was too long to tell.
    subject: Option<String>,
    /// A record in parentheses goes on after its line.
    is_open: bool,
    /// What is known of such a record, without its parentheses.
    record: String,
    /// The line that it began in.
    began: usize,
}

/// What names without a dot at their end are below.
#[derive(Default)]
enum Origin {
    #[default]
    Zone,
    Name(String),
    /// It was too long to be read.
    Unknown,
}

impl Zone {
    /// Counts a line that is too long. The record that it is in is lost, and what it says of the
    /// lines behind it.
    fn skip_line(&mut self, beginning: &str, number: usize, entries: &mut Entries) {
        let text = beginning.trim_ascii_start();
        // A comment of any length is one.
        if text.starts_with(';') {
            return;
        }
        let was_open = std::mem::take(&mut self.is_open);
        if text.starts_with('$') && !was_open {
            // It may be that of the origin.
            self.origin = Origin::Unknown;
        } else {
            self.owner.clear();
            self.subject = None;
        }
        entries.wrong(number, beginning);
    }

    /// Reads a line, with the white space that it begins with.
    fn read_line(
        &mut self,
        line: &str,
        number: usize,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let was_open = self.is_open;
        let Parts {
            content,
            parentheses,
        } = self.parts(line);
        if !was_open && parentheses.is_empty() {
            return self.read_whole(content, number, entries);
        }
        if !was_open {
            self.record.clear();
            self.began = number;
        }
        if self.record.len() < LONGEST_RECORD {
            let mut start = 0;
            for end in parentheses.into_iter().chain([content.len()]) {
                self.record.push_str(&content[start..end]);
                self.record.push(' ');
                start = end + 1;
            }
        }
        if self.is_open {
            return Ok(());
        }
        let record = std::mem::take(&mut self.record);
        self.read_whole(&record, self.began, entries)
    }

    /// Says what the end of the zone has cut off.
    fn finish(self, entries: &mut Entries) {
        if self.is_open {
            entries.wrong(self.began, &self.record);
        }
    }

    /// The line without its comment. Parentheses let a record go on; in quotes neither means
    /// anything.
    fn parts<'l>(&mut self, line: &'l str) -> Parts<'l> {
        let mut is_quoted = false;
        let mut parts = Parts {
            content: line,
            parentheses: Vec::new(),
        };
        for (at, c) in line.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                ';' if !is_quoted => {
                    parts.content = &line[..at];
                    break;
                }
                '(' | ')' if !is_quoted => {
                    self.is_open = c == '(';
                    parts.parentheses.push(at);
                }
                _ => {}
            }
        }
        parts
    }

    /// Reads a record or a directive. White space before a record says that it has no owner.
    fn read_whole(
        &mut self,
        content: &str,
        number: usize,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let mut words = content.split_ascii_whitespace().peekable();
        match words.peek() {
            None => return Ok(()),
            Some(word) if word.starts_with('$') => {
                return self.read_directive(content, number, entries);
            }
            Some(_) => {}
        }
        if !content.starts_with([' ', '\t']) {
            self.owner = words.next().unwrap_or_default().to_ascii_lowercase();
            self.subject = self.absolute(&self.owner).map(Cow::into_owned);
            if self.subject.is_none() {
                self.owner.clear();
                entries.wrong(number, content);
                return Ok(());
            }
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

    fn read_directive(
        &mut self,
        text: &str,
        number: usize,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let mut words = text.split_ascii_whitespace();
        let directive = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        match &*directive.to_ascii_uppercase() {
            "$ORIGIN" => {
                let value = value.to_ascii_lowercase();
                let Some(origin) = self.absolute(&value).map(Cow::into_owned) else {
                    self.origin = Origin::Unknown;
                    entries.wrong(number, text);
                    return Ok(());
                };
                if value.ends_with('.') {
                    self.apex.get_or_insert_with(|| origin.clone());
                }
                self.origin = Origin::Name(origin);
            }
            "$INCLUDE" => return Err(Rejected::Include(number)),
            "$GENERATE" => entries.other(number, text),
            _ => {}
        }
        Ok(())
    }

    fn read_record(
        &mut self,
        kind: &str,
        data: &str,
        number: usize,
        text: &str,
        entries: &mut Entries,
    ) -> Result<(), Rejected> {
        let (kind, data) = (kind.to_ascii_uppercase(), data.to_ascii_lowercase());
        let decides = match (&*kind, &*data) {
            ("SOA", _) => {
                if let Some(subject) = &self.subject {
                    self.apex = Some(subject.clone());
                }
                return Ok(());
            }
            ("NS", _) => return Ok(()),
            ("CNAME", "") => None,
            ("CNAME", target) => match self.absolute(target).as_deref() {
                Some("" | "*" | "rpz-drop") => Some(MatchKind::Listed),
                Some("rpz-passthru") => Some(MatchKind::Excepted),
                _ => None,
            },
            ("A" | "AAAA", address) if is_nowhere(address) => Some(MatchKind::Listed),
            ("A" | "AAAA" | "TXT" | "MX" | "SRV" | "HTTPS" | "SVCB", _) => None,
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
            None => (name, Covers::Itself),
        };
        let rule = Rule {
            kind,
            ..Rule::listed(covers)
        };
        Ok(entries.add_rule(name, rule, number, text)?)
    }

    /// What the zone is called.
    fn zone(&self) -> &str {
        self.apex.as_deref().unwrap_or(UNNAMED)
    }

    /// A name with all of its labels; none if it is longer than any is, or below an origin that is.
    fn absolute<'n>(&self, name: &'n str) -> Option<Cow<'n, str>> {
        let absolute = match (name.strip_suffix('.'), &self.origin) {
            (Some(name), _) => Cow::Borrowed(name),
            (None, Origin::Zone) => below(self.zone(), name),
            (None, Origin::Name(origin)) => below(origin, name),
            (None, Origin::Unknown) => return None,
        };
        Some(absolute).filter(|name| name.len() <= LONGEST_REPEATED)
    }

    /// What the owner of the record is about; none if that is not a host.
    fn name(&self) -> Option<&str> {
        let subject = self.subject.as_deref()?;
        let name = subject.strip_suffix(self.zone())?.strip_suffix('.')?;
        let last = name.rsplit('.').next().unwrap_or(name);
        (!OTHER_TRIGGERS.contains(&last)).then_some(name)
    }
}

/// A name below an origin, with all of its labels.
fn below<'n>(origin: &str, name: &'n str) -> Cow<'n, str> {
    match (origin, name) {
        (origin, "@") => origin.to_owned().into(),
        ("", name) => name.into(),
        (origin, name) => format!("{name}.{origin}").into(),
    }
}

/// A line in its parts.
struct Parts<'l> {
    /// Without its comment.
    content: &'l str,
    /// Where parentheses are in it.
    parentheses: Vec<usize>,
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
    word.eq_ignore_ascii_case("IN")
        || word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
}
