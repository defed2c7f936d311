//! Where a body has its names, if its feed does not say: in an array, or in the field of its rows
//! that well-known exports have names in.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Seek};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Rows, TakeRow, pass, whole};
use crate::feeds::entries::Rejected;
use crate::feeds::format::{NAMES, begin, rank, start};

/// What a body has, if its feed does not say.
pub(super) enum Shape {
    /// An array of names.
    Names,
    /// Rows with names in this field.
    Rows(String),
}

impl Shape {
    pub(super) fn of(body: &mut (impl Read + Seek)) -> Result<Self, Rejected> {
        let start = start(body)?;
        let array = start.trim_ascii_start().strip_prefix(b"[");
        let first = array.and_then(|array| array.trim_ascii_start().first());
        if matches!(first, Some(b'"' | b']')) {
            return Ok(Self::Names);
        }
        begin(body)?;
        let mut known = Known::default();
        whole(body, |json| Rows(&mut known).deserialize(json))?;
        match known.best {
            Some((_, field)) => Ok(Self::Rows(field)),
            None if array.is_some() && known.has_strings => Ok(Self::Names),
            None => {
                let names = NAMES.join(", ");
                let problem =
                    format!("none of its rows has one of the fields {names}; name it with `field`");
                Err(serde_json::Error::custom(problem).into())
            }
        }
    }
}

/// What rows have.
#[derive(Default)]
struct Known {
    /// The best field that any has, and its place in [`NAMES`].
    best: Option<(usize, String)>,
    /// Some are no rows but strings.
    has_strings: bool,
}

impl TakeRow for Known {
    fn take<'de, D: Deserializer<'de>>(&mut self, row: D) -> Result<(), D::Error> {
        row.deserialize_any(Fields(self))
    }
}

/// The fields of a row. Other values have none.
struct Fields<'a>(&'a mut Known);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<Cow<'de, str>>()? {
            let best = self.0.best.as_ref().map(|(best, _)| *best);
            if let Some(found) = rank(&name)
                && best.is_none_or(|best| found < best)
            {
                self.0.best = Some((found, name.into_owned()));
            }
            object.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.0.has_strings = true;
        Ok(())
    }

    pass_over!(pass);
}
