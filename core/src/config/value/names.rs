//! How hosts and addresses are written that settings name.

use std::net::{IpAddr, SocketAddr};

use crate::target::Target;

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

/// Port 53 goes without saying.
pub(super) fn resolver(text: &str) -> Option<SocketAddr> {
    let with_default_port = |ip: IpAddr| SocketAddr::from((ip, 53));
    let address = text.parse().map(with_default_port);
    address.or_else(|_| text.parse()).ok()
}
