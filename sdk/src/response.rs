//! The head of a response that the proxy can see.

use crate::Headers;
use crate::proxy::Fields;

/// The head of a response. Its header fields can be changed; what is changed holds if the verdict
/// is [`next`](crate::Verdict::next) or [`allow`](crate::Verdict::allow).
///
/// ```
/// use portcullis_sdk::{HeaderError, testing};
///
/// let mut response = testing::response(200).with_header("Server", "secret/1.0");
/// response.headers_mut().remove("Server")?;
/// response.headers_mut().set("Referrer-Policy", "no-referrer")?;
/// assert_eq!(response.headers().names(), ["referrer-policy"]);
/// # Ok::<(), HeaderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    headers: Headers,
}

impl Response {
    pub(crate) fn new(status: u16, fields: Fields) -> Self {
        Self {
            status,
            headers: Headers::new(fields),
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
