//! A DNS server on loopback: every name leads to 127.0.0.1, but for those that a test leads
//! elsewhere, those below `nowhere.test`, which do not exist, and those below `silent.test`, which
//! get no answer. Questions for the IPv6 addresses of names below `v4only.test` are dropped.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinEncodable};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// A running name server that remembers what it was asked.
#[derive(Debug)]
pub struct Dns {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Answers,
    server: JoinHandle<()>,
}

/// What tests have said of names.
type Answers = Arc<Mutex<HashMap<String, Led>>>;

/// Where a name leads: to addresses, or to one other name.
#[derive(Clone, Debug)]
enum Led {
    Always(Vec<String>),
    /// To one IPv4 address after the other, with each question for one. The last one stays.
    InTurn(VecDeque<Ipv4Addr>),
}

/// For how long an answer holds, in seconds.
const TTL: u32 = 60;

impl Dns {
    /// Starts on a free port of loopback.
    #[expect(clippy::disallowed_methods, reason = "it ends with the server")]
    pub async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("loopback has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers = Answers::default();
        let server = tokio::spawn(serve(socket, asked.clone(), answers.clone()));
        Self {
            address,
            asked,
            answers,
            server,
        }
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
        let mut answers = self.answers.lock().expect("no holder panics");
        answers.insert(name.to_owned(), led);
    }

    /// Where to ask.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often `name` was asked for, whichever family of addresses the questions were about.
    pub fn times_asked_for(&self, name: &str) -> usize {
        let asked = self.asked.lock().expect("no holder panics");
        asked.iter().filter(|asked| *asked == name).count()
    }

    /// Whether `name` was asked for.
    pub fn was_asked_for(&self, name: &str) -> bool {
        self.asked
            .lock()
            .expect("no holder panics")
            .iter()
            .any(|asked| asked == name)
    }

    /// Whether no other names but these were asked for.
    pub fn was_asked_only_for(&self, names: &[&str]) -> bool {
        let asked = self.asked.lock().expect("no holder panics");
        asked.iter().all(|asked| names.contains(&asked.as_str()))
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What is known of `name`. Addresses of the other family are none.
fn records(answers: &Answers, name: &Name, wanted: RecordType) -> Option<Vec<Record>> {
    let key = name.to_ascii().trim_end_matches('.').to_lowercase();
    let known = match answers.lock().expect("no holder panics").get_mut(&key)? {
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
            (Ok(IpAddr::V6(ip)), RecordType::AAAA) => records.push(record(RData::AAAA(AAAA(ip)))),
            (Ok(_), _) => {}
            (Err(_), _) => {
                let other = Name::from_ascii(format!("{text}.")).expect("a name");
                records.push(record(RData::CNAME(CNAME(other.clone()))));
                let more = self::records(answers, &other, wanted);
                records.extend(more.expect("it leads somewhere"));
            }
        }
    }
    Some(records)
}

async fn serve(socket: UdpSocket, asked: Arc<Mutex<Vec<String>>>, answers: Answers) {
    let mut buffer = [0; 4096];
    loop {
        let (len, peer) = socket
            .recv_from(&mut buffer)
            .await
            .expect("a UDP socket can be read");
        let Ok(query) = Message::from_bytes(&buffer[..len]) else {
            continue;
        };
        let Some(question) = query.queries.first() else {
            continue;
        };
        let name = question
            .name()
            .to_ascii()
            .trim_end_matches('.')
            .to_lowercase();
        asked.lock().expect("no holder panics").push(name.clone());
        let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
        answer.add_query(question.clone());
        let is_for_v6 = question.query_type() == RecordType::AAAA;
        if let Some(known) = records(&answers, question.name(), question.query_type()) {
            answer.add_answers(known);
        } else if name.ends_with("silent.test") || is_for_v6 && name.ends_with("v4only.test") {
            continue;
        } else if name.ends_with("nowhere.test") {
            answer.metadata.response_code = ResponseCode::NXDomain;
        } else if question.query_type() == RecordType::A {
            let data = RData::A(A(Ipv4Addr::LOCALHOST));
            answer.add_answer(Record::from_rdata(question.name().clone(), TTL, data));
        }
        let bytes = answer.to_bytes().expect("the answer is well formed");
        socket
            .send_to(&bytes, peer)
            .await
            .expect("loopback takes an answer");
    }
}
