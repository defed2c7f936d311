//! What a proxy of these settings says of a request, as far as that is known without any traffic:
//! what a person has decided, the filters, and where the proxy may connect. `explain` tells it to
//! people, and `selftest` compares a running proxy with it. Lists are read from the copies on disk,
//! nothing is fetched, and no name is looked up.

mod error;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, Method};
use portcullis_contract::FoundIn;

pub use self::error::ExplainError;
use crate::chain::decisions::store::Store;
use crate::chain::decisions::{Decision, Decisions};
use crate::chain::{Chain, FilterSession, LocalChain, Place, TraceEntry};
use crate::config::{Config, Egress, OwnListeners, Upstream};
use crate::feeds::Feeds;
use crate::filter::{Hook, Loader};
use crate::flow::groups::Groups;
use crate::flow::{Flow, Inquiry, Protocol, RequestHead};
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{self, Plugins};
use crate::target::Target;
use crate::upstream::policy::{Policy, Refusal};
use crate::upstream::{Scheme, choose, resolve};
use crate::verdict::{Judgement, Verdict};

/// All that judges a request.
pub(super) struct Judges {
    pub(super) feeds: Arc<Feeds>,
    pub(super) plugins: Plugins,
    pub(super) chain: Arc<Chain>,
    /// What the proxy says of itself that runs with these settings, if one does.
    pub(super) running: Option<plugins::StatusSnapshot>,
    pub(super) policy: Policy,
    /// Why what people have decided is not known.
    pub(super) unread: Option<String>,
    pub(super) decisions: Decisions,
    egress: Egress,
    parents: BTreeMap<String, Upstream>,
    groups: Groups,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) target: &'a Target,
    pub(super) protocol: Protocol,
    /// The URL, if the proxy would see the request's head.
    pub(super) url: Option<&'a str>,
    /// Where the name of the host is found.
    pub(super) found_in: FoundIn,
}

/// What is said of the host and the request, before it is looked where they lead.
pub(super) struct Judged {
    /// What each filter has answered.
    pub(super) steps: Vec<TraceEntry>,
    /// What a person has decided, which precedes the filters.
    pub(super) decision: Option<Arc<Decision>>,
}

/// Where a request may go.
#[derive(Debug)]
pub(super) struct Permitted<'a> {
    /// The table of the parent proxies that it goes through.
    pub(super) parent: Option<&'a str>,
    /// Those addresses of its host that may be dialled, if no name server has to be asked for them.
    pub(super) addresses: Option<Vec<IpAddr>>,
}

impl Judges {
    /// Reads lists, loads filters, and looks at what the proxy that runs says of them.
    pub(super) async fn open(config: &Config) -> Result<Self, ExplainError> {
        let feeds = Feeds::open(&config.feeds, &config.cache.dir);
        let running = plugins::read_status(&config.cache.dir, &config.main_address());
        let loader = Loader::new(config, feeds.clone())?;
        let plugins = Plugins::open(config.plugins.clone(), BUILTINS, loader).await;
        let chain = plugins.chain().borrow().clone();
        let (decisions, unread) = decisions(&config.state.dir)?;
        Ok(Self {
            feeds,
            chain: match &running {
                Some(running) => without_missing(&chain, &running.report),
                None => chain,
            },
            plugins,
            running,
            policy: Policy::new(&config.egress, &OwnListeners::of(&config.listeners())),
            unread,
            decisions,
            egress: config.egress.clone(),
            parents: config.upstream.clone(),
            groups: Groups::new(&config.groups),
        })
    }

    /// A client at this address, if it is known, who has logged in as this user and asks now.
    pub(super) fn inquiry(&self, client: Option<IpAddr>, user: Option<&str>) -> Inquiry {
        let client = self.groups.client(client, user.map(Arc::from));
        Inquiry::by(client, SystemTime::now())
    }

    /// Asks every filter, also those behind the one that decides.
    pub(super) async fn judge(&self, question: Question<'_>, inquiry: &Inquiry) -> Judged {
        let target = question.target;
        let is_in_handshake = question.found_in == FoundIn::ServerName;
        let flow = Flow {
            found_in: question.found_in.name(),
            server_name: is_in_handshake.then(|| target.host()),
            ..Flow::asked(target, question.protocol.name(), inquiry)
        };
        let headers = HeaderMap::new();
        let head = question.url.map(|url| RequestHead {
            method: &Method::GET,
            url,
            headers: &headers,
        });
        let chain = Rc::new(LocalChain::from_generation(&self.chain, None, None));
        let host = target.host();
        Judged {
            steps: FilterSession::begin(chain, flow, None).explain(head).await,
            decision: self.decisions.find(host, &inquiry.client, inquiry.now),
        }
    }

    /// Whether the proxy may connect where a request wants to go.
    pub(super) fn permit(
        &self,
        target: &Target,
        protocol: Protocol,
        inquiry: &Inquiry,
    ) -> Result<Permitted<'_>, Refusal> {
        let scheme = match protocol {
            Protocol::Connect | Protocol::Socks4 | Protocol::Socks5 => Scheme::Tunnel,
            Protocol::Http => Scheme::Http,
        };
        let (policy, known) = (&self.policy, resolve::known(&self.egress, target));
        if let Some(parent) = self.parent(target, inquiry) {
            policy.judge_unresolved(target, scheme, known.as_deref().unwrap_or_default())?;
            return Ok(Permitted {
                parent: Some(parent),
                addresses: known,
            });
        }
        policy.judge_target(target, scheme)?;
        let permitted = known.map(|known| policy.permitted(target, scheme, known.into_iter()));
        let permitted = permitted.transpose()?;
        let ips = permitted.map(|addresses| addresses.iter().map(|it| it.ip()).collect());
        Ok(Permitted {
            parent: None,
            addresses: ips,
        })
    }

    /// The table of parent proxies through which a request goes; none if it goes straight to its
    /// origin.
    fn parent(&self, target: &Target, inquiry: &Inquiry) -> Option<&str> {
        let at = choose(self.parents.values(), target, &inquiry.client)?;
        let (name, table) = self.parents.iter().nth(at)?;
        table.proxies().next().map(|_| name.as_str())
    }
}

impl Judged {
    /// The step that decides. The first opinion decides a hook, and a request is judged only if its
    /// host has passed.
    pub(super) fn deciding(&self) -> Option<&TraceEntry> {
        let decides = |hook| {
            let counts = move |step: &&TraceEntry| step.hook == hook && !step.is_shadow;
            let mut answers = self.steps.iter().filter(counts);
            answers.find(|step| step.judgement.verdict != Verdict::Next)
        };
        let host = decides(Hook::Host);
        match host {
            Some(step) if !step.judgement.verdict.passes() => host,
            _ => decides(Hook::Request).or(host),
        }
    }

    /// What follows for a request for `host`.
    pub(super) fn judgement(&self, host: &str) -> Judgement {
        match (&self.decision, self.deciding()) {
            (Some(decision), _) => decision.judgement(host),
            (None, Some(step)) => step.judgement.clone(),
            (None, None) => Judgement::PASS,
        }
    }
}

/// What people have decided, or a note that this user may not read it.
fn decisions(state_dir: &Path) -> Result<(Decisions, Option<String>), ExplainError> {
    let (decisions, store) = (Decisions::default(), Store::new(state_dir));
    let unread = match store.read() {
        Ok(read) => {
            decisions.replace(read);
            None
        }
        Err(error) if error.is_denied() => Some(format!(
            "only the proxy's user may read {}, so what people have decided is left out",
            store.file().display()
        )),
        Err(error) => return Err(error.into()),
    };
    Ok((decisions, unread))
}

/// The chain as the running proxy has it: what was not usable when it came refuses nothing there
/// before the next start.
fn without_missing(chain: &Chain, running: &plugins::Report) -> Arc<Chain> {
    let is_there = |place: &&Place| match place {
        Place::Filter(_) => true,
        Place::Missing(missing) => running.missing.iter().any(|name| **name == *missing.name),
    };
    Arc::new(Chain::new(chain.places().filter(is_there).cloned()))
}
