//! Names to addresses. Called by `upstream` only.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::config::Egress;
use crate::error::Error;
use crate::target::Target;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A worker's resolver, with a cache of its own.
#[derive(Debug)]
pub(crate) struct Resolver {
    names: Names,
    limit: Duration,
}

#[derive(Debug)]
enum Names {
    Dns(Box<TokioResolver>),
    /// The system's own functions, on a thread that may block. Used where the DNS servers are not known.
    System,
}

impl Resolver {
    pub(crate) fn new(egress: &Egress, limit: Duration) -> Self {
        let names = dns(egress, limit).unwrap_or_else(|error| {
            tracing::warn!(
                %error,
                "cannot tell which DNS servers to ask; names are resolved by the system, which is slower. \
                 Set [egress] resolvers"
            );
            Names::System
        });
        Self { names, limit }
    }

    /// All addresses of the target's host, in the order of preference; at least one.
    pub(crate) async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Error> {
        if let Some(ip) = target.ip() {
            return Ok(vec![ip]);
        }
        let host = target.host();
        if is_localhost(host) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        match timeout(self.limit, self.names.look_up(&absolute(host))).await {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(Ok(_)) => Err(unresolved(host, "it has no address".into())),
            Ok(Err(source)) => Err(match source.downcast_ref() {
                Some(NetError::Timeout) => Error::DnsTimeout { host: host.into() },
                Some(error) if error.is_nx_domain() => {
                    unresolved(host, "there is no such name".into())
                }
                _ => unresolved(host, source),
            }),
            Err(_) => Err(Error::DnsTimeout { host: host.into() }),
        }
    }
}

impl Names {
    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Cause> {
        match self {
            Self::Dns(resolver) => Ok(resolver.lookup_ip(host).await?.iter().collect()),
            Self::System => Ok(lookup_host((host, 0))
                .await?
                .map(|found| found.ip())
                .collect()),
        }
    }
}

fn unresolved(host: &str, source: Cause) -> Error {
    Error::Dns {
        host: host.into(),
        source,
    }
}

/// Whole names are asked for as they were judged, never with a search domain behind them (RFC 1535); only names of one label are
/// completed, as they are everywhere else on the machine.
fn absolute(host: &str) -> Cow<'_, str> {
    if host.contains('.') {
        format!("{host}.").into()
    } else {
        host.into()
    }
}

/// These names never leave the machine (RFC 6761, section 6.3).
fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

fn dns(egress: &Egress, limit: Duration) -> Result<Names, NetError> {
    let mut builder = if egress.resolvers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = egress.resolvers.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    // A server that does not answer must leave time for the next one.
    builder.options_mut().timeout = limit / 3;
    builder.options_mut().try_tcp_on_error = true;
    Ok(Names::Dns(Box::new(builder.build()?)))
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_one_label_are_completed() {
        assert_eq!(absolute("www.example"), "www.example.");
        assert_eq!(absolute("wiki"), "wiki");
    }

    #[tokio::test]
    async fn localhost_and_addresses_need_no_dns() {
        let nowhere = Egress {
            resolvers: vec!["127.0.0.1:1".parse().unwrap()],
        };
        let resolver = Resolver::new(&nowhere, Duration::from_secs(5));
        for (host, expected) in [
            ("localhost", "127.0.0.1"),
            ("app.localhost.", "127.0.0.1"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            let target = Target::new(host, 80).unwrap();
            let addresses = resolver.addresses(&target).await.unwrap();
            assert_eq!(addresses[0].to_string(), expected);
        }
    }

    /// Answers every question for an IPv4 address with 192.0.2.1, and all others with nothing.
    async fn name_server(socket: tokio::net::UdpSocket) {
        let mut packet = [0; 512];
        loop {
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            // RFC 1035, section 4.1: the header, the name up to its root label, type and class.
            let name = packet[12..].iter().position(|byte| *byte == 0).unwrap();
            let question = &packet[12..length.min(12 + name + 5)];
            let is_a = question[name + 1..name + 3] == [0, 1];
            let mut answer = packet[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend(question);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
            }
            socket.send_to(&answer, client).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_configured_server_is_asked() {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let egress = Egress {
            resolvers: vec![socket.local_addr().unwrap()],
        };
        let resolver = Resolver::new(&egress, Duration::from_secs(5));
        let target = Target::new("name.example", 80).unwrap();
        let addresses = tokio::select! {
            () = name_server(socket) => unreachable!("it serves for ever"),
            addresses = resolver.addresses(&target) => addresses.unwrap(),
        };
        assert_eq!(addresses, [IpAddr::from([192, 0, 2, 1])]);
    }
}
