//! Header fields: what their names and values are made of, and which of them belong to the proxy.

use crate::limits::FIELD_NAME_BYTES;

/// Fields that a filter cannot change: those of the connection (RFC 9110, section 7.6.1), of the
/// framing (RFC 9112, section 6), and those that the proxy answers for. In lower case.
pub const OWNED: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "proxy-status",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Whether the field belongs to the proxy. The case of the name does not matter.
pub fn is_owned(name: &str) -> bool {
    OWNED.iter().any(|owned| owned.eq_ignore_ascii_case(name))
}

/// Whether a field that a filter asks for or changes can have that name (RFC 9110, section 5.1).
///
/// ```
/// use portcullis_contract::field;
///
/// assert!(field::is_name("X-Client-Data"));
/// assert!(!field::is_name("X Client Data"));
/// ```
pub fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=FIELD_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_token)
}

/// Whether a field can have that value (RFC 9110, section 5.5).
pub fn is_value(value: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte != b'\t' && (*byte < b' ' || *byte == 0x7f);
    !value.iter().any(is_control)
}
