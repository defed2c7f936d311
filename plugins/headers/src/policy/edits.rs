//! Changes to the fields of one message.

use std::collections::BTreeMap;

use portcullis_sdk::{Error, HeaderName, HeaderValue};

/// What is removed, and then what is set.
#[derive(Debug, Default, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Edits {
    /// Names of fields, in any case; one that ends in `*` stands for all names that begin so.
    remove: Vec<HeaderName>,
    /// Fields with their values, each in place of all of that name.
    pub(crate) set: BTreeMap<HeaderName, HeaderValue>,
}

impl Edits {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty()
    }

    /// Whether the proxy would refuse one of them on every message.
    pub(crate) fn check(&self, place: &str) -> Result<(), Error> {
        for (at, name) in self.remove.iter().enumerate() {
            let checked = match beginning(name) {
                None => name.check_change(),
                Some("") => Err(Error::new("`*` would remove everything; name the fields")),
                Some(_) => Ok(()),
            };
            checked.map_err(|error| error.at(format_args!("{place}.remove[{at}]")))?;
        }
        let mut names = self.set.keys();
        let checked = names.try_for_each(HeaderName::check_change);
        checked.map_err(|error| error.at(format_args!("{place}.set")))
    }

    /// The names of the fields that go. `names` gives those of the message, and is asked for only if it matters.
    pub(crate) fn removals(&self, names: impl FnOnce() -> Vec<String>) -> Vec<String> {
        let exact = self.remove.iter().filter(|name| beginning(name).is_none());
        let mut removals: Vec<String> = exact.map(HeaderName::to_string).collect();
        let beginnings: Vec<&str> = self.remove.iter().filter_map(beginning).collect();
        if beginnings.is_empty() {
            return removals;
        }
        let is_meant = |name: &String| {
            // What begins so by chance but belongs to the proxy stays.
            let name: Result<HeaderName, Error> = name.parse();
            name.is_ok_and(|name| {
                let begins = |beginning: &&str| name.as_str().starts_with(beginning);
                beginnings.iter().any(begins) && name.check_change().is_ok()
            })
        };
        removals.extend(names().into_iter().filter(is_meant));
        removals
    }
}

/// How the names begin that a pattern stands for.
fn beginning(name: &HeaderName) -> Option<&str> {
    name.as_str().strip_suffix('*')
}
