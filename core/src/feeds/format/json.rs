//! JSON (RFC 8259): an array of names, or rows with a name in one of their fields. Rows stand in an
//! array, or in an object, where each may be an array of rows again, as exports by number are. A
//! field is named by a JSON pointer (RFC 6901), which may also lead from the root to an array of
//! names. A URL means its host.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::url_host;
use crate::feeds::entries::{Entries, Rejected};
use crate::feeds::snapshot::Full;

/// Reads the whole body.
pub(super) fn read(
    body: &[u8],
    field: Option<&str>,
    entries: &mut Entries,
) -> Result<(), Rejected> {
    let mut reader = Reader {
        entries,
        field,
        place: 0,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    match field {
        None => Names(&mut reader).deserialize(&mut json)?,
        Some(field) => {
            let tokens: Vec<String> = field.split('/').skip(1).map(unescape).collect();
            let found = Root(&mut reader, &tokens).deserialize(&mut json)?;
            if !found {
                json = serde_json::Deserializer::from_slice(body);
                Rows(&mut reader).deserialize(&mut json)?;
            }
        }
    }
    Ok(json.end()?)
}

/// `~1` is `/` and `~0` is `~` (RFC 6901, section 4).
fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

struct Reader<'r> {
    entries: &'r mut Entries,
    field: Option<&'r str>,
    /// The place of the last name, from 1.
    place: usize,
}

impl Reader<'_> {
    fn add<E: Error>(&mut self, name: &str) -> Result<(), E> {
        self.place += 1;
        let added = self.entries.add_wildcard(url_host(name.trim()), self.place);
        added.map_err(|Full| E::custom(Rejected::TooLarge))
    }

    /// Takes the names in a row, which is small.
    fn add_row<E: Error>(&mut self, row: &Value) -> Result<(), E> {
        let named = self.field.and_then(|field| row.pointer(field));
        match named {
            Some(Value::String(name)) => self.add(name),
            Some(Value::Array(names)) => names.iter().try_for_each(|name| match name.as_str() {
                Some(name) => self.add(name),
                None => self.skip(name),
            }),
            Some(other) => self.skip(other),
            None => self.skip(row),
        }
    }

    fn skip<E: Error>(&mut self, value: &Value) -> Result<(), E> {
        self.place += 1;
        self.entries.wrong(self.place, &value.to_string());
        Ok(())
    }
}

/// An array of names, which are taken one by one, so that they are never all in memory.
struct Names<'a, 'r>(&'a mut Reader<'r>);

impl<'de> DeserializeSeed<'de> for Names<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(name) = array.next_element::<Cow<'de, str>>()? {
            self.0.add(&name)?;
        }
        Ok(())
    }
}

/// What a pointer leads to from here, if that is an array of names. Says whether there is one.
struct Root<'a, 'r, 't>(&'a mut Reader<'r>, &'t [String]);

impl<'de> DeserializeSeed<'de> for Root<'_, '_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Root<'_, '_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = object.next_key::<Cow<'de, str>>()? {
            match self.1 {
                [token] if *token == key => {
                    object.next_value_seed(Names(&mut *self.0))?;
                    found = true;
                }
                [token, rest @ ..] if *token == key && !rest.is_empty() => {
                    found |= object.next_value_seed(Root(&mut *self.0, rest))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<bool, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

/// An array of rows, or an object of rows or of arrays of them.
struct Rows<'a, 'r>(&'a mut Reader<'r>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(row) = array.next_element::<Value>()? {
            self.0.add_row(&row)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_key::<IgnoredAny>()?.is_some() {
            object.next_value_seed(RowOrRows(&mut *self.0))?;
        }
        Ok(())
    }
}

/// A row in an object, or an array of rows.
struct RowOrRows<'a, 'r>(&'a mut Reader<'r>);

impl<'de> DeserializeSeed<'de> for RowOrRows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowOrRows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row or an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        Rows(self.0).visit_seq(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        let row = serde::de::Deserialize::deserialize(
            serde::de::value::MapAccessDeserializer::new(object),
        )?;
        self.0.add_row(&row)
    }
}
