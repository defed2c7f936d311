//! Why a filter cannot change a header field. Returned by `headers`.

use std::fmt;

use portcullis_contract::limits::{ADDED_FIELDS_BYTES, FIELDS};

use super::Error;

/// Why a header field was not changed. Nothing has changed then.
///
/// ```
/// use portcullis_sdk::{HeaderError, testing};
///
/// let mut request = testing::request("GET", "http://www.example/");
/// let refused = request.headers_mut().set("Host", "other.example");
/// assert_eq!(refused, Err(HeaderError::Forbidden("Host".into())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// A field of that name, or of the value that was given for it, is not possible in HTTP
    /// (RFC 9110, section 5).
    InvalidSyntax(String),
    /// The field of that name belongs to the proxy: those of the connection and of the framing of
    /// the message, Expect, Host and Via.
    Forbidden(String),
    /// The fields cannot be changed in this hook.
    Immutable,
    /// There would be too many fields, or too large ones.
    SizeExceeded,
    /// Something else, for people to read.
    Other(String),
}

impl HeaderError {
    /// The error about a field that a verdict adds. The proxy does not say which one is too much.
    pub(crate) fn about_added(self, name: &str) -> Error {
        if self != Self::SizeExceeded {
            return self.into();
        }
        Error::new(format_args!(
            "the field {name} is more than can be added to an answer: {FIELDS} fields, and {} KiB \
             of names and values",
            ADDED_FIELDS_BYTES >> 10
        ))
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSyntax(name) => write!(
                f,
                "`{}` cannot be the name of a header field, or its value has characters that no \
                 field can have",
                name.escape_debug()
            ),
            Self::Forbidden(name) => write!(
                f,
                "the field {name} belongs to the proxy and cannot be changed"
            ),
            Self::Immutable => f.write_str("the header fields cannot be changed in this hook"),
            Self::SizeExceeded => f.write_str(
                "there would be too many header fields, or too large ones, so nothing was changed",
            ),
            Self::Other(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for HeaderError {}
