//! How the entries of a list are written. Most lists write all of theirs in one style, `||` before
//! the name and `^` behind it, so that a record has one byte for that and not a text of its own.
//! `builder` collects styles, `file` keeps them, and a snapshot gives each entry its text back.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use memchr::memmem;

use crate::verdict::one_line;
use crate::verdict::rule::Rules;

/// The most bytes of an entry that are kept.
pub(super) const LONGEST_TEXT: usize = 255;

/// The most styles that a list has: its records know them by a byte.
const MOST: usize = 255;

/// The most styles that write something around a name. There are twelve more at most, one for each
/// kind of rule, of entries whose texts are in their records.
const MOST_AROUND: usize = MOST - 12;

/// Bytes before what a style writes: its rules, whether texts are in records, and two lengths.
const HEAD: usize = 4;

/// What an entry says, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Style {
    rules: Rules,
    written: Written<Box<str>>,
}

/// An entry as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Written<T> {
    /// With one text before the name and another behind it.
    Around(T, T),
    /// As its record has it.
    InRecord,
}

/// The styles of a list. Its records know them by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Styles(Vec<Style>);

/// Styles that are still being collected.
#[derive(Default)]
pub(super) struct Collected {
    styles: Styles,
    /// How many of them write something around a name.
    around: usize,
    places: HashTable<u8>,
    hasher: DefaultHashBuilder,
    /// That of the entry before: most entries look like the one before them.
    last: u8,
}

impl Written<Box<str>> {
    fn borrowed(&self) -> Written<&str> {
        match self {
            Self::Around(before, after) => Written::Around(before, after),
            Self::InRecord => Written::InRecord,
        }
    }
}

impl Style {
    /// Whether it says these rules of `name` by `text`.
    fn writes(&self, rules: Rules, name: &str, text: &str) -> bool {
        let Written::Around(before, after) = &self.written else {
            return false;
        };
        let rest = text.strip_prefix(&**before);
        let middle = rest.and_then(|rest| rest.strip_suffix(&**after));
        self.rules == rules && middle == Some(name)
    }
}

impl Collected {
    /// The place of the style in which `text` says these rules of `name`, and what of the text the
    /// record needs.
    pub(super) fn place(&mut self, rules: Rules, name: &str, text: &str) -> (u8, String) {
        let last = self.styles.0.get(usize::from(self.last));
        if last.is_some_and(|style| style.writes(rules, name, text)) {
            return (self.last, String::new());
        }
        // The length comes first: a text may be much longer than what is kept of it.
        let fits = text.len() <= LONGEST_TEXT && !text.contains(char::is_control);
        let at = fits.then(|| memmem::find(text.as_bytes(), name.as_bytes()));
        let around = at
            .flatten()
            .map(|at| Written::Around(&text[..at], &text[at + name.len()..]));
        match around.and_then(|around| self.find_or_add(rules, around)) {
            Some(place) => {
                self.last = place;
                (place, String::new())
            }
            None => {
                let place = self.find_or_add(rules, Written::InRecord);
                let place = place.expect("there is one for each kind of rule");
                // Control characters at its ends are spaces now.
                (place, one_line(text, LONGEST_TEXT).trim().to_owned())
            }
        }
    }

    fn find_or_add(&mut self, rules: Rules, written: Written<&str>) -> Option<u8> {
        let Self { styles, hasher, .. } = self;
        let hash_of = |rules: Rules, written: Written<&str>| hasher.hash_one((rules, written));
        let hash = hash_of(rules, written);
        let is_it = |place: &u8| {
            let style = &styles.0[usize::from(*place)];
            (style.rules, style.written.borrowed()) == (rules, written)
        };
        if let Some(place) = self.places.find(hash, is_it) {
            return Some(*place);
        }
        let written = match written {
            Written::Around(..) if self.around == MOST_AROUND => return None,
            Written::Around(before, after) => {
                self.around += 1;
                Written::Around(before.into(), after.into())
            }
            Written::InRecord => Written::InRecord,
        };
        let place = u8::try_from(styles.0.len()).ok()?;
        styles.0.push(Style { rules, written });
        let style = |place: &u8| &styles.0[usize::from(*place)];
        self.places.insert_unique(hash, place, |place| {
            hash_of(style(place).rules, style(place).written.borrowed())
        });
        Some(place)
    }

    pub(super) fn styles(&self) -> &Styles {
        &self.styles
    }

    pub(super) fn finish(self) -> Styles {
        self.styles
    }
}

impl Styles {
    /// The most bytes that styles take in a file.
    pub(super) const MOST_BYTES: usize = MOST * (HEAD + LONGEST_TEXT);

    /// What entries in a style say. Those of a style that there is not say nothing.
    pub(super) fn rules(&self, place: u8) -> Rules {
        let style = self.0.get(usize::from(place));
        style.map_or(Rules::default(), |style| style.rules)
    }

    /// How entries in a style are written.
    pub(super) fn written(&self, place: u8) -> Written<&str> {
        let style = self.0.get(usize::from(place));
        style.map_or(Written::InRecord, |style| style.written.borrowed())
    }

    /// As they stand in a file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Style { rules, written } in &self.0 {
            let (before, after) = match written {
                Written::Around(before, after) => (&**before, &**after),
                Written::InRecord => ("", ""),
            };
            let is_in_record = u8::from(*written == Written::InRecord);
            // A text as a whole is not longer.
            let lengths = [before.len() as u8, after.len() as u8];
            bytes.extend([rules.bits(), is_in_record]);
            bytes.extend(lengths);
            bytes.extend_from_slice(before.as_bytes());
            bytes.extend_from_slice(after.as_bytes());
        }
        bytes
    }

    /// The styles that a file has; none if they are cut off, or more than a list has.
    pub(super) fn from_bytes(mut rest: &[u8]) -> Option<Self> {
        let mut styles = Vec::new();
        while !rest.is_empty() {
            if styles.len() == MOST {
                return None;
            }
            let (head, behind) = rest.split_first_chunk::<HEAD>()?;
            let [rules, is_in_record, before, after] = *head;
            let (before, behind) = behind.split_at_checked(before.into())?;
            let (after, behind) = behind.split_at_checked(after.into())?;
            let text = |bytes| Some(str::from_utf8(bytes).ok()?.into());
            let written = match is_in_record {
                0 => Written::Around(text(before)?, text(after)?),
                _ => Written::InRecord,
            };
            let rules = Rules::from_bits(rules);
            styles.push(Style { rules, written });
            rest = behind;
        }
        Some(Self(styles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::rule::{Covers, Rule};

    fn both() -> Rules {
        Rule::listed(Covers::Both).into()
    }

    #[test]
    fn entries_that_are_written_alike_share_a_style() {
        let mut styles = Collected::default();
        let mut place = |name: &str, text: &str| styles.place(both(), name, text);
        let (marked, plain) = (place("a.example", "||a.example^"), place("b.c", "b.c"));
        assert_ne!(marked.0, plain.0);
        assert_eq!(place("d.example", "||d.example^"), marked);
        assert_eq!(place("a", "a"), plain);
        let odd = place("e.example", "||E.example^");
        assert_eq!(odd.1, "||E.example^");
        assert!(![marked.0, plain.0].contains(&odd.0));
        assert_eq!(
            styles.styles().written(marked.0),
            Written::Around("||", "^")
        );
        assert_eq!(styles.styles().written(odd.0), Written::InRecord);
    }

    #[test]
    fn a_list_in_which_all_entries_are_written_otherwise_keeps_their_texts() {
        let mut styles = Collected::default();
        let mut kept = 0;
        for number in 0..300 {
            let (_, text) = styles.place(both(), "a.example", &format!("a.example/{number}"));
            kept += usize::from(!text.is_empty());
        }
        assert_eq!(kept, 300 - MOST_AROUND);
        let styles = styles.finish();
        assert_eq!(styles.0.len(), MOST_AROUND + 1);
        assert_eq!(Styles::from_bytes(&styles.to_bytes()), Some(styles));
    }

    #[test]
    fn a_text_is_one_line_of_at_most_so_many_bytes() {
        let mut styles = Collected::default();
        let (_, text) = styles.place(both(), "a.example", "a.example\u{1b}[2J\n");
        assert_eq!(text, "a.example [2J");
        let long = format!("a.example//{}", "é".repeat(200));
        let (_, text) = styles.place(both(), "a.example", &long);
        assert_eq!(text.len(), LONGEST_TEXT);
        assert!(long.starts_with(&text));
    }

    #[test]
    fn styles_that_are_cut_off_or_not_text_are_none() {
        let mut styles = Collected::default();
        styles.place(both(), "a.example", "||a.example^");
        let mut bytes = styles.finish().to_bytes();
        for end in 1..bytes.len() {
            assert_eq!(Styles::from_bytes(&bytes[..end]), None, "{end}");
        }
        bytes[HEAD] = 0xff;
        assert_eq!(Styles::from_bytes(&bytes), None);
    }

    #[test]
    fn more_styles_than_a_byte_can_name_are_none() {
        let style = [both().bits(), 1, 0, 0];
        let styles = Styles::from_bytes(&style.repeat(MOST)).unwrap();
        assert_eq!(styles.0.len(), MOST);
        assert_eq!(Styles::from_bytes(&style.repeat(MOST + 1)), None);
    }
}
