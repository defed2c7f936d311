//! The header fields of a message. The proxy has them; a filter that is compiled to WASM asks for
//! what it needs, and a native test gives them.

mod field;

pub use field::{HeaderName, HeaderValue};

use crate::HeaderError;
use crate::proxy::Fields;

/// The header fields of a [`Request`](crate::Request) or a [`Response`](crate::Response). Names are
/// the same in any case. Each call asks the proxy.
///
/// ```
/// use portcullis_sdk::{Error, Headers, testing};
///
/// fn strip(headers: &mut Headers, prefix: &str) -> Result<(), Error> {
///     for name in headers.names().iter().filter(|name| name.starts_with(prefix)) {
///         headers.remove(name)?;
///     }
///     Ok(())
/// }
///
/// let mut response = testing::response(200).with_header("X-Track-Id", "1").with_header("Age", "60");
/// let headers = response.headers_mut();
/// strip(headers, "x-track-")?;
/// assert_eq!(headers.names(), ["age"]);
///
/// headers.set("Age", "61")?;
/// headers.append("Set-Cookie", "a=1")?;
/// headers.append("Set-Cookie", "b=2")?;
/// assert_eq!(headers.get("age").unwrap(), "61");
/// assert_eq!(headers.get_all("set-cookie"), ["a=1", "b=2"]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Headers(Fields);

impl Headers {
    pub(crate) fn new(fields: Fields) -> Self {
        Self(fields)
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }

    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<HeaderValue> {
        self.get_all(name).into_iter().next()
    }

    /// The values of every field of that name, in order.
    pub fn get_all(&self, name: &str) -> Vec<HeaderValue> {
        self.0.get(name).into_iter().map(HeaderValue).collect()
    }

    /// The distinct names, in lower case.
    pub fn names(&self) -> Vec<String> {
        self.0.names()
    }

    /// Every field with its value; those of one name stand together, in order. A name may be as it
    /// was sent or in lower case.
    pub fn all(&self) -> Vec<(String, HeaderValue)> {
        let all = self.0.all().into_iter();
        all.map(|(name, value)| (name, HeaderValue(value)))
            .collect()
    }

    /// Puts one field in place of all of that name.
    ///
    /// # Errors
    ///
    /// If the name or the value is not possible in HTTP (RFC 9110, section 5), if the field belongs
    /// to the proxy, or if there is too much.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), HeaderError> {
        self.0.set(name, value.into())
    }

    /// Adds one more field of that name.
    ///
    /// # Errors
    ///
    /// As of [`set`](Self::set).
    pub fn append(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), HeaderError> {
        self.0.append(name, value.into())
    }

    /// Removes every field of that name.
    ///
    /// # Errors
    ///
    /// As of [`set`](Self::set); not if there is none.
    pub fn remove(&mut self, name: &str) -> Result<(), HeaderError> {
        self.0.remove(name)
    }

    /// Puts these in place of all fields. Those that belong to the proxy stay as they are, whatever
    /// the list says of them.
    ///
    /// ```
    /// use portcullis_sdk::{HeaderError, testing};
    ///
    /// let request = testing::request("GET", "http://www.example/").with_header("Host", "www.example");
    /// let mut request = request.with_header("Accept", "*/*").with_header("Cookie", "a=1");
    /// let mut fields = request.headers().all();
    /// fields.retain(|(name, _)| name != "cookie");
    /// request.headers_mut().set_all(fields)?;
    /// assert_eq!(request.headers().names(), ["accept", "host"]);
    /// # Ok::<(), HeaderError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`set`](Self::set), but not for a field that belongs to the proxy.
    pub fn set_all<N, V>(
        &mut self,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), HeaderError>
    where
        N: Into<String>,
        V: Into<Vec<u8>>,
    {
        let fields = fields.into_iter();
        let fields: Vec<_> = fields
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        self.0.set_all(&fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(given: &[(&str, &str)]) -> Headers {
        let mut fields = Fields::default();
        for (name, value) in given {
            fields.give(name, value.as_bytes().to_vec());
        }
        Headers::new(fields)
    }

    #[test]
    fn a_field_is_found_in_any_case_and_keeps_its_order() {
        let fields = fields(&[("Cookie", "a=1"), ("X-Raw", "x"), ("cookie", "b=2")]);
        assert_eq!(fields.names(), ["cookie", "x-raw"]);
        assert_eq!(fields.get_all("COOKIE"), ["a=1", "b=2"]);
        assert_eq!(fields.get_all("host"), [""; 0]);
        let all = fields.all();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cookie", "cookie", "x-raw"]);
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
        let large = "x".repeat(64 << 10);
        assert_eq!(fields.set("a", large), Err(HeaderError::SizeExceeded));
    }

    #[test]
    fn all_fields_go_back_as_they_came_and_the_proxys_stay() {
        let mut fields = fields(&[("Accept", "*/*"), ("Host", "a.example")]);
        fields.set_all(fields.all()).unwrap();
        assert_eq!(fields.names(), ["accept", "host"]);
        let other = [("Host", "evil.example"), ("X-A", "1")];
        fields.set_all(other).unwrap();
        assert_eq!(fields.get_all("host"), ["a.example"]);
        assert_eq!(fields.names(), ["x-a", "host"]);
        let wrong = fields.set_all([("x-b", "1"), ("a b", "2")]);
        assert_eq!(wrong, Err(HeaderError::InvalidSyntax("a b".into())));
        assert_eq!(fields.names(), ["x-a", "host"]);
    }
}
