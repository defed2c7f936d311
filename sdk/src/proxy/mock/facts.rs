//! The facts about an exchange as a test gives them. Those that a filter asks for are written down,
//! as the proxy does it to know where a kept verdict holds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use portcullis_contract::limits::{NOTE_BYTES, NOTES, is_name};
use portcullis_contract::{Fact, Facts};

/// An exchange of a test. Clones are the same exchange.
#[derive(Clone, Debug)]
pub(crate) struct ExchangeFacts(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    known: Known,
    asked: Cell<Facts>,
    notes: RefCell<BTreeMap<String, String>>,
}

/// What the proxy would know.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) id: String,
    pub(crate) protocol: String,
    pub(crate) found_in: String,
    pub(crate) server_name: Option<String>,
    pub(crate) listener: String,
    pub(crate) started: SystemTime,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user: Option<String>,
    pub(crate) groups: Vec<String>,
}

impl ExchangeFacts {
    pub(crate) fn new(known: Known) -> Self {
        Self(Rc::new(Inner {
            known,
            asked: Cell::default(),
            notes: RefCell::default(),
        }))
    }

    /// What was asked for so far.
    pub(crate) fn asked(&self) -> Facts {
        self.0.asked.get()
    }

    /// All that was noted.
    pub(crate) fn notes(&self) -> BTreeMap<String, String> {
        self.0.notes.borrow().clone()
    }

    fn ask(&self, fact: Fact) -> &Known {
        let mut asked = self.0.asked.get();
        asked.add(fact);
        self.0.asked.set(asked);
        &self.0.known
    }

    pub(crate) fn host(&self) -> String {
        self.0.known.host.clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.known.port
    }

    pub(crate) fn id(&self) -> String {
        self.ask(Fact::Exchange).id.clone()
    }

    pub(crate) fn protocol(&self) -> String {
        self.ask(Fact::Protocol).protocol.clone()
    }

    pub(crate) fn found_in(&self) -> String {
        self.ask(Fact::FoundIn).found_in.clone()
    }

    pub(crate) fn server_name(&self) -> Option<String> {
        self.ask(Fact::ServerName).server_name.clone()
    }

    pub(crate) fn listener(&self) -> String {
        self.ask(Fact::Listener).listener.clone()
    }

    pub(crate) fn started(&self) -> SystemTime {
        self.ask(Fact::Started).started
    }

    pub(crate) fn client_address(&self) -> Option<IpAddr> {
        self.ask(Fact::ClientAddress).address
    }

    pub(crate) fn client_user(&self) -> Option<String> {
        self.ask(Fact::User).user.clone()
    }

    pub(crate) fn client_groups(&self) -> Vec<String> {
        self.ask(Fact::Groups).groups.clone()
    }

    pub(crate) fn note(&self, key: &str) -> Option<String> {
        // Another exchange has other notes.
        self.ask(Fact::Exchange);
        self.0.notes.borrow().get(key).cloned()
    }

    /// What cannot be a note is dropped, as in the proxy.
    pub(crate) fn set_note(&self, key: &str, value: &str) {
        let mut notes = self.0.notes.borrow_mut();
        let has_room = notes.len() < NOTES || notes.contains_key(key);
        if has_room && is_name(key) && value.len() <= NOTE_BYTES {
            notes.insert(key.to_owned(), value.to_owned());
        }
    }
}

/// A request of a test has its method and its URL.
pub(crate) fn request_method() -> String {
    String::new()
}

pub(crate) fn request_url() -> String {
    String::new()
}

/// How an exchange of a test has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutcomeFacts {
    pub(crate) how: String,
    pub(crate) status: Option<u16>,
    pub(crate) bytes_from_client: u64,
    pub(crate) bytes_to_client: u64,
    pub(crate) duration: Duration,
    pub(crate) method: String,
    pub(crate) url: String,
}

impl OutcomeFacts {
    pub(crate) fn how(&self) -> String {
        self.how.clone()
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    pub(crate) fn bytes_from_client(&self) -> u64 {
        self.bytes_from_client
    }

    pub(crate) fn bytes_to_client(&self) -> u64 {
        self.bytes_to_client
    }

    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }

    pub(crate) fn method(&self) -> String {
        self.method.clone()
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }
}
