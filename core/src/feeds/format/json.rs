//! A JSON array of strings, each a domain.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::snapshot::Full;

/// Reads the whole body.
pub(super) fn read(body: &[u8], entries: &mut Entries) -> Result<(), Rejected> {
    let mut json = serde_json::Deserializer::from_slice(body);
    Strings(entries).deserialize(&mut json)?;
    Ok(json.end()?)
}

/// Takes the strings one by one, so that they are never all in memory.
struct Strings<'a>(&'a mut Entries);

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(name) = array.next_element::<Cow<'de, str>>()? {
            place += 1;
            self.0
                .add_domain(name.trim(), place)
                .map_err(|Full| serde::de::Error::custom(Rejected::TooLarge))?;
        }
        Ok(())
    }
}
