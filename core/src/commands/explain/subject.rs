//! What `portcullis explain` is asked about, as the proxy would see it.

use std::net::IpAddr;

use url::Url;

use crate::commands::judges::ExplainError;
use crate::flow::Protocol;
use crate::target::Target;

/// What is asked about: a host, or a URL as a client would request it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) target: Target,
    pub(super) protocol: Protocol,
    /// The URL, if the proxy would see the request's head.
    pub(super) url: Option<String>,
    /// The client that asks, if one was named.
    pub(super) client: Option<IpAddr>,
}

impl Subject {
    /// Reads `host`, `host:port`, `http://…` or `https://…`. Hosts and https URLs reach the proxy
    /// as CONNECT.
    pub(super) fn parse(text: &str, client: Option<IpAddr>) -> Result<Self, ExplainError> {
        // A socket for both families shows IPv4 clients as IPv6 addresses, and the proxy does this.
        let client = client.map(|client| client.to_canonical());
        if !text.contains("://") {
            let target = Target::parse(text, Some(443))?;
            return Ok(Self {
                target,
                protocol: Protocol::Connect,
                url: None,
                client,
            });
        }
        let url = Url::parse(text)?;
        let protocol = match url.scheme() {
            "http" => Protocol::Http,
            "https" => Protocol::Connect,
            _ => return Err(ExplainError::Scheme),
        };
        let target = Target::new(
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or(80),
        )?;
        let url = (protocol == Protocol::Http).then(|| url.into());
        Ok(Self {
            target,
            protocol,
            url,
            client,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_are_read_as_the_proxy_would_see_them() {
        let seen = |text| {
            let subject = Subject::parse(text, None).unwrap();
            (
                subject.target.to_string(),
                subject.protocol,
                subject.url.is_some(),
            )
        };
        assert_eq!(
            seen("Example.com"),
            ("example.com:443".into(), Protocol::Connect, false)
        );
        assert_eq!(
            seen("example.com:80"),
            ("example.com:80".into(), Protocol::Connect, false)
        );
        assert_eq!(
            seen("https://example.com/a"),
            ("example.com:443".into(), Protocol::Connect, false)
        );
        assert_eq!(
            seen("http://[::1]:8080/a"),
            ("[::1]:8080".into(), Protocol::Http, true)
        );
        assert!(Subject::parse("ftp://example.com/", None).is_err());
        assert!(Subject::parse("a b", None).is_err());
    }
}
