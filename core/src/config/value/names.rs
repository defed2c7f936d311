//! How hosts, addresses and users are written that settings name.

use std::net::IpAddr;

use crate::target::Target;

/// As SOCKS has it (RFC 1929).
const LONGEST_NAME: usize = 255;

pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// Canonical, as requests are.
pub(super) fn domain(text: &str) -> Option<String> {
    let target = Target::new(text, 0).ok()?;
    // The machine's own name never leads elsewhere (RFC 6761, section 6.3).
    let is_own = target.host() == "localhost" || target.host().ends_with(".localhost");
    let is_name = target.ip().is_none() && !target.host().contains('*') && !is_own;
    is_name.then(|| target.host().to_owned())
}

pub(super) fn host_pattern(text: &str) -> Option<String> {
    match text.strip_prefix("*.") {
        Some(below) => Some(format!("*.{}", domain(below)?)),
        None => domain(text),
    }
}

/// Why a text cannot be the name of a user.
pub(crate) fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the name of a user is empty");
    }
    if name.len() > LONGEST_NAME {
        return Some("the name of a user has more than 255 bytes");
    }
    if name.contains(':') {
        return Some("the name of a user has a colon, behind which clients write the password");
    }
    if name.chars().any(char::is_control) {
        return Some("the name of a user has a control character");
    }
    if name.trim() != name {
        return Some("the name of a user begins or ends with white space");
    }
    None
}
