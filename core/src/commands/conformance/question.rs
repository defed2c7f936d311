//! What the battery asks a filter: one call of one of its hooks, and what comes back.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use portcullis_contract::Outcome;

use super::now;
use super::tally::Tally;
use crate::filter::{Ending, Failure, Filter, FilterAnswer, Hook, HookCall, Instance};
use crate::flow::{Client, Flow, Inquiry, RequestHead, ResponseHead};
use crate::target::{HTTP_PORT, Target};
use crate::verdict::Notes;

/// The hooks that judge.
const JUDGES: [Hook; 3] = [Hook::Host, Hook::Request, Hook::Response];

/// The hooks of a filter that judge.
pub(super) fn judges(filter: &Filter) -> impl Iterator<Item = Hook> {
    JUDGES.into_iter().filter(|hook| filter.hooks.has(*hook))
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) hook: Hook,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protocol: &'static str,
    pub(super) found_in: &'static str,
    pub(super) server_name: Option<String>,
    pub(super) client: Client,
    pub(super) listener: &'static str,
    /// How long after the usual time.
    pub(super) later: Duration,
    /// What the filter has noted about the exchange before.
    pub(super) notes: Option<Notes>,
    pub(super) method: Method,
    /// What follows the authority in the request's URL.
    pub(super) path: String,
    /// Of the message that is judged.
    pub(super) headers: HeaderMap,
    pub(super) status: StatusCode,
    /// What became of an exchange that is over.
    pub(super) ending: Ending,
}

impl Question {
    /// A call that any filter expects: about a tunnel where no message is judged.
    pub(super) fn plain(hook: Hook) -> Self {
        let (port, protocol) = match hook {
            Hook::Request | Hook::Response => (HTTP_PORT, "http"),
            Hook::Host | Hook::Ended | Hook::Tick => (443, "connect"),
        };
        Self {
            hook,
            host: "www.example.com".into(),
            port,
            protocol,
            found_in: "request",
            server_name: None,
            client: Client::at(IpAddr::from([192, 0, 2, 1])),
            listener: "127.0.0.1:3000",
            later: Duration::ZERO,
            notes: None,
            method: Method::GET,
            path: "/".into(),
            headers: HeaderMap::new(),
            status: StatusCode::OK,
            ending: Ending {
                how: Outcome::Passed,
                status: None,
                bytes_from_client: 1000,
                bytes_to_client: 10_000,
                duration: Duration::from_secs(1),
            },
        }
    }

    pub(super) fn about(hook: Hook, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            ..Self::plain(hook)
        }
    }

    /// Makes the call on that instance.
    async fn put(&self, instance: &mut Instance) -> Result<FilterAnswer, Failure> {
        let target = Target::of_host(&self.host, self.port);
        let target = target.expect("the battery asks about hosts that there can be");
        let inquiry = Inquiry {
            client: Arc::new(self.client.clone()),
            listener: self.listener.into(),
            now: now() + self.later,
        };
        let mut flow = Flow::asked(&target, self.protocol, &inquiry);
        flow.exchange = 1;
        flow.found_in = self.found_in;
        flow.server_name = self.server_name.as_deref();
        let url = format!("http://{}{}", target.authority(HTTP_PORT), self.path);
        let request = RequestHead {
            method: &self.method,
            url: &url,
            headers: &self.headers,
        };
        let response = ResponseHead {
            status: self.status,
            headers: &self.headers,
        };
        let call = match self.hook {
            Hook::Host => HookCall::Host(&flow),
            Hook::Request => HookCall::Request(&flow, request),
            Hook::Response => HookCall::Response(&flow, request, response),
            Hook::Ended => HookCall::Ended(&flow, None, &self.ending),
            Hook::Tick => {
                instance.tick().await?;
                return Ok(FilterAnswer::NONE);
            }
        };
        let answer = instance.call(call, self.notes.as_ref()).await?;
        Ok(answer.answered.into())
    }
}

/// What a failure is told with.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        match self.hook {
            Hook::Host => write!(f, "judge-host, asked about {host}, port {port}"),
            Hook::Request => {
                let (method, path) = (&self.method, self.path.get(..60).unwrap_or(&self.path));
                write!(f, "judge-request, asked about {method} {path} at {host}")
            }
            Hook::Response => write!(f, "judge-response, asked about {} of {host}", self.status),
            Hook::Ended => write!(
                f,
                "exchange-ended, told of one that has {}",
                self.ending.how.name()
            ),
            Hook::Tick => f.write_str("tick"),
        }
    }
}

/// A filter whose instances are replaced as a proxy replaces them.
pub(super) struct Asked<'a> {
    pub(super) filter: &'a Filter,
    instance: Option<Instance>,
    /// The memory of the instance after its first call, in bytes.
    memory_at_first: usize,
    /// The most by which that of an instance has grown since.
    growth: usize,
    /// Whether the last verdict was carried out with another text.
    has_amended: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        Self {
            filter,
            instance: None,
            memory_at_first: 0,
            growth: 0,
            has_amended: false,
        }
    }

    pub(super) async fn answer(&mut self, question: &Question) -> Result<FilterAnswer, Failure> {
        let (mut instance, is_first) = match self.instance.take() {
            Some(instance) => (instance, false),
            None => (Instance::start(self.filter).await?, true),
        };
        let answer = question.put(&mut instance).await?;
        if is_first {
            self.memory_at_first = instance.memory();
        }
        let growth = instance.memory().saturating_sub(self.memory_at_first);
        self.growth = self.growth.max(growth);
        self.has_amended = instance.take_amended();
        self.instance = Some(instance).filter(|instance| !instance.should_retire());
        Ok(answer)
    }

    /// The most by which the memory of an instance has grown since its first call, in bytes.
    pub(super) fn growth(&self) -> usize {
        self.growth
    }

    /// Asks, and has `tally` take up what comes of it. An answer is given if there is one.
    pub(super) async fn ask(
        &mut self,
        question: &Question,
        tally: &mut Tally,
    ) -> Option<FilterAnswer> {
        let answer = self.answer(question).await;
        if answer.is_ok() && self.has_amended {
            tally.amended(question);
        }
        tally.take(question, answer)
    }

    /// Asks one after the other until one shows that the filter breaks the contract.
    pub(super) async fn ask_all(
        &mut self,
        questions: impl IntoIterator<Item = Question>,
        tally: &mut Tally,
    ) {
        for question in questions {
            self.ask(&question, tally).await;
            if tally.is_failed() {
                return;
            }
        }
    }
}
