//! Questions to each hook that judges, plain and odd.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use portcullis_contract::Fact;

use super::question::{Asked, Question, judges};
use super::report::Checks;
use super::tally::{Errors, Tally};
use crate::error::ErrorChain;
use crate::filter::{Failure, Filter, FilterAnswer, Hook};
use crate::flow::Client;

/// What there is to do about most failures.
pub(super) const ANSWER: &str =
    "answer with a verdict, or with an error that says why there is none";

/// The interfaces whose answers differ from call to call.
const CHANGING: [&str; 3] = ["state", "clock", "random"];

/// Makes the checks that begin with J, but for the one about verdicts, which looks at all calls.
pub(super) async fn run(checks: &mut Checks, filter: &Filter) {
    let judges = || judges(filter);
    if judges().next().is_none() {
        return;
    }
    let mut asked = Asked::new(filter);
    // That every exchange is refused cannot be what is meant.
    let mut plain = Tally::new(Errors::Fail);
    asked
        .ask_all(judges().map(Question::plain), &mut plain)
        .await;
    let is_answered = plain.is_clean();
    checks.add_tally("J1", plain, ANSWER);
    if !is_answered {
        return checks.stop("a plain question has no answer, see J1");
    }
    for (id, questions, fix) in [
        ("J2", hosts as fn(Hook) -> Vec<Question>, ANSWER),
        ("J3", ports, ANSWER),
        ("J4", clients, ANSWER),
        (
            "J5",
            words,
            "treat a word that is not known as one that does not matter",
        ),
        ("J9", protocols, ANSWER),
    ] {
        let mut tally = Tally::new(Errors::Warn);
        asked
            .ask_all(judges().flat_map(questions), &mut tally)
            .await;
        checks.add_tally(id, tally, fix);
    }
    check_repetition(checks, &mut asked, judges()).await;
    if filter.hooks.has(Hook::Host) {
        check_kept(checks, &mut asked).await;
    }
}

fn hosts(hook: Hook) -> Vec<Question> {
    let label = "a".repeat(61);
    let longest = format!("{label}.{label}.{label}.{label}.examp");
    let odd = [
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
    ];
    odd.map(|host| Question::about(hook, host)).into()
}

fn ports(hook: Hook) -> Vec<Question> {
    let odd = [1, 80, 443, 65535].map(|port| Question {
        port,
        ..Question::plain(hook)
    });
    odd.into()
}

fn clients(hook: Hook) -> Vec<Question> {
    let of_all_groups = Client {
        user: Some("ada".into()),
        groups: (0..1000)
            .map(|number| format!("group-{number}").into())
            .collect(),
        ..Client::at(IpAddr::from([192, 0, 2, 2]))
    };
    let v6 = "2001:db8::2".parse::<IpAddr>().ok();
    let odd = [Client::default(), Client::at(v6), of_all_groups].map(|client| Question {
        client,
        ..Question::plain(hook)
    });
    odd.into()
}

fn words(hook: Hook) -> Vec<Question> {
    vec![Question {
        protocol: "carrier-pigeon",
        found_in: "tea-leaves",
        ..Question::plain(hook)
    }]
}

/// Messages are seen in tunnels, too, once a proxy opens one.
fn protocols(hook: Hook) -> Vec<Question> {
    let spoken = ["http", "connect", "socks4", "socks5"].map(|protocol| Question {
        protocol,
        ..Question::plain(hook)
    });
    let found = ["server-name", "host-field"].map(|found_in| Question {
        found_in,
        server_name: Some("www.example.com".into()).filter(|_| found_in == "server-name"),
        protocol: "connect",
        ..Question::plain(hook)
    });
    spoken.into_iter().chain(found).collect()
}

async fn check_repetition(
    checks: &mut Checks,
    asked: &mut Asked<'_>,
    hooks: impl Iterator<Item = Hook>,
) {
    let changing = CHANGING.into_iter().filter(|name| asked.filter.uses(name));
    let changing: Vec<&str> = changing.collect();
    for hook in hooks {
        let question = Question::plain(hook);
        let first = verdict(asked.answer(&question).await);
        let again = verdict(asked.answer(&question).await);
        if first == again {
            continue;
        }
        let why = match &*changing {
            [] => "find out what it depends on: it imports neither state, clock nor random".into(),
            changing => format!(
                "this is right if it is meant to depend on {}, which it imports",
                changing.join(" and ")
            ),
        };
        let seen = format!("{question}: first {first}, then {again}");
        return checks.warn("J7", seen, why);
    }
    checks.pass("J7");
}

/// As far as answers are compared.
pub(super) fn verdict(answer: Result<FilterAnswer, Failure>) -> String {
    match answer {
        Ok(answer) => format!("{:?}", answer.verdict),
        Err(failure) => ErrorChain(&failure).to_string(),
    }
}

/// An answer that is kept must be right wherever the facts agree that it was reached by.
async fn check_kept(checks: &mut Checks, asked: &mut Asked<'_>) {
    let mut is_kept = false;
    for host in ["www.example.com", "listed.example", "localhost"] {
        let plain = Question::about(Hook::Host, host);
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
            if let Some(difference) = difference(&kept, fresh) {
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
fn difference(kept: &FilterAnswer, fresh: Result<FilterAnswer, Failure>) -> Option<String> {
    let fresh = match fresh {
        Ok(fresh) => fresh,
        Err(failure) => return Some(format!("it fails: {}", ErrorChain(&failure))),
    };
    let differs = |what, kept: &dyn fmt::Debug, fresh: &dyn fmt::Debug| {
        Some(format!("{what} is {fresh:?} instead of {kept:?}"))
    };
    let rules = [kept, &fresh].map(|answer| answer.matched.as_ref().map(|found| &found.rule));
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
    use crate::verdict::{Match, Notes, Verdict};

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
        assert_eq!(difference(&kept, Ok(noting("1"))), None);
        let difference = |fresh| difference(&kept, fresh).expect("it is another");
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
        let failed = difference(Err(Failure::Reported("no".into())));
        assert_eq!(failed, "it fails: the filter reports: no");
    }
}
