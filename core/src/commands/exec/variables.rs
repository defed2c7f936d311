//! The environment of a command that is to go through a proxy.

use std::ffi::OsString;
use std::net::SocketAddr;

/// The variables in which programs look for a proxy.
const PROXY: [&str; 13] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "GRPC_PROXY",
    "grpc_proxy",
    "npm_config_proxy",
    "npm_config_https_proxy",
    "CARGO_HTTP_PROXY",
];

/// The variables in which programs look for hosts that need no proxy.
const NO_PROXY: [&str; 4] = [
    "NO_PROXY",
    "no_proxy",
    "NO_GRPC_PROXY",
    "npm_config_noproxy",
];

/// The variables that have a program look at the others.
const USE_PROXY: [&str; 1] = ["NODE_USE_ENV_PROXY"];

/// What is to stand in the environment of a command, so that it goes through a proxy at this
/// address for every host.
pub fn proxy_variables(proxy: SocketAddr) -> impl Iterator<Item = (&'static str, OsString)> {
    let proxy = format!("http://{proxy}");
    let at = PROXY
        .into_iter()
        .map(move |name| (name, proxy.clone().into()));
    let none = NO_PROXY.into_iter().map(|name| (name, OsString::new()));
    at.chain(none)
        .chain(USE_PROXY.into_iter().map(|name| (name, "1".into())))
}
