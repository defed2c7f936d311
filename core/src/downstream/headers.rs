//! Fields that belong to one connection, and the mark this proxy leaves on messages. Used by the
//! HTTP side only.

use std::hash::{BuildHasher, RandomState};

use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE,
    EXPECT, HOST, HeaderName, MAX_FORWARDS, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderMap, HeaderValue, Version};

/// Framing, routing and meaning rest on these; a `Connection` field that names them is wrong or
/// hostile.
static NO_CONNECTION_OPTIONS: [HeaderName; 11] = [
    HOST,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    CACHE_CONTROL,
    DATE,
    EXPECT,
    MAX_FORWARDS,
    TRAILER,
    VIA,
];

/// Which of the fields that a proxy acts upon a message has. One pass over its names costs less
/// than a search for each of them: most messages have one or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownFields(u16);

/// Never forwarded, whether `Connection` names them or not (RFC 9110, section 7.6.1).
static HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHORIZATION,
    PROXY_AUTHENTICATE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("http2-settings"),
];

impl KnownFields {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(headers.keys().fold(0, |known, name| known | bit(name)))
    }

    /// Whether the message has that field, one of those that `bit` knows.
    #[inline]
    pub(crate) fn has(self, name: &HeaderName) -> bool {
        debug_assert!(bit(name) != 0, "{name} is not among the known fields");
        self.0 & bit(name) != 0
    }

    /// Removes the fields that are meant for one connection only, and what the `Connection` fields
    /// name.
    pub(crate) fn remove_hop_by_hop(self, headers: &mut HeaderMap) {
        if self.0 & ANY_HOP_BY_HOP == 0 {
            return;
        }
        let named: Vec<_> = if self.has(&CONNECTION) {
            connection_options(headers).collect()
        } else {
            Vec::new()
        };
        for name in HOP_BY_HOP.iter().filter(|name| self.has(name)) {
            headers.remove(name);
        }
        for name in named {
            headers.remove(name);
        }
    }
}

/// The bits of `HOP_BY_HOP`.
const ANY_HOP_BY_HOP: u16 = (1 << HOP_BY_HOP.len()) - 1;

#[inline]
fn bit(name: &HeaderName) -> u16 {
    match *name {
        CONNECTION => 1,
        TE => 1 << 1,
        TRANSFER_ENCODING => 1 << 2,
        UPGRADE => 1 << 3,
        PROXY_AUTHORIZATION => 1 << 4,
        PROXY_AUTHENTICATE => 1 << 5,
        EXPECT => 1 << 10,
        VIA => 1 << 11,
        _ => match name.as_str() {
            "keep-alive" => 1 << 6,
            "proxy-connection" => 1 << 7,
            "proxy-authentication-info" => 1 << 8,
            "http2-settings" => 1 << 9,
            _ => 0,
        },
    }
}

/// The fields that the `Connection` fields name, as far as they may be named.
fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    tokens(headers, &CONNECTION)
        .filter(|token| {
            // The usual options name no fields, or fields that are removed anyway.
            ["close", "keep-alive", "upgrade", "te"]
                .iter()
                .all(|option| !token.eq_ignore_ascii_case(option.as_bytes()))
        })
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| !NO_CONNECTION_OPTIONS.contains(name))
}

/// Whether any field of that name has that token in its comma-separated list.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
}

/// The elements of all comma-separated lists in fields of that name (RFC 9110, section 5.6.1). They
/// are bytes, because one that is no text takes nothing away from those beside it.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// The name under which this process appears in `Via` fields (RFC 9110, section 7.6.3).
///
/// It ends in a random number, so that proxies of the same kind can be chained and a request that
/// meets its own mark is known to run in a circle.
#[derive(Clone, Debug)]
pub(crate) struct Pseudonym {
    name: String,
    /// Stands in its place where the proxy asks itself. Clients and origins see the name; this one
    /// never leaves the machine, so that no client passes for the proxy.
    to_itself: String,
    via_1_0: HeaderValue,
    via_1_1: HeaderValue,
}

impl Pseudonym {
    pub(crate) fn random() -> Self {
        let number = || RandomState::new().hash_one(());
        let name = format!("portcullis-{:08x}", number() as u32);
        let via = |version| {
            HeaderValue::from_str(&format!("{version} {name}"))
                .expect("a version and hexadecimal digits make a field value")
        };
        Self {
            via_1_0: via("1.0"),
            via_1_1: via("1.1"),
            to_itself: format!("portcullis-{:016x}", number()),
            name,
        }
    }

    /// What stands for this proxy in the Via field of a question to itself.
    pub(crate) fn to_itself(&self) -> &str {
        &self.to_itself
    }

    /// The field value that marks a message of HTTP/1.1.
    pub(crate) fn via(&self) -> &HeaderValue {
        &self.via_1_1
    }

    /// Whether a message has been here before.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        has_hop(headers, &self.name)
    }

    /// Whether it is a question of the proxy to itself.
    pub(crate) fn is_asked_by_itself(&self, headers: &HeaderMap) -> bool {
        has_hop(headers, &self.to_itself)
    }

    /// Marks a message that was received in `version`.
    pub(crate) fn append_to(&self, headers: &mut HeaderMap, version: Version) {
        let via = match version {
            Version::HTTP_10 => &self.via_1_0,
            _ => &self.via_1_1,
        };
        headers.append(VIA, via.clone());
    }
}

fn has_hop(headers: &HeaderMap, name: &str) -> bool {
    tokens(headers, &VIA).any(|hop| {
        let mut words = hop.split(u8::is_ascii_whitespace);
        let by = words.by_ref().filter(|word| !word.is_empty()).nth(1);
        by.is_some_and(|by| by.eq_ignore_ascii_case(name.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn left(fields: &[(&str, &str)]) -> Vec<String> {
        let mut headers = headers(fields);
        KnownFields::of(&headers).remove_hop_by_hop(&mut headers);
        let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn each_known_field_is_told_from_the_others() {
        let mut bits = HOP_BY_HOP.iter().map(bit).fold(0, |bits, bit| bits | bit);
        assert_eq!(bits, ANY_HOP_BY_HOP);
        for name in [EXPECT, VIA] {
            assert_eq!(
                (bit(&name).count_ones(), bit(&name) & bits),
                (1, 0),
                "{name}"
            );
            bits |= bit(&name);
        }
    }

    #[test]
    fn fields_of_the_connection_are_removed() {
        assert_eq!(
            left(&[
                ("proxy-authorization", "Basic eDp5"),
                ("proxy-connection", "keep-alive"),
                ("keep-alive", "timeout=5"),
                ("te", "trailers"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "h2c"),
                ("accept", "*/*"),
            ]),
            ["accept"]
        );
    }

    #[test]
    fn every_connection_field_is_read() {
        assert_eq!(
            left(&[
                ("connection", "x-one, close"),
                ("connection", "X-Two"),
                ("x-one", "1"),
                ("x-two", "2"),
                ("x-two", "2 again"),
                ("x-three", "3"),
            ]),
            ["x-three"]
        );
    }

    #[test]
    fn framing_and_routing_are_no_connection_options() {
        assert_eq!(
            left(&[
                ("connection", "host, content-length, via"),
                ("host", "a"),
                ("content-length", "1"),
                ("via", "1.1 b"),
            ]),
            ["content-length", "host", "via"]
        );
    }

    #[test]
    fn only_its_own_mark_makes_a_loop() {
        let (this, other) = (Pseudonym::random(), Pseudonym::random());
        let mut headers = headers(&[("via", "1.1 portcullis, 1.0 fred (note)")]);
        other.append_to(&mut headers, Version::HTTP_11);
        assert!(!this.is_in(&headers));
        this.append_to(&mut headers, Version::HTTP_10);
        assert!(this.is_in(&headers));
        // All who see such a message may send the mark again.
        assert!(!this.is_asked_by_itself(&headers));
    }
}
