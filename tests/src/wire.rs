//! The peers of the proxy, as they are on the wire.

use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::message::{get, ok};

/// Nothing in a scenario takes this long, however slow the machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits for something that must happen.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(TIMEOUT, future).await {
        Ok(value) => value,
        Err(_) => panic!("did not happen: {what}"),
    }
}

/// A server that the scenario plays.
#[derive(Debug)]
pub struct Origin {
    listener: TcpListener,
    /// The same socket, asked without a runtime.
    queue: std::net::TcpListener,
    address: SocketAddr,
}

impl Origin {
    /// On a free port.
    pub async fn start() -> Self {
        let queue = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        queue.set_nonblocking(true).expect("a socket");
        let listener = queue.try_clone().and_then(TcpListener::from_std);
        Self {
            listener: listener.expect("a runtime"),
            address: queue.local_addr().expect("an address"),
            queue,
        }
    }

    /// A port at which no program listens, and none will: it is taken until the test ends.
    pub fn gone() -> SocketAddr {
        let socket = TcpSocket::new_v4().expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(any).expect("a free port");
        let address = socket.local_addr().expect("it has one");
        std::mem::forget(socket);
        address
    }

    /// A port that answers no further connection, as its queue is full.
    #[cfg(target_os = "linux")]
    pub async fn silent() -> SocketAddr {
        let socket = TcpSocket::new_v4().expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(any).expect("a free port");
        let listener = socket.listen(0).expect("a socket");
        let address = listener.local_addr().expect("it has one");
        let first = Wire::connect(address).await;
        std::mem::forget((listener, first));
        address
    }

    /// A port that is free for a program that is started next.
    pub async fn free() -> SocketAddr {
        Self::start().await.address
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The absolute URL of a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next connection that the proxy opens.
    pub async fn accept(&self) -> Wire {
        let accepted = within("the proxy connects to the origin", self.listener.accept()).await;
        Wire::new(accepted.expect("a connection").0)
    }

    /// Has a client ask for the first page, and accepts the connection on which the proxy passes
    /// that on.
    pub async fn asked_by(&self, client: &mut Wire) -> Wire {
        client.send(get(&self.url("/"))).await;
        let mut served = self.accept().await;
        served.head().await;
        served
    }

    /// The same for a page that is asked for again: the connection that the proxy has kept from a
    /// page before ends behind this `part` of the response.
    pub async fn asked_again_by(&self, client: &mut Wire, part: &str) -> Wire {
        let mut served = self.asked_by(client).await;
        served.send(ok("")).await;
        client.response().await;

        client.send(get(&self.url("/2"))).await;
        served.head().await;
        served.send(part).await;
        drop(served);
        let mut served = self.accept().await;
        assert!(served.head().await.starts_with("GET /2 "));
        served
    }

    /// Whether the proxy has opened a connection that was not accepted yet.
    pub fn was_dialled(&self) -> bool {
        // The system has the answer at once: it accepts before the program does.
        self.queue.accept().is_ok()
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Wire {
    socket: TcpStream,
    /// Read from the socket and not yet asked for.
    read: Vec<u8>,
}

/// An HTTP response, taken apart.
#[derive(Debug)]
pub struct Response {
    /// The status line and all fields, names in lower case.
    pub head: String,
    /// Three digits.
    pub status: u16,
    /// Without framing.
    pub body: String,
}

impl Response {
    /// The value of a field, if it is there.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

impl Wire {
    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            read: Vec::new(),
        }
    }

    /// A connection to anywhere.
    #[expect(clippy::disallowed_methods, reason = "this is a client of the proxy")]
    pub async fn connect(address: SocketAddr) -> Self {
        let socket = within("the proxy accepts", TcpStream::connect(address)).await;
        Self::new(socket.expect("a connection"))
    }

    /// The same from an address of this machine.
    pub async fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(SocketAddr::new(source, 0))
            .expect("an address of this machine");
        let socket = within("the proxy accepts", socket.connect(address)).await;
        Self::new(socket.expect("a connection"))
    }

    /// The same to a Unix socket.
    #[cfg(unix)]
    pub fn connect_unix(path: &Path) -> Self {
        let socket = UnixStream::connect(path).expect("the proxy listens there");
        socket.set_nonblocking(true).expect("a socket");
        // To the system, a stream is a stream.
        let socket = std::net::TcpStream::from(OwnedFd::from(socket));
        Self::new(TcpStream::from_std(socket).expect("a runtime"))
    }

    /// Writes all of it.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = within("the peer reads", self.socket.write_all(bytes.as_ref())).await;
        sent.expect("the peer is there");
    }

    /// Writes as much as the peer takes before it closes.
    pub async fn send_what_is_taken(&mut self, bytes: impl AsRef<[u8]>) {
        // An answer to the beginning may close the connection before the end.
        let _ = within("the peer reads", self.socket.write_all(bytes.as_ref())).await;
    }

    /// Writes, and says whether the peer was still there.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        within("the peer reads", self.socket.write_all(bytes.as_ref()))
            .await
            .is_ok()
    }

    /// Writes until the peer takes no more, and says how much that was.
    pub async fn send_until_stuck(&mut self) -> usize {
        let piece = [b'x'; 64 * 1024];
        let mut sent = 0;
        while let Ok(Ok(n)) = timeout(Duration::from_millis(300), self.socket.write(&piece)).await {
            sent += n;
        }
        sent
    }

    /// Ends this direction; the other stays open.
    pub async fn finish(&mut self) {
        self.socket
            .shutdown()
            .await
            .expect("the connection is open");
    }

    /// Resets the connection, as the system does for a program that crashes with unread data.
    pub fn reset(self) {
        self.socket
            .set_zero_linger()
            .expect("the connection is open");
    }

    /// Reads up to and including the empty line after a head. Names of fields come in lower case.
    pub async fn head(&mut self) -> String {
        lower_names(&self.spelled_head().await)
    }

    /// The same, as it was sent.
    pub async fn spelled_head(&mut self) -> String {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill("the head of a message comes").await;
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        String::from_utf8_lossy(&head).into_owned()
    }

    /// Reads this many bytes of text.
    pub async fn exactly(&mut self, bytes: usize) -> String {
        String::from_utf8_lossy(&self.exactly_bytes(bytes).await).into_owned()
    }

    /// Reads this many bytes.
    pub async fn exactly_bytes(&mut self, bytes: usize) -> Vec<u8> {
        while self.read.len() < bytes {
            self.fill(&format!(
                "{bytes} bytes come, of which there are {}",
                self.read.len()
            ))
            .await;
        }
        self.read.drain(..bytes).collect()
    }

    /// Reads whatever comes next, and says whether anything did before the end.
    pub async fn hears(&mut self) -> bool {
        let heard = within("something comes", self.socket.read_buf(&mut self.read)).await;
        matches!(heard, Ok(1..))
    }

    /// Whether something has come that was not read yet.
    pub fn has_heard(&mut self) -> bool {
        matches!(self.socket.try_read_buf(&mut self.read), Ok(1..))
    }

    /// Reads this text.
    pub async fn expect(&mut self, text: &str) {
        assert_eq!(self.exactly(text.len()).await, text);
    }

    /// Reads until the peer ends its direction, in whatever way.
    pub async fn rest(&mut self) -> String {
        String::from_utf8_lossy(&self.rest_bytes().await).into_owned()
    }

    /// The same as bytes.
    pub async fn rest_bytes(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.read);
        // A reset ends it, too.
        let _ = within("the peer closes", self.socket.read_to_end(&mut rest)).await;
        rest
    }

    /// Reads a whole response, by whichever framing it has.
    pub async fn response(&mut self) -> Response {
        self.response_to("GET").await
    }

    /// Reads the interim responses that come before a response, and the response.
    pub async fn final_response(&mut self) -> Response {
        loop {
            let response = self.response().await;
            if !matches!(response.status, 100..200) {
                return response;
            }
        }
    }

    /// Reads a whole response to a request of that method.
    pub async fn response_to(&mut self, method: &str) -> Response {
        let head = self.head().await;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {head:?}"));
        let tunnel = method == "CONNECT" && status == 200;
        let body = if tunnel || method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
            String::new()
        } else if field(&head, "transfer-encoding") == Some("chunked") {
            self.chunks().await.concat()
        } else if let Some(length) = field(&head, "content-length") {
            self.exactly(length.parse().expect("a length")).await
        } else {
            self.rest().await
        };
        Response { head, status, body }
    }

    /// Reads chunks up to the last one, and the trailer section, which is an element of its own if
    /// there is any.
    pub async fn chunks(&mut self) -> Vec<String> {
        let mut chunks = Vec::new();
        loop {
            let size = self.line().await;
            let size = usize::from_str_radix(&size, 16).expect("a chunk size");
            if size == 0 {
                break;
            }
            chunks.push(self.exactly(size).await);
            self.expect("\r\n").await;
        }
        loop {
            match self.line().await {
                end if end.is_empty() => return chunks,
                trailer => chunks.push(trailer),
            }
        }
    }

    async fn line(&mut self) -> String {
        let end = loop {
            if let Some(at) = self.read.windows(2).position(|bytes| bytes == b"\r\n") {
                break at;
            }
            self.fill("a line comes").await;
        };
        let line = self.exactly(end).await;
        self.expect("\r\n").await;
        line
    }

    async fn fill(&mut self, what: &str) {
        match within(what, self.socket.read_buf(&mut self.read)).await {
            Ok(0) => panic!("the peer closed before {what}; it sent {:?}", self.text()),
            Ok(_) => {}
            Err(error) => panic!("{error} before {what}; the peer sent {:?}", self.text()),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

fn lower_names(head: &str) -> String {
    let lower = |line: &str| match line.split_once(':') {
        Some((name, value)) if !name.contains(' ') => {
            format!("{}:{value}", name.to_ascii_lowercase())
        }
        _ => line.to_owned(),
    };
    head.lines().map(|line| lower(line) + "\r\n").collect()
}
