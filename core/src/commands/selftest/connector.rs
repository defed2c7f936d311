//! Where a self-test comes in: to which address of a listener it connects, and which client it is
//! there. A listener behind a load balancer is told of a client if it believes this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::config::{Clients, ListenAddress, Listener};
use crate::upstream;

/// Clients that a load balancer might have: addresses for documentation (RFC 5737, RFC 3849).
const ELSEWHERE: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 77)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77)),
];

/// A client's port that a load balancer tells of. No answer depends on it.
const CLIENT_PORT: u16 = 40_000;

/// A way to a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connector {
    address: ListenAddress,
    /// The client, where the listener knows any.
    pub(super) client: Option<IpAddr>,
    /// Whether the listener is told who the client is.
    is_announced: bool,
}

/// A connection to the proxy.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// The ways to a listener, or why there is none.
#[derive(Debug)]
pub(super) struct Connectors {
    /// As a client that may come in.
    pub(super) inside: Result<Connector, String>,
    /// As one that may not.
    pub(super) outside: Result<Connector, String>,
}

impl Connectors {
    fn none(why: &str) -> Self {
        Self {
            inside: Err(why.to_owned()),
            outside: Err(why.to_owned()),
        }
    }

    /// Looks from where this machine can come to a listener.
    ///
    /// # Errors
    ///
    /// If nothing listens there.
    pub(super) async fn find(clients: &Clients, listener: &Listener) -> io::Result<Self> {
        let address = match &listener.address {
            ListenAddress::Unix(path) => return to_unix_socket(clients, listener, path).await,
            ListenAddress::Tcp(address) => *address,
        };
        let mut connectors = Self::none(if listener.proxy_protocol.is_some() {
            "this listener believes its load balancers alone, and this machine is none of them"
        } else {
            "`allow` has no address of this machine, from which this listener can be reached"
        });
        if clients.networks(listener).is_none() {
            connectors.outside =
                Err("this listener serves every client that reaches it".to_owned());
        }
        let (mut is_reached, mut failure) = (false, io::ErrorKind::AddrNotAvailable.into());
        for ip in places(clients, listener, address.ip()) {
            let place = SocketAddr::new(ip, address.port());
            match upstream::dial_self(place).await {
                Ok(stream) => {
                    is_reached = true;
                    let source = stream.local_addr()?.ip().to_canonical();
                    connectors.add(ListenAddress::Tcp(place), Some(source), clients, listener);
                }
                Err(error) => failure = error,
            }
            if connectors.inside.is_ok() {
                break;
            }
        }
        if is_reached {
            Ok(connectors)
        } else {
            Err(failure)
        }
    }

    /// The ways that lead through an address to which a client at `source` connects.
    fn add(
        &mut self,
        address: ListenAddress,
        source: Option<IpAddr>,
        clients: &Clients,
        listener: &Listener,
    ) {
        let is_announced = listener.proxy_protocol.is_some();
        if is_announced && !listener.trusts(source) {
            return;
        }
        let candidates = match source {
            _ if is_announced => announced(clients, listener),
            Some(source) => vec![Some(source)],
            None => vec![None],
        };
        for client in candidates {
            let connector = Connector {
                address: address.clone(),
                client,
                is_announced,
            };
            let side = if clients.admit(listener, client) {
                &mut self.inside
            } else {
                &mut self.outside
            };
            if side.is_err() {
                *side = Ok(connector);
            }
        }
    }
}

/// The permissions of the socket say who may connect.
#[cfg(unix)]
async fn to_unix_socket(
    clients: &Clients,
    listener: &Listener,
    path: &std::path::Path,
) -> io::Result<Connectors> {
    let mut connectors = Connectors::none("its permissions say who may connect to a Unix socket");
    match upstream::dial_own_socket(path).await {
        Ok(_) => connectors.add(
            ListenAddress::Unix(path.to_owned()),
            None,
            clients,
            listener,
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why =
                "the permissions of this socket do not let the user connect who has started this";
            return Ok(Connectors::none(why));
        }
        Err(error) => return Err(error),
    }
    Ok(connectors)
}

#[cfg(not(unix))]
async fn to_unix_socket(
    _clients: &Clients,
    _listener: &Listener,
    _path: &std::path::Path,
) -> io::Result<Connectors> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The first address of each network from which clients may come.
fn first_clients<'a>(
    clients: &'a Clients,
    listener: &'a Listener,
) -> impl Iterator<Item = IpAddr> + 'a {
    let networks = clients.networks(listener).into_iter().flatten();
    networks.filter_map(|network| network.hosts().next())
}

/// Where a listener at `ip` may be met: at its address, or if it is at all of them, at loopback and
/// at those from which this machine would talk to its clients.
fn places(clients: &Clients, listener: &Listener, ip: IpAddr) -> Vec<IpAddr> {
    if !ip.is_unspecified() {
        return vec![ip];
    }
    let loopback = [
        upstream::policy::effective_ip(ip),
        Ipv4Addr::LOCALHOST.into(),
    ];
    let near = first_clients(clients, listener).filter_map(address_towards);
    let near = near.filter(|own| own.is_ipv4() || ip.is_ipv6());
    loopback.into_iter().chain(near).collect()
}

/// The address of this machine that the system would use there. Nothing is sent.
pub(super) fn address_towards(ip: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = if ip.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).ok()?;
    // The port of discarding; a datagram socket that is connected has only asked for a route.
    socket.connect((ip, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Clients that a load balancer might tell of, those first that are likely to be admitted.
fn announced(clients: &Clients, listener: &Listener) -> Vec<Option<IpAddr>> {
    let first = first_clients(clients, listener);
    first.chain(ELSEWHERE).map(Some).collect()
}

impl Connector {
    /// To a listener at this address about which nothing else is known.
    pub(super) fn to(address: SocketAddr) -> Self {
        Self {
            address: ListenAddress::Tcp(address),
            client: Some(address.ip()),
            is_announced: false,
        }
    }

    /// Connects, and says who the client is if that is believed.
    pub(super) async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let mut stream: Box<dyn Stream> = match &self.address {
            ListenAddress::Tcp(address) => Box::new(upstream::dial_self(*address).await?),
            #[cfg(unix)]
            ListenAddress::Unix(path) => Box::new(upstream::dial_own_socket(path).await?),
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        if let Some(client) = self.client.filter(|_| self.is_announced) {
            let header = announcement(client);
            stream.write_all(header.as_bytes()).await?;
        }
        Ok(stream)
    }
}

/// A header of the PROXY protocol, version 1.
fn announcement(client: IpAddr) -> String {
    let is_same = |ip: &&IpAddr| ip.is_ipv4() == client.is_ipv4();
    let proxy = ELSEWHERE.iter().find(is_same).unwrap_or(&client);
    let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
    format!("PROXY {family} {client} {proxy} {CLIENT_PORT} {CLIENT_PORT}\r\n")
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;
    use tokio::net::TcpListener;

    use super::*;

    async fn found(clients: &Clients, change: impl FnOnce(&mut Listener)) -> Connectors {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut listener = Listener::at(socket.local_addr().unwrap());
        change(&mut listener);
        Connectors::find(clients, &listener).await.unwrap()
    }

    fn only(network: &str) -> Clients {
        Clients::new([network.parse().unwrap()])
    }

    #[tokio::test]
    async fn the_side_from_which_this_machine_comes_is_known() {
        let connectors = found(&Clients::default(), |_| ()).await;
        assert_eq!(
            connectors.inside.unwrap().client,
            Some(Ipv4Addr::LOCALHOST.into())
        );
        assert!(connectors.outside.unwrap_err().contains("every client"));
        let connectors = found(&only("10.9.0.0/16"), |_| ()).await;
        assert!(
            connectors
                .inside
                .unwrap_err()
                .contains("no address of this machine")
        );
        assert_eq!(
            connectors.outside.unwrap().client,
            Some(Ipv4Addr::LOCALHOST.into())
        );
    }

    #[tokio::test]
    async fn a_balancer_that_is_believed_tells_of_both_kinds_of_clients() {
        let behind = |network: &str| {
            let balancer = network.parse::<IpNet>().unwrap().into();
            move |listener: &mut Listener| listener.proxy_protocol = Some(vec![balancer])
        };
        let connectors = found(&only("10.9.0.0/16"), behind("127.0.0.0/8")).await;
        assert_eq!(connectors.inside.unwrap().client, "10.9.0.1".parse().ok());
        assert_eq!(connectors.outside.unwrap().client, Some(ELSEWHERE[0]));
        let connectors = found(&only("10.9.0.0/16"), behind("10.1.1.1/32")).await;
        assert!(connectors.inside.unwrap_err().contains("load balancers"));
        assert!(connectors.outside.is_err());
    }

    #[tokio::test]
    async fn a_port_without_a_proxy_is_an_error() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = Listener::at(socket.local_addr().unwrap());
        drop(socket);
        let found = Connectors::find(&Clients::default(), &listener).await;
        assert_eq!(found.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn what_is_told_of_a_client_is_a_header_that_the_proxy_reads() {
        use crate::downstream::proxy_protocol::read;
        for client in ["10.9.0.1", "2001:db8::5"] {
            let header = announcement(client.parse().unwrap());
            assert!(read(header.as_bytes()).is_ok(), "{header}");
        }
    }
}
