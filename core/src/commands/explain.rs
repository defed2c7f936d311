//! Asks every filter about one host or URL, without any traffic: `portcullis explain`.

mod egress;
mod line;
mod listeners;
mod precedence;
mod subject;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use portcullis_contract::FoundIn;
use serde::Serialize;

use self::line::Line;
use self::precedence::Decider;
use self::subject::Subject;
use super::judges::{ExplainError, Judged, Judges, Question};
use crate::chain::Chain;
use crate::config::{Config, Feed, FeedKind, ListenAddress};
use crate::error::{Error, Escaped};
use crate::plugins::{self, StatusSnapshot};
use crate::verdict::{Judgement, Match, Verdict};

/// Every filter's answer and what follows from them. By serde it is an object with `host`, `port`,
/// `protocol`, `egress`, `listeners` if there is more to say than that there is one, `client` and
/// `user` if they were named, `filters` (each `filter`, `hook`, `verdict`, `microseconds` and what
/// else there is, such as the `status` of its answer and the header `fields` that it adds),
/// `final`, `decided_by` (`clients`, `person`, `filter`, `allow-feed`, `list`, `egress` or
/// `nothing`), `age_s` if a proxy runs, and `notes`.
#[derive(Debug, Serialize)]
pub struct Explanation {
    host: String,
    port: u16,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// What a person has decided, which precedes the filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    filters: Vec<Line>,
    /// Where the proxy may connect for it.
    egress: String,
    /// Where clients may come in, and which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listeners: Vec<String>,
    /// What happens to the request.
    #[serde(rename = "final")]
    outcome: Line,
    /// What that follows from.
    decided_by: Decider,
    /// How old is what the notes say of the proxy that runs, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    /// What may be different with real traffic.
    notes: Vec<String>,
}

/// Asks every filter about `subject`, a host (`a.example`, `a.example:8443`) or a URL
/// (`http://a.example/b`), as if `client` asked for it, logged in as `user`. Without them, filters
/// are told that the client is not known, and no user. Feeds are read from the copies on disk;
/// nothing is fetched.
///
/// # Errors
///
/// If `subject` is neither host nor URL, or no filter can run here.
pub async fn explain(
    config: Config,
    subject: &str,
    client: Option<IpAddr>,
    user: Option<&str>,
) -> Result<Explanation, ExplainError> {
    let subject = Subject::parse(subject, client)?;
    let judges = Judges::open(&config).await?;
    let inquiry = judges.inquiry(subject.client, user);
    let question = Question {
        target: &subject.target,
        protocol: subject.protocol,
        url: subject.url.as_deref(),
        found_in: FoundIn::Request,
    };
    let judged = judges.judge(question, &inquiry).await;
    let mut explanation = Explanation::of(&subject, user, judged);
    explanation.tell_allow_feed(&config.feeds);
    let permitted = judges.permit(&subject.target, subject.protocol, &inquiry);
    explanation.tell_egress(&subject, permitted, &judges.policy, &config.egress);
    explanation.tell_listeners(&config.listeners(), &config.clients, &config.auth);
    let lacks_user = config.auth.is_on() && user.is_none();
    let running = judges.running.as_ref();
    explanation.age_s = running.map(|snapshot| snapshot.age.as_secs());
    explanation.notes = notes(judges, &config.main_address(), lacks_user);
    Ok(explanation)
}

/// What may be different with real traffic. The proxy that may run listens at `listen`.
fn notes(judges: Judges, listen: &ListenAddress, lacks_user: bool) -> Vec<String> {
    let refused = judges.plugins.status().into_iter();
    let refused = refused.filter(|plugin| plugin.refused.is_some());
    let refused = refused.map(|plugin| {
        format!(
            "the newest {} is not used, see `portcullis check`",
            plugin.name
        )
    });
    let running = judges.running.iter();
    let running = running.flat_map(|snapshot| of_running_proxy(snapshot, listen));
    let notes = judges
        .unread
        .iter()
        .cloned()
        .chain(lacks_user.then(logging_in))
        .chain(lacking_client(&judges.chain))
        .chain(remembering(&judges.chain));
    let notes = notes.chain(judges.feeds.notes());
    notes.chain(refused).chain(running).collect()
}

/// A note that a client has to be a user.
fn logging_in() -> String {
    "clients have to log in ([auth]); what is for a user, alone or in a group, is left out here: \
     name one with --user"
        .into()
}

/// Notes on filters whose answer may depend on the client.
fn lacking_client(chain: &Chain) -> impl Iterator<Item = String> {
    let filters = chain.members().map(|member| &member.filter);
    let filters = filters.filter(|filter| filter.asked_for_missing_client());
    filters.map(|filter| {
        format!(
            "{} asked who the client is; name one with --client",
            filter.name
        )
    })
}

/// Notes on filters whose answer may depend on what traffic has made them remember.
fn remembering(chain: &Chain) -> impl Iterator<Item = String> {
    let filters = chain.members().map(|member| &member.filter);
    let filters = filters.filter(|filter| filter.uses("state"));
    filters.map(|filter| {
        format!(
            "{} remembers things, and was asked here with nothing remembered",
            filter.name
        )
    })
}

/// Notes on the proxy that runs, behind one that says which it is and how old they are.
fn of_running_proxy(snapshot: &StatusSnapshot, listen: &ListenAddress) -> Vec<String> {
    let faults = snapshot.report.faults.iter();
    let faults = faults.map(|fault| format!("the running proxy is not ready: {fault}"));
    let plugins = snapshot.report.plugins.iter().flat_map(in_running_proxy);
    let mut notes: Vec<String> = faults.chain(plugins).collect();
    if !notes.is_empty() {
        let age = snapshot.age.as_secs();
        notes.insert(
            0,
            format!("what follows is about the proxy that runs on {listen}, as of {age} s ago"),
        );
    }
    notes
}

/// Notes on what traffic has made of a filter in the running proxy.
fn in_running_proxy(plugin: &plugins::Status) -> Vec<String> {
    let name = &plugin.name;
    let quarantine = plugin.quarantine.as_ref().map(|quarantine| {
        let pause = quarantine.until.duration_since(SystemTime::now());
        let next = match pause {
            Ok(pause) => format!("is tried again in {} s", pause.as_secs() + 1),
            Err(_) => "is tried again with the next request".to_owned(),
        };
        format!(
            "the running proxy has {name} in quarantine{}, as {} of {} calls failed; it {next}. The \
             last failure: {}",
            if quarantine.is_of_one {
                " for the one client that had it fail, and asks it for all others"
            } else {
                ""
            },
            quarantine.failures, quarantine.calls, quarantine.error
        )
    });
    let shadow = plugin.shadow.map(|tally| {
        format!(
            "in the running proxy {name} is in shadow mode: {tally} (answers of its hooks, of \
                 which a request can have several)"
        )
    });
    let numbers: Vec<String> = plugin
        .metrics
        .iter()
        .map(|(metric, value)| format!("{metric} {value}"))
        .collect();
    let metrics =
        (!numbers.is_empty()).then(|| format!("the running {name} counts: {}", numbers.join(", ")));
    quarantine
        .into_iter()
        .chain(shadow)
        .chain(metrics)
        .collect()
}

impl Explanation {
    fn of(subject: &Subject, user: Option<&str>, judged: Judged) -> Self {
        let (filter, decided_by) = match (&judged.decision, judged.deciding()) {
            (Some(_), _) => (None, Decider::Person),
            (None, Some(step)) => {
                let found = step.judgement.matched.as_ref();
                let decider = match found.filter(|found| found.feed.is_some()) {
                    Some(_) => Decider::List,
                    None => Decider::Filter,
                };
                (Some(&*step.filter), decider)
            }
            (None, None) => (None, Decider::Nothing),
        };
        let host = subject.target.host();
        Self {
            host: host.to_owned(),
            port: subject.target.port(),
            protocol: subject.protocol.name(),
            client: subject.client,
            user: user.map(str::to_owned),
            decision: judged.decision.as_ref().map(ToString::to_string),
            egress: String::new(),
            outcome: Line::new(filter, &judged.judgement(host)),
            decided_by,
            filters: judged.steps.into_iter().map(Line::from).collect(),
            age_s: None,
            notes: Vec::new(),
            listeners: Vec::new(),
        }
    }

    /// Where nothing has decided, an allow feed may be why.
    fn tell_allow_feed(&mut self, feeds: &BTreeMap<String, Feed>) {
        let is_allowed = |line: &Line| {
            let feed = line.feed.as_ref().and_then(|feed| feeds.get(feed));
            !line.shadow && feed.is_some_and(|feed| feed.kind == FeedKind::Allow)
        };
        if self.decided_by == Decider::Nothing && self.filters.iter().any(is_allowed) {
            self.decided_by = Decider::AllowFeed;
        }
    }

    /// What each filter has answered, as a table.
    fn write_filters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.filters.is_empty() {
            return writeln!(f, "  no filter judges this");
        }
        let names = self.filters.iter().filter_map(|line| line.filter.as_ref());
        let width = names.map(|name| Escaped(name).to_string().len()).max();
        let width = width.unwrap_or_default().max("filter".len());
        writeln!(
            f,
            "  {:width$}  {:13}  {:12}  {:>11}  why",
            "filter", "hook", "verdict", "time"
        )?;
        for line in &self.filters {
            let filter = Escaped(line.filter.as_deref().unwrap_or_default());
            write!(
                f,
                "  {filter:width$}  {:13}  {:12}",
                line.hook.unwrap_or_default(),
                line.answer()
            )?;
            write!(f, "  {:8.1} us", line.microseconds.unwrap_or_default())?;
            if line.shadow {
                write!(f, "  (shadow: decides nothing)")?;
            }
            if let Some(matched) = &line.matched {
                write!(f, "  {}", Escaped(matched))?;
            }
            if let Some(why) = line.why() {
                write!(f, "  {}", Escaped(why))?;
            }
            line.write_fields(f, "      ")?;
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What the proxy refuses by itself.
fn refused(error: &Error, rule: &str) -> Line {
    let judgement = Judgement {
        verdict: Verdict::Block {
            status: error.status(),
            reason: error.to_string().into(),
        },
        matched: Some(Box::new(Match::rule(rule.into()))),
        ..Judgement::PASS
    };
    Line::new(None, &judgement)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} port {} by {}", self.host, self.port, self.protocol)?;
        if let Some(client) = self.client {
            write!(f, " for {client}")?;
        }
        if let Some(user) = &self.user {
            write!(f, " as {}", Escaped(user))?;
        }
        writeln!(f, "\n")?;
        if let Some(decision) = &self.decision {
            writeln!(f, "  {decision}")?;
        }
        self.write_filters(f)?;
        writeln!(f, "  egress: {}", self.egress)?;
        for listener in &self.listeners {
            writeln!(f, "  listener: {listener}")?;
        }
        write!(f, "\n{}\n\n{}", self.outcome, self.decided_by)?;
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {}", Escaped(note)))
    }
}
