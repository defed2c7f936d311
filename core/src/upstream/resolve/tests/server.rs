//! A name server on this machine that answers as it is told to.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinEncodable};

use super::{Arc, FOUND, Mutex};

/// None is silence. Questions for IPv4 addresses with `NoError` get [`FOUND`].
pub(super) type Script = fn(RecordType) -> Option<ResponseCode>;

/// The name, the family, and the port of the one who asked.
pub(super) type Asked = (String, RecordType, u16);

/// A name server that remembers what it was asked, and from which port. Its thread ends with the
/// process.
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    /// Each question once, however often it was sent.
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
    /// How often a question was sent again.
    pub(super) repeated: Arc<AtomicUsize>,
}

impl Dns {
    pub(super) fn start(script: Script) -> Self {
        Self::answering(move |query| answer(query, script))
    }

    /// One that answers each question in this way, or not at all.
    pub(super) fn answering(answer: impl Fn(&Message) -> Option<Vec<u8>> + Send + 'static) -> Self {
        Self::serving(move |query, socket, client| {
            if let Some(answer) = answer(query) {
                socket.send_to(&answer, client).unwrap();
            }
        })
    }

    /// One that calls `serve` with each question, its socket, and the address of who asked.
    pub(super) fn serving(
        serve: impl Fn(&Message, &UdpSocket, SocketAddr) + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let repeated: Arc<AtomicUsize> = Arc::default();
        let (seen, again) = (asked.clone(), repeated.clone());
        thread::spawn(move || {
            let (mut packet, mut questions) = ([0; 4096], HashSet::new());
            loop {
                let (length, client) = socket.recv_from(&mut packet).unwrap();
                let query = Message::from_bytes(&packet[..length]).unwrap();
                let name = query.queries[0].name().to_lowercase().to_ascii();
                let record = query.queries[0].query_type();
                if questions.insert((client.port(), query.metadata.id)) {
                    seen.lock().unwrap().push((name, record, client.port()));
                } else {
                    again.fetch_add(1, Ordering::Relaxed);
                }
                serve(&query, &socket, client);
            }
        });
        Self {
            address,
            asked,
            repeated,
        }
    }

    pub(super) fn was_asked_for(&self, name: &str) -> bool {
        let asked = self.asked.lock().unwrap();
        asked.iter().any(|(asked, ..)| asked == name)
    }

    /// How many questions it was asked.
    pub(super) fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// How often it was asked for addresses of a family.
    pub(super) fn times(&self, family: RecordType) -> usize {
        let asked = self.asked.lock().unwrap();
        let asked = asked.iter().filter(|(_, record, _)| *record == family);
        asked.count()
    }
}

pub(super) fn answer(query: &Message, script: Script) -> Option<Vec<u8>> {
    let question = query.queries[0].clone();
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.response_code = script(question.query_type())?;
    if answer.metadata.response_code == ResponseCode::NoError
        && question.query_type() == RecordType::A
    {
        let data = RData::A(A(FOUND));
        answer.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    answer.add_query(question);
    Some(answer.to_bytes().unwrap())
}

pub(super) const GOOD: Script = |_| Some(ResponseCode::NoError);
pub(super) const DENYING: Script = |_| Some(ResponseCode::NXDomain);
pub(super) const SILENT: Script = |_| None;
