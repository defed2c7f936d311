//! Cases made of an access log: each host that was asked for, and what the filter says to it now. A
//! change of the filter, or of its configuration, then shows which of them it would touch.

use crate::error::Escaped;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use portcullis_cases::Cases;
use portcullis_contract::Fact;
use serde::Serialize;

use crate::chain::{LocalFilter, Member};
use crate::commands::access_log::{self, Entry, Summary};
use crate::config::Config;
use crate::error::PluginError;
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::{Failure, Filter, FilterAnswer, HookCall, Loader};
use crate::flow::groups::Groups;
use crate::flow::{Flow, Inquiry, Protocol};
use crate::plugins::FilterFile;
use crate::target::Target;
use crate::verdict::{Match, VerdictKind};

/// No person reads a file with more.
const MOST: usize = 10_000;

/// Why a host is left out.
const UNLIKE: &str = "the answer depends on more than this file says";

/// A file of cases. Its text is the file's until it is written, and then says how many there are;
/// by serde, an object with the same fields and `text`, or `file` once it is written.
#[derive(Clone, Debug, Serialize)]
pub struct Recording {
    /// The filter's name.
    pub filter: String,
    /// The log.
    pub log: String,
    /// How many cases there are.
    pub cases: usize,
    /// Requests to hosts beyond the first 10,000.
    pub left_out: u64,
    /// Hosts that are left out as well: the answer depends on more than the file says.
    pub unlike: usize,
    #[serde(flatten)]
    place: Place,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Text(String),
    File(PathBuf),
}

/// Asks the filter in `file`, or the built-in filter of that name, about each host in the access
/// log `log`, or standard input if that is `-`, and makes a case of each answer. Up to 10,000
/// hosts, those that come first in the log; the cases are sorted by name. Feeds are read from the
/// copies on disk, and what the filter has found in them becomes part of the file.
///
/// # Errors
///
/// If the filter cannot be loaded, or the log has no access lines.
pub async fn record_cases(
    config: Config,
    file: &Path,
    log: &Path,
) -> Result<Recording, PluginError> {
    let single = FilterFile::named(file, &config.plugins.dir)?;
    let feeds = Feeds::open_canonical(&config.feeds, &config.cache.dir);
    let loader = Loader::new(&config, feeds.clone())?;
    let filter = single.clone().filter(loader).await?;
    let mut hosts = Hosts::default();
    let found = access_log::read(log, |entry| hosts.note(entry))?;
    let groups = Groups::new(&config.groups);
    let mut file = ask(&filter, &hosts, &found, &groups).await;

    // What the filter has found elsewhere than in the lists of the file would come out otherwise.
    let text = file.to_toml();
    let cases = Cases::parse(&text, "the recording")?;
    let loader = Loader::new(&config, Feeds::from_lists(&cases.feeds))?;
    let single = single.with_config(super::told(&cases, text));
    let outcomes = super::run(&*single.filter(loader).await?, &cases).await?;
    let mut outcomes = outcomes.iter();
    file.case
        .retain(|_| outcomes.next().is_some_and(|outcome| outcome.ok));

    let unlike = cases.cases.len() - file.case.len();
    let head = head(&filter, log, &hosts, unlike);
    Ok(Recording {
        filter: filter.name.to_string(),
        log: access_log::name(log),
        cases: file.case.len(),
        left_out: hosts.left_out,
        unlike,
        place: Place::Text(format!("{head}\n{}", file.to_toml())),
    })
}

impl Recording {
    /// Writes a file that must not exist yet.
    ///
    /// # Errors
    ///
    /// If it exists, or cannot be written.
    pub fn write(self, file: &Path) -> Result<Self, PluginError> {
        let text = self.to_string();
        let written = File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
        let place = Place::File(file.to_owned());
        let written = written.map(|()| Self { place, ..self });
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => PluginError::Exists(file.to_owned()),
            _ => PluginError::Write {
                file: file.to_owned(),
                source,
            },
        })
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = match &self.place {
            Place::Text(text) => return f.write_str(text),
            Place::File(file) => Escaped(file.display()),
        };
        write!(f, "{file}: {} cases", self.cases)?;
        if self.left_out > 0 {
            let requests = self.left_out;
            write!(
                f,
                "; {requests} requests to hosts beyond the first {MOST} are left out"
            )?;
        }
        match self.unlike {
            0 => Ok(()),
            unlike => write!(f, "; {unlike} hosts are left out: {UNLIKE}"),
        }
    }
}

/// What a log asks for, in order, and who was the first to do so.
#[derive(Debug, Default)]
struct Hosts {
    clients: BTreeMap<(String, u16, Protocol), Option<IpAddr>>,
    /// Requests to hosts beyond the limit.
    left_out: u64,
}

impl Hosts {
    fn note(&mut self, entry: &Entry<'_>) {
        let key = (entry.host.to_string(), entry.port, entry.protocol);
        if self.clients.contains_key(&key) {
            return;
        }
        if self.clients.len() >= MOST {
            self.left_out += 1;
            return;
        }
        self.clients.insert(key, entry.client);
    }
}

/// The file as it is written.
#[derive(Serialize)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<String>,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    config: toml::Table,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    feeds: BTreeMap<String, BTreeSet<String>>,
    case: Vec<WrittenCase>,
}

#[derive(Default, Serialize)]
struct WrittenCase {
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    expect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl WrittenCase {
    fn about(flow: &Flow<'_>) -> Self {
        Self {
            host: match Protocol::from_name(flow.protocol) {
                Some(Protocol::Http) => flow.target.authority(80),
                Some(_) | None => flow.target.authority(443),
            },
            protocol: (flow.protocol != Protocol::Connect.name()).then_some(flow.protocol),
            client: flow.client.address,
            groups: flow.client.groups.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }
}

impl Written {
    fn to_toml(&self) -> String {
        toml::to_string(self).expect("strings, numbers and tables after them are TOML")
    }
}

async fn ask(filter: &Filter, hosts: &Hosts, found: &Summary, groups: &Groups) -> Written {
    // The time of the log, not of the recording: the same log makes the same cases.
    let seconds = found
        .times
        .map(|(_, last)| last.as_second().max(0).unsigned_abs());
    let now = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let clock = Clock::manual(now.unwrap_or(SystemTime::UNIX_EPOCH));
    let local = LocalFilter::new(Arc::new(Member::new(filter.isolated(&clock))));
    let mut written = Written {
        now: now.map(|now| humantime::format_rfc3339_seconds(now).to_string()),
        config: serde_json::from_str(&filter.settings.config).unwrap_or_default(),
        feeds: BTreeMap::new(),
        case: Vec::new(),
    };
    if filter.uses("feeds") {
        let names = filter.feeds().into_iter();
        written.feeds = names.map(|name| (name, BTreeSet::new())).collect();
    }
    for ((host, port, protocol), client) in &hosts.clients {
        // The proxy has written it, so it was one.
        let Ok(target) = Target::of_host(host, *port) else {
            continue;
        };
        let client = client.filter(|_| filter.uses("client"));
        let client = groups.client(client, None);
        let inquiry = Inquiry::by(client, now.unwrap_or(SystemTime::UNIX_EPOCH));
        let flow = Flow::asked(&target, protocol.name(), &inquiry);
        let answer = local.ask(HookCall::Host(&flow), None).await;
        let matched = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.matched.as_deref());
        if let Some(Match {
            feed: Some(feed),
            rule,
            ..
        }) = matched
        {
            let rules = written.feeds.entry(feed.to_string()).or_default();
            rules.insert(rule.to_string());
        }
        written.case.push(case(&flow, answer));
    }
    written
}

fn case(flow: &Flow<'_>, answer: Result<FilterAnswer, Failure>) -> WrittenCase {
    let mut case = WrittenCase::about(flow);
    if let Ok(answer) = &answer
        && let Some(policy) = answer.cache
    {
        // What it has not asked for makes no difference.
        let asked = |fact| policy.asked.has(fact);
        case.client.take_if(|_| !asked(Fact::ClientAddress));
        case.groups.retain(|_| asked(Fact::Groups));
    }
    let verdict = match answer {
        Ok(opinion) => opinion.verdict,
        Err(failure) => {
            return WrittenCase {
                expect: "error",
                error: Some(failure.to_string()),
                ..case
            };
        }
    };
    let parts = verdict.parts();
    let text = parts.text.map(str::to_owned);
    let (reason, location) = match parts.kind {
        VerdictKind::Redirect => (None, text),
        _ => (text, None),
    };
    WrittenCase {
        expect: parts.kind.name(),
        status: parts.status.map(|status| status.as_u16()),
        reason,
        location,
        ..case
    }
}

/// Where the cases come from, and what is missing.
fn head(filter: &Filter, log: &Path, hosts: &Hosts, unlike: usize) -> String {
    let (filter, log) = (Escaped(&filter.name), Escaped(access_log::name(log)));
    let mut head = format!(
        "# What {filter} says to the hosts in {log}, recorded by portcullis {}.\n# Without [config], the configuration in {filter}.toml holds.\n",
        env!("CARGO_PKG_VERSION"),
    );
    if hosts.left_out > 0 {
        head += &format!(
            "# {} requests to hosts beyond the first {MOST} are left out.\n",
            hosts.left_out
        );
    }
    if unlike > 0 {
        head += &format!("# {unlike} hosts are left out: {UNLIKE}.\n");
    }
    head
}
