//! What would change if a filter were on: `portcullis replay`. Asks it about every host of an
//! access log, and compares what it says with what has happened.

mod report;
mod tally;

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

pub use self::report::{Change, Difference, Replay};
use self::tally::Tally;
use crate::chain::{LocalFilter, Member};
use crate::commands::access_log;
use crate::config::Config;
use crate::error::{ErrorChain, PluginError};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::{Failure, Filter, FilterAnswer, Hook, HookCall, Loader};
use crate::flow::groups::Groups;
use crate::flow::{Flow, Inquiry};
use crate::plugins::FilterFile;
use crate::target::Target;
use crate::verdict::VerdictKind;

/// Different hosts, with their ports, protocols and, if the filter looks at them, clients. More
/// would fill the memory: some 150 bytes each.
const MOST: usize = 500_000;

/// Asks the filter in `file`, or the built-in filter of that name, about each host in the access
/// log `log`, or standard input if that is `-`. Feeds are read from the copies on disk; nothing is
/// fetched.
///
/// # Errors
///
/// If the filter cannot be loaded, or the log has no access lines.
pub async fn replay(config: Config, log: &Path, file: &Path) -> Result<Replay, PluginError> {
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    let loader = Loader::new(&config, feeds.clone())?;
    let single = FilterFile::named(file, &config.plugins.dir)?;
    let filter = single.filter(loader).await?.isolated(&Clock::System);
    let mut tally = Tally::new(MOST, filter.uses("client"), &filter.name);
    let found = access_log::read(log, |entry| tally.count(entry))?;
    let mut replay = Replay::new(&filter.name, log, &found, &tally);
    let groups = Groups::new(&config.groups);
    replay.ask(&filter, &tally, &groups).await;
    replay.note(&filter, &found, &tally);
    if filter.uses("feeds") {
        replay.notes.extend(feeds.notes());
    }
    Ok(replay)
}

/// What the filter says to a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    /// None if it fails.
    pub(super) verdict: Option<VerdictKind>,
    /// Nothing where it lets the request pass.
    pub(super) detail: Option<String>,
}

impl Replay {
    async fn ask(&mut self, filter: &Arc<Filter>, tally: &Tally, groups: &Groups) {
        let local = LocalFilter::new(Arc::new(Member::new(filter.clone())));
        if !filter.hooks.has(Hook::Host) {
            return;
        }
        local.warm_up().await;
        let begun = Instant::now();
        for (asked, happened) in tally.hosts() {
            // The proxy has written it, so it was one.
            let Ok(target) = Target::of_host(&asked.host, asked.port) else {
                continue;
            };
            let client = groups.client(asked.client, asked.user.clone());
            let inquiry = Inquiry::by(client, SystemTime::now());
            let flow = Flow::asked(&target, asked.protocol.name(), &inquiry);
            let answer = ask(&local, &flow).await;
            self.asked += 1;
            for (was, requests) in happened {
                self.compare(filter, asked, &answer, was, *requests);
            }
        }
        self.took(begun.elapsed());
        self.sort();
    }
}

async fn ask(local: &LocalFilter, flow: &Flow<'_>) -> Answer {
    match local.ask(HookCall::Host(flow), None).await {
        Ok(opinion) => opinion.into(),
        Err(failure) => failure.into(),
    }
}

impl From<FilterAnswer> for Answer {
    fn from(answer: FilterAnswer) -> Self {
        let parts = answer.verdict.parts();
        let status = parts.status.map(|status| status.as_u16());
        Self {
            verdict: Some(parts.kind),
            detail: match (status, parts.text) {
                (Some(status), Some(text)) => Some(format!("{status}: {text}")),
                (Some(status), None) => Some(status.to_string()),
                (None, _) => None,
            },
        }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self {
            verdict: None,
            detail: Some(ErrorChain(&failure).to_string()),
        }
    }
}
