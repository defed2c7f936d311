//! Says whether everything that the configuration names can be used: `portcullis check`.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::feed::open_to_fetch;
use crate::chain::decisions::store::Store;
use crate::config::{Config, NameServer, OwnListeners, ParentProxy, Users};
use crate::error::{ErrorChain, Escaped, StartError};
use crate::feeds::FeedStatus;
use crate::filter::Loader;
use crate::log::access::Access;
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{self, Fault, Plugins};
use crate::upstream::Parents;
use crate::upstream::policy::Policy;
use crate::upstream::resolve::trust;

/// What was found. As text it is a line for each plugin and each feed. By serde it is an object
/// with `ok`, `plugins` (each `name`, `builtin`, `disabled` and, where there is one, `version`,
/// `description`, `mode`, `hooks`, `refused`), `feeds` (each list's `name`, `names`, which is a
/// count, and `source`, `licence`, `disabled` and `error` where they apply), `available`, and
/// `faults` (each `what` and `reason`, which may end with lines to copy): why a proxy would not be
/// ready.
#[derive(Debug, Serialize)]
pub struct Report {
    ok: bool,
    plugins: Vec<plugins::Status>,
    feeds: Vec<Feed>,
    /// Built-in filters that wait for their settings.
    available: Vec<&'static str>,
    #[serde(skip)]
    dir: PathBuf,
    /// What would keep a proxy from judging all that it should.
    faults: Vec<Fault>,
}

/// One list, as its copy on disk has it.
#[derive(Debug, Serialize)]
struct Feed {
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Under which licence the list is published, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<&'static str>,
    /// Whether there are other lists of that name.
    #[serde(skip)]
    has_others: bool,
    names: usize,
    /// Why it could not be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Which lists are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lists {
    /// The copies on disk.
    OnDisk,
    /// Lists that are fetched now, as the proxy would fetch them. What arrives is kept on disk.
    Fetched,
}

/// Loads every filter and every feed. No address is bound.
///
/// # Errors
///
/// If no filter can run here.
pub async fn check(config: Config, lists: Lists) -> Result<Report, StartError> {
    let feeds = open_to_fetch(&config);
    if lists == Lists::Fetched {
        feeds.refresh_all().await;
    }
    let loader = Loader::new(&config, feeds.clone())?;
    let dir = config.plugins.dir.clone();
    let decisions_fault = Store::new(&config.state.dir).read().err();
    let decisions_fault = decisions_fault.map(|error| Fault {
        what: "the decisions of people".into(),
        reason: ErrorChain(&error).to_string(),
    });
    let start_faults = start_faults(&config);
    let plugins = Plugins::open(config.plugins, BUILTINS, loader).await;
    let status = plugins.status();
    let feed = |feed: FeedStatus| Feed {
        name: feed.name.to_string(),
        disabled: feed.source.is_none(),
        source: feed.source.map(|source| source.to_string()),
        licence: feed.licence,
        has_others: feed.has_others,
        names: feed.names,
        error: feed.last_error,
    };
    let feeds: Vec<Feed> = feeds.status().into_iter().map(feed).collect();
    let mut faults = plugins.find_filter_faults();
    faults.extend(plugins.find_blocking_feeds());
    faults.extend(decisions_fault);
    faults.extend(start_faults);
    let is_used = |plugin: &plugins::Status| plugin.refused.is_none();
    let is_fetched = |feed: &Feed| feed.error.is_none();
    Ok(Report {
        ok: faults.is_empty() && status.iter().all(is_used) && feeds.iter().all(is_fetched),
        available: plugins.available().collect(),
        dir,
        faults,
        plugins: status,
        feeds,
    })
}

/// What would keep a proxy from starting.
fn start_faults(config: &Config) -> Vec<Fault> {
    let exposed = config.check_exposed().err();
    let exposed = exposed.map(|exposed| Fault {
        what: "the listener".into(),
        reason: exposed.to_string(),
    });
    let users = config.auth.users.as_deref().map(Users::read);
    let users = users.and_then(Result::err).map(|error| Fault {
        what: "the users of [auth]".into(),
        reason: ErrorChain(&error).to_string(),
    });
    let parents = Parents::new(&config.upstream).err().map(|error| Fault {
        what: "the parent proxies".into(),
        reason: ErrorChain(&error).to_string(),
    });
    let name_servers = trust::client_config(&config.egress).err();
    let name_servers = name_servers.map(|error| Fault {
        what: "the DNS servers of [egress], which could not be verified".into(),
        reason: ErrorChain(&error).to_string(),
    });
    let access_log = Access::probe(&config.log.access).err();
    let access_log = access_log.map(|error| Fault {
        what: "the access log".into(),
        reason: ErrorChain(&error).to_string(),
    });
    let faults = exposed.into_iter().chain(users).chain(parents);
    faults
        .chain(name_servers)
        .chain(access_log)
        .chain(own_servers(config))
        .collect()
}

/// DNS servers and parent proxies that are never connected to: the proxy itself listens there.
fn own_servers(config: &Config) -> Vec<Fault> {
    let (egress, own) = (&config.egress, OwnListeners::of(&config.listeners()));
    let policy = Policy::new(egress, &own);
    let split = egress.name_servers.values().flatten();
    let servers = egress.resolvers.iter().chain(split);
    let servers = servers.filter_map(NameServer::address);
    let parents = config.upstream.values().flat_map(|table| &table.proxy);
    let parents = parents.filter_map(ParentProxy::address);
    let servers = servers.map(|address| ("DNS server", address));
    let all = servers.chain(parents.map(|address| ("parent proxy", address)));
    let faults = all.filter_map(|(kind, address)| {
        let refusal = policy.judge_named(address).err()?;
        Some(Fault {
            what: format!("the {kind} {address}"),
            reason: refusal.to_string(),
        })
    });
    faults.collect()
}

impl Report {
    /// Whether a proxy would judge all that it should. A feed without data is fine unless it was to
    /// be fetched: it is fetched when the proxy runs.
    pub fn is_ok(&self) -> bool {
        self.ok
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plugin in &self.plugins {
            let origin = if plugin.builtin { "built in" } else { "file" };
            // Names are names of files, and can be anything.
            write!(f, "plugin {} ({origin}): ", Escaped(&plugin.name))?;
            match &plugin.refused {
                Some(reason) => writeln!(f, "refused: {}", Escaped(reason))?,
                None if plugin.disabled => writeln!(f, "disabled")?,
                None if plugin.mode == Some(plugins::Mode::Shadow) => {
                    writeln!(f, "ok, in shadow mode: it decides nothing")?
                }
                None => writeln!(f, "ok")?,
            }
        }
        for name in &self.available {
            let settings = self.dir.join(format!("{name}.toml"));
            let settings = Escaped(settings.display());
            writeln!(
                f,
                "plugin {name} (built in): available, add {settings} to use it"
            )?;
        }
        for feed in &self.feeds {
            write!(f, "feed {}", feed.name)?;
            match &feed.source {
                Some(source) if feed.has_others || feed.licence.is_some() => {
                    write!(f, " from {}", Escaped(source))?;
                    if let Some(licence) = feed.licence {
                        write!(f, " (licence {licence})")?;
                    }
                    write!(f, ": ")?;
                }
                _ => write!(f, ": ")?,
            }
            match (&feed.error, feed.names) {
                (Some(error), _) => writeln!(f, "{error}")?,
                (None, _) if feed.disabled => writeln!(f, "disabled: it lists nothing")?,
                (None, 0) => writeln!(f, "no data yet")?,
                (None, names) => writeln!(f, "{names} names")?,
            }
        }
        for fault in &self.faults {
            write_fault(f, fault)?;
        }
        Ok(())
    }
}

/// The lines of a reason that are to be copied are indented: each other line of a report begins
/// with a word of its own.
fn write_fault(f: &mut fmt::Formatter<'_>, fault: &Fault) -> fmt::Result {
    let mut lines = fault.reason.lines();
    let reason = Escaped(lines.next().unwrap_or_default());
    writeln!(f, "not ready: {}: {reason}", Escaped(&fault.what))?;
    lines.try_for_each(|line| writeln!(f, "  {}", Escaped(line)))
}
