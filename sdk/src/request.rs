//! The head of a request that the proxy can see. Header fields stay with the proxy until a filter asks for them.

use std::borrow::Cow;

#[cfg(target_family = "wasm")]
use crate::proxy;

/// The head of a request that the proxy can see.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    url: String,
    headers: Headers,
}

#[derive(Clone, Debug)]
enum Headers {
    /// The proxy has them.
    #[cfg(target_family = "wasm")]
    Remote,
    /// A test gave them: lower-case names with their values, in order.
    Given(Vec<(String, HeaderValue)>),
}

impl Request {
    /// A request without header fields, for tests.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Headers::Given(Vec::new()),
        }
    }

    /// The same request with one more header field, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        match &mut self.headers {
            #[cfg(target_family = "wasm")]
            Headers::Remote => {}
            Headers::Given(fields) => {
                fields.push((name.to_ascii_lowercase(), HeaderValue(value.into())));
            }
        }
        self
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_proxy(method: String, url: String) -> Self {
        Self {
            method,
            url,
            headers: Headers::Remote,
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
        match &self.headers {
            #[cfg(target_family = "wasm")]
            Headers::Remote => proxy::header_values(name)
                .into_iter()
                .map(HeaderValue)
                .collect(),
            Headers::Given(fields) => fields
                .iter()
                .filter(|(given, _)| given.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone())
                .collect(),
        }
    }

    /// The distinct names of the header fields, lower case. Each call asks the proxy.
    pub fn header_names(&self) -> Vec<String> {
        match &self.headers {
            #[cfg(target_family = "wasm")]
            Headers::Remote => proxy::header_names(),
            Headers::Given(fields) => fields.iter().fold(Vec::new(), |mut names, (name, _)| {
                if !names.contains(name) {
                    names.push(name.clone());
                }
                names
            }),
        }
    }
}

/// The value of a header field: bytes, mostly but not always text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderValue(Vec<u8>);

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

    #[test]
    fn a_field_is_found_in_any_case_and_keeps_its_order_and_bytes() {
        let request = Request::new("GET", "http://a.example/")
            .with_header("Cookie", "a=1")
            .with_header("X-Raw", [b'a', 0xff])
            .with_header("cookie", "b=2");

        assert_eq!(request.header_names(), ["cookie", "x-raw"]);
        assert_eq!(request.headers("COOKIE"), ["a=1", "b=2"]);
        assert_eq!(request.header("x-raw").unwrap().as_bytes(), [b'a', 0xff]);
        assert_eq!(request.header("x-raw").unwrap().text(), "a\u{fffd}");
        assert_eq!(request.header("host"), None);
    }
}
