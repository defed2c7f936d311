//! The plain types: what a filter is asked, what it answered, what was expected. `format` makes
//! cases, `compare` compares them. They depend on nothing but the contract.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use portcullis_contract::{
    self as contract, Facts, Fallback, FoundIn, Level, Protocol, VerdictKind,
};

/// The contents of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Cases {
    /// The file's name, as it stands in reports.
    pub file: String,
    /// The configuration as a JSON object, if the file has one.
    pub config: Option<String>,
    /// Entries by the name of the feed: canonical hosts and networks, behind `@@` if they are
    /// exceptions.
    pub feeds: BTreeMap<String, Vec<String>>,
    /// When the first case begins.
    pub now: SystemTime,
    /// In order.
    pub cases: Vec<Case>,
}

/// One question, and what is expected of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What the case is about.
    pub name: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// Whether it begins anew.
    pub fresh: bool,
    /// Time that passes before.
    pub after: Duration,
    /// What is known of the exchange, besides the question.
    pub facts: ExchangeFacts,
    /// What is asked.
    pub question: Question,
    /// How the exchange ends, if the filter is told.
    pub ended: Option<Ended>,
    /// What should come of it.
    pub expected: Expected,
}

/// What is known of an exchange, besides the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeFacts {
    /// Where the request comes from.
    pub client: Option<IpAddr>,
    /// The name under which the client has logged in.
    pub user: Option<String>,
    /// The groups that the client is in.
    pub groups: Vec<String>,
    /// The listener that the client is connected to; empty if there is none.
    pub listener: String,
    /// Where the host was found.
    pub found_in: FoundIn,
    /// The name in the TLS handshake.
    pub server_name: Option<String>,
}

impl Default for ExchangeFacts {
    fn default() -> Self {
        Self {
            client: None,
            user: None,
            groups: Vec::new(),
            listener: String::new(),
            found_in: FoundIn::Request,
            server_name: None,
        }
    }
}

/// How an exchange has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The word for it.
    pub how: contract::Outcome,
    /// The status that the client got, if it got one.
    pub status: Option<u16>,
    /// Bytes that came from the client.
    pub bytes_from_client: u64,
    /// Bytes that went to the client.
    pub bytes_to_client: u64,
    /// How long it took.
    pub duration: Duration,
}

/// What a filter is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether that host may be contacted.
    Host {
        /// Canonical; IPv6 without brackets.
        host: String,
        /// From 1.
        port: u16,
        /// How the client speaks to the proxy.
        protocol: Protocol,
    },
    /// The same, and then whether the request may be sent, and its answer handed on.
    Request {
        /// Canonical; IPv6 without brackets.
        host: String,
        /// From 1.
        port: u16,
        /// Absolute, with the canonical host.
        url: String,
        /// As sent.
        method: String,
        /// What goes to the origin.
        request: Message,
        /// What comes back: the status, 200 to 599, and the rest.
        response: Option<(u16, Message)>,
    },
    /// Nothing: time has come for its work in the background.
    Tick,
}

/// Header fields: lower-case names with their values, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(pub Vec<(String, Vec<u8>)>);

impl Message {
    /// The values of the fields of that name, in any case.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let of_name = move |(found, _): &&(String, _)| found.eq_ignore_ascii_case(name);
        self.0.iter().filter(of_name).map(|(_, value)| &**value)
    }
}

/// What should come of a question. What is none, or not in a map, may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// The word for the answer; none after a tick.
    pub verdict: Option<Word>,
    /// Of a refusal, a redirect or a replaced answer.
    pub status: Option<u16>,
    /// Of a refusal.
    pub reason: Option<String>,
    /// Of a redirect.
    pub location: Option<String>,
    /// Of a replaced answer.
    pub content_type: Option<String>,
    /// Of a replaced answer.
    pub body: Option<String>,
    /// A part of what a failure says.
    pub error: Option<String>,
    /// Of `ask`.
    pub question: Option<String>,
    /// Of `ask`: what holds if no person decides.
    pub otherwise: Option<Fallback>,
    /// Of `ask`.
    pub wait: Option<Duration>,
    /// When the client should try again; within, none stands for an answer that does not say so.
    pub retry_after: Option<Option<Duration>>,
    /// Header fields of the answer, by name in any case; no values if there is no such field.
    pub fields: BTreeMap<String, Vec<String>>,
    /// The rule that decided; within, none stands for an answer that names none.
    pub matched: Option<Option<String>>,
    /// How long the answer may be used again; within, none stands for an answer that may not.
    pub cached: Option<Option<Duration>>,
    /// The facts that must agree where it is used again.
    pub cached_by: Option<Facts>,
    /// When to tick again; within, none stands for never.
    pub pause: Option<Option<Duration>>,
    /// Parts of lines; empty if there is no line.
    pub log: Option<Vec<String>>,
    /// By name, in any case; no values if there is no such field.
    pub request_headers: BTreeMap<String, Vec<String>>,
    /// The same of the response.
    pub response_headers: BTreeMap<String, Vec<String>>,
    /// By key; none if the key does not exist.
    pub state: BTreeMap<String, Option<String>>,
    /// By [`metric_key`](portcullis_contract::metric_key); none if there is no such number.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// What the filter has noted, by key; none if there is no such note.
    pub notes: BTreeMap<String, Option<String>>,
}

/// The word for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The filter has a verdict.
    Verdict(VerdictKind),
    /// The filter fails.
    Error,
}

impl Word {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verdict(kind) => kind.name(),
            Self::Error => "error",
        }
    }
}

/// What a filter answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No opinion.
    Next,
    /// It passes, whatever others say.
    Allow,
    /// It is refused.
    Block {
        /// 400 to 599.
        status: u16,
        /// One line.
        reason: String,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// An absolute URL.
        location: String,
    },
    /// Another answer is given.
    Replace {
        /// 200 to 599.
        status: u16,
        /// Empty if there is none.
        content_type: String,
        /// The content.
        body: Vec<u8>,
    },
    /// The connection is closed without an answer.
    Drop,
    /// A person is asked.
    Ask {
        /// One line.
        question: String,
        /// What holds if no person decides.
        otherwise: Fallback,
        /// How long to wait, in whole milliseconds.
        wait: Duration,
    },
    /// The filter failed, and this is why.
    Error(String),
    /// The filter has worked in the background and wants to be called again after that time, or
    /// never.
    Ticked(Option<Duration>),
}

impl Answer {
    /// The word for it; none for a tick.
    pub fn word(&self) -> Option<Word> {
        let kind = match self {
            Self::Next => VerdictKind::Next,
            Self::Allow => VerdictKind::Allow,
            Self::Block { .. } => VerdictKind::Block,
            Self::Redirect { .. } => VerdictKind::Redirect,
            Self::Replace { .. } => VerdictKind::Replace,
            Self::Drop => VerdictKind::Drop,
            Self::Ask { .. } => VerdictKind::Ask,
            Self::Error(_) => return Some(Word::Error),
            Self::Ticked(_) => return None,
        };
        Some(Word::Verdict(kind))
    }

    /// Whether the next hook is asked.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Next | Self::Allow)
    }

    /// The last opinion, when the next hook has answered.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        match next {
            Self::Next => self,
            opinion => opinion,
        }
    }

    /// Whether the filter gives the answer, to which it may add.
    pub fn takes_additions(&self) -> bool {
        matches!(
            self,
            Self::Block { .. } | Self::Redirect { .. } | Self::Replace { .. }
        )
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What the filter said.
    pub answer: Answer,
    /// When the client should try again; only of an answer that
    /// [takes additions](Answer::takes_additions).
    pub retry_after: Option<Duration>,
    /// The header fields that the filter adds to its answer; only of one that
    /// [takes additions](Answer::takes_additions).
    pub fields: Message,
    /// The rule that decided, as the filter names it, or else the last entry of a feed that it has
    /// found; none where the answer is `next`.
    pub matched: Option<String>,
    /// How long its answer about the host may be used again, in whole milliseconds.
    pub cached: Option<Duration>,
    /// The facts that it had asked for when it gave its answer about the host.
    pub asked: Facts,
    /// The lines that it logged.
    pub log: Vec<(Level, String)>,
    /// The fields as the request goes on.
    pub request: Message,
    /// The fields as the response goes on.
    pub response: Message,
    /// What it remembers of the keys that the case expects something of.
    pub state: BTreeMap<String, Vec<u8>>,
    /// What it has counted, by [`metric_key`](portcullis_contract::metric_key). A histogram `wait`
    /// is `wait_count` and `wait_sum`.
    pub metrics: BTreeMap<String, f64>,
    /// What it has noted about the exchange.
    pub notes: BTreeMap<String, String>,
}

impl Observed {
    /// An answer, and nothing else.
    pub fn new(answer: Answer) -> Self {
        Self {
            answer,
            retry_after: None,
            fields: Message::default(),
            matched: None,
            cached: None,
            asked: Facts::NONE,
            log: Vec::new(),
            request: Message::default(),
            response: Message::default(),
            state: BTreeMap::new(),
            metrics: BTreeMap::new(),
            notes: BTreeMap::new(),
        }
    }
}
