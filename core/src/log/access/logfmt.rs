//! The access line for people and programs, and its exact grammar, in the notation of RFC 5234 over
//! Unicode characters:
//!
//! ```text
//! line     = %s"time=" time SP %s"kind=access" *( SP name "=" value ) LF
//! time     = date and time of RFC 3339 in UTC with microseconds: 2026-11-23T13:42:32.829285Z
//! name     = 1*( %x61-7A / "_" )                ; a to z, each name at most once
//! value    = bare / quoted
//! bare     = 1*( ALPHA / DIGIT / "-" / "." / "_" / ":" / "/" / "[" / "]" / "%" / "@" / "+"
//!                / "," / "*" / "~" )
//! quoted   = DQUOTE *( char / escape ) DQUOTE   ; a JSON string
//! escape   = "\" ( DQUOTE / "\" / %s"n" / %s"r" / %s"t" / %s"u" 4HEXDIG )
//! char     = any character but DQUOTE, "\", control characters, line separators, and characters
//!            that are invisible or turn the direction of text (`string::is_escaped` has the list)
//! ```
//!
//! A value is bare where the grammar lets it, and quoted otherwise; an empty value is quoted. A
//! list of names is one value: the names joined by commas, with a backslash before a comma or a
//! backslash within a name.
//!
//! No value can forge a field or a line: a space, a quotation mark or the end of a line stands in a
//! value only between quotes or escaped. And no line of the program can be taken for an access
//! line: those begin with a date or `{`, never with `time=`, and are one line each.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Encoder, KIND, string};

/// What may follow a backslash.
const ESCAPES: &str = "\"\\nrtu";

/// What a line begins with.
pub(crate) const BEGINNING: &str = "time=";

/// Writes a line at the end of `out`.
pub(super) struct Logfmt<'a> {
    pub(super) out: &'a mut Vec<u8>,
}

impl Logfmt<'_> {
    fn name(&mut self, name: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'=');
    }

    fn value(&mut self, value: &str) {
        if !value.is_empty() && value.len() <= string::MAX_BYTES && value.bytes().all(is_bare) {
            self.out.extend_from_slice(value.as_bytes());
        } else {
            string::push_quoted(self.out, value);
        }
    }
}

impl Encoder for Logfmt<'_> {
    fn begin(&mut self, time: &str) {
        self.out.extend_from_slice(BEGINNING.as_bytes());
        self.out.extend_from_slice(time.as_bytes());
        self.text("kind", KIND);
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.value(value);
    }

    fn address(&mut self, name: &'static str, ip: IpAddr, port: Option<u16>) {
        self.name(name);
        super::push_address(self.out, ip, port);
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.name(name);
        super::push_number(self.out, value);
    }

    fn flag(&mut self, name: &'static str) {
        self.name(name);
        self.out.extend_from_slice(b"true");
    }

    fn milliseconds(&mut self, name: &'static str, value: Duration) {
        self.name(name);
        super::push_milliseconds(self.out, value);
    }

    fn names(&mut self, name: &'static str, values: &[Arc<str>]) {
        self.name(name);
        self.value(&join(values));
    }

    fn end(&mut self) {
        self.out.push(b'\n');
    }
}

/// Whether a byte may stand in a value without quotes.
fn is_bare(byte: u8) -> bool {
    const BARE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let marks = b"-._:/[]%@+,*~";
        let mut at = 0;
        while at < marks.len() {
            table[marks[at] as usize] = true;
            at += 1;
        }
        table
    };
    BARE[usize::from(byte)]
}

/// Joins names to the value of a list.
fn join(names: &[Arc<str>]) -> String {
    let mut joined = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            joined.push(',');
        }
        for c in name.chars() {
            if matches!(c, ',' | '\\') {
                joined.push('\\');
            }
            joined.push(c);
        }
    }
    joined
}

/// The names of a list, from its value.
#[cfg(test)]
pub(super) fn split_names(value: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let last = names.last_mut().expect("there is always one");
        match c {
            ',' => names.push(String::new()),
            '\\' => last.extend(chars.next()),
            _ => last.push(c),
        }
    }
    names
}

/// The fields of a line without its end, `time` and `kind` included, in order. None if it is not an
/// access line by the grammar.
pub(crate) fn parse(line: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut fields: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(24);
    let mut rest = line;
    loop {
        let (name, value, after) = parse_field(rest)?;
        if fields.iter().any(|(known, _)| *known == name) {
            return None;
        }
        fields.push((name, value));
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(' ')?;
    }
    let is_access = matches!(&*fields, [("time", _), ("kind", kind), ..] if kind == KIND);
    is_access.then_some(fields)
}

/// The first field, and what follows its value.
fn parse_field(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_letter) {
        return None;
    }
    if !rest.starts_with('"') {
        let end = rest.bytes().position(|byte| !is_bare(byte));
        let (value, rest) = rest.split_at(end.unwrap_or(rest.len()));
        return (!value.is_empty()).then_some((name, value.into(), rest));
    }
    let (quoted, rest) = rest.split_at(quoted_length(rest)?);
    if quoted.contains('\\') {
        // Escapes are those of JSON.
        return Some((
            name,
            serde_json::from_str::<String>(quoted).ok()?.into(),
            rest,
        ));
    }
    Some((name, quoted[1..quoted.len() - 1].into(), rest))
}

/// How long the value is that begins here, with both quotation marks.
fn quoted_length(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some(at + 1),
            '\\' if !chars.next().is_some_and(|(_, c)| ESCAPES.contains(c)) => return None,
            '\\' => {}
            _ if string::is_escaped(c) => return None,
            _ => {}
        }
    }
    None
}
