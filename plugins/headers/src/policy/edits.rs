//! Changes to the fields of one message.

use std::collections::BTreeMap;

use portcullis_sdk::{Error, HeaderError, HeaderName, HeaderValue, Headers};

/// What is removed, and then what is set.
#[derive(Debug, Default, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Edits {
    /// Names of fields, in any case; one that ends in `*` stands for all names that begin so.
    remove: Vec<HeaderName>,
    /// Fields with their values, each in place of all of that name.
    set: BTreeMap<HeaderName, HeaderValue>,
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
                None => name.check_change().map_err(Error::from),
                Some("") => Err(Error::new("`*` would remove everything; name the fields")),
                Some(_) => Ok(()),
            };
            checked.map_err(|error| error.at(format_args!("{place}.remove[{at}]")))?;
        }
        let mut names = self.set.keys();
        let checked = names.try_for_each(HeaderName::check_change);
        checked.map_err(|error| Error::from(error).at(format_args!("{place}.set")))
    }

    /// Carries them out: what is set is there even if a pattern removes names like it.
    pub(crate) fn apply(&self, headers: &mut Headers) -> Result<(), HeaderError> {
        let exact = self.remove.iter().filter(|name| beginning(name).is_none());
        for name in exact {
            headers.remove(name.as_str())?;
        }
        let beginnings: Vec<&str> = self.remove.iter().filter_map(beginning).collect();
        // The proxy is asked for the names only if it matters.
        if !beginnings.is_empty() {
            for name in headers.names() {
                let begins = |beginning: &&str| name.starts_with(beginning);
                if beginnings.iter().any(begins) && can_change(&name) {
                    headers.remove(&name)?;
                }
            }
        }
        for (name, value) in &self.set {
            headers.set(name.as_str(), value.as_bytes())?;
        }
        Ok(())
    }
}

/// What begins as a pattern does, by chance, but belongs to the proxy stays.
fn can_change(name: &str) -> bool {
    let name: Result<HeaderName, Error> = name.parse();
    name.is_ok_and(|name| name.check_change().is_ok())
}

/// How the names begin that a pattern stands for.
fn beginning(name: &HeaderName) -> Option<&str> {
    name.as_str().strip_suffix('*')
}
