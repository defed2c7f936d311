//! The head of a response that the proxy can see.

use crate::Headers;

/// The head of a response. Its header fields can be changed; what is changed holds if the verdict
/// is [`NEXT`](crate::Verdict::NEXT) or [`ALLOW`](crate::Verdict::ALLOW).
///
/// ```
/// use portcullis_sdk::{Error, Response};
///
/// let mut response = Response::new(200).with_header("Server", "secret/1.0");
/// response.headers_mut().remove("Server")?;
/// response.headers_mut().set("Referrer-Policy", "no-referrer")?;
/// assert_eq!(response.headers().names(), ["referrer-policy"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    headers: Headers,
}

impl Response {
    /// A response without header fields, for tests.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Headers::new(),
        }
    }

    /// The same response with one more header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.give(name, value.into());
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(status: u16) -> Self {
        Self {
            status,
            headers: Headers::of(crate::proxy::Side::Response),
        }
    }

    /// The status of the origin, 200 to 599.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Its header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Its header fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}
