//! The head of a response that the proxy can see.

use crate::Error;
use crate::fields::{Fields, HeaderValue};

/// The head of a response. Its header fields can be changed; what is changed holds if the verdict is [`NEXT`](crate::Verdict::NEXT) or
/// [`ALLOW`](crate::Verdict::ALLOW).
///
/// ```
/// use portcullis_sdk::{Error, Response};
///
/// let mut response = Response::new(200).with_header("Server", "secret/1.0");
/// response.remove_header("Server")?;
/// response.set_header("Referrer-Policy", "no-referrer")?;
/// assert_eq!(response.header_names(), ["referrer-policy"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    fields: Fields,
}

impl Response {
    /// A response without header fields, for tests.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            fields: Fields::Given(Vec::new()),
        }
    }

    /// The same response with one more header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.give(name, value.into());
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(status: u16) -> Self {
        Self {
            status,
            fields: Fields::Remote(crate::fields::Side::Response),
        }
    }

    /// The status of the origin, 200 to 599.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of the first header field of that name, in any case. Each call asks the proxy.
    pub fn header(&self, name: &str) -> Option<HeaderValue> {
        self.headers(name).into_iter().next()
    }

    /// The values of every header field of that name, in any case, in order. Each call asks the proxy.
    pub fn headers(&self, name: &str) -> Vec<HeaderValue> {
        self.fields.values(name)
    }

    /// The distinct names of the header fields, lower case. Each call asks the proxy.
    pub fn header_names(&self) -> Vec<String> {
        self.fields.names()
    }

    /// Puts one field in place of all of that name. Fails if the name or the value is not possible in HTTP, or the field belongs to the
    /// proxy: those of the connection and of the framing.
    pub fn set_header(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.fields.set(name, value.into())
    }

    /// Adds one more field of that name; fails like [`set_header`](Self::set_header).
    pub fn append_header(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.fields.append(name, value.into())
    }

    /// Removes every field of that name; fails like [`set_header`](Self::set_header), not if there is none.
    pub fn remove_header(&mut self, name: &str) -> Result<(), Error> {
        self.fields.remove(name)
    }
}
