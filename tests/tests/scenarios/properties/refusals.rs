//! A refused exchange never reaches an origin: no connection is opened for it, no name is resolved,
//! and not a byte of it is written to a connection that others have left.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use portcullis_tests::{Dns, Proxy, ROOM, Wire, guests, plug};
use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{Just, Strategy};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{holds, runtime};

/// What each of the filters refuses, in their order; the last one traps.
const FILTERS: [(&str, &str); 4] = [
    ("a-bare", ""),
    ("b-suffix", "[config]\nblock = [\"evil.example\"]\n"),
    (
        "c-headers",
        "[config]\nmethods = [\"DELETE\"]\nheaders = { x-secret = \"yes\" }\n",
    ),
    ("d-guards", "[quarantine]\nfailures = 4294967295\n"),
];

const PASSING: [&str; 2] = ["good.example", "other.example"];
const REFUSED: [&str; 3] = ["blocked.example", "www.evil.example", "x.example"];

#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    host: &'static str,
    body: Body,
    fields: Vec<&'static str>,
}

/// How many times the text that must not be seen is there.
#[derive(Clone, Copy, Debug)]
enum Body {
    None,
    Length(usize),
    Chunked(usize, usize),
}

/// The requests of one connection.
#[derive(Clone, Debug)]
struct Conversation {
    requests: Vec<Request>,
    /// All at once, without a look at the answers.
    is_pipelined: bool,
}

/// What one of the filters refuses.
const SECRET: &str = "X-Secret: yes";

const TAKES_BACK: &str = "Connection: x-secret";

/// Fields that change nothing about who may pass.
const HARMLESS: [&str; 4] = [
    "Expect: 100-continue",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    TAKES_BACK,
    "Accept: text/html",
];

/// Fields for which the proxy or a filter refuses a request.
const REFUSED_FIELDS: [&str; 5] = [
    SECRET,
    "Content-Length: 3\r\nContent-Length: 4",
    "Transfer-Encoding: xchunked",
    "Expect: nonsense",
    "X-Space : a",
];

fn conversations() -> impl Strategy<Value = Vec<Conversation>> {
    let methods = select(
        &[
            "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "CONNECT",
        ][..],
    );
    let host = prop_oneof![3 => select(&PASSING[..]), 3 => select(&REFUSED[..])];
    let body = prop_oneof![
        Just(Body::None),
        (1..200_usize).prop_map(Body::Length),
        (1..200_usize, 1..4000_usize).prop_map(|(times, size)| Body::Chunked(times, size)),
    ];
    let field = prop_oneof![4 => select(&HARMLESS[..]), 1 => select(&REFUSED_FIELDS[..])];
    let request =
        (methods, host, body, vec(field, 0..3)).prop_map(|(method, host, body, fields)| Request {
            method,
            host,
            // A CONNECT has none.
            body: if method == "CONNECT" {
                Body::None
            } else {
                body
            },
            fields,
        });
    let conversation =
        (vec(request, 1..5), proptest::bool::ANY).prop_map(|(requests, is_pipelined)| {
            Conversation {
                requests,
                is_pipelined,
            }
        });
    vec(conversation, 1..4)
}

/// Stands in every part of a request, and in no other request.
fn mark(number: usize) -> String {
    format!("~{number}~")
}

impl Request {
    fn is_refused(&self) -> bool {
        REFUSED.contains(&self.host)
            || matches!(self.method, "DELETE" | "TRACE")
            || self.fields.iter().any(|field| self.is_refused_for(field))
    }

    fn is_refused_for(&self, field: &str) -> bool {
        // Fields of a CONNECT are not judged. What a client takes back by Connection is seen by
        // neither filters nor origins.
        let is_taken_back = self.fields.contains(&TAKES_BACK) || self.method == "CONNECT";
        REFUSED_FIELDS.contains(&field) && !(field == SECRET && is_taken_back)
    }

    /// As it is sent. The body is made of requests that would pass.
    fn text(&self, number: usize, port: u16) -> String {
        let (mark, host, method) = (mark(number), self.host, self.method);
        let target = match method {
            "CONNECT" => format!("{host}:{port}"),
            _ => format!("http://{host}:{port}/{mark}"),
        };
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nX-Mark: {mark}\r\n");
        for field in &self.fields {
            head += &format!("{field}\r\n");
        }
        let inner = passing_request(number, port, "");
        match self.body {
            Body::None => head + "\r\n",
            Body::Length(times) => {
                let body = inner.repeat(times);
                head + &format!("Content-Length: {}\r\n\r\n{body}", body.len())
            }
            Body::Chunked(times, size) => {
                let body = inner.repeat(times);
                let mut text = head + "Transfer-Encoding: chunked\r\n\r\n";
                for chunk in body.as_bytes().chunks(size) {
                    let chunk = str::from_utf8(chunk).expect("ASCII");
                    text += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
                }
                text + "0\r\n\r\n"
            }
        }
    }
}

fn passing_request(number: usize, port: u16, fields: &str) -> String {
    let mark = mark(number);
    format!(
        "GET http://good.example:{port}/{mark} HTTP/1.1\r\nHost: good.example:{port}\r\n{fields}\r\n"
    )
}

/// An origin behind every name, which answers everything with 200 and keeps all that it gets.
#[derive(Debug)]
struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    bytes: Vec<u8>,
}

impl Recorder {
    #[expect(clippy::disallowed_methods, reason = "it ends with the recorder")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Seen>>::default();
        let server = tokio::spawn({
            let seen = seen.clone();
            async move {
                let mut connections = JoinSet::new();
                while let Ok((socket, _)) = listener.accept().await {
                    seen.lock().expect("no holder panics").connections += 1;
                    connections.spawn(serve(socket, seen.clone()));
                }
            }
        });
        Self {
            address,
            seen,
            server,
        }
    }

    fn connections(&self) -> usize {
        self.seen.lock().expect("no holder panics").connections
    }

    /// The marks in what has come since the last call.
    fn marks(&self) -> BTreeSet<usize> {
        let bytes = std::mem::take(&mut self.seen.lock().expect("no holder panics").bytes);
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET), "{text}");
        text.split('~')
            .filter_map(|part| part.parse().ok())
            .collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut socket: TcpStream, seen: Arc<Mutex<Seen>>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let head = until(&mut socket, &mut buffer, &seen, b"\r\n\r\n").await?;
        let head = head.to_lowercase();
        if head.contains("expect: 100-continue") {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            socket.write_all(go_on).await.ok()?;
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if head.contains("\ntransfer-encoding:") {
            until(&mut socket, &mut buffer, &seen, b"\r\n0\r\n\r\n").await?;
        } else if let Some(length) = length {
            let length: usize = length.parse().ok()?;
            while buffer.len() < length {
                read(&mut socket, &mut buffer, &seen).await?;
            }
            buffer.drain(..length);
        }
        let body = if head.starts_with("head ") { "" } else { "ok" };
        let close = head.contains("connection: close");
        let field = if close { "Connection: close\r\n" } else { "" };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{field}\r\n{body}");
        socket.write_all(answer.as_bytes()).await.ok()?;
        if close {
            return Some(());
        }
    }
}

/// Reads up to `end`, and keeps what comes behind it.
async fn until(
    socket: &mut TcpStream,
    buffer: &mut Vec<u8>,
    seen: &Mutex<Seen>,
    end: &[u8],
) -> Option<String> {
    let mut searched = 0;
    loop {
        let place = buffer[searched..]
            .windows(end.len())
            .position(|part| part == end);
        if let Some(at) = place {
            let part: Vec<u8> = buffer.drain(..searched + at + end.len()).collect();
            return Some(String::from_utf8_lossy(&part).into_owned());
        }
        searched = buffer.len().saturating_sub(end.len());
        read(socket, buffer, seen).await?;
    }
}

async fn read(socket: &mut TcpStream, buffer: &mut Vec<u8>, seen: &Mutex<Seen>) -> Option<()> {
    let before = buffer.len();
    let read = socket.read_buf(buffer).await.ok()?;
    let mut seen = seen.lock().expect("no holder panics");
    seen.bytes.extend(&buffer[before..]);
    (read > 0).then_some(())
}

/// Everything around the requests.
struct World {
    proxy: Proxy,
    origin: Recorder,
    dns: Dns,
    /// The last number that a request has had.
    number: Cell<usize>,
    /// The numbers of requests that may be seen.
    passing: RefCell<BTreeSet<usize>>,
}

impl World {
    async fn start() -> Self {
        let (origin, dns) = (Recorder::start().await, Dns::start().await);
        let proxy = Proxy::start_with(|config| {
            config.egress.resolvers = vec![dns.address().into()];
            let guards = guests::wat("guards");
            let wasm = [guests::bare(), guests::suffix(), guests::headers(), &guards];
            plug(&config.plugins.dir, "blocklist.toml", ROOM);
            for ((name, settings), wasm) in FILTERS.iter().zip(wasm) {
                let settings = format!("{ROOM}{settings}");
                plug(&config.plugins.dir, &format!("{name}.toml"), settings);
                plug(&config.plugins.dir, &format!("{name}.wasm"), wasm);
            }
        });
        let proxy = proxy.await;
        proxy.serves().await;
        Self {
            proxy,
            origin,
            dns,
            number: Cell::new(0),
            passing: RefCell::default(),
        }
    }

    fn next_number(&self, is_passing: bool) -> usize {
        let number = self.number.get() + 1;
        self.number.set(number);
        if is_passing {
            self.passing.borrow_mut().insert(number);
        }
        number
    }

    /// Has a conversation, and gives the numbers of the requests that must have been answered by
    /// the origin: those before the first that is refused.
    async fn have(&self, conversation: &Conversation) -> Vec<usize> {
        let port = self.origin.address.port();
        let mut client = self.proxy.client().await;
        let (mut text, mut expected) = (String::new(), Vec::new());
        let mut is_fine = true;
        for request in &conversation.requests {
            let number = self.next_number(!request.is_refused());
            is_fine &= !request.is_refused();
            // What leads to an origin through a tunnel bears no mark of the CONNECT.
            if is_fine && request.method != "CONNECT" {
                expected.push(number);
            }
            let is_tunnel = request.method == "CONNECT" && !request.is_refused();
            text += &request.text(number, port);
            if !conversation.is_pipelined && !exchange(&mut client, request, &mut text).await {
                return expected;
            }
            if is_tunnel {
                break;
            }
        }
        // One more of the same ends the connection, if it is still open.
        let is_passing = conversation
            .requests
            .iter()
            .any(|request| !request.is_refused());
        let number = self.next_number(is_passing);
        let last = passing_request(number, port, "Connection: close\r\n");
        text += &if is_passing {
            last
        } else {
            last.replace("good", "blocked")
        };
        client.send_what_is_taken(text).await;
        client.rest().await;
        if is_fine {
            expected.push(number);
        }
        expected
    }
}

/// Sends what there is to send, and says whether the connection is open after the answer.
async fn exchange(client: &mut Wire, request: &Request, text: &mut String) -> bool {
    client.send_what_is_taken(std::mem::take(text)).await;
    // A body that the refused request before had, and that was not read, may have closed it.
    if !client.hears().await {
        return false;
    }
    // What an interim response announces may have come with it.
    loop {
        let response = client.response_to(request.method).await;
        if response.status >= 200 {
            return response.field("connection") != Some("close");
        }
    }
}

#[test]
fn a_refused_exchange_never_reaches_an_origin() {
    let runtime = runtime();
    let world = runtime.block_on(World::start());
    let reached = Cell::new(0);
    let check_marks = |marks: &BTreeSet<usize>| {
        let passing = world.passing.borrow();
        let leaked: Vec<_> = marks.difference(&passing).collect();
        prop_assert!(
            leaked.is_empty(),
            "the origin has seen the refused {leaked:?}"
        );
        Ok(())
    };
    holds("refusals.txt", &conversations(), |conversations| {
        runtime.block_on(async {
            let connections = world.origin.connections();
            let (first, passing) = (world.number.get(), world.passing.borrow().len());
            let mut expected = Vec::new();
            for conversation in &conversations {
                expected.extend(world.have(conversation).await);
            }
            let marks = world.origin.marks();
            check_marks(&marks)?;
            let missing = expected.iter().find(|number| !marks.contains(number));
            prop_assert_eq!(missing, None, "of those after {}", first);
            reached.set(reached.get() + expected.len());
            if world.passing.borrow().len() == passing {
                prop_assert_eq!(world.origin.connections(), connections);
            }
            Ok(())
        })
    });
    // What a worker had still to send would have come before the proxy has ended.
    let World {
        proxy, origin, dns, ..
    } = world;
    runtime.block_on(proxy.stop());
    let late = origin.marks();
    let passing = world.passing.borrow();
    assert!(late.is_subset(&passing), "{late:?}");
    assert!(reached.get() > 100, "{}", reached.get());
    assert!(dns.was_asked_only_for(&PASSING));
}
