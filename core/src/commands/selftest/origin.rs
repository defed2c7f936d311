//! A server on loopback that a self-test asks the proxy for. A client that reaches it is told so by
//! a word that no other server knows.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How long a connection is kept on which nothing comes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The server. It serves while [`Origin::serve`] is polled.
#[derive(Debug)]
pub(super) struct Origin {
    v4: TcpListener,
    /// At the same port; none where there is no IPv6.
    v6: Option<TcpListener>,
    pub(super) port: u16,
    /// What it answers.
    pub(super) word: String,
}

impl Origin {
    pub(super) async fn open() -> io::Result<Self> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = v4.local_addr()?.port();
        Ok(Self {
            v6: TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok(),
            v4,
            port,
            word: format!("selftest-{:032x}", fastrand::u128(..)),
        })
    }

    /// Whether it is at `::1`, too.
    pub(super) fn has_ipv6(&self) -> bool {
        self.v6.is_some()
    }

    /// Answers whatever comes, for as long as it is polled.
    pub(super) async fn serve(&self) {
        let mut served = FuturesUnordered::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.v4.accept() => accepted,
                Some(accepted) = async { Some(self.v6.as_ref()?.accept().await) } => accepted,
                Some(()) = served.next() => continue,
            };
            // A connection that breaks before it is accepted is no reason to stop.
            if let Ok((stream, _)) = accepted {
                served.push(self.answer(stream));
            }
        }
    }

    async fn answer(&self, mut stream: TcpStream) {
        let (word, length) = (&self.word, self.word.len());
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{word}"
        );
        let mut sent = [0; 4096];
        // How it ends is seen at the other end of the proxy.
        let _ = timeout(TIMEOUT, async {
            if stream.read(&mut sent).await? > 0 {
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await?;
                // Closing before all is read would take the answer back.
                while stream.read(&mut sent).await? > 0 {}
            }
            io::Result::Ok(())
        })
        .await;
    }
}
