//! JSON (RFC 8259): an array of names, or rows with names in one of their fields. Rows stand in an
//! array, or in an object, where each may be an array of rows again, as exports by number are. A
//! field is named by a JSON pointer (RFC 6901), which may also lead from the root to an array of
//! names; without one it is found by what well-known exports call it. Everything is taken piece by
//! piece, so that a body is never in memory a second time.

mod mended;

use std::borrow::Cow;
use std::fmt;
use std::io::{BufReader, Read, Seek};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::IoRead;

use self::mended::Mended;
use self::shape::Shape;
use super::{add_host_or_url, begin};
use crate::feeds::entries::{Entries, Rejected, beginning};
use crate::feeds::snapshot::Full;

/// Values that are neither strings nor have others in them, which all mean the same to a visitor.
macro_rules! pass_over {
    ($pass:path) => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            Ok($pass(self, &value))
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
            Ok($pass(self, &value))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok($pass(self, &value))
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok($pass(self, &value))
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($pass(self, &"null"))
        }
    };
}

mod shape;

/// Reads the whole body.
pub(super) fn read(
    body: &mut (impl Read + Seek),
    field: Option<&str>,
    entries: &mut Entries,
) -> Result<(), Rejected> {
    let mut names = Names {
        entries,
        place: 0,
        other: String::new(),
        full: None,
    };
    let read = read_names(body, field, &mut names);
    names.full.map_or(read, |full| Err(full.into()))
}

fn read_names(
    body: &mut (impl Read + Seek),
    field: Option<&str>,
    names: &mut Names<'_>,
) -> Result<(), Rejected> {
    let tokens = match field {
        Some(field) => {
            let tokens: Vec<String> = field.split('/').skip(1).map(unescape).collect();
            let at = At {
                names: &mut *names,
                tokens: &tokens,
                takes_one: false,
            };
            if whole(&mut *body, |json| at.deserialize(json))? {
                return Ok(());
            }
            names.other.clear();
            tokens
        }
        None => {
            let shape = Shape::of(body)?;
            begin(body)?;
            match shape {
                Shape::Names => return Ok(whole(body, |json| List(names).deserialize(json))?),
                Shape::Rows(field) => vec![field],
            }
        }
    };
    begin(body)?;
    let mut rows = Named {
        names,
        tokens: &tokens,
    };
    Ok(whole(body, |json| Rows(&mut rows).deserialize(json))?)
}

type Text<R> = IoRead<BufReader<Mended<R>>>;

/// Reads a body to its end.
fn whole<R: Read, T>(
    body: R,
    read: impl FnOnce(&mut serde_json::Deserializer<Text<R>>) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    let mended = BufReader::new(Mended::new(body));
    let mut json = serde_json::Deserializer::from_reader(mended);
    let read = read(&mut json)?;
    json.end()?;
    Ok(read)
}

/// `~1` is `/` and `~0` is `~` (RFC 6901, section 4).
fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The names that were found.
struct Names<'e> {
    entries: &'e mut Entries,
    /// The place of the last one, from 1.
    place: usize,
    /// The last value that is no name, as far as people need to see it.
    other: String,
    /// Why the body is not read any further, which serde would say in words alone.
    full: Option<Full>,
}

impl Names<'_> {
    fn add<E: Error>(&mut self, name: &str) -> Result<(), E> {
        self.place += 1;
        self.other.clear();
        let added = add_host_or_url(name.trim(), self.place, self.entries);
        added.map_err(|full| {
            self.full = Some(full);
            E::custom(Rejected::TooLarge)
        })
    }

    fn skip(&mut self) {
        self.place += 1;
        self.entries.wrong(self.place, &self.other);
        self.other.clear();
    }
}

/// An array of names.
struct List<'a, 'e>(&'a mut Names<'e>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Name(self.0))?.is_some() {}
        Ok(())
    }
}

/// What the tokens of a pointer lead to from here. Says whether there are names.
struct At<'a, 'e> {
    names: &'a mut Names<'e>,
    tokens: &'a [String],
    /// One string is as good as an array of them.
    takes_one: bool,
}

impl<'a, 'e> At<'a, 'e> {
    /// What is one step nearer to the names.
    fn inner<'s>(&'s mut self, tokens: &'s [String]) -> At<'s, 'e> {
        At {
            names: self.names,
            tokens,
            takes_one: self.takes_one,
        }
    }

    /// It is no name, and neither is what is in it. The innermost value is remembered.
    fn pass(self, value: &dyn fmt::Display) -> bool {
        if self.names.other.is_empty() {
            self.names.other = value.to_string();
        }
        false
    }
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<bool, A::Error> {
        let mut found = false;
        let tokens = self.tokens;
        while let Some(key) = object.next_key::<Cow<'de, str>>()? {
            match tokens {
                [token, rest @ ..] if *token == key => {
                    found |= object.next_value_seed(self.inner(rest))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found || self.pass(&"{…}"))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<bool, A::Error> {
        let mut found = false;
        let mut at = 0_usize;
        let tokens = self.tokens;
        loop {
            let element = match tokens {
                [] => array.next_element_seed(Name(self.names))?,
                [token, rest @ ..] if *token == at.to_string() => {
                    array.next_element_seed(self.inner(rest))?
                }
                _ => array.next_element::<IgnoredAny>()?.map(|_| false),
            };
            match element {
                Some(has_names) => found |= has_names,
                None => return Ok(found || tokens.is_empty() || self.pass(&"[…]")),
            }
            at += 1;
        }
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        if !self.tokens.is_empty() || !self.takes_one {
            return Ok(self.pass(&beginning(name)));
        }
        self.names.add(name)?;
        Ok(true)
    }

    pass_over!(Self::pass);
}

/// One name in an array of names. What is not a string counts as wrong.
struct Name<'a, 'e>(&'a mut Names<'e>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        let at = At {
            names: &mut *self.0,
            tokens: &[],
            takes_one: true,
        };
        let is_name = at.deserialize(json)?;
        if !is_name {
            self.0.skip();
        }
        Ok(is_name)
    }
}

/// What is done with each row.
trait TakeRow {
    fn take<'de, D: Deserializer<'de>>(&mut self, row: D) -> Result<(), D::Error>;
}

/// A row has names where the tokens lead.
struct Named<'a, 'e> {
    names: &'a mut Names<'e>,
    tokens: &'a [String],
}

impl TakeRow for Named<'_, '_> {
    fn take<'de, D: Deserializer<'de>>(&mut self, row: D) -> Result<(), D::Error> {
        let at = At {
            names: &mut *self.names,
            tokens: self.tokens,
            takes_one: true,
        };
        if !at.deserialize(row)? {
            self.names.skip();
        }
        Ok(())
    }
}

/// Such a value says nothing.
fn pass<V>(_: V, _: &dyn fmt::Display) {}

/// An array of rows, or an object of rows or of arrays of them. Other values are no rows.
struct Rows<'a, R>(&'a mut R);

impl<'de, R: TakeRow> DeserializeSeed<'de> for Rows<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, R: TakeRow> Visitor<'de> for Rows<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Row(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_key::<IgnoredAny>()?.is_some() {
            object.next_value_seed(RowOrRows(self.0))?;
        }
        Ok(())
    }
}

/// A row.
struct Row<'a, R>(&'a mut R);

impl<'de, R: TakeRow> DeserializeSeed<'de> for Row<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        self.0.take(json)
    }
}

/// A value of an object of rows.
struct RowOrRows<'a, R>(&'a mut R);

impl<'de, R: TakeRow> DeserializeSeed<'de> for RowOrRows<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, R: TakeRow> Visitor<'de> for RowOrRows<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        Rows(self.0).visit_seq(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        self.0
            .take(serde::de::value::MapAccessDeserializer::new(object))
    }

    // `{"status": "ok", "rows": […]}`
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    pass_over!(pass);
}
