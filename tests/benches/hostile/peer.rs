//! One connection of the load, whichever side it is on. Whatever goes wrong is an error and ends
//! what the peer does, not the measurement.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Where hostile clients come from. The neighbour comes from 127.0.0.1.
pub(crate) const HOSTILE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What the system reads ahead of a slow reader, in bytes.
const NARROW: u32 = 16 << 10;

#[derive(Debug)]
pub(crate) struct Peer {
    socket: TcpStream,
    /// Read and not yet used.
    read: Vec<u8>,
}

impl Peer {
    pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        Self::connect_by(TcpSocket::new_v4()?, from, to).await
    }

    /// The same for one that the system reads little for.
    pub(crate) async fn connect_narrow(from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(NARROW)?;
        Self::connect_by(socket, from, to).await
    }

    async fn connect_by(socket: TcpSocket, from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        socket.bind(SocketAddr::from((from, 0)))?;
        let socket = socket.connect(to).await?;
        socket.set_nodelay(true)?;
        Ok(Self::new(socket))
    }

    pub(crate) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            read: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.socket.write_all(bytes.as_ref()).await
    }

    /// Reads a head with the empty line after it.
    pub(crate) async fn head(&mut self) -> Result<String> {
        let mut searched = 0;
        loop {
            let mut places = self.read[searched..].windows(4);
            if let Some(at) = places.position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..searched + at + 4).collect();
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            searched = self.read.len().saturating_sub(3);
            self.fill().await?;
        }
    }

    /// Reads a response that has a length, and gives its status.
    pub(crate) async fn response(&mut self) -> Result<u16> {
        let head = self.head().await?.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length
            .and_then(|length| length.parse().ok())
            .unwrap_or_default();
        while self.read.len() < length {
            self.fill().await?;
        }
        self.read.drain(..length);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        status.ok_or_else(|| Error::new(ErrorKind::InvalidData, head))
    }

    /// Asks and reads the answer.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Result<u16> {
        self.send(request).await?;
        self.response().await
    }

    /// Reads some of what is there.
    pub(crate) async fn sip(&mut self, bytes: usize) -> Result<()> {
        let mut sip = vec![0; bytes];
        match self.socket.read(&mut sip).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads until the other side has closed.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        loop {
            self.sip(1 << 16).await?;
        }
    }

    /// No other open connection has it.
    pub(crate) fn local_port(&self) -> Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    /// Closes with a reset, which leaves no port in TIME_WAIT.
    pub(crate) fn reset(self) -> Result<()> {
        self.socket.set_zero_linger()
    }

    async fn fill(&mut self) -> Result<()> {
        match self.socket.read_buf(&mut self.read).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A GET for `target`, which is `host:port/path`.
pub(crate) fn get(target: &str) -> String {
    let host = target.split('/').next().unwrap_or_default();
    format!("GET http://{target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}
