//! What a request's head must look like before anything is done for it: the rules that hyper leaves
//! to its user. Called by `forward` and `connect`; knows nothing of what happens to the request.

use http::header::{EXPECT, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Method, Version};

use super::headers::KnownFields;
use crate::error::Error;
use crate::target::Target;

/// Refuses a head that breaks a rule of RFC 9110 or 9112. Returns which of the known fields it has.
pub(crate) fn check(head: &Parts) -> Result<KnownFields, Error> {
    // In the order in which a client hears of them.
    method(head)?;
    host(head)?;
    let fields = KnownFields::of(&head.headers);
    if fields.has(&TRANSFER_ENCODING) {
        framing(head)?;
    }
    if fields.has(&EXPECT) {
        expectation(head)?;
    }
    Ok(fields)
}

/// TRACE would show a client's page the credentials that the browser adds.
fn method(head: &Parts) -> Result<(), Error> {
    if head.method == Method::TRACE {
        return Err(Error::MethodNotAllowed);
    }
    Ok(())
}

/// RFC 9112, section 3.2: exactly one valid Host in HTTP/1.1, at most one before.
fn host(head: &Parts) -> Result<(), Error> {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::HTTP_10 => Ok(()),
        (None, _) => Err(Error::MalformedRequest("the Host field is missing")),
        (Some(_), Some(_)) => Err(Error::MalformedRequest("there are two Host fields")),
        (Some(host), None) => {
            // The handler that reads the target finds out whether the URI's authority is valid.
            let authority = head
                .uri
                .authority()
                .map_or("", |authority| authority.as_str());
            let host = host.to_str().unwrap_or_default();
            if host == authority || Target::parse(host, Some(80)).is_ok() {
                Ok(())
            } else {
                Err(Error::MalformedRequest("the Host field is invalid"))
            }
        }
    }
}

/// RFC 9112, section 6.1: a coding that is not understood makes the end of the message a guess.
fn framing(head: &Parts) -> Result<(), Error> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Error::MalformedRequest(
            "the only transfer coding understood is chunked, once",
        )),
    }
}

/// RFC 9110, section 10.1.1; HTTP/1.0 knows no expectations.
fn expectation(head: &Parts) -> Result<(), Error> {
    let known = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if head.version == Version::HTTP_10 || head.headers.get_all(EXPECT).iter().all(known) {
        Ok(())
    } else {
        Err(Error::ExpectationFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn answer(method: &str, version: Version, fields: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder()
            .method(method)
            .version(version)
            .uri("http://example.com:8080/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        check(&head).err().map(|error| error.status().as_u16())
    }

    #[test]
    fn http_1_1_has_exactly_one_valid_host() {
        let with = |hosts: &[&str]| {
            let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            answer("GET", Version::HTTP_11, &fields)
        };
        assert_eq!(with(&["example.com:8080"]), None);
        assert_eq!(with(&["another.example"]), None);
        assert_eq!(with(&[]), Some(400));
        assert_eq!(with(&["example.com:8080", "example.com:8080"]), Some(400));
        for invalid in ["", "a b", "user@example.com", "example.com:x", "a/b"] {
            assert_eq!(with(&[invalid]), Some(400), "{invalid:?}");
        }
        assert_eq!(answer("GET", Version::HTTP_10, &[]), None);
    }

    #[test]
    fn only_plain_chunked_is_understood() {
        let with = |codings: &[&str]| {
            let mut fields = vec![("host", "example.com")];
            fields.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            answer("POST", Version::HTTP_11, &fields)
        };
        assert_eq!(with(&["chunked"]), None);
        assert_eq!(with(&["Chunked"]), None);
        for invalid in [",chunked", "gzip, chunked", "chunked, chunked", "xchunked"] {
            assert_eq!(with(&[invalid]), Some(400), "{invalid:?}");
        }
        assert_eq!(with(&["chunked", "chunked"]), Some(400));
    }

    #[test]
    fn what_cannot_be_served_has_its_own_status() {
        let host = ("host", "example.com");
        let nonsense = [host, ("expect", "nonsense")];
        assert_eq!(answer("GET", Version::HTTP_11, &nonsense), Some(417));
        assert_eq!(answer("GET", Version::HTTP_10, &nonsense), None);
        assert_eq!(answer("TRACE", Version::HTTP_11, &[host]), Some(405));
    }
}
