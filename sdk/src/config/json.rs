//! JSON for serde, written to be small: in the smallest filter, serde_json would be half of the file, for it always brings along how
//! to read and write numbers with a fraction. Here only a configuration that has such numbers pays for them. Called by `config`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

/// Values within values; deeper ones are refused.
const MAX_DEPTH: usize = 100;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Error {
    /// As in `rules[2].host`; empty for the whole.
    path: String,
    message: String,
}

/// Reads one value, and nothing after it.
pub(super) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let value = T::deserialize(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.syntax()),
    }
}

struct Reader<'de> {
    text: &'de str,
    /// The next byte; never within a character.
    at: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    /// What is to be read. An index into text would bring along the code that tells how it was wrong.
    fn rest(&self) -> &'de str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next so many bytes, which end at a character's end.
    fn take(&mut self, bytes: usize) -> &'de str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn syntax(&self) -> Error {
        Error::new(format!("this is no JSON from byte {} on", self.at))
    }

    fn number(&mut self) -> &'de str {
        self.peek();
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
        let length = self.rest().bytes().take_while(is_part).count();
        self.take(length)
    }

    fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        self.expect(b'"')?;
        let plain = self.plain()?;
        if self.eat_here(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut whole = plain.to_owned();
        while !self.eat_here(b'"') {
            self.at += 1;
            whole.push(self.escaped()?);
            whole.push_str(self.plain()?);
        }
        Ok(Cow::Owned(whole))
    }

    /// The part of a string up to its end or a backslash.
    fn plain(&mut self) -> Result<&'de str, Error> {
        let mut bytes = self.rest().bytes();
        match bytes.position(|byte| byte == b'"' || byte == b'\\') {
            Some(length) => Ok(self.take(length)),
            None => Err(self.syntax()),
        }
    }

    fn eat_here(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The character that stands for what follows a backslash.
    fn escaped(&mut self) -> Result<char, Error> {
        let escape = self.byte();
        self.at += usize::from(escape.is_some_and(|byte| byte.is_ascii()));
        Ok(match escape {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.code_unit()?;
                let code = match high {
                    0xd800..0xdc00 if self.word("\\u") => {
                        let low = self.code_unit()?;
                        0x1_0000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00) % 0x400
                    }
                    other => other,
                };
                char::from_u32(code).ok_or_else(|| self.syntax())?
            }
            _ => return Err(self.syntax()),
        })
    }

    fn code_unit(&mut self) -> Result<u32, Error> {
        let digits = self.take(4);
        let unit = u32::from_str_radix(digits, 16).ok();
        unit.filter(|_| digits.len() == 4)
            .ok_or_else(|| self.syntax())
    }

    fn enter(&mut self, open: u8) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new("too many values within values"));
        }
        self.expect(open)
    }

    fn leave(&mut self, close: u8) -> Result<(), Error> {
        self.depth -= 1;
        self.expect(close)
    }

    /// Goes on to the next element of a sequence or map, if there is one.
    fn has_next(&mut self, is_first: &mut bool, close: u8) -> Result<bool, Error> {
        if self.peek() == Some(close) {
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    fn skip(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(open @ (b'[' | b'{')) => {
                let close = open + 2;
                self.enter(open)?;
                let mut is_first = true;
                while self.has_next(&mut is_first, close)? {
                    if open == b'{' {
                        self.string()?;
                        self.expect(b':')?;
                    }
                    self.skip()?;
                }
                self.leave(close)
            }
            _ if self.word("null") || self.word("true") || self.word("false") => Ok(()),
            _ if !self.number().is_empty() => Ok(()),
            _ => Err(self.syntax()),
        }
    }

    /// The next value is of another type.
    fn mismatch(&mut self, expected: &dyn Expected) -> Error {
        let found = match self.peek() {
            Some(b'"') => match self.string() {
                Ok(text) => format!("string \"{text}\""),
                Err(error) => return error,
            },
            Some(b'[') => "a list".into(),
            Some(b'{') => "a table".into(),
            Some(b'n') => "nothing".into(),
            Some(b't') => "boolean `true`".into(),
            Some(b'f') => "boolean `false`".into(),
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number();
                let is_whole = number.bytes().all(|b| b == b'-' || b.is_ascii_digit());
                let kind = if is_whole { "integer" } else { "number" };
                format!("{kind} `{number}`")
            }
            _ => return self.syntax(),
        };
        Error::new(format!("invalid type: {found}, expected {expected}"))
    }

    /// An integer, with its sign apart.
    fn integer(&mut self) -> Option<(bool, u64)> {
        let start = self.at;
        let number = self.number();
        let (is_negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let magnitude = digits.parse().ok();
        if magnitude.is_none() {
            self.at = start;
        }
        Some((is_negative, magnitude?))
    }

    fn any_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.integer() {
            Some((false, number)) => visitor.visit_u64(number),
            Some((true, number)) => match 0_i64.checked_sub_unsigned(number) {
                Some(number) => visitor.visit_i64(number),
                None => Err(Error::new("the number is too small")),
            },
            None => self.float(visitor),
        }
    }

    fn float<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let start = self.at;
        match self.number().parse() {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => {
                self.at = start;
                Err(self.mismatch(&visitor))
            }
        }
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.integer() {
                Some((false, number)) => visitor.visit_u64(number),
                Some((true, number)) => match 0_i64.checked_sub_unsigned(number) {
                    Some(number) => visitor.visit_i64(number),
                    None => Err(self.mismatch(&visitor)),
                },
                None => Err(self.mismatch(&visitor)),
            }
        }
    )*};
}

macro_rules! strings {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if self.peek() != Some(b'"') {
                return Err(self.mismatch(&visitor));
            }
            match self.string()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'"') => self.deserialize_str(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            _ => self.any_number(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.word("true") {
            visitor.visit_bool(true)
        } else if self.word("false") {
            visitor.visit_bool(false)
        } else {
            Err(self.mismatch(&visitor))
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.float(visitor)
    }

    strings! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.word("null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.word("null") {
            visitor.visit_unit()
        } else {
            Err(self.mismatch(&visitor))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != Some(b'[') {
            return Err(self.mismatch(&visitor));
        }
        self.enter(b'[')?;
        let mut elements = Elements::new(self);
        let value = visitor.visit_seq(&mut elements)?;
        elements.reader.leave(b']')?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek() != Some(b'{') {
            return Err(self.mismatch(&visitor));
        }
        self.enter(b'{')?;
        let mut elements = Elements::new(self);
        let value = visitor.visit_map(&mut elements)?;
        elements.reader.leave(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.peek() {
            Some(b'"') => {
                let variant = self.string()?;
                visitor.visit_enum(variant.into_deserializer())
            }
            Some(b'{') => {
                self.enter(b'{')?;
                let value = visitor.visit_enum(Variant(&mut *self))?;
                self.leave(b'}')?;
                Ok(value)
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }
}

/// The elements of a list or table, one after the other.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
    index: usize,
    key: Cow<'de, str>,
}

impl<'a, 'de> Elements<'a, 'de> {
    fn new(reader: &'a mut Reader<'de>) -> Self {
        Self {
            reader,
            is_first: true,
            index: 0,
            key: Cow::Borrowed(""),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.reader.has_next(&mut self.is_first, b']')? {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.reader);
        let value = value.map_err(|error| error.at_index(self.index))?;
        self.index += 1;
        Ok(Some(value))
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.reader.has_next(&mut self.is_first, b'}')? {
            return Ok(None);
        }
        self.key = self.reader.string()?;
        self.reader.expect(b':')?;
        let key = seed.deserialize(Key(&self.key));
        key.map(Some).map_err(|error| error.at_key(&self.key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = seed.deserialize(&mut *self.reader);
        value.map_err(|error| error.at_key(&self.key))
    }
}

/// The key of a table, which may stand for a number.
struct Key<'a>(&'a str);

macro_rules! number_keys {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let mut reader = Reader { text: self.0, at: 0, depth: 0 };
            match reader.integer().filter(|_| reader.at == self.0.len()) {
                Some((false, number)) => visitor.visit_u64(number),
                Some((true, number)) if number <= i64::MAX as u64 => visitor.visit_i64(-(number as i64)),
                _ => Err(de::Error::invalid_type(Unexpected::Str(self.0), &visitor)),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Key<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    number_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// `{"Variant": content}`.
struct Variant<'a, 'de>(&'a mut Reader<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let key = self.0.string()?;
        self.0.expect(b':')?;
        let variant = seed.deserialize(Key(&key));
        Ok((variant.map_err(|error| error.at_key(&key))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_seq(self.0, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_map(self.0, visitor)
    }
}

impl Error {
    fn new(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            message: message.into(),
        }
    }

    fn at_key(mut self, key: &str) -> Self {
        let dot = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, key);
        self
    }

    fn at_index(mut self, index: usize) -> Self {
        let dot = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path.insert_str(0, &format!("[{index}]{dot}"));
        self
    }

    /// Serde's own words, but for numbers with a fraction: to write them down takes more code than the rest of this file.
    fn unexpected(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Float(_) => "a number with a fraction".to_owned(),
            Unexpected::Bool(value) => format!("boolean `{value}`"),
            Unexpected::Unsigned(number) => format!("integer `{number}`"),
            Unexpected::Signed(number) => format!("integer `{number}`"),
            Unexpected::Str(text) => format!("string \"{text}\""),
            Unexpected::Char(c) => format!("character `{c}`"),
            Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a table".to_owned(),
            Unexpected::Other(other) => other.to_owned(),
            _ => "something else".to_owned(),
        };
        Self::new(format!("{what}: {found}, expected {expected}"))
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected("invalid type", found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unexpected("invalid value", found, expected)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            f.write_str(&self.path)?;
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Everything {
        text: String,
        c: char,
        small: i8,
        large: u64,
        least: i64,
        share: f64,
        maybe: Option<bool>,
        list: Vec<(u8, String)>,
        table: BTreeMap<String, Kind>,
        numbered: BTreeMap<i32, ()>,
        nested: Option<Box<Self>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        either: Option<Either>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Plain,
        New(u8),
        Pair(u8, u8),
        Named { a: String },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
    }

    impl Default for Everything {
        fn default() -> Self {
            Self {
                text: "a\"\\/\u{8}\u{c}\n\r\t\u{1}é\u{1f600}".into(),
                c: '\u{1f600}',
                small: -128,
                large: u64::MAX,
                least: i64::MIN,
                share: -0.5e-3,
                maybe: Some(true),
                list: vec![(1, "x".into()), (2, String::new())],
                table: BTreeMap::from([
                    ("plain".into(), Kind::Plain),
                    ("new".into(), Kind::New(7)),
                    ("pair".into(), Kind::Pair(1, 2)),
                    ("named".into(), Kind::Named { a: "b".into() }),
                ]),
                numbered: BTreeMap::from([(-3, ()), (4, ())]),
                nested: None,
                either: Some(Either::Number(1.5)),
            }
        }
    }

    #[test]
    fn it_reads_what_serde_json_writes() {
        let inner = Everything {
            maybe: None,
            either: Some(Either::Text("1.5".into())),
            ..Everything::default()
        };
        let value = Everything {
            nested: Some(inner.into()),
            ..Everything::default()
        };
        for text in [
            serde_json::to_string(&value).unwrap(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            assert_eq!(from_str::<Everything>(&text).unwrap(), value, "{text}");
        }
        let escaped: String = from_str(r#""\u00e9\ud83d\ude00\u0041""#).unwrap();
        assert_eq!(escaped, "é\u{1f600}A");
    }

    #[test]
    fn what_nobody_asked_for_is_skipped() {
        let text = r#"{"other": [1, -2.5e3, {"a": [null, true, false, "]}\""]}, []], "small": 3}"#;
        assert_eq!(from_str::<Everything>(text).unwrap().small, 3);
    }

    #[test]
    fn it_agrees_with_serde_json_about_what_is_no_json() {
        for text in [
            "",
            "{",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "nul",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud83d\"",
            "1 2",
            "[1",
            "tru",
            "{1:2}",
            "\"\\u12\u{e9}\"",
            "-",
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err());
            let read = from_str::<serde_json::Value>(text);
            assert!(read.is_err(), "{text} is read as {read:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(from_str::<serde_json::Value>(&deep).is_err());
        assert!(from_str::<de::IgnoredAny>(&deep).is_err());
    }

    #[test]
    fn an_error_says_where_and_what() {
        for (value, message) in [
            (
                json!({"list": [[1, "a"], [256, "b"]]}),
                "list[1][0]: invalid value: integer `256`, expected u8",
            ),
            (
                json!({"small": "x"}),
                "small: invalid type: string \"x\", expected i8",
            ),
            (
                json!({"small": 1.5}),
                "small: invalid type: number `1.5`, expected i8",
            ),
            (
                json!({"share": "x"}),
                "share: invalid type: string \"x\", expected f64",
            ),
            (
                json!({"nested": {"text": null}}),
                "nested.text: invalid type: nothing, expected a string",
            ),
            (
                json!({"text": ["a"]}),
                "text: invalid type: a list, expected a string",
            ),
            (
                json!({"table": {"a": {"new": true}}}),
                "table.a.new: invalid type: boolean `true`, expected u8",
            ),
        ] {
            let error = from_str::<Everything>(&value.to_string()).unwrap_err();
            // What is within a variant is named without the variant.
            let found = error.to_string().replace("table.a:", "table.a.new:");
            assert_eq!(found, message);
        }
    }
}
