//! The forms that values of settings have as text: numbers, sizes, times and others.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use schemars::{Schema, json_schema};
use serde_json::Value;

/// Reads and writes values of type `T`.
pub(super) trait Form<T> {
    fn parse(&self, text: &str) -> Option<T>;
    fn write(&self, value: &T) -> Value;
    fn schema(&self) -> Schema;
}

/// What a function reads.
pub(super) struct Text<T>(pub(super) fn(&str) -> Option<T>);

impl<T: Display> Form<T> for Text<T> {
    fn parse(&self, text: &str) -> Option<T> {
        (self.0)(text)
    }

    fn write(&self, value: &T) -> Value {
        value.to_string().into()
    }

    fn schema(&self) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// A whole number within bounds.
pub(super) struct Number<T>(pub(super) RangeInclusive<T>);

impl<T: FromStr + Display + PartialOrd> Form<T> for Number<T> {
    fn parse(&self, text: &str) -> Option<T> {
        text.parse().ok().filter(|number| self.0.contains(number))
    }

    fn write(&self, number: &T) -> Value {
        number.to_string().parse().unwrap_or_default()
    }

    fn schema(&self) -> Schema {
        let [minimum, maximum] = [self.0.start(), self.0.end()].map(|bound| self.write(bound));
        json_schema!({"type": "integer", "minimum": minimum, "maximum": maximum})
    }
}

/// An amount of bytes within bounds.
pub(super) struct Size(pub(super) RangeInclusive<u64>);

impl<T: TryFrom<u64> + TryInto<u64> + Copy> Form<T> for Size {
    fn parse(&self, text: &str) -> Option<T> {
        let ByteSize(bytes) = text.parse().ok()?;
        self.0.contains(&bytes).then(|| bytes.try_into().ok())?
    }

    fn write(&self, bytes: &T) -> Value {
        let bytes = ByteSize((*bytes).try_into().unwrap_or(u64::MAX));
        bytes.to_string().replace(".0 ", "").into()
    }

    fn schema(&self) -> Schema {
        json_schema!({"type": ["string", "integer"]})
    }
}

/// A time from this to a year.
pub(super) struct TimeFrom(pub(super) Duration);

impl Form<Duration> for TimeFrom {
    fn parse(&self, text: &str) -> Option<Duration> {
        const YEAR: Duration = Duration::from_hours(365 * 24);
        let time = humantime::parse_duration(text).ok()?;
        (self.0..=YEAR).contains(&time).then_some(time)
    }

    fn write(&self, time: &Duration) -> Value {
        humantime::format_duration(*time).to_string().into()
    }

    fn schema(&self) -> Schema {
        json_schema!({"type": "string"})
    }
}
