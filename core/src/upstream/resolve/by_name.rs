//! What the settings say of names: of one, or of all below one. The nearest word counts.

use std::collections::{BTreeMap, HashMap};

/// Values for names.
#[derive(Clone, Debug)]
pub(super) struct ByName<T> {
    exact: HashMap<Box<str>, T>,
    /// For the names below a domain.
    below: HashMap<Box<str>, T>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            below: HashMap::new(),
        }
    }
}

impl<T: Clone> ByName<T> {
    /// Of names such as "wiki.example", and "*.corp.example" for those below a domain.
    pub(super) fn patterns(values: impl IntoIterator<Item = (String, T)>) -> Self {
        let (mut exact, mut below) = (HashMap::new(), HashMap::new());
        for (pattern, value) in values {
            match pattern.strip_prefix("*.") {
                Some(domain) => below.insert(domain.into(), value),
                None => exact.insert(pattern.into(), value),
            };
        }
        Self { exact, below }
    }

    /// Of domains, each of which stands for the names below it, too.
    pub(super) fn domains(values: BTreeMap<String, T>) -> Self {
        let values = values.into_iter();
        let exact: HashMap<Box<str>, T> = values
            .map(|(domain, value)| (domain.into(), value))
            .collect();
        let below = exact.clone();
        Self { exact, below }
    }

    /// What is said of a canonical name.
    pub(super) fn find(&self, name: &str) -> Option<&T> {
        // Most settings say nothing.
        if self.exact.is_empty() && self.below.is_empty() {
            return None;
        }
        let mut rest = name;
        self.exact.get(name).or_else(|| {
            loop {
                (_, rest) = rest.split_once('.')?;
                if let Some(value) = self.below.get(rest) {
                    return Some(value);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_about_a_name_counts() {
        let said = ByName::patterns(
            [("a.example", 1), ("*.a.example", 2), ("*.b.a.example", 3)]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        for (name, value) in [
            ("a.example", Some(1)),
            ("x.a.example", Some(2)),
            ("b.a.example", Some(2)),
            ("y.x.b.a.example", Some(3)),
            ("ba.example", None),
            ("example", None),
        ] {
            assert_eq!(said.find(name).copied(), value, "{name}");
        }
    }

    #[test]
    fn a_domain_stands_for_itself_too() {
        let domains = [("corp.example", 1), ("lab.corp.example", 2)];
        let said = ByName::domains(domains.map(|(name, value)| (name.to_owned(), value)).into());
        for (name, value) in [
            ("corp.example", Some(1)),
            ("wiki.corp.example", Some(1)),
            ("lab.corp.example", Some(2)),
            ("x.lab.corp.example", Some(2)),
            ("notcorp.example", None),
        ] {
            assert_eq!(said.find(name).copied(), value, "{name}");
        }
    }
}
