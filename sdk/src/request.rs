//! The head of a request that the proxy can see.

use std::cell::OnceCell;

use crate::Headers;
use crate::proxy::{self, Fields};

/// The head of a request that the proxy can see. In [`judge_request`](crate::Filter::judge_request)
/// its header fields can be changed; what is changed holds if the verdict is
/// [`next`](crate::Verdict::next) or [`allow`](crate::Verdict::allow).
///
/// ```
/// use portcullis_sdk::{HeaderError, testing};
///
/// let mut request = testing::request("GET", "http://www.example/search?q=1")
///     .with_header("Referer", "http://intranet.example/secret/page");
/// request.headers_mut().set("Referer", "http://intranet.example/")?;
/// request.headers_mut().remove("X-Client-Data")?;
/// assert_eq!(request.headers().get("referer").unwrap(), "http://intranet.example/");
/// # Ok::<(), HeaderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: OnceCell<String>,
    url: OnceCell<String>,
    headers: Headers,
}

impl Request {
    /// One whose method and URL are known already.
    pub(crate) fn new(method: String, url: String, fields: Fields) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Headers::new(fields),
        }
    }

    /// The request to which the running hook is given the response.
    #[cfg(target_family = "wasm")]
    pub(crate) fn answered() -> Self {
        Self {
            method: OnceCell::new(),
            url: OnceCell::new(),
            headers: Headers::new(Fields::OfRequest),
        }
    }

    /// The method as sent: methods are case-sensitive.
    pub fn method(&self) -> &str {
        self.method.get_or_init(proxy::request_method)
    }

    /// The absolute URL with the canonical host.
    pub fn url(&self) -> &str {
        self.url.get_or_init(proxy::request_url)
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
