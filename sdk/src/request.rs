//! The head of a request that the proxy can see.

use crate::Headers;

/// The head of a request that the proxy can see. In `judge_request`, its header fields can be
/// changed; what is changed holds if the verdict is [`NEXT`](crate::Verdict::NEXT) or
/// [`ALLOW`](crate::Verdict::ALLOW).
///
/// ```
/// use portcullis_sdk::{Error, Request};
///
/// let mut request = Request::new("GET", "http://www.example/search?q=1")
///     .with_header("Referer", "http://intranet.example/secret/page");
/// request.headers_mut().set("Referer", "http://intranet.example/")?;
/// request.headers_mut().remove("X-Client-Data")?;
/// assert_eq!(request.headers().get("referer").unwrap(), "http://intranet.example/");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url: String,
    headers: Headers,
}

impl Request {
    /// A request without header fields, for tests.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Headers::new(),
        }
    }

    /// The same request with one more header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.give(name, value.into());
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(method: String, url: String) -> Self {
        Self {
            method,
            url,
            headers: Headers::of(crate::proxy::Side::Request),
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

    /// Its header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Its header fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}
