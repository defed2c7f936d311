//! A bound socket on which clients connect. Opened at the start by `proxy`, which then accepts on
//! all of them together.

#[cfg(unix)]
mod unix_socket;

use socket2::{Domain, Socket, Type};

use super::socket::SocketKind;
use crate::config::{ListenAddress, NamedListener};
use crate::error::StartError;

/// What the system takes from the proxy for a client and has not sent yet, in bytes. By itself it
/// takes megabytes for a client that reads slowly: copying them delays others, and they are lost
/// when the client goes away.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const UNSENT: u32 = 128 * 1024;

/// A bound socket.
#[derive(Debug)]
pub(super) struct Listener {
    /// The file of a Unix socket. It is removed first: while the socket is open, no other file can
    /// have its number.
    pub(super) _file: Option<SocketFile>,
    pub(super) socket: Socket,
    pub(super) kind: SocketKind,
    /// With the port that the system chose, if it was asked to.
    pub(super) named: NamedListener,
}

#[cfg(unix)]
pub(super) use self::unix_socket::SocketFile;

/// There are none here.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) enum SocketFile {}

impl Listener {
    /// Opens every one of them, or none.
    pub(super) fn bind_all(listeners: Vec<NamedListener>) -> Result<Vec<Self>, StartError> {
        listeners.into_iter().map(Self::bind).collect()
    }

    fn bind(named: NamedListener) -> Result<Self, StartError> {
        match &named.settings.address {
            ListenAddress::Tcp(_) => Self::bind_tcp(named),
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                let path = path.clone();
                let (socket, file) = unix_socket::bind(&path, &named.settings)?;
                Ok(Self {
                    socket,
                    kind: SocketKind::Unix,
                    named,
                    _file: Some(file),
                })
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err(StartError::UnixSocket {
                address: named.settings.address.clone(),
                fault: "this system has no Unix sockets for it".into(),
                source: None,
            }),
        }
    }

    /// One that listens already.
    pub(super) fn of(socket: std::net::TcpListener) -> Result<Self, StartError> {
        let socket = Socket::from(socket);
        let prepared = || {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            socket.set_tcp_notsent_lowat(UNSENT)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?.as_socket();
            address.ok_or(std::io::ErrorKind::InvalidInput.into())
        };
        let address = prepared().map_err(|source| StartError::System {
            action: "use the listening socket".into(),
            source,
        })?;
        Ok(Self {
            socket,
            kind: SocketKind::Tcp,
            named: NamedListener::at(address),
            _file: None,
        })
    }

    /// Binds, and refuses an address that is in use. On Unix an address counts as free although
    /// connections of its last user have not quite ended. The system's limit bounds the queue of
    /// connections that wait to be accepted.
    fn bind_tcp(mut named: NamedListener) -> Result<Self, StartError> {
        let address = named.settings.address.clone();
        let bind = || {
            let address = address.socket().ok_or(std::io::ErrorKind::InvalidInput)?;
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            #[cfg(unix)]
            socket.set_reuse_address(true)?;
            // Connections have it from the socket that accepts them.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            if let Err(error) = socket.set_tcp_notsent_lowat(UNSENT) {
                tracing::debug!(%error, "the system may take a lot for slow readers");
            }
            socket.bind(&address.into())?;
            socket.listen(i32::MAX)?;
            socket.set_nonblocking(true)?;
            let bound = socket.local_addr()?.as_socket();
            Ok((socket, bound.unwrap_or(address)))
        };
        let (socket, bound) = bind().map_err(|source| StartError::Bind { address, source })?;
        named.settings.address = bound.into();
        Ok(Self {
            socket,
            kind: SocketKind::Tcp,
            named,
            _file: None,
        })
    }
}
