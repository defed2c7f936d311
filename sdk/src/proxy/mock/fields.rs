//! The header fields of a message that a test has made.

use portcullis_contract::field::{is_name, is_owned, is_value};
use portcullis_contract::limits::{ADDED_FIELDS_BYTES, FIELDS};

use crate::HeaderError;

/// Lower-case names with their values, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    fields: Vec<(String, Vec<u8>)>,
    /// How much the filter has added, in bytes.
    added: usize,
}

/// Whether the proxy would take that field from a filter.
fn check(name: &str, value: &[u8]) -> Result<(), HeaderError> {
    if !is_name(name) {
        return Err(HeaderError::InvalidSyntax(name.to_owned()));
    }
    if is_owned(name) {
        return Err(HeaderError::Forbidden(name.to_owned()));
    }
    if !is_value(value) {
        return Err(HeaderError::InvalidSyntax(name.to_owned()));
    }
    Ok(())
}

impl Fields {
    /// One more field, whatever its name: the message came with it.
    pub(crate) fn give(&mut self, name: &str, value: Vec<u8>) {
        self.fields.push((name.to_ascii_lowercase(), value));
    }

    pub(crate) fn get(&self, name: &str) -> Vec<Vec<u8>> {
        let fields = self.fields.iter();
        let of_name = fields.filter(|(given, _)| given.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (name, _) in &self.fields {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// All fields; those of one name stand together.
    pub(crate) fn all(&self) -> Vec<(String, Vec<u8>)> {
        let names = self.names().into_iter();
        let fields = names.flat_map(|name| {
            let values = self.get(&name).into_iter();
            values.map(move |value| (name.clone(), value))
        });
        fields.collect()
    }

    pub(crate) fn set(&mut self, name: &str, value: Vec<u8>) -> Result<(), HeaderError> {
        check(name, &value)?;
        let is_same = |given: &str| given.eq_ignore_ascii_case(name);
        let replaced = self.fields.iter().filter(|(given, _)| is_same(given));
        self.check_room(replaced.count())?;
        self.add(name.len() + value.len())?;
        self.fields.retain(|(given, _)| !is_same(given));
        self.give(name, value);
        Ok(())
    }

    pub(crate) fn append(&mut self, name: &str, value: Vec<u8>) -> Result<(), HeaderError> {
        check(name, &value)?;
        self.check_room(0)?;
        self.add(name.len() + value.len())?;
        self.give(name, value);
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
        check(name, b"")?;
        self.fields
            .retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        Ok(())
    }

    pub(crate) fn set_all(&mut self, fields: &[(String, Vec<u8>)]) -> Result<(), HeaderError> {
        let mut all = Self {
            added: self.added,
            ..Self::default()
        };
        for (name, value) in fields {
            match check(name, value) {
                Ok(()) => {}
                Err(HeaderError::Forbidden(_)) => continue,
                Err(error) => return Err(error),
            }
            let count = |fields: &Self| {
                let values = fields.get(name).into_iter();
                values.filter(|given| given == value).count()
            };
            if count(&all) >= count(self) {
                all.add(name.len() + value.len())?;
            }
            all.give(name, value.clone());
        }
        let owned = self.fields.iter().filter(|(name, _)| is_owned(name));
        all.fields.extend(owned.cloned());
        if all.fields.len() > FIELDS {
            return Err(HeaderError::SizeExceeded);
        }
        *self = all;
        Ok(())
    }

    /// Whether one more may be added in place of some.
    fn check_room(&self, replaced: usize) -> Result<(), HeaderError> {
        if self.fields.len() - replaced >= FIELDS {
            return Err(HeaderError::SizeExceeded);
        }
        Ok(())
    }

    fn add(&mut self, bytes: usize) -> Result<(), HeaderError> {
        if self.added + bytes > ADDED_FIELDS_BYTES {
            return Err(HeaderError::SizeExceeded);
        }
        self.added += bytes;
        Ok(())
    }
}
