//! Questions about hosts, plain and odd.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use portcullis_contract::Fact;

use super::now;
use super::report::Checks;
use crate::error::Causes;
use crate::filter::{Filter, FilterAnswer, Hook, HookCall, Instance};
use crate::flow::{Client, Flow, Inquiry};
use crate::target::Target;
use crate::verdict::Verdict;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    host: String,
    port: u16,
    protocol: &'static str,
    found_in: &'static str,
    server_name: Option<String>,
    client: Client,
    listener: &'static str,
    /// Since the usual time.
    later: Duration,
}

impl Question {
    /// A question that any filter expects.
    pub(super) fn plain() -> Self {
        Self {
            host: "www.example.com".into(),
            port: 443,
            protocol: "connect",
            found_in: "request",
            server_name: None,
            client: Client::at(IpAddr::from([192, 0, 2, 1])),
            listener: "127.0.0.1:3000",
            later: Duration::ZERO,
        }
    }

    pub(super) fn about(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            ..Self::plain()
        }
    }
}

/// What a filter has said, as far as answers are compared.
pub(super) type Answer = Result<Verdict, String>;

/// Asks about a host.
pub(super) async fn ask(instance: &mut Instance, question: &Question) -> Answer {
    let answer = answer(instance, question).await;
    answer.map(|answer| answer.verdict)
}

async fn answer(instance: &mut Instance, question: &Question) -> Result<FilterAnswer, String> {
    let target = Target::of_host(&question.host, question.port);
    let target = target.map_err(|error| error.to_string())?;
    let inquiry = Inquiry {
        client: Arc::new(question.client.clone()),
        listener: question.listener.into(),
        now: now() + question.later,
    };
    let mut flow = Flow::asked(&target, question.protocol, &inquiry);
    flow.exchange = 1;
    flow.found_in = question.found_in;
    flow.server_name = question.server_name.as_deref();
    let answer = instance.call(HookCall::Host(&flow), None).await;
    answer.map_err(|failure| format!("asked about {}: {}", target, Causes(&failure)))
}

/// A filter whose instances are replaced when they fail.
struct Asked<'a> {
    filter: &'a Filter,
    instance: Option<Instance>,
}

impl Asked<'_> {
    async fn answer(&mut self, question: &Question) -> Result<FilterAnswer, String> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => {
                let started = Instance::start(self.filter).await;
                started.map_err(|failure| Causes(&failure).to_string())?
            }
        };
        let answer = answer(&mut instance, question).await?;
        self.instance = Some(instance);
        Ok(answer)
    }

    /// The first of the questions that it fails at.
    async fn failure(&mut self, questions: impl IntoIterator<Item = Question>) -> Option<String> {
        for question in questions {
            if let Err(failure) = self.answer(&question).await {
                return Some(failure);
            }
        }
        None
    }
}

pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    if !filter.hooks.has(Hook::Host) {
        return;
    }
    let mut asked = Asked {
        filter,
        instance: None,
    };
    let fix = "answer with a verdict, or with an error that says why there is none";
    let plain = asked.failure([Question::plain()]).await;
    let is_lost = plain.is_some();
    checks.add_result("J1", plain, fix);
    if is_lost {
        return;
    }
    let failure = asked
        .failure(odd_hosts().iter().map(|host| Question::about(host)))
        .await;
    checks.add_result("J2", failure, fix);
    let ports = [1, 80, 443, 65535].map(|port| Question {
        port,
        ..Question::plain()
    });
    let failure = asked.failure(ports).await;
    checks.add_result("J3", failure, fix);
    let failure = asked
        .failure(clients().map(|client| Question {
            client,
            ..Question::plain()
        }))
        .await;
    checks.add_result("J4", failure, fix);
    let unknown = Question {
        protocol: "carrier-pigeon",
        found_in: "tea-leaves",
        ..Question::plain()
    };
    let failure = asked.failure([unknown]).await;
    checks.add_result(
        "J5",
        failure,
        "treat a word that is not known as one that does not matter",
    );
    let failure = asked.failure(protocols()).await;
    checks.add_result("J9", failure, fix);
    check_repetition(checks, &mut asked).await;
    check_kept(checks, &mut asked).await;
}

fn odd_hosts() -> Vec<String> {
    let label = "a".repeat(61);
    let longest = format!("{label}.{label}.{label}.{label}.examp");
    [
        "localhost",
        &longest,
        "xn--bcher-kva.example",
        "_dmarc.example.com",
        "192.0.2.1",
        "2001:db8::1",
        "co.uk",
        "a.b.c.d.e.f.g.h.example",
        "listed.example",
        "ok.listed.example",
    ]
    .map(str::to_owned)
    .into()
}

fn clients() -> impl Iterator<Item = Client> {
    let of_all_groups = Client {
        user: Some("ada".into()),
        groups: (0..1000)
            .map(|number| format!("group-{number}").into())
            .collect(),
        ..Client::at(IpAddr::from([192, 0, 2, 2]))
    };
    let v6 = "2001:db8::2".parse::<IpAddr>().ok();
    [Client::default(), Client::at(v6), of_all_groups].into_iter()
}

fn protocols() -> impl Iterator<Item = Question> {
    let spoken = ["http", "connect", "socks4", "socks5"].map(|protocol| Question {
        protocol,
        ..Question::plain()
    });
    let seen = Question {
        found_in: "server-name",
        server_name: Some("www.example.com".into()),
        ..Question::plain()
    };
    let read = Question {
        found_in: "host-field",
        ..Question::plain()
    };
    spoken.into_iter().chain([seen, read])
}

async fn check_repetition(checks: &mut Checks, asked: &mut Asked<'_>) {
    let first = asked.answer(&Question::plain()).await;
    let again = asked.answer(&Question::plain()).await;
    let verdicts = [first, again].map(|answer| answer.map(|answer| answer.verdict));
    if verdicts[0] == verdicts[1] {
        return checks.pass("J7");
    }
    checks.warn(
        "J7",
        format!("first {:?}, then {:?}", verdicts[0], verdicts[1]),
        "this is right for a filter that counts, draws lots or goes by the clock",
    );
}

/// An answer that is kept must be right wherever the facts agree that it was reached by.
async fn check_kept(checks: &mut Checks, asked: &mut Asked<'_>) {
    let mut is_kept = false;
    for host in ["www.example.com", "listed.example", "localhost"] {
        let plain = Question::about(host);
        let Ok(mut kept) = asked.answer(&plain).await else {
            continue;
        };
        let Some(policy) = kept.cache.take() else {
            continue;
        };
        is_kept = true;
        for (fact, other) in others(&plain) {
            if policy.asked.has(fact) {
                continue;
            }
            let fresh = asked.answer(&other).await;
            if let Some(difference) = difference(&kept, &fresh) {
                let name = fact.name();
                return checks.fail(
                    "J8",
                    format!(
                        "the answer about {host} may be kept, and with another {name}, for which it did not ask, {difference}"
                    ),
                    "do not keep an answer that depends on time, state or chance",
                );
            }
        }
    }
    if is_kept {
        checks.pass("J8");
    }
}

/// What is different in an answer that is not the one that is kept.
fn difference(kept: &FilterAnswer, fresh: &Result<FilterAnswer, String>) -> Option<String> {
    let fresh = match fresh {
        Ok(fresh) => fresh,
        Err(failure) => return Some(format!("it fails: {failure}")),
    };
    let differs = |what, kept: &dyn fmt::Debug, fresh: &dyn fmt::Debug| {
        Some(format!("{what} is {fresh:?} instead of {kept:?}"))
    };
    let rules = [kept, fresh].map(|answer| answer.matched.as_ref().map(|found| &found.rule));
    if kept.verdict != fresh.verdict {
        differs("the verdict", &kept.verdict, &fresh.verdict)
    } else if kept.additions != fresh.additions {
        differs("what it adds", &kept.additions, &fresh.additions)
    } else if rules[0] != rules[1] {
        differs("the rule", &rules[0], &rules[1])
    } else if kept.notes != fresh.notes {
        differs("what it notes", &kept.notes, &fresh.notes)
    } else {
        None
    }
}

/// The question with one fact changed.
fn others(plain: &Question) -> [(Fact, Question); 8] {
    let with = |change: &dyn Fn(&mut Question)| {
        let mut question = plain.clone();
        change(&mut question);
        question
    };
    [
        (Fact::Protocol, with(&|it| it.protocol = "http")),
        (Fact::FoundIn, with(&|it| it.found_in = "server-name")),
        (
            Fact::ServerName,
            with(&|it| it.server_name = Some("other.example".into())),
        ),
        (Fact::Listener, with(&|it| it.listener = "127.0.0.1:3001")),
        (Fact::Started, with(&|it| it.later = Duration::from_secs(1))),
        (
            Fact::ClientAddress,
            with(&|it| it.client.address = Some(IpAddr::from([198, 51, 100, 1]))),
        ),
        (Fact::User, with(&|it| it.client.user = Some("eve".into()))),
        (
            Fact::Groups,
            with(&|it| it.client.groups = vec!["eve".into()]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Match, Notes};

    fn noting(value: &str) -> FilterAnswer {
        let mut notes = Notes::default();
        notes.set("seen", value);
        FilterAnswer {
            notes: Some(notes),
            ..FilterAnswer::NONE
        }
    }

    #[test]
    fn an_answer_is_compared_with_all_that_it_says() {
        let kept = noting("1");
        assert_eq!(difference(&kept, &Ok(noting("1"))), None);
        let difference = |fresh| difference(&kept, &fresh).expect("it is another");
        assert!(difference(Ok(noting("2"))).starts_with("what it notes"));
        let mut other = noting("1");
        other.verdict = Verdict::Drop;
        assert!(difference(Ok(other)).starts_with("the verdict is Drop"));
        let mut other = noting("1");
        other.matched = Some(Box::new(Match::rule("a rule".into())));
        assert!(difference(Ok(other)).starts_with("the rule"));
        let mut other = noting("1");
        other.additions.retry_after = Some(Duration::from_secs(1));
        assert!(difference(Ok(other)).starts_with("what it adds"));
        assert_eq!(difference(Err("it trapped".into())), "it fails: it trapped");
    }
}
