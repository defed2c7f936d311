//! What the proxy reaches: an origin that does what the path says, and a name server, on a thread
//! of their own. Hostile clients and the neighbour have one each, so that the neighbour's is not
//! busy with what the others ask for; the name server is the neighbour's.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_tests::Dns;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::peer::Peer;

/// Names on the list that lies at `/list`.
const LISTED: u32 = 76_000;

/// What is sent as a few hundred kilobytes, in MiB.
const UNPACKED: usize = 256;

/// Interim responses, as many as are sent at once.
static INTERIM: LazyLock<String> =
    LazyLock::new(|| "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(2000));

/// A response whose head has 1 MiB.
static WIDE: LazyLock<String> = LazyLock::new(|| {
    let field = format!("X: {}\r\n", "x".repeat(1 << 20));
    format!("HTTP/1.1 200 OK\r\n{field}Content-Length: 2\r\n\r\nok")
});

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// A port of loopback.
    pub(crate) origin: u16,
    pub(crate) dns: SocketAddr,
}

impl World {
    /// Ends with the program.
    pub(crate) fn start() -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let dns = Dns::start().await;
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let origin = listener.local_addr().expect("an address").port();
                let world = Self {
                    origin,
                    dns: dns.address(),
                };
                sender.send(world).expect("the program waits for it");
                let mut connections = JoinSet::new();
                loop {
                    // When descriptors run short, so do connections.
                    if let Ok((socket, _)) = listener.accept().await {
                        connections.spawn(serve(Peer::new(socket)));
                    } else {
                        sleep(Duration::from_millis(10)).await;
                    }
                    while connections.try_join_next().is_some() {}
                }
            });
        });
        receiver.recv().expect("it starts")
    }
}

async fn serve(mut client: Peer) -> std::io::Result<()> {
    loop {
        let head = client.head().await?;
        let target = head.split(' ').nth(1).unwrap_or_default();
        match target.rsplit('/').next().unwrap_or_default() {
            "silent" => client.drain().await?,
            "takes" => client.drain().await?,
            "trickle" => {
                client
                    .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                    .await?;
                loop {
                    client.send("x").await?;
                    sleep(Duration::from_millis(100)).await;
                }
            }
            "large" => {
                client
                    .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
                    .await?;
                let block = vec![b'x'; 1 << 16];
                loop {
                    client.send(&block).await?;
                }
            }
            "interim" => loop {
                client.send(INTERIM.as_bytes()).await?;
            },
            "wide" => client.send(WIDE.as_bytes()).await?,
            "list" => client.send(list()).await?,
            "bomb" => client.send(bomb()).await?,
            _ => {
                client
                    .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await?
            }
        }
    }
}

/// Whether the lists are what they should not be.
pub(crate) static LISTS_ARE_HOSTILE: AtomicBool = AtomicBool::new(false);

/// A large list, and another one at each request, so that each is read.
fn list() -> Vec<u8> {
    static VERSION: AtomicU64 = AtomicU64::new(0);
    let version = VERSION.fetch_add(1, Ordering::Relaxed);
    let names = if LISTS_ARE_HOSTILE.load(Ordering::Relaxed) {
        LISTED
    } else {
        1
    };
    let line = |n| format!("0.0.0.0 evil-{n}-{version}.listed-{}.example\n", n % 977);
    let body: String = (0..names).map(line).collect();
    page("", body.as_bytes())
}

/// Nothing, packed.
fn bomb() -> Vec<u8> {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let piece = vec![0; 1 << 20];
        for _ in 0..UNPACKED {
            packed.write_all(&piece).expect("a vector takes everything");
        }
        packed.finish().expect("a vector takes everything")
    });
    if LISTS_ARE_HOSTILE.load(Ordering::Relaxed) {
        page("Content-Encoding: gzip\r\n", &BOMB)
    } else {
        list()
    }
}

fn page(fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
