//! The head of a request that the proxy can see.

use crate::Error;
use crate::fields::{Fields, HeaderValue};

/// The head of a request that the proxy can see. In `judge_request`, its header fields can be changed; what is changed holds if the verdict
/// is [`NEXT`](crate::Verdict::NEXT) or [`ALLOW`](crate::Verdict::ALLOW).
///
/// ```
/// use portcullis_sdk::{Error, Request};
///
/// let mut request = Request::new("GET", "http://www.example/search?q=1")
///     .with_header("Referer", "http://intranet.example/secret/page");
/// request.set_header("Referer", "http://intranet.example/")?;
/// request.remove_header("X-Client-Data")?;
/// assert_eq!(request.header("referer").unwrap(), "http://intranet.example/");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url: String,
    fields: Fields,
}

impl Request {
    /// A request without header fields, for tests.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            fields: Fields::Given(Vec::new()),
        }
    }

    /// The same request with one more header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.give(name, value.into());
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(method: String, url: String) -> Self {
        Self {
            method,
            url,
            fields: Fields::Remote(crate::fields::Side::Request),
        }
    }

    /// The method as sent: methods are case-sensitive.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The absolute URL with the canonical host.
    pub fn url(&self) -> &str {
        &self.url
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
    /// proxy: those of the connection and of the framing, Host and Via.
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
