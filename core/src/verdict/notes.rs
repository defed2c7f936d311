//! What filters write down about an exchange. `filter` hands out what one call has noted; the
//! exchange, and whatever makes calls for one, adds that to what was noted before.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::sync::Arc;

use portcullis_contract::limits::NOTES;

/// What one filter has written down about one exchange, by key. Clones share it until they differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes(Arc<BTreeMap<Box<str>, Box<str>>>);

impl Notes {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| &**value)
    }

    pub(crate) fn iter(&self) -> Iter<'_, Box<str>, Box<str>> {
        self.0.iter()
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        Arc::make_mut(&mut self.0).insert(key.into(), value.into());
    }

    /// Whether a filter may have all of these about one exchange.
    pub(crate) fn fit(&self, newer: &Self) -> bool {
        let more = newer.0.keys().filter(|key| !self.0.contains_key(*key));
        self.0.len() + more.count() <= NOTES
    }

    /// Adds what was noted later, which counts where both have a key.
    pub(crate) fn add(&mut self, newer: &Self) {
        if self.0.is_empty() {
            *self = newer.clone();
            return;
        }
        let newer = newer.iter();
        let newer = newer.map(|(key, value)| (key.clone(), value.clone()));
        Arc::make_mut(&mut self.0).extend(newer);
    }
}

/// Adds what filters have noted, by their names, to what they have noted before.
pub(crate) fn add_notes(notes: &mut Vec<(Arc<str>, Notes)>, newer: &[(Arc<str>, Notes)]) {
    for (filter, noted) in newer {
        match notes.iter_mut().find(|(name, _)| name == filter) {
            Some((_, before)) => before.add(noted),
            None => notes.push((filter.clone(), noted.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(noted: &[(&str, &str)]) -> Notes {
        let mut notes = Notes::default();
        for (key, value) in noted {
            notes.set(key, value);
        }
        notes
    }

    #[test]
    fn what_is_noted_later_is_added_and_counts() {
        let mut exchange = Vec::new();
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let first = notes(&[("user", "ada"), ("seen", "1")]);
        add_notes(&mut exchange, &[(one.clone(), first.clone())]);
        let second = notes(&[("seen", "2"), ("list", "ads")]);
        let more = [
            (other.clone(), second.clone()),
            (one.clone(), second.clone()),
        ];
        add_notes(&mut exchange, &more);
        let both = notes(&[("user", "ada"), ("seen", "2"), ("list", "ads")]);
        assert_eq!(exchange, [(one, both), (other, second)]);
        assert_eq!(first.get("seen"), Some("1"));
    }

    #[test]
    fn a_filter_has_so_many_notes_about_an_exchange() {
        let numbers: Vec<_> = (0..NOTES).map(|number| number.to_string()).collect();
        let full: Vec<_> = numbers.iter().map(|number| (&**number, "x")).collect();
        assert!(notes(&full).fit(&notes(&[("0", "again")])));
        assert!(!notes(&full).fit(&notes(&[("more", "x")])));
        assert!(notes(&full[1..]).fit(&notes(&[("more", "x")])));
    }
}
