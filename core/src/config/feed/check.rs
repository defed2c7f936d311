//! What is wrong with the keys of a feed together, though each is right by itself. `load` says
//! where that stands.

use super::{Feed, FeedFormat};
use crate::config::value::{FromText, Word};

/// What is wrong, and what is to be done about it.
#[derive(Debug)]
pub(in crate::config) struct Problem {
    /// The key that it is about; none for the feed itself.
    pub(in crate::config) key: Option<&'static str>,
    pub(in crate::config) text: String,
}

impl Problem {
    fn at(key: &'static str, text: impl Into<String>) -> Self {
        Self {
            key: Some(key),
            text: text.into(),
        }
    }
}

impl Feed {
    /// The first thing that is wrong.
    pub(in crate::config) fn problem(&self) -> Option<Problem> {
        self.find_source_problem()
            .or_else(|| self.find_idle_key())
            .or_else(|| self.find_impossible_bounds())
    }

    /// What is wrong with where it comes from.
    fn find_source_problem(&self) -> Option<Problem> {
        if self.preset.is_some() && (self.url.is_some() || !self.urls.is_empty()) {
            let key = if self.url.is_some() { "url" } else { "urls" };
            let text = "this feed has a preset, which has a url of its own; remove one of them, or \
                        write a feed of its own for this list";
            return Some(Problem::at(key, text));
        }
        if self.url.is_some() && !self.urls.is_empty() {
            let text = "this feed has a url, too; remove one of them, or add that url to these";
            return Some(Problem::at("urls", text));
        }
        let twice = self.urls.iter().enumerate().find_map(|(place, url)| {
            let first = self.urls[..place].iter().position(|other| other == url)?;
            Some((first + 1, place + 1))
        });
        if let Some((first, second)) = twice {
            let text = format!("number {second} is the same as number {first}; remove one of them");
            return Some(Problem::at("urls", text));
        }
        if self.urls.len() > 1 && self.checksum.is_some() {
            let text = "a checksum is that of one list, and this feed has several; write a feed for \
                        each list that has one";
            return Some(Problem::at("checksum", text));
        }
        let is_empty = self.sources().next().is_none() && self.entries.is_empty();
        (is_empty && self.enabled).then(|| Problem {
            key: None,
            text: r#"the feed has no url and no entries; add url = "https://lists.example/hosts", entries = ["ads.example"] or preset = "ads""#.to_owned(),
        })
    }

    /// Bounds that no list is within.
    fn find_impossible_bounds(&self) -> Option<Problem> {
        let (min, max) = (self.min_entries?, self.max_entries?);
        (min > max).then(|| {
            let text =
                format!("no list has {min} names or more and {max} or fewer; change one of them");
            Problem::at("min_entries", text)
        })
    }

    /// A key that would change nothing, as it is not for the feed's format.
    fn find_idle_key(&self) -> Option<Problem> {
        let keys = [
            ("column", self.column.is_some(), FeedFormat::Csv),
            ("field", self.field.is_some(), FeedFormat::Json),
        ];
        let read_as = self.read_as();
        if keys.iter().all(|(_, is_set, _)| *is_set) && read_as == FeedFormat::Auto {
            let text = "a column is for csv, a field is for json, and this feed has both; remove one of them";
            return Some(Problem::at("column", text));
        }
        let idle = |format| read_as != FeedFormat::Auto && read_as != format;
        let (key, _, wanted) = keys
            .into_iter()
            .find(|(_, is_set, of)| *is_set && idle(*of))?;
        let (format, wanted) = (Word::write(&read_as), Word::write(&wanted));
        let text = format!(
            "the format is {format}, and a {key} is only for {wanted}, so it would do nothing; write \
             format = {wanted}, or remove {key}"
        );
        Some(Problem::at(key, text))
    }
}
