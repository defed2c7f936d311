//! The header fields of a message. The proxy has them; a filter that is compiled to WASM asks for
//! what it needs, and a native test gives them.

mod field;

pub use field::{HeaderName, HeaderValue};

use crate::Error;
#[cfg(target_family = "wasm")]
use crate::proxy::{self, Side};
use field::check;

/// The header fields of a [`Request`](crate::Request) or a [`Response`](crate::Response). Names are
/// the same in any case. Each call asks the proxy.
///
/// ```
/// use portcullis_sdk::{Error, Headers, Request, Response};
///
/// fn strip(headers: &mut Headers, prefix: &str) -> Result<(), Error> {
///     let names = headers.names();
///     names.iter().filter(|name| name.starts_with(prefix)).try_for_each(|name| headers.remove(name))
/// }
///
/// let mut request = Request::new("GET", "http://www.example/").with_header("X-Track-Id", "1");
/// strip(request.headers_mut(), "x-track-")?;
/// let mut response = Response::new(200).with_header("X-Track-Id", "1").with_header("Age", "60");
/// strip(response.headers_mut(), "x-track-")?;
/// assert_eq!(response.headers().names(), ["age"]);
///
/// let headers = response.headers_mut();
/// headers.set("Age", "61")?;
/// headers.append("Set-Cookie", "a=1")?;
/// headers.append("Set-Cookie", "b=2")?;
/// assert_eq!(headers.get("age").map(|age| age.text().into_owned()).as_deref(), Some("61"));
/// assert_eq!(headers.get_all("set-cookie"), ["a=1", "b=2"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Headers(Fields);

#[derive(Clone, Debug)]
enum Fields {
    /// The proxy has them.
    #[cfg(target_family = "wasm")]
    Remote(Side),
    /// A test gave them: lower-case names with their values, in order.
    Given(Vec<(String, HeaderValue)>),
}

impl Headers {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Fields::Given(Vec::new()))
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn of(side: Side) -> Self {
        Self(Fields::Remote(side))
    }

    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<HeaderValue> {
        self.get_all(name).into_iter().next()
    }

    /// The values of every field of that name, in order.
    pub fn get_all(&self, name: &str) -> Vec<HeaderValue> {
        match &self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(side) => proxy::header_values(*side, name)
                .into_iter()
                .map(HeaderValue)
                .collect(),
            Fields::Given(fields) => fields
                .iter()
                .filter(|(given, _)| given.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone())
                .collect(),
        }
    }

    /// The distinct names, lower case.
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(side) => proxy::header_names(*side),
            Fields::Given(fields) => fields.iter().fold(Vec::new(), |mut names, (name, _)| {
                if !names.contains(name) {
                    names.push(name.clone());
                }
                names
            }),
        }
    }

    /// Puts one field in place of all of that name.
    ///
    /// # Errors
    ///
    /// If the name or the value is not possible in HTTP (RFC 9110, section 5), or the field belongs
    /// to the proxy: those of the connection and of the framing, Host and Via.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        let value = value.into();
        match &mut self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(side) => proxy::set_header(*side, name, &value).map_err(Error::new),
            Fields::Given(fields) => {
                check(name, &value)?;
                fields.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
                fields.push((name.to_ascii_lowercase(), HeaderValue(value)));
                Ok(())
            }
        }
    }

    /// Adds one more field of that name.
    ///
    /// # Errors
    ///
    /// As of [`set`](Self::set).
    pub fn append(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        let value = value.into();
        match &mut self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(side) => proxy::append_header(*side, name, &value).map_err(Error::new),
            Fields::Given(fields) => {
                check(name, &value)?;
                fields.push((name.to_ascii_lowercase(), HeaderValue(value)));
                Ok(())
            }
        }
    }

    /// Removes every field of that name.
    ///
    /// # Errors
    ///
    /// As of [`set`](Self::set); not if there is none.
    pub fn remove(&mut self, name: &str) -> Result<(), Error> {
        match &mut self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(side) => proxy::remove_header(*side, name).map_err(Error::new),
            Fields::Given(fields) => {
                check(name, b"")?;
                fields.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
                Ok(())
            }
        }
    }

    /// One more field, whatever its name: the message came with it.
    pub(crate) fn give(&mut self, name: &str, value: Vec<u8>) {
        match &mut self.0 {
            #[cfg(target_family = "wasm")]
            Fields::Remote(_) => {}
            Fields::Given(fields) => fields.push((name.to_ascii_lowercase(), HeaderValue(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(given: &[(&str, &str)]) -> Headers {
        let mut fields = Headers::new();
        for (name, value) in given {
            fields.give(name, value.as_bytes().to_vec());
        }
        fields
    }

    #[test]
    fn a_field_is_found_in_any_case_and_keeps_its_order() {
        let fields = fields(&[("Cookie", "a=1"), ("X-Raw", "x"), ("cookie", "b=2")]);
        assert_eq!(fields.names(), ["cookie", "x-raw"]);
        assert_eq!(fields.get_all("COOKIE"), ["a=1", "b=2"]);
        assert_eq!(fields.get_all("host"), [""; 0]);
    }

    #[test]
    fn fields_are_replaced_added_and_removed_in_any_case() {
        let mut fields = fields(&[("Cookie", "a=1"), ("cookie", "b=2"), ("Host", "a.example")]);
        fields.set("COOKIE", "c=3").unwrap();
        assert_eq!(fields.get_all("cookie"), ["c=3"]);
        fields.append("Cookie", "d=4").unwrap();
        assert_eq!(fields.get_all("cookie"), ["c=3", "d=4"]);
        fields.remove("cookie").unwrap();
        assert_eq!(fields.names(), ["host"]);
    }

    #[test]
    fn what_the_proxy_would_refuse_is_refused() {
        let mut fields = fields(&[("Host", "a.example")]);
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("Host", "evil.example"),
            ("content-length", "0"),
            ("x", "a\r\nSet-Cookie: b"),
        ] {
            assert!(fields.set(name, value).is_err(), "{name}");
            assert!(fields.append(name, value).is_err(), "{name}");
        }
        assert!(fields.remove("host").is_err());
        assert_eq!(fields.get_all("host"), ["a.example"]);
    }
}
