//! A web server that no scenario plays: for peers that ask again and again, such as browsers and
//! feeds.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use portcullis::config::{Feed, FeedFormat};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::wire::within;

/// A running server. It has a page at `/`, says 404 to what it does not know, and echoes what comes
/// by WebSocket.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    content: Arc<Content>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Content {
    /// By path.
    pages: Mutex<HashMap<String, Page>>,
    /// Path and query of every request.
    asked: watch::Sender<Vec<String>>,
    /// The paths of the requests of clients that had that version already.
    confirmed: watch::Sender<Vec<String>>,
}

#[derive(Clone, Debug)]
enum Page {
    Good(Vec<u8>),
    /// Its validator, and what is sent to those who do not name that.
    Version(String, Vec<u8>),
    /// Sent as it is; the connection is closed after it.
    Raw(Vec<u8>),
    /// The first is sent as it is once, the second from then on.
    Once(Vec<u8>, Vec<u8>),
    /// Nothing is sent.
    Silent,
}

impl Site {
    /// Starts on a free port of loopback.
    pub async fn start() -> Self {
        Self::start_over(None).await
    }

    /// The same over TLS, as a server of these names.
    pub async fn start_secure(authority: &Authority, names: &[&str]) -> Self {
        Self::start_over(Some(authority.certify(names).into())).await
    }

    #[expect(clippy::disallowed_methods, reason = "it ends with the site")]
    async fn start_over(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("an address");
        let content = Arc::<Content>::default();
        let server = tokio::spawn(accept(listener, tls, content.clone()));
        let site = Self {
            address,
            content,
            server,
        };
        site.serves("/", "welcome");
        site
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Puts a page in place of the one before; the end of the path says what it is.
    pub fn serves(&self, path: &str, body: impl AsRef<[u8]>) {
        self.put(path, Page::Good(body.as_ref().to_vec()));
    }

    /// Puts a page there that is not sent again to a client which names its validator.
    pub fn serves_version(&self, path: &str, etag: &str, body: &str) {
        let etag = format!("\"{etag}\"");
        self.put(path, Page::Version(etag, body.into()));
    }

    /// Waits until that many requests for this path were answered by 304 alone, from the beginning.
    pub async fn has_confirmed(&self, path: &str, times: usize) {
        let is_it = |paths: &Vec<String>| paths.iter().filter(|it| *it == path).count() >= times;
        let mut confirmed = self.content.confirmed.subscribe();
        let what = format!("{times} answers by 304 for {path}");
        let waited = within(&what, confirmed.wait_for(is_it)).await;
        waited.expect("the site holds the sender");
    }

    /// Answers with these bytes instead of a page and closes the connection.
    pub fn breaks(&self, path: &str, answer: impl AsRef<[u8]>) {
        self.put(path, Page::Raw(answer.as_ref().to_vec()));
    }

    /// Answers with the first of these once, and then as [`Self::breaks`] does with the second.
    pub fn breaks_once(&self, path: &str, answer: impl AsRef<[u8]>, then: impl AsRef<[u8]>) {
        let [answer, then] = [answer.as_ref().to_vec(), then.as_ref().to_vec()];
        self.put(path, Page::Once(answer, then));
    }

    /// Answers nothing until the client leaves.
    pub fn is_silent(&self, path: &str) {
        self.put(path, Page::Silent);
    }

    /// A feed of domains that lies there, and is asked for often.
    pub fn feed(&self, path: &str) -> Feed {
        let url = format!("http://{}{path}", self.address);
        let mut feed = Feed::new(url.parse().expect("a URL"), FeedFormat::Domains);
        feed.refresh = Duration::from_millis(100);
        feed
    }

    /// Waits for that many requests from now on, each with a path and query that begins with
    /// `start`, and gives the last.
    pub async fn is_asked(&self, start: &str, times: usize) -> String {
        let known = self.content.asked.borrow().len();
        self.was_asked_since(known, start, times).await
    }

    /// Whether a path that begins with `start` was asked for until now.
    pub fn has_been_asked(&self, start: &str) -> bool {
        let asked = self.content.asked.borrow();
        asked.iter().any(|path| path.starts_with(start))
    }

    /// Like [`Self::is_asked`], from the beginning.
    pub async fn was_asked(&self, start: &str) -> String {
        self.was_asked_since(0, start, 1).await
    }

    /// Stops it: from now on no program listens there.
    pub async fn stop(&mut self) {
        self.server.abort();
        // Its end is an error, as it was aborted.
        let _ = (&mut self.server).await;
    }

    async fn was_asked_since(&self, known: usize, start: &str, times: usize) -> String {
        let matching = |asked: &Vec<String>| {
            let mut matching = asked[known..].iter().filter(|path| path.starts_with(start));
            matching.nth(times - 1).cloned()
        };
        let mut asked = self.content.asked.subscribe();
        let what = format!("a client asks {times} times for {start}");
        let asked = within(&what, asked.wait_for(|asked| matching(asked).is_some())).await;
        let asked = asked.expect("the site holds the sender");
        matching(&asked).expect("it was there a moment ago")
    }

    fn put(&self, path: &str, page: Page) {
        let mut pages = self.content.pages.lock().expect("no holder panics");
        pages.insert(path.to_owned(), page);
    }
}

impl Content {
    /// The page for the next request.
    fn page(&self, path: &str) -> Option<Page> {
        let mut pages = self.pages.lock().ok()?;
        let page = pages.get(path).cloned();
        if let Some(Page::Once(_, then)) = &page {
            pages.insert(path.to_owned(), Page::Raw(then.clone()));
        }
        page
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A connection to a client, in whatever way.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, content: Arc<Content>) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let (tls, content) = (tls.clone(), content.clone());
        // A client may leave when it likes.
        connections.spawn(async move {
            match tls {
                None => serve(BufReader::new(socket), &content).await,
                Some(tls) => {
                    let stream = tls.accept(socket).await.ok()?;
                    serve(BufReader::new(stream), &content).await
                }
            }
        });
    }
}

async fn serve(mut client: BufReader<impl Stream>, content: &Content) -> Option<()> {
    loop {
        let head = read_head(&mut client).await?;
        let target = head.split(' ').nth(1)?.to_owned();
        content
            .asked
            .send_modify(|asked| asked.push(target.clone()));
        if let Some(key) = field(&head, "sec-websocket-key") {
            return echo(client, key).await;
        }
        let path = target.split('?').next()?;
        match content.page(path) {
            Some(Page::Good(body)) => answer(&mut client, "200 OK", kind(path), &body).await?,
            Some(Page::Version(etag, _)) if field(&head, "if-none-match") == Some(&etag) => {
                content
                    .confirmed
                    .send_modify(|paths| paths.push(path.to_owned()));
                client
                    .write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n")
                    .await
                    .ok()?;
            }
            Some(Page::Version(etag, body)) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {length}\r\n\r\n");
                client
                    .write_all(&[head.as_bytes(), &body].concat())
                    .await
                    .ok()?;
            }
            Some(Page::Raw(bytes) | Page::Once(bytes, _)) => {
                client.write_all(&bytes).await.ok()?;
                return client.shutdown().await.ok();
            }
            Some(Page::Silent) => return read_head(&mut client).await.map(drop),
            None => answer(&mut client, "404 Not Found", "text/plain", b"").await?,
        }
    }
}

async fn read_head(client: &mut BufReader<impl Stream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = client.read_line(&mut head).await;
        read.ok().filter(|bytes| *bytes > 0)?;
    }
    Some(head)
}

async fn answer(
    client: &mut BufReader<impl Stream>,
    status: &str,
    kind: &str,
    body: &[u8],
) -> Option<()> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    let message = [head.as_bytes(), body].concat();
    client.write_all(&message).await.ok()?;
    client.flush().await.ok()
}

/// RFC 6455, as far as a short message needs it: frames of less than 126 bytes, and no fragments.
async fn echo(mut client: BufReader<impl Stream>, key: &str) -> Option<()> {
    let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = BASE64.encode(&digest);
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.ok()?;
    loop {
        let mut frame = [0; 6];
        client.read_exact(&mut frame).await.ok()?;
        let [kind, length, mask @ ..] = frame;
        let mut payload = vec![0; usize::from(length & 0x7f)];
        client.read_exact(&mut payload).await.ok()?;
        let unmasked = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask);
        let answer: Vec<u8> = [kind, length & 0x7f].into_iter().chain(unmasked).collect();
        client.write_all(&answer).await.ok()?;
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css",
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        _ => "text/plain",
    }
}
