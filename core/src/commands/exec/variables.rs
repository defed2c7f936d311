//! The environment of a command that is to go through a proxy.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;

/// The variables in which programs look for a proxy.
const PROXY: [&str; 14] = [
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
    "PIP_PROXY",
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

/// How many settings git has from its environment.
const GIT_COUNT: &str = "GIT_CONFIG_COUNT";

/// What is to stand in the environment of a command that has the rest from this process, so that
/// it goes through a proxy at this address for every host.
pub fn proxy_variables(proxy: SocketAddr) -> impl Iterator<Item = (String, OsString)> {
    let proxy = format!("http://{proxy}");
    let git = git_variables(std::env::var_os(GIT_COUNT).as_deref(), &proxy);
    let at = PROXY.map(|name| (name.to_owned(), OsString::from(&proxy)));
    let none = NO_PROXY.map(|name| (name.to_owned(), OsString::new()));
    let used = USE_PROXY.map(|name| (name.to_owned(), OsString::from("1")));
    at.into_iter().chain(none).chain(used).chain(git)
}

/// The proxy as one setting more than the `count` that git has from its environment already
/// (git-config(1), "ENVIRONMENT"): those of its files would count more than the usual variables.
fn git_variables(count: Option<&OsStr>, proxy: &str) -> Vec<(String, OsString)> {
    let next = match count {
        None => Some(0),
        Some(count) if count.is_empty() => Some(0),
        Some(count) => count.to_str().and_then(|count| count.parse::<u32>().ok()),
    };
    // git does not run where this is not a number.
    let Some(next) = next else {
        return Vec::new();
    };
    let more = u64::from(next) + 1;
    vec![
        (GIT_COUNT.to_owned(), more.to_string().into()),
        (format!("GIT_CONFIG_KEY_{next}"), "http.proxy".into()),
        (format!("GIT_CONFIG_VALUE_{next}"), proxy.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_has_the_proxy_behind_what_it_is_told_already() {
        for (count, next) in [
            (None, Some(0)),
            (Some(""), Some(0)),
            (Some("0"), Some(0)),
            (Some("12"), Some(12)),
            (Some("many"), None),
        ] {
            let made = git_variables(count.map(OsStr::new), "http://a:1");
            let expected = next.map(|next| {
                [
                    (GIT_COUNT.to_owned(), (next + 1).to_string()),
                    (format!("GIT_CONFIG_KEY_{next}"), "http.proxy".to_owned()),
                    (format!("GIT_CONFIG_VALUE_{next}"), "http://a:1".to_owned()),
                ]
            });
            let expected: Vec<(String, OsString)> = expected
                .into_iter()
                .flatten()
                .map(|(name, value)| (name, value.into()))
                .collect();
            assert_eq!(made, expected, "{count:?}");
        }
    }
}
