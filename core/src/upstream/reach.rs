//! Connects through parent proxies: one after the other, until one of them leads to the target.
//! A part of `upstream`; `parent` says which proxies and in what order.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::dial::{self, Connected, Dialled};
use super::parent::connect::{self, NoTunnel as NoConnect};
use super::parent::socks::{self, NoTunnel as NoSocks};
use super::parent::{Member, Parent};
use super::route::Route;
use super::socket::OriginSocket;
use crate::config::ProxyProtocol;
use crate::error::Error;
use crate::flow::ClientKey;

/// Why a proxy does not lead to the target.
enum Unreached {
    /// The proxy is well, and is against it: another one would be, too.
    Refused(Error),
    /// The proxy is not there, or does not do what proxies do.
    Failed(io::Error),
    /// The time for all of them is over.
    Late,
}

impl Upstream {
    /// Connects to the target of a route through one of the proxies, or to the proxy itself if it
    /// takes requests as they are. Each proxy that could not be reached lately has to wait for its
    /// turn; the others share the time for connecting.
    pub(super) async fn dial_through(
        &self,
        parent: &Parent,
        route: &Route,
        client: ClientKey,
    ) -> Result<Connected, Error> {
        let candidates = parent.candidates(route.target.host());
        let end = Instant::now() + self.connect_timeout;
        let mut failure = unreached(parent, io::Error::other("all of its proxies have failed"));
        for (at, member) in candidates.iter().enumerate() {
            let left = candidates.len() - at;
            match self.reach(parent, member, route, client, end, left).await {
                Ok(connected) => {
                    if member.record_reached() {
                        tracing::info!(upstream = %parent.name(), proxy = %member, "a parent proxy is reached again");
                    }
                    return Ok(connected);
                }
                Err(Unreached::Refused(error)) => {
                    member.record_reached();
                    return Err(error);
                }
                Err(Unreached::Failed(source)) => {
                    record_failure(parent, member, &source);
                    failure = unreached(parent, source);
                }
                Err(Unreached::Late) => {
                    let source = io::ErrorKind::TimedOut.into();
                    record_failure(parent, member, &source);
                    failure = Error::ConnectTimeout {
                        target: format!("{member} of [upstream.{}]", parent.name()),
                    };
                }
            }
        }
        Err(failure)
    }

    /// `left` is how many proxies share the time until `end`.
    async fn reach(
        &self,
        parent: &Parent,
        member: &Member,
        route: &Route,
        client: ClientKey,
        end: Instant,
        left: usize,
    ) -> Result<Connected, Unreached> {
        let now = Instant::now();
        let part = end.saturating_duration_since(now) / left as u32;
        if part == Duration::ZERO {
            return Err(Unreached::Late);
        }
        let connecting = self.connect_member(parent, member, client);
        let connected = timeout_at(now + part, connecting).await;
        let (socket, peer) = connected.map_err(|_| Unreached::Late)??;
        let no_early = |stream| Connected {
            stream,
            peer,
            early: Bytes::new(),
        };
        if route.is_absolute() {
            return Ok(no_early(socket));
        }
        let login = parent.login();
        let tunnel = async {
            match member.protocol() {
                ProxyProtocol::Socks5 => socks::tunnel(socket, &route.target, login)
                    .await
                    .map(no_early)
                    .map_err(|error| no_socks(parent, error)),
                ProxyProtocol::Http | ProxyProtocol::Https => {
                    connect::tunnel(socket, &route.target, login, self.head_size)
                        .await
                        .map(|(stream, early)| Connected {
                            stream,
                            peer,
                            early,
                        })
                        .map_err(|error| no_connect(parent, error))
                }
            }
        };
        // The proxy has to connect, too, and may take as long for it as this one.
        let end = Instant::now() + self.connect_timeout;
        let tunnel = timeout_at(end, tunnel).await;
        tunnel.map_err(|_| Unreached::Late)?
    }

    /// A stream to a proxy, on which HTTP or SOCKS can be spoken.
    async fn connect_member(
        &self,
        parent: &Parent,
        member: &Member,
        client: ClientKey,
    ) -> Result<(OriginSocket, SocketAddr), Unreached> {
        let target = member.target();
        let addresses = self.resolver.addresses(target, client).await;
        let addresses = addresses.map_err(|error| Unreached::Failed(io::Error::other(error)))?;
        let named = |ip| SocketAddr::new(ip, target.port());
        let addresses: Vec<_> = dial::interleave(addresses).map(named).collect();
        for address in &addresses {
            // The settings name the proxy, so it may be anywhere but here.
            let own = self.policy.judge_named(*address);
            own.map_err(|refusal| Unreached::Refused(refusal.into()))?;
        }
        let Dialled { stream, peer } = self.race(addresses).await.map_err(Unreached::Failed)?;
        self.check_dialled(&stream, peer)
            .map_err(Unreached::Refused)?;
        let permit = member.permit();
        let tls = parent.tls();
        let socket = match tls.filter(|_| member.protocol() == ProxyProtocol::Https) {
            None => OriginSocket::Proxied {
                stream,
                _permit: permit,
            },
            Some(tls) => {
                let connected = tls.connect(target, stream).await;
                let stream = connected.map_err(Unreached::Failed)?;
                OriginSocket::Enciphered {
                    stream: Box::new(stream),
                    _permit: permit,
                }
            }
        };
        Ok((socket, peer))
    }
}

fn record_failure(parent: &Parent, member: &Member, error: &io::Error) {
    if let Some(rest) = member.record_failure() {
        tracing::warn!(
            upstream = %parent.name(),
            proxy = %member,
            %error,
            retry_in = ?rest,
            "a parent proxy cannot be reached; others of [upstream] take its place if there are any"
        );
    }
}

fn unreached(parent: &Parent, source: io::Error) -> Error {
    Error::Connect {
        target: format!("a proxy of [upstream.{}]", parent.name()),
        source,
    }
}

fn no_connect(parent: &Parent, error: NoConnect) -> Unreached {
    match error {
        NoConnect::Refused(status) => Unreached::Refused(refused_by(parent, status)),
        NoConnect::Broken(error) => Unreached::Failed(io::Error::other(error)),
    }
}

fn no_socks(parent: &Parent, error: NoSocks) -> Unreached {
    let name = parent.name();
    match error {
        NoSocks::Refused(answer) => Unreached::Refused(Error::Parent(format!(
            "the parent proxy of [upstream.{name}] does not lead there: {answer}"
        ))),
        NoSocks::Login => Unreached::Refused(login_needed(parent)),
        NoSocks::Broken(error) => Unreached::Failed(io::Error::other(error)),
    }
}

/// What a client is told whose request a parent proxy refuses by this status.
pub(super) fn refused_by(parent: &Parent, status: http::StatusCode) -> Error {
    if status == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return login_needed(parent);
    }
    let name = parent.name();
    Error::Parent(format!(
        "the parent proxy of [upstream.{name}] does not lead there: it answers {status}"
    ))
}

fn login_needed(parent: &Parent) -> Error {
    let name = parent.name();
    let problem = if parent.login().is_some() {
        "does not take the `credentials` of this one"
    } else {
        "wants a login, and there are no `credentials`"
    };
    Error::Parent(format!("the parent proxy of [upstream.{name}] {problem}"))
}
