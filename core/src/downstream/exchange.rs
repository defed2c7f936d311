//! The record of one exchange, from its first byte to the end of its response or tunnel. Handlers
//! fill it in on the way; it is written to the access log when it is dropped, however the exchange
//! has ended. It drives nothing and renders nothing.

mod end;

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::{Method, StatusCode};
use portcullis_contract::FoundIn;
use tokio::time::Instant;

use super::bandwidth::Allowance;
use super::reply::Rejection;
use crate::chain::Watcher;
use crate::error::ErrorChain;
use crate::flow::{Client, Protocol};
use crate::log::access::Sink;
use crate::target::Target;
use crate::timer::UploadProgress;
use crate::upstream::Route;
use crate::verdict::{Judgement, Match, Notes, Verdict, VerdictKind, add_notes};

/// One request and whatever it led to.
#[derive(Debug)]
pub(crate) struct Exchange {
    access_log: Rc<Sink>,
    id: u64,
    started: Instant,
    client: Arc<Client>,
    /// Named in the access line.
    listener: Option<Arc<str>>,
    /// None if what came is not HTTP.
    method: Option<Method>,
    protocol: Protocol,
    target: Option<Rc<Target>>,
    /// The address that was dialled.
    peer: Option<SocketAddr>,
    /// The parent proxies of which one was.
    upstream: Option<Arc<str>>,
    /// They resolve the target's name, whose addresses are not known here.
    leaves_name: bool,
    shown_name: Option<Box<ShownName>>,
    /// What its connection may move, if that is limited.
    allowance: Option<Rc<Allowance>>,
    /// The connection may have no other request.
    is_last: bool,
    judged: Judged,
    /// Filters that could not judge and were passed over.
    skipped: Vec<Arc<str>>,
    /// Filters that changed header fields.
    edited: Vec<Arc<str>>,
    status: Option<StatusCode>,
    /// The client has been told that it has what it wants, where a protocol has no status.
    is_granted: bool,
    /// When the filters were first asked.
    judged_at: Option<SystemTime>,
    upload: Option<Rc<UploadProgress>>,
    /// The proxy has asked itself, which is not logged.
    is_health_check: bool,
    up: Cell<u64>,
    down: Cell<u64>,
    outcome: Outcome,
    /// What filters have noted, by their names.
    notes: Vec<(Arc<str>, Notes)>,
    /// Tells filters that the exchange is over.
    watcher: Option<Rc<Watcher>>,
}

/// What filters are told of an exchange in each hook.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub(crate) exchange: u64,
    pub(crate) protocol: Protocol,
    pub(crate) started: SystemTime,
}

/// What the client of a tunnel has shown of the server that it wants.
#[derive(Debug)]
pub(crate) struct ShownName {
    pub(crate) place: Place,
    /// Canonical if it is a host.
    pub(crate) name: Option<Box<str>>,
    /// The client may want another name, of which nothing can be seen.
    pub(crate) has_hidden_name: bool,
    /// What the filters say of the name, if they were asked about it.
    pub(crate) verdict: Option<VerdictKind>,
}

/// Where in a tunnel its client names a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Handshake,
    Request,
}

impl Place {
    /// In the words of the contract.
    pub(crate) fn found_in(self) -> FoundIn {
        match self {
            Self::Handshake => FoundIn::ServerName,
            Self::Request => FoundIn::HostField,
        }
    }

    /// The message that has the name.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Handshake => "TLS message",
            Self::Request => "HTTP request",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "its TLS handshake",
            Self::Request => "its HTTP request",
        })
    }
}

/// What the filters have said so far.
#[derive(Debug)]
enum Judged {
    /// They were not asked.
    No,
    /// None of them has decided. This exception may be why.
    Passed(Option<Box<Match>>),
    By(Rc<Judgement>),
}

#[derive(Debug)]
enum Outcome {
    /// Nothing else was recorded: the client went away, or the proxy had to stop.
    Aborted,
    Complete,
    Failed(String),
}

impl Exchange {
    /// `id` is of no other exchange, and `started` when the request's last bytes came.
    pub(crate) fn new(
        access_log: &Rc<Sink>,
        id: u64,
        started: Instant,
        client: &Arc<Client>,
        method: Option<&Method>,
        protocol: Protocol,
    ) -> Self {
        Self {
            access_log: access_log.clone(),
            id,
            started,
            client: client.clone(),
            listener: None,
            method: method.cloned(),
            protocol,
            target: None,
            peer: None,
            upstream: None,
            leaves_name: false,
            shown_name: None,
            allowance: None,
            is_last: false,
            judged: Judged::No,
            skipped: Vec::new(),
            edited: Vec::new(),
            status: None,
            is_granted: false,
            judged_at: None,
            upload: None,
            is_health_check: false,
            up: Cell::new(0),
            down: Cell::new(0),
            outcome: Outcome::Aborted,
            notes: Vec::new(),
            watcher: None,
        }
    }

    /// The access line names the listener that the client has connected to, and says whether the
    /// connection has waited for its turn to move bytes.
    pub(crate) fn record_connection(
        &mut self,
        listener: Option<&Arc<str>>,
        allowance: Option<&Rc<Allowance>>,
    ) {
        self.listener = listener.cloned();
        self.allowance = allowance.cloned();
    }

    /// The settings allow no further request on its connection.
    pub(crate) fn record_last(&mut self) {
        self.is_last = true;
    }

    /// The filters that `watcher` knows are told of the end.
    pub(crate) fn watch(&mut self, watcher: Option<&Rc<Watcher>>) {
        self.watcher = watcher.cloned();
    }

    /// Of no other exchange.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether the response has no body, whatever it says.
    pub(crate) fn is_head(&self) -> bool {
        self.method == Some(Method::HEAD)
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn target(&self) -> Option<&Rc<Target>> {
        self.target.as_ref()
    }

    pub(crate) fn set_target(&mut self, target: &Rc<Target>) {
        self.target = Some(target.clone());
    }

    /// Who asks, as far as it is known.
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The client has logged in.
    pub(crate) fn set_client(&mut self, client: &Arc<Client>) {
        self.client = client.clone();
    }

    /// The exchange goes this way.
    pub(crate) fn record_route(&mut self, route: &Route) {
        self.upstream = route.parent().map(|parent| parent.name().clone());
        self.leaves_name = route.leaves_name;
    }

    /// It has gone over a connection to this address, which may lead straight to its target while
    /// no parent proxy can be reached.
    pub(crate) fn record_peer(&mut self, peer: SocketAddr, route: &Route) {
        self.peer = Some(peer);
        // A connection to a parent proxy is for other targets, too.
        if route.parent().is_none() {
            self.record_route(route);
        }
    }

    /// What filters know of the exchange in each of its hooks.
    pub(crate) fn begin(&self) -> Begin {
        Begin {
            exchange: self.id,
            protocol: self.protocol,
            started: self.judged_at.unwrap_or_else(SystemTime::now),
        }
    }

    /// The filters are asked from this moment on.
    pub(crate) fn record_judged_at(&mut self, moment: SystemTime) {
        self.judged_at = Some(moment);
    }

    pub(crate) fn record_granted(&mut self) {
        self.is_granted = true;
    }

    pub(crate) fn record_shown_name(&mut self, seen: ShownName) {
        if let (Some(watcher), Some(name)) = (&self.watcher, &seen.name)
            && seen.place == Place::Handshake
        {
            watcher.set_server_name(name);
        }
        self.shown_name = Some(Box::new(seen));
    }

    /// The name that a tunnel's client has shown.
    pub(crate) fn shown_name(&self) -> Option<&str> {
        self.shown_name.as_ref()?.name.as_deref()
    }

    /// What filters have noted so far, by their names.
    pub(crate) fn notes(&self) -> &[(Arc<str>, Notes)] {
        &self.notes
    }

    /// Records a judgement. An exchange that it stops is rejected.
    pub(crate) fn record_judgement(&mut self, mut judgement: Judgement) -> Result<(), Rejection> {
        // Most exchanges pass without a word.
        if let Some(besides) = &mut judgement.besides {
            add_once(&mut self.skipped, &mut besides.skipped);
            add_once(&mut self.edited, &mut besides.edited);
            add_notes(&mut self.notes, &besides.notes);
            besides.notes.clear();
        }
        if judgement.verdict == Verdict::Next {
            let exception = judgement.take_exception();
            match &mut self.judged {
                Judged::No => self.judged = Judged::Passed(exception),
                Judged::Passed(before) if exception.is_some() => *before = exception,
                Judged::Passed(_) | Judged::By(_) => {}
            }
            return Ok(());
        }
        let judgement = Rc::new(judgement);
        self.judged = Judged::By(judgement.clone());
        if judgement.verdict.passes() {
            Ok(())
        } else {
            Err(Rejection::Judged(judgement))
        }
    }

    /// The request has a body, which is counted there.
    pub(crate) fn track_upload(&mut self, upload: &Rc<UploadProgress>) {
        self.upload = Some(upload.clone());
    }

    pub(crate) fn record_status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    pub(crate) fn bytes_down(&self) -> u64 {
        self.down.get()
    }

    pub(crate) fn add_bytes_up(&self, bytes: u64) {
        self.up.set(self.up.get() + bytes);
    }

    pub(crate) fn add_bytes_down(&self, bytes: u64) {
        self.down.set(self.down.get() + bytes);
    }

    /// All that was to come has come.
    pub(crate) fn complete(&mut self) {
        if let Outcome::Aborted = self.outcome {
            self.outcome = Outcome::Complete;
        }
    }

    pub(crate) fn fail(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.outcome = Outcome::Failed(ErrorChain(error).to_string());
    }

    /// Whether the proxy has asked itself if it is well: a line every half minute would tell
    /// nothing.
    pub(crate) fn record_health_check(&mut self, is_health_check: bool) {
        self.is_health_check = is_health_check;
    }

    fn bytes_up(&self) -> u64 {
        self.upload.as_ref().map_or(0, |upload| upload.bytes()) + self.up.get()
    }
}

/// A filter may fail or change header fields in more than one hook of an exchange.
fn add_once(names: &mut Vec<Arc<str>>, more: &mut Vec<Arc<str>>) {
    for name in more.drain(..) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

#[cfg(test)]
impl Exchange {
    /// One without a line in a log.
    pub(crate) fn unlogged() -> Self {
        let off = crate::config::AccessLog {
            to: crate::config::AccessLogTo::Off,
            ..Default::default()
        };
        let log = crate::log::access::Access::open(&off).expect("nothing is opened");
        let client = Arc::new(Client::at(None));
        let sink = Rc::new(log.sink());
        Self::new(&sink, 1, Instant::now(), &client, None, Protocol::Http)
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.outcome, Outcome::Complete)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::verdict::{CountHits, Hit, MatchKind};

    #[derive(Default)]
    struct Counted(Mutex<Vec<u32>>);

    impl CountHits for Counted {
        fn count(&self, entry: u32) {
            self.0.lock().unwrap().push(entry);
        }
    }

    #[test]
    fn an_exchange_counts_what_has_decided_once_when_it_ends() {
        let counted = Arc::new(Counted::default());
        let found = |entry, verdict, kind| Judgement {
            verdict,
            matched: Some(Box::new(Match {
                hit: Hit::new(counted.clone(), entry),
                kind,
                ..Match::rule("example".into())
            })),
            ..Judgement::PASS
        };
        let judged = |entry, verdict| found(entry, verdict, MatchKind::Listed);
        let excepted = |entry| found(entry, Verdict::Next, MatchKind::Excepted);
        let mut blocked = Exchange::unlogged();
        assert!(blocked.record_judgement(judged(7, Verdict::Drop)).is_err());
        let mut passed = Exchange::unlogged();
        assert!(passed.record_judgement(judged(8, Verdict::Next)).is_ok());
        let mut health_check = Exchange::unlogged();
        health_check.record_health_check(true);
        assert!(
            health_check
                .record_judgement(judged(9, Verdict::Drop))
                .is_err()
        );
        let mut allowed = Exchange::unlogged();
        assert!(allowed.record_judgement(excepted(10)).is_ok());
        assert!(allowed.record_judgement(Judgement::PASS).is_ok());
        // Another filter has the last word.
        let mut refused = Exchange::unlogged();
        assert!(refused.record_judgement(excepted(11)).is_ok());
        assert!(refused.record_judgement(judged(12, Verdict::Drop)).is_err());
        assert!(counted.0.lock().unwrap().is_empty());
        drop((blocked, passed, health_check, allowed, refused));
        assert_eq!(*counted.0.lock().unwrap(), [7, 10, 12]);
    }
}
