//! A DNS server on loopback, over UDP and TCP and, where a test wants it, over TLS and HTTPS: every
//! name leads to 127.0.0.1, but for those that a test leads elsewhere, those below `nowhere.test`,
//! which do not exist, and those below `silent.test`, which get no answer. Questions for the IPv6
//! addresses of names below `v4only.test` are dropped.

mod secure;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A running name server that remembers what it was asked.
#[derive(Debug)]
pub struct Dns {
    address: SocketAddr,
    shared: Arc<Shared>,
    servers: JoinSet<()>,
}

/// Where a name leads: to addresses, or to one other name.
#[derive(Clone, Debug)]
enum Led {
    Always(Vec<String>),
    /// To one IPv4 address after the other, with each question for one. The last one stays.
    InTurn(VecDeque<Ipv4Addr>),
}

/// For how long an answer holds, in seconds.
const TTL: u32 = 60;

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4 addresses.
    V4,
    /// IPv6 addresses.
    V6,
}

/// How a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// In clear text.
    Udp,
    /// In clear text.
    Tcp,
    /// DNS over TLS.
    Tls,
    /// DNS over HTTPS.
    Https,
}

#[derive(Debug, Default)]
struct Shared {
    asked: Mutex<Vec<(String, Over)>>,
    /// What tests have said of names.
    answers: Mutex<HashMap<String, Led>>,
    /// What clients have said of the server that they want: its name in TLS, or in a URL of HTTPS.
    wanted: Mutex<Vec<String>>,
    /// How long answers about a family take over UDP.
    delays: Mutex<HashMap<Family, Duration>>,
    forgets_case: AtomicBool,
    hangs_up: AtomicBool,
}

impl Dns {
    /// Starts on a free port of loopback.
    pub async fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let udp = udp.expect("loopback has a free port");
            let address = udp.local_addr().expect("a bound socket has an address");
            // Another test may have the port for TCP.
            if let Ok(tcp) = TcpListener::bind(address).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().expect("a bound socket has an address");
        let shared: Arc<Shared> = Arc::default();
        let mut servers = JoinSet::new();
        servers.spawn(serve_udp(udp, shared.clone()));
        servers.spawn(serve_tcp(tcp, shared.clone()));
        Self {
            address,
            shared,
            servers,
        }
    }

    /// Answers over TLS, too: where to ask.
    pub async fn serve_tls(&mut self, identity: &Arc<ServerConfig>) -> SocketAddr {
        let (listener, address) = secure::bind().await;
        let serving = secure::serve_tls(listener, identity.clone(), self.shared.clone());
        self.servers.spawn(serving);
        address
    }

    /// Answers over HTTPS, too, under any path: where to ask.
    pub async fn serve_https(&mut self, identity: &Arc<ServerConfig>) -> SocketAddr {
        let (listener, address) = secure::bind().await;
        let serving = secure::serve_https(listener, identity.clone(), self.shared.clone());
        self.servers.spawn(serving);
        address
    }

    /// Has a name lead to these addresses, or to another name that was led somewhere before.
    pub fn lead(&self, name: &str, to: &[&str]) {
        let to = to.iter().map(ToString::to_string).collect();
        self.put(name, Led::Always(to));
    }

    /// Has each question for a name be answered with the next of these addresses, and with the last
    /// one from then on. No answer may be kept.
    pub fn lead_in_turn(&self, name: &str, to: &[Ipv4Addr]) {
        self.put(name, Led::InTurn(to.iter().copied().collect()));
    }

    fn put(&self, name: &str, led: Led) {
        lock(&self.shared.answers).insert(name.to_owned(), led);
    }

    /// Over UDP, questions for addresses of a family are answered so much later from now on.
    pub fn delay(&self, family: Family, by: Duration) {
        lock(&self.shared.delays).insert(family, by);
    }

    /// Over UDP, what is asked is repeated in small letters from now on, and every name leads to
    /// 127.0.0.66. Over TCP all is as before.
    pub fn forget_case(&self) {
        self.shared.forgets_case.store(true, Ordering::Relaxed);
    }

    /// Closes each connection after one answer from now on.
    pub fn hang_up(&self) {
        self.shared.hangs_up.store(true, Ordering::Relaxed);
    }

    /// Where to ask in clear text.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often `name` was asked for, whichever family of addresses the questions were about.
    pub fn times_asked_for(&self, name: &str) -> usize {
        self.asked_for(name).count()
    }

    /// Whether `name` was asked for.
    pub fn was_asked_for(&self, name: &str) -> bool {
        self.asked_for(name).next().is_some()
    }

    /// How questions for `name` came.
    pub fn was_asked_over(&self, name: &str, over: Over) -> bool {
        self.asked_for(name).any(|(_, came)| came == over)
    }

    /// How `name` was written in questions for it.
    pub fn spellings(&self, name: &str) -> Vec<String> {
        self.asked_for(name).map(|(spelling, _)| spelling).collect()
    }

    /// Whether no other names but these were asked for.
    pub fn was_asked_only_for(&self, names: &[&str]) -> bool {
        let asked = lock(&self.shared.asked);
        asked
            .iter()
            .all(|(asked, _)| names.contains(&asked.to_lowercase().as_str()))
    }

    /// What clients have said of the server that they want: `dns.test` in TLS, and
    /// `dns.test/dns-query` over HTTPS.
    pub fn wanted(&self) -> Vec<String> {
        lock(&self.shared.wanted).clone()
    }

    fn asked_for(&self, name: &str) -> impl Iterator<Item = (String, Over)> {
        let asked = lock(&self.shared.asked).clone().into_iter();
        asked.filter(move |(asked, _)| asked.eq_ignore_ascii_case(name))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

impl Shared {
    /// The answer to a question; none if it is to get none.
    fn answer(&self, question: &[u8], over: Over) -> Option<Vec<u8>> {
        let query = Message::from_bytes(question).ok()?;
        let mut question = query.queries.first()?.clone();
        let spelling = question.name().to_ascii().trim_end_matches('.').to_owned();
        let name = spelling.to_lowercase();
        lock(&self.asked).push((spelling, over));
        let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
        let forgets_case = over == Over::Udp && self.forgets_case.load(Ordering::Relaxed);
        if forgets_case {
            let small = Name::from_ascii(format!("{name}.")).expect("a name");
            question.set_name(small);
        }
        answer.add_query(question.clone());
        let is_for_v6 = question.query_type() == RecordType::AAAA;
        let a = |last| {
            let data = RData::A(A(Ipv4Addr::new(127, 0, 0, last)));
            Record::from_rdata(question.name().clone(), TTL, data)
        };
        if forgets_case && !is_for_v6 {
            answer.add_answer(a(66));
        } else if let Some(known) = self.records(question.name(), question.query_type()) {
            answer.add_answers(known);
        } else if name.ends_with("silent.test") || is_for_v6 && name.ends_with("v4only.test") {
            return None;
        } else if name.ends_with("nowhere.test") {
            answer.metadata.response_code = ResponseCode::NXDomain;
        } else if question.query_type() == RecordType::A {
            answer.add_answer(a(1));
        }
        if answer.answers.is_empty() {
            answer.add_authority(nothing());
        }
        Some(answer.to_bytes().expect("the answer is well formed"))
    }

    /// How long the answer to a question takes.
    fn delay(&self, question: &[u8]) -> Option<Duration> {
        let query = Message::from_bytes(question).ok()?;
        let family = match query.queries.first()?.query_type() {
            RecordType::A => Family::V4,
            RecordType::AAAA => Family::V6,
            _ => return None,
        };
        lock(&self.delays).get(&family).copied()
    }

    /// What is known of `name`. Addresses of the other family are none.
    fn records(&self, name: &Name, wanted: RecordType) -> Option<Vec<Record>> {
        let key = name.to_ascii().trim_end_matches('.').to_lowercase();
        let known = match lock(&self.answers).get_mut(&key)? {
            Led::Always(known) => known.clone(),
            Led::InTurn(turns) if wanted == RecordType::A => {
                let ip = *turns.front().expect("the last one stays");
                if turns.len() > 1 {
                    turns.pop_front();
                }
                return Some(vec![Record::from_rdata(name.clone(), 0, RData::A(A(ip)))]);
            }
            Led::InTurn(_) => return Some(Vec::new()),
        };
        let mut records = Vec::new();
        for text in known {
            let record = |data| Record::from_rdata(name.clone(), TTL, data);
            match (text.parse(), wanted) {
                (Ok(IpAddr::V4(ip)), RecordType::A) => records.push(record(RData::A(A(ip)))),
                (Ok(IpAddr::V6(ip)), RecordType::AAAA) => {
                    records.push(record(RData::AAAA(AAAA(ip))));
                }
                (Ok(_), _) => {}
                (Err(_), _) => {
                    let other = Name::from_ascii(format!("{text}.")).expect("a name");
                    records.push(record(RData::CNAME(CNAME(other.clone()))));
                    let more = self.records(&other, wanted);
                    records.extend(more.expect("it leads somewhere"));
                }
            }
        }
        Some(records)
    }
}

/// For how long it is known that there is nothing (RFC 2308, section 3).
fn nothing() -> Record {
    let zone = Name::from_ascii("test.").expect("a name");
    let time = TTL as i32;
    let data = SOA::new(zone.clone(), zone.clone(), 1, time, time, time, TTL);
    Record::from_rdata(zone, TTL, RData::SOA(data))
}

async fn serve_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let (socket, mut late) = (Arc::new(socket), JoinSet::new());
    // A question that is sent again is no other question.
    let mut answered = HashMap::new();
    let mut buffer = [0; 4096];
    loop {
        let (len, peer) = socket
            .recv_from(&mut buffer)
            .await
            .expect("a UDP socket can be read");
        let question = (peer, buffer[..len].to_vec());
        let answer = answered.entry(question);
        let answer = answer.or_insert_with(|| shared.answer(&buffer[..len], Over::Udp));
        let Some(answer) = answer.clone() else {
            continue;
        };
        let (socket, delay) = (socket.clone(), shared.delay(&buffer[..len]));
        let sending = async move {
            if let Some(delay) = delay {
                sleep(delay).await;
            }
            let sent = socket.send_to(&answer, peer).await;
            sent.expect("loopback takes an answer");
        };
        if delay.is_some() {
            late.spawn(sending);
        } else {
            sending.await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a socket that listens");
        connections.spawn(serve_stream(stream, shared.clone(), Over::Tcp));
    }
}

/// Answers questions, each behind its length (RFC 7766, section 8), until the client has closed or
/// the server is to hang up.
async fn serve_stream<S>(mut stream: S, shared: Arc<Shared>, over: Over)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        if stream.read_exact(&mut question).await.is_err() {
            break;
        }
        let Some(answer) = shared.answer(&question, over) else {
            continue;
        };
        let length = u16::try_from(answer.len()).expect("a short answer");
        let framed = [&length.to_be_bytes()[..], &answer].concat();
        if stream.write_all(&framed).await.is_err() || stream.flush().await.is_err() {
            break;
        }
        if shared.hangs_up.load(Ordering::Relaxed) {
            // The client may be gone already.
            let _ = stream.shutdown().await;
            break;
        }
    }
}
