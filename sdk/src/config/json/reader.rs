//! The text, read byte by byte. Called by `deserializer`, which knows what should be there.

use std::borrow::Cow;

use serde::de::{Expected, Visitor};

use super::error::Error;

/// Values within values; deeper ones are refused.
const MAX_DEPTH: usize = 100;

/// Where reading has got to.
pub(super) struct Reader<'de> {
    text: &'de str,
    /// The next byte; never within a character.
    at: usize,
    depth: usize,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Whether nothing is left, not even white space.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

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
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        self.peek();
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    pub(super) fn syntax(&self) -> Error {
        Error::new(format!("this is no JSON from byte {} on", self.at))
    }

    pub(super) fn number(&mut self) -> &'de str {
        self.peek();
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"-+.eE".contains(byte);
        let length = self.rest().bytes().take_while(is_part).count();
        self.take(length)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
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
                let unit = self.code_unit()?;
                let code = match unit {
                    0xd800..0xdc00 => self.low_surrogate(unit)?,
                    code => code,
                };
                char::from_u32(code).ok_or_else(|| self.syntax())?
            }
            _ => return Err(self.syntax()),
        })
    }

    /// The code point of two code units, of which `high` was the first.
    fn low_surrogate(&mut self, high: u32) -> Result<u32, Error> {
        if self.take(2) != "\\u" {
            return Err(self.syntax());
        }
        match self.code_unit()? {
            low @ 0xdc00..0xe000 => Ok(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)),
            _ => Err(self.syntax()),
        }
    }

    fn code_unit(&mut self) -> Result<u32, Error> {
        let digits = self.take(4);
        let unit = u32::from_str_radix(digits, 16).ok();
        unit.filter(|_| digits.len() == 4)
            .ok_or_else(|| self.syntax())
    }

    pub(super) fn enter(&mut self, open: u8) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new("too many values within values"));
        }
        self.expect(open)
    }

    pub(super) fn leave(&mut self, close: u8) -> Result<(), Error> {
        self.depth -= 1;
        self.expect(close)
    }

    /// Goes on to the next element of a sequence or map, if there is one.
    pub(super) fn has_next(&mut self, is_first: &mut bool, close: u8) -> Result<bool, Error> {
        if self.peek() == Some(close) {
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    pub(super) fn skip(&mut self) -> Result<(), Error> {
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
    pub(super) fn mismatch(&mut self, expected: &dyn Expected) -> Error {
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
    pub(super) fn integer(&mut self) -> Option<(bool, u64)> {
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

    pub(super) fn any_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.integer() {
            Some((false, number)) => visitor.visit_u64(number),
            Some((true, number)) => match 0_i64.checked_sub_unsigned(number) {
                Some(number) => visitor.visit_i64(number),
                None => Err(Error::new("the number is too small")),
            },
            None => self.float(visitor),
        }
    }

    pub(super) fn float<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
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
