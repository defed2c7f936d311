//! Why a filter cannot be made or cannot judge: a message, since nothing else crosses the border.
//! The errors that the proxy answers with are typed; each stands in a file of its own.

mod feed;
mod header;
mod state;

use std::fmt;

pub use feed::FeedError;
pub use header::HeaderError;
pub use state::StateError;

/// A message for the operator. Every [`std::error::Error`] turns into one with `?`, its sources
/// included.
///
/// It is not a `std::error::Error` itself, or that conversion could not exist.
///
/// ```
/// use portcullis_sdk::Error;
///
/// fn port(text: &str) -> Result<u16, Error> {
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(port("443"), Ok(443));
/// assert_eq!(port("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error that says `message`.
    ///
    /// ```
    /// use portcullis_sdk::Error;
    ///
    /// let error = Error::new(format_args!("there is no feed {}", "malware"));
    /// assert_eq!(error.to_string(), "there is no feed malware");
    /// ```
    pub fn new(message: impl fmt::Display) -> Self {
        // `to_string` would bring a second copy of the code for writing into strings.
        Self(format!("{message}"))
    }

    /// The same error with the setting that is at fault in front of it, as in the errors of a
    /// configuration that cannot be read.
    ///
    /// ```
    /// use portcullis_sdk::Error;
    ///
    /// let error = Error::new("it must not be 0").at("rules[2].limit");
    /// assert_eq!(error.to_string(), "rules[2].limit: it must not be 0");
    /// ```
    #[must_use]
    pub fn at(self, setting: impl fmt::Display) -> Self {
        Self(format!("{setting}: {self}"))
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = format!("{error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self(message)
    }
}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The message itself, as it reads in a failed test.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the port is not a number")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_brings_its_sources_along() {
        fn port(text: &str) -> Result<u16, Error> {
            Ok(text.parse().map_err(Outer)?)
        }
        assert_eq!(
            port("x").unwrap_err().to_string(),
            "the port is not a number: invalid digit found in string"
        );
    }
}
