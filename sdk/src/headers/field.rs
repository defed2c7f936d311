//! What a header field is made of, and which fields a filter may change.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};

use portcullis_contract::field;

use crate::{Error, HeaderError};

/// The name of a header field, in lower case, as a configuration has it.
///
/// ```
/// use portcullis_sdk::{Error, HeaderName};
///
/// let name: HeaderName = "X-Client-Data".parse()?;
/// assert_eq!(name.as_str(), "x-client-data");
/// assert!(name.check_change().is_ok());
/// assert!("X Client Data".parse::<HeaderName>().is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a filter can set or remove the field. It cannot change those of the connection and
    /// of the framing, nor Expect, Host and Via: they belong to the proxy, and it is better to say
    /// so when the filter is made than on every request.
    ///
    /// ```
    /// use portcullis_sdk::{Error, HeaderName};
    ///
    /// assert!("Referer".parse::<HeaderName>()?.check_change().is_ok());
    /// assert!("Content-Length".parse::<HeaderName>()?.check_change().is_err());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the field belongs to the proxy.
    pub fn check_change(&self) -> Result<(), HeaderError> {
        if field::is_owned(&self.0) {
            return Err(HeaderError::Forbidden(self.0.clone()));
        }
        Ok(())
    }
}

impl FromStr for HeaderName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !field::is_name(text) {
            return Err(Error::new(format_args!(
                "`{text}` cannot be the name of a header field"
            )));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for HeaderName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<HeaderName> for String {
    fn from(name: HeaderName) -> Self {
        name.0
    }
}

impl From<&HeaderName> for String {
    fn from(name: &HeaderName) -> Self {
        name.0.clone()
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The value of a header field: bytes, mostly but not always text.
///
/// ```
/// use portcullis_sdk::testing;
///
/// let request = testing::request("GET", "http://www.example/").with_header("X-Raw", [b'a', 0xff]);
/// let value = request.headers().get("x-raw").unwrap();
/// assert_eq!(value.as_bytes(), [b'a', 0xff]);
/// assert_eq!(value.text(), "a\u{fffd}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderValue(pub(super) Vec<u8>);

impl HeaderValue {
    /// The value as sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value as text; U+FFFD stands for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl FromStr for HeaderValue {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !field::is_value(text.as_bytes()) {
            return Err(Error::new("it has control characters"));
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for HeaderValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl From<HeaderValue> for Vec<u8> {
    fn from(value: HeaderValue) -> Self {
        value.0
    }
}

impl PartialEq<str> for HeaderValue {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for HeaderValue {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn a_configuration_names_fields_in_any_case() {
        let name: HeaderName = config::parse("\"X-Raw\"").unwrap();
        assert_eq!(name.as_str(), "x-raw");
        let value: HeaderValue = config::parse("\"1; a=b\"").unwrap();
        assert_eq!(value, "1; a=b");
        for name in ["", "a b", "x:"] {
            let error = config::parse::<HeaderName>(&format!("{name:?}")).unwrap_err();
            assert!(
                error.to_string().ends_with("be the name of a header field"),
                "{error}"
            );
        }
        assert!(config::parse::<HeaderValue>("\"a\\r\\nb: c\"").is_err());
    }

    #[test]
    fn a_field_that_cannot_be_changed_can_be_named() {
        let name: HeaderName = "Content-Length".parse().unwrap();
        assert_eq!(
            name.check_change().unwrap_err().to_string(),
            "the field content-length belongs to the proxy and cannot be changed"
        );
    }
}
