//! Connects through parent proxies: one after the other, until one of them leads to the target.
//! A part of `upstream`; `parent` says which proxies and in what order.

mod connect;
mod socks;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tokio::time::{Instant, timeout};

use self::connect::NoConnect;
use self::socks::NoSocks;
use super::Upstream;
use super::dial::{self, Connected, Dialled};
use super::parent::{Fault, Member, Parent};
use super::route::Route;
use super::socket::OriginSocket;
use crate::config::ProxyProtocol;
use crate::error::Error;
use crate::flow::ClientKey;

/// Why there is no connection to a proxy although the proxy may be well.
const NO_PORT: &str = "connections to the parent proxy have taken all ports of this machine";

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoWay {
    /// None of the parent proxies is there.
    Unreached(Error),
    /// The target cannot be reached, a proxy does not lead there, or the fault is here.
    Failed(Error),
}

/// Why one proxy does not lead to the target.
#[derive(Debug)]
enum Failure {
    /// The proxy is well, or the fault is here: another one would not help.
    Final(Error),
    /// The proxy fails in this way.
    Of(Fault, Error),
    /// This machine has no port left for a connection to the proxy. It may have one for another.
    NoPort,
}

/// Why a proxy that was reached does not lead to the target.
enum NoTunnel {
    /// It answers, and is against it: another one would be, too.
    Refused(Error),
    /// It breaks off, or does not speak its protocol.
    Broken(io::Error),
}

impl From<Error> for NoWay {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Error> for Failure {
    /// The proxy is not there, unless the error is of this machine's making.
    fn from(error: Error) -> Self {
        match error {
            Error::Loop | Error::NoRoom(_) => Self::Final(error),
            error => Self::Of(Fault::Unreachable, error),
        }
    }
}

impl From<NoWay> for Error {
    fn from(no_way: NoWay) -> Self {
        match no_way {
            NoWay::Unreached(error) | NoWay::Failed(error) => error,
        }
    }
}

impl Upstream {
    /// Connects to the target of a route through one of the proxies, or to the proxy itself if it
    /// takes requests as they are. The proxies share the time for connecting to them; the one that
    /// is reached has as much again to connect to the target.
    pub(super) async fn dial_through(
        &self,
        parent: &Parent,
        route: &Route,
        marks: &[HeaderValue],
    ) -> Result<Connected, NoWay> {
        let candidates = parent.candidates(route.target.host());
        let end = Instant::now() + self.connect_timeout;
        let mut unreached = failed(parent, io::Error::other("all of its proxies have failed"));
        let mut failed_otherwise = None;
        for (&place, left) in candidates.iter().zip((1..=candidates.len()).rev()) {
            let part = end.saturating_duration_since(Instant::now()) / left as u32;
            match self.try_member(parent, place, (route, marks), part).await {
                Ok(connected) => return Ok(connected),
                Err(Failure::Final(error)) => return Err(NoWay::Failed(error)),
                Err(Failure::Of(fault, error)) => {
                    parent.record_failure(place, fault, &error);
                    match fault {
                        Fault::Unreachable => unreached = error,
                        Fault::Broken => failed_otherwise = Some(error),
                    }
                }
                Err(Failure::NoPort) => failed_otherwise = Some(Error::NoRoom(NO_PORT)),
            }
        }
        // A client can choose a target for which a proxy breaks off, and can open very many
        // connections. It does not choose the way.
        Err(failed_otherwise.map_or(NoWay::Unreached(unreached), NoWay::Failed))
    }

    /// Connects through one proxy, which has `part` of the time to be reached.
    async fn try_member(
        &self,
        parent: &Parent,
        place: usize,
        (route, marks): (&Route, &[HeaderValue]),
        part: Duration,
    ) -> Result<Connected, Failure> {
        let member = parent.member(place);
        let connecting = self.connect_member(parent, member);
        let (socket, peer) = match timeout(part, connecting).await {
            Ok(connected) => connected?,
            Err(_) => {
                let target = format!("{member} of [upstream.{}]", parent.name());
                return Err(Failure::Of(Fault::Unreachable, late(target)));
            }
        };
        let connected = |stream, early| Connected {
            stream,
            peer,
            early,
            member: Some(place),
        };
        if route.is_absolute() {
            // Whether it takes requests is seen when it answers one.
            return Ok(connected(socket, Bytes::new()));
        }
        let tunnel = self.tunnel(parent, member, socket, (route, marks));
        // It is the target that does not answer in time, or the proxy: nothing tells them apart.
        let tunnel = timeout(self.connect_timeout, tunnel).await.map_err(|_| {
            let target = format!("{} through [upstream.{}]", route.target, parent.name());
            Failure::Final(late(target))
        })?;
        if !matches!(tunnel, Err(NoTunnel::Broken(_))) {
            parent.record_reached(place);
        }
        match tunnel {
            Ok((stream, early)) => Ok(connected(stream, early)),
            Err(NoTunnel::Refused(error)) => Err(Failure::Final(error)),
            Err(NoTunnel::Broken(source)) => {
                Err(Failure::Of(Fault::Broken, failed(parent, source)))
            }
        }
    }

    /// A stream to a proxy, on which HTTP or SOCKS can be spoken. Its name is looked up for the
    /// proxy itself, so that no client's lookups are in the way.
    async fn connect_member(
        &self,
        parent: &Parent,
        member: &Member,
    ) -> Result<(OriginSocket, SocketAddr), Failure> {
        let target = member.target();
        let found = self.addresses(target, ClientKey::of(None)).await?;
        let named = |ip| SocketAddr::new(ip, target.port());
        let addresses: Vec<_> = dial::interleave(found.known.to_vec()).map(named).collect();
        for address in &addresses {
            // The settings name the proxy, so it may be anywhere but here.
            self.policy.judge_named(*address).map_err(Error::from)?;
        }
        let are_v4 = addresses.iter().all(SocketAddr::is_ipv4);
        let dialled = self.race(addresses, None, ClientKey::of(None)).await;
        let failed_here = |source| unconnected(source, are_v4, |source| failed(parent, source));
        let Dialled { stream, peer } = dialled.map_err(failed_here)?;
        let permit = member.permit();
        let tls = parent.tls();
        let socket = match tls.filter(|_| member.protocol() == ProxyProtocol::Https) {
            None => OriginSocket::Proxied {
                stream,
                _permit: permit,
            },
            Some(tls) => {
                let connected = tls.connect(target, stream).await;
                OriginSocket::Enciphered {
                    stream: Box::new(connected.map_err(|source| failed(parent, source))?),
                    _permit: permit,
                }
            }
        };
        Ok((socket, peer))
    }

    /// The stream as it leads to the target of a route, and what was read of it already.
    async fn tunnel(
        &self,
        parent: &Parent,
        member: &Member,
        socket: OriginSocket,
        (route, marks): (&Route, &[HeaderValue]),
    ) -> Result<(OriginSocket, Bytes), NoTunnel> {
        let (target, login) = (&route.target, parent.login());
        match member.protocol() {
            ProxyProtocol::Socks5 => {
                let tunnel = socks::tunnel(socket, target, login).await;
                let stream = tunnel.map_err(|error| no_socks(parent, error))?;
                Ok((stream, Bytes::new()))
            }
            ProxyProtocol::Http | ProxyProtocol::Https => {
                let request = connect::request(target, login, marks);
                let request = request.map_err(NoTunnel::Refused)?;
                let tunnel = connect::tunnel(socket, request, self.head_size).await;
                tunnel.map_err(|error| no_connect(parent, error))
            }
        }
    }
}

/// Why there is no connection to any address of a proxy.
fn unconnected(
    source: io::Error,
    are_v4: bool,
    failed: impl FnOnce(io::Error) -> Error,
) -> Failure {
    if are_v4 && is_out_of_ports(&source) {
        Failure::NoPort
    } else {
        failed(source).into()
    }
}

/// Whether the system has no port left for a connection to an IPv4 address. Of an IPv6 address, it
/// says the same where the machine has none of that kind. An error without a number is not the
/// system's.
fn is_out_of_ports(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable && error.raw_os_error().is_some()
}

fn failed(parent: &Parent, source: io::Error) -> Error {
    dial::failure(format!("a proxy of [upstream.{}]", parent.name()), source)
}

fn late(target: String) -> Error {
    Error::ConnectTimeout { target }
}

fn no_connect(parent: &Parent, error: NoConnect) -> NoTunnel {
    match error {
        NoConnect::Refused(status) => NoTunnel::Refused(refused_by(parent, status)),
        NoConnect::Broken(_) | NoConnect::Endless(_) => NoTunnel::Broken(io::Error::other(error)),
    }
}

fn no_socks(parent: &Parent, error: NoSocks) -> NoTunnel {
    let name = parent.name();
    match error {
        NoSocks::Refused(answer) => NoTunnel::Refused(Error::Parent(format!(
            "the parent proxy of [upstream.{name}] does not lead there: {answer}"
        ))),
        NoSocks::Login => NoTunnel::Refused(login_needed(parent)),
        NoSocks::Broken(error) => NoTunnel::Broken(io::Error::other(error)),
    }
}

/// What a client is told whose request a parent proxy refuses by this status.
pub(super) fn refused_by(parent: &Parent, status: StatusCode) -> Error {
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
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

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn want_of_ports_is_no_fault_of_a_proxy_and_stops_at_that_proxy() {
        let failed = |source| dial::failure("parent.example:3128".into(), source);
        let failure = unconnected(Errno::ADDRNOTAVAIL.into(), true, failed);
        assert!(matches!(failure, Failure::NoPort), "{failure:?}");
        // So it is said where there is no address to connect to.
        let nowhere = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (source, are_v4) in [
            (Errno::ADDRNOTAVAIL.into(), false),
            (nowhere, true),
            (Errno::CONNREFUSED.into(), true),
        ] {
            let failure = unconnected(source, are_v4, failed);
            let is_of_proxy = matches!(failure, Failure::Of(Fault::Unreachable, _));
            assert!(is_of_proxy, "{failure:?}");
        }
    }

    #[test]
    fn want_of_descriptors_or_memory_is_no_fault_of_a_proxy() {
        let connect = |errno: Errno| dial::failure("parent.example:3128".into(), errno.into());
        for here in [
            Error::Loop,
            Error::NoRoom("there is no room"),
            connect(Errno::MFILE),
            connect(Errno::NFILE),
            connect(Errno::NOBUFS),
            connect(Errno::NOMEM),
        ] {
            let failure = Failure::from(here);
            assert!(matches!(failure, Failure::Final(_)), "{failure:?}");
        }
        let late = Error::DnsTimeout {
            host: "parent.example".into(),
        };
        for there in [late, connect(Errno::CONNREFUSED)] {
            let failure = Failure::from(there);
            let is_of_proxy = matches!(failure, Failure::Of(Fault::Unreachable, _));
            assert!(is_of_proxy, "{failure:?}");
        }
    }
}
