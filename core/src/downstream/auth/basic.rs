//! How clients of HTTP send a name and a password: `Proxy-Authorization: Basic …` (RFC 9110,
//! section 11.7.2, and RFC 7617).

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::PROXY_AUTHORIZATION;

use super::Credentials;
use crate::error::Error;

const SCHEME: &str = "basic";

const OTHER_SCHEME: Error =
    Error::Unauthenticated("the login is of another scheme than Basic, which alone is known here");

const MALFORMED: Error = Error::Unauthenticated(
    "the login is not a name, a colon and a password without control characters, in base64",
);

/// What a request says of its client; none if it says nothing.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Option<Credentials>, Error> {
    let mut fields = headers.get_all(PROXY_AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(field), None) => parse(field.as_bytes()).map(Some),
        // A proxy before this one may have looked at the other.
        (Some(_), Some(_)) => Err(Error::MalformedRequest(
            "there are two Proxy-Authorization fields",
        )),
    }
}

fn parse(field: &[u8]) -> Result<Credentials, Error> {
    let end = field.iter().position(|byte| *byte == b' ');
    let (scheme, text) = field.split_at(end.unwrap_or(field.len()));
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return Err(OTHER_SCHEME);
    }
    let pair = BASE64.decode(text.trim_ascii()).map_err(|_| MALFORMED)?;
    let colon = pair.iter().position(|byte| *byte == b':');
    let colon = colon.ok_or(MALFORMED)?;
    let (name, password) = (&pair[..colon], &pair[colon + 1..]);
    // RFC 7617, section 2.
    if name.is_empty() || pair.iter().any(u8::is_ascii_control) {
        return Err(MALFORMED);
    }
    Ok(Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(fields: &[&[u8]]) -> Result<Option<Credentials>, u16> {
        let mut headers = HeaderMap::new();
        for field in fields {
            let value = HeaderValue::from_bytes(field).unwrap();
            headers.append(PROXY_AUTHORIZATION, value);
        }
        credentials(&headers).map_err(|error| error.status().as_u16())
    }

    fn encoded(pair: &[u8]) -> Vec<u8> {
        [b"Basic ", BASE64.encode(pair).as_bytes()].concat()
    }

    fn pair(name: &[u8], password: &[u8]) -> Result<Option<Credentials>, u16> {
        let [name, password] = [name, password].map(<[u8]>::to_vec);
        Ok(Some(Credentials { name, password }))
    }

    #[test]
    fn a_login_is_a_name_and_a_password() {
        assert_eq!(read(&[]), Ok(None));
        // The examples of RFC 7617, sections 2 and 2.1.
        let field = b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(read(&[field]), pair(b"Aladdin", b"open sesame"));
        let field = b"Basic dGVzdDoxMjPCow==";
        assert_eq!(read(&[field]), pair(b"test", "123£".as_bytes()));
        for scheme in ["basic", "BASIC", "Basic  "] {
            let field = format!("{scheme} YTpi");
            assert_eq!(read(&[field.as_bytes()]), pair(b"a", b"b"), "{scheme}");
        }
        assert_eq!(read(&[&encoded(b"a:b:c")]), pair(b"a", b"b:c"));
        assert_eq!(read(&[&encoded(b"a:")]), pair(b"a", b""));
        let long = vec![b'x'; 10 << 10];
        let field = encoded(&[b"a:", &long[..]].concat());
        assert_eq!(read(&[&field]), pair(b"a", &long));
    }

    #[test]
    fn what_is_no_login_is_asked_for_again_and_two_are_refused() {
        for field in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic YTpi!",
            b"Basic YTpi, Basic YTpi",
            b"Basic YQ==",
            b"Basic YTo",
            b"Basic OmI=",
            b"BasicYTpi",
            b"Bearer YTpi",
            b"NTLM TlRMTVNTUAAB",
            b"\xff\xfe",
            &encoded(b"a\0:b"),
            &encoded(b"a:b\r\nc"),
            &encoded(b"no colon"),
        ] {
            assert_eq!(read(&[field]), Err(407), "{}", field.escape_ascii());
        }
        let field = encoded(b"a:b");
        assert_eq!(read(&[&field, &field]), Err(400));
        assert_eq!(read(&[&field, b""]), Err(400));
    }

    proptest! {
        #[test]
        fn no_bytes_are_more_than_asked_for_again(field in prop::collection::vec(32u8.., 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&field) {
                let headers = HeaderMap::from_iter([(PROXY_AUTHORIZATION, value)]);
                if let Err(error) = credentials(&headers) {
                    prop_assert_eq!(error.status().as_u16(), 407);
                }
            }
        }

        #[test]
        fn what_was_written_is_read(name in "[^:\\p{Cc}]{1,40}", password in "\\P{Cc}{0,40}") {
            let written = encoded(format!("{name}:{password}").as_bytes());
            prop_assert_eq!(read(&[&written]), pair(name.as_bytes(), password.as_bytes()));
        }
    }
}
