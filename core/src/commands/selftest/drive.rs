//! The client of a self-test: speaks HTTP and SOCKS with a proxy, and says what has come of it. It
//! knows no settings.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connector::{Connector, Stream, address_towards};
use super::step::{Host, Login, Outcome, Sent, Step, Way};
use crate::downstream::foresee::ACCESS_DENIED;
use crate::upstream::tls;

/// Longer than resolving, connecting and answering take by default.
const TIMEOUT: Duration = Duration::from_secs(90);

/// How much of an answer is read, in bytes.
const MOST: usize = 64 << 10;

/// What is sent through a tunnel in which no name is to be found.
const GREETING: &[u8] = b"\0portcullis-selftest\n";

/// A name and a password.
pub(super) type Credentials = (String, String);

/// Asks a proxy.
#[derive(Debug)]
pub(super) struct Driver<'a> {
    pub(super) connector: &'a Connector,
    /// What the server of the self-test answers.
    pub(super) word: &'a str,
    /// Those of a user, where clients have to log in.
    pub(super) right: Option<&'a Credentials>,
    /// Those of none.
    pub(super) wrong: &'a Credentials,
}

/// The head of an answer.
struct Head {
    status: u16,
    lines: Vec<String>,
}

/// What is left where the other end closes.
struct Ended;

impl Driver<'_> {
    /// Asks for one thing.
    ///
    /// # Errors
    ///
    /// If the proxy cannot be reached.
    pub(super) async fn carry_out(&self, step: &Step) -> io::Result<Outcome> {
        if let (Way::Around, Host::Address(ip)) = (step.way, &step.host) {
            return Ok(look_around(*ip));
        }
        let peer = Peer {
            stream: self.connector.open().await?,
            read: Vec::new(),
        };
        let asked = timeout(TIMEOUT, self.ask(step, peer)).await;
        Ok(match asked {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(Ended)) => Outcome::Closed,
            Err(_) => Outcome::Silent,
        })
    }

    /// Whether what listens there answers as this program does.
    pub(super) async fn is_portcullis(&self) -> io::Result<bool> {
        let mut peer = Peer {
            stream: self.connector.open().await?,
            read: Vec::new(),
        };
        let question = "OPTIONS * HTTP/1.1\r\nHost: portcullis\r\nConnection: close\r\n\r\n";
        let asked = timeout(TIMEOUT, async {
            peer.send(question.as_bytes()).await;
            peer.head().await
        });
        let Ok(Ok(head)) = asked.await else {
            return Ok(false);
        };
        let is_allowed = head.status == 200 && head.field("allow").is_some();
        let refused = head.field("proxy-status").unwrap_or_default();
        Ok(is_allowed || refused.starts_with("portcullis;"))
    }

    async fn ask(&self, step: &Step, mut peer: Peer) -> Result<Outcome, Ended> {
        let refused = match step.way {
            Way::Http => return self.get(step, peer).await,
            Way::Connect => self.connect(step, &mut peer).await?,
            Way::Socks5 => self.socks_5(step, &mut peer).await?,
            Way::Socks4 => socks_4(step, &mut peer).await?,
            Way::Around => None,
        };
        match refused {
            Some(refused) => Ok(refused),
            None => self.through_tunnel(&step.sent, peer).await,
        }
    }

    async fn get(&self, step: &Step, mut peer: Peer) -> Result<Outcome, Ended> {
        let authority = authority(step);
        let request = |login: &str, end: &str| {
            format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n{login}{end}\r\n")
        };
        if step.login == Login::Kept {
            let login = self.field(Login::Right);
            peer.send(request(&login, "").as_bytes()).await;
            let head = peer.head().await?;
            let length = head.field("content-length");
            let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            peer.exactly(length).await?;
            peer.send(request("", "Connection: close\r\n").as_bytes())
                .await;
        } else {
            let login = self.field(step.login);
            peer.send(request(&login, "Connection: close\r\n").as_bytes())
                .await;
        }
        let head = peer.head().await?;
        let is_reached = contains(&peer.rest().await, self.word);
        Ok(if is_reached {
            Outcome::Reached
        } else {
            head.outcome()
        })
    }

    /// The field that says who asks.
    fn field(&self, login: Login) -> String {
        match self.credentials(login) {
            Some((name, password)) => {
                let encoded = BASE64.encode(format!("{name}:{password}").as_bytes());
                format!("Proxy-Authorization: Basic {encoded}\r\n")
            }
            None => String::new(),
        }
    }

    fn credentials(&self, login: Login) -> Option<&Credentials> {
        match login {
            Login::Right | Login::Kept => self.right,
            Login::Wrong => Some(self.wrong),
            Login::Missing => None,
        }
    }

    async fn connect(&self, step: &Step, peer: &mut Peer) -> Result<Option<Outcome>, Ended> {
        let (authority, login) = (authority(step), self.field(step.login));
        let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n");
        peer.send(request.as_bytes()).await;
        let head = peer.head().await?;
        Ok((head.status != 200).then(|| head.outcome()))
    }

    /// Logs in if there are credentials, and asks for a tunnel (RFC 1928, RFC 1929).
    async fn socks_5(&self, step: &Step, peer: &mut Peer) -> Result<Option<Outcome>, Ended> {
        let refused = |code| Ok(Some(Outcome::of_reply(step.way, code)));
        let credentials = self.credentials(step.login);
        let method = if credentials.is_some() { 2 } else { 0 };
        peer.send(&[5, 1, method]).await;
        match peer.exactly(2).await?[1] {
            chosen if chosen == method => {}
            other => return refused(other),
        }
        if let Some((name, password)) = credentials {
            let message = [&[1], &*short(name), &short(password)].concat();
            peer.send(&message).await;
            if peer.exactly(2).await?[1] != 0 {
                return Ok(Some(Outcome::wrong_login()));
            }
        }
        let host = match &step.host {
            Host::Text(name) => [&[3], &*short(name)].concat(),
            Host::Address(IpAddr::V4(ip)) => [&[1], &ip.octets()[..]].concat(),
            Host::Address(IpAddr::V6(ip)) => [&[4], &ip.octets()[..]].concat(),
        };
        let request = [&[5, 1, 0], &*host, &step.port.to_be_bytes()].concat();
        peer.send(&request).await;
        let answer = peer.exactly(4).await?;
        if answer[1] != 0 {
            return refused(answer[1]);
        }
        peer.exactly(if answer[3] == 4 { 18 } else { 6 }).await?;
        Ok(None)
    }

    async fn through_tunnel(&self, sent: &Sent, mut peer: Peer) -> Result<Outcome, Ended> {
        match sent {
            Sent::Nothing => return Ok(Outcome::Passed("a tunnel".to_owned())),
            Sent::Greeting => peer.send(GREETING).await,
            Sent::Hello(name) => peer.send(&hello(name)).await,
            Sent::Request(host) => {
                let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
                peer.send(request.as_bytes()).await;
            }
        }
        let heard = peer.rest().await;
        Ok(if contains(&heard, self.word) {
            Outcome::Reached
        } else if heard == ACCESS_DENIED {
            Outcome::Alert
        } else if heard.is_empty() {
            Outcome::Closed
        } else {
            let head = Head::parse(&heard);
            head.map_or_else(
                |_| Outcome::Passed("another server".to_owned()),
                |head| head.outcome(),
            )
        })
    }
}

/// Asks for a tunnel by version 4 of SOCKS, by its extension 4a if it is to a name.
async fn socks_4(step: &Step, peer: &mut Peer) -> Result<Option<Outcome>, Ended> {
    let (ip, name) = match &step.host {
        Host::Address(IpAddr::V4(ip)) => (ip.octets(), Vec::new()),
        Host::Address(IpAddr::V6(_)) => return Err(Ended),
        Host::Text(name) => ([0, 0, 0, 1], [name.as_bytes(), &[0]].concat()),
    };
    let request = [&[4, 1][..], &step.port.to_be_bytes(), &ip, &[0], &name].concat();
    peer.send(&request).await;
    let code = peer.exactly(8).await?[1];
    Ok((code != 90).then(|| Outcome::of_reply(step.way, code)))
}

/// Whether the system would know where to send to an address. Nothing is sent.
fn look_around(ip: IpAddr) -> Outcome {
    match address_towards(ip) {
        Some(from) => Outcome::Passed(format!("a route from {from}")),
        None => Outcome::NoRoute,
    }
}

fn authority(step: &Step) -> String {
    format!("{}:{}", step.host, step.port)
}

/// A text behind its length. What is too long for that is cut.
fn short(text: &str) -> Vec<u8> {
    let bytes = &text.as_bytes()[..text.len().min(255)];
    [&[bytes.len() as u8], bytes].concat()
}

/// The first message of a client that wants the server `name`.
fn hello(name: &str) -> Vec<u8> {
    let name = ServerName::try_from(name.to_owned());
    let client = name.ok().zip(tls::without_trust().ok());
    let client =
        client.and_then(|(name, config)| ClientConnection::new(Arc::new(config), name).ok());
    let mut bytes = Vec::new();
    if let Some(mut client) = client {
        // A vector takes all of it.
        let _ = client.write_tls(&mut bytes);
    }
    bytes
}

fn contains(heard: &[u8], word: &str) -> bool {
    memchr::memmem::find(heard, word.as_bytes()).is_some()
}

impl Head {
    /// Reads an answer of HTTP.
    fn parse(bytes: &[u8]) -> Result<Self, Ended> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines().map(str::to_owned);
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| {
            let mut words = rest.split(' ').skip(1);
            words.next()?.parse().ok()
        });
        Ok(Self {
            status: status.ok_or(Ended)?,
            lines: lines.take_while(|line| !line.is_empty()).collect(),
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn outcome(&self) -> Outcome {
        let is_forwarded = self.field("via").is_some();
        Outcome::of_answer(self.status, self.field("proxy-status"), is_forwarded)
    }
}

/// The proxy's end of a connection.
struct Peer {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

impl Peer {
    /// Sends as much as is taken. What came of it is seen by what is answered.
    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads more. A reset is an end, too.
    async fn fill(&mut self) -> Result<(), Ended> {
        match self.stream.read_buf(&mut self.read).await {
            Ok(1..) if self.read.len() <= MOST => Ok(()),
            _ => Err(Ended),
        }
    }

    async fn exactly(&mut self, count: usize) -> Result<Vec<u8>, Ended> {
        while self.read.len() < count {
            self.fill().await?;
        }
        Ok(self.read.drain(..count).collect())
    }

    async fn head(&mut self) -> Result<Head, Ended> {
        let end = loop {
            match memchr::memmem::find(&self.read, b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.fill().await?,
            }
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        Head::parse(&head)
    }

    /// Reads to the end, or as much as is looked at.
    async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await.is_ok() {}
        std::mem::take(&mut self.read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::downstream::hello::{self as reader, FirstMessage};

    #[test]
    fn a_handshake_names_the_server() {
        let hello = hello("www.blocked.portcullis.test");
        let Ok(FirstMessage::Hello(read)) = reader::read(&hello) else {
            panic!("{hello:?}");
        };
        let name = read.server_name.as_deref();
        assert_eq!(name, Some(&b"www.blocked.portcullis.test"[..]));
    }
}
