//! The ordered filters and their one verdict. Client protocols begin a [`FilterSession`] for each
//! exchange; `plugins` publishes each new [`Chain`].

mod instances;
mod local;
mod member;
mod quarantine;
mod session;
mod shadow;
mod verdict_cache;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::local::LocalFilter;
pub(crate) use self::member::{Member, ShadowTally};
pub(crate) use self::quarantine::Tripped;
pub(crate) use self::session::FilterSession;
pub(crate) use self::shadow::{ShadowSender, shadow_calls};
use crate::filter::{Hook, HookCall};
use crate::flow::Flow;
use crate::verdict::Judgement;

/// One generation of filters, in the order in which they are asked. Immutable; a request sees one
/// generation only.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    members: Box<[Arc<Member>]>,
}

impl Chain {
    pub(crate) fn new(members: impl IntoIterator<Item = Arc<Member>>) -> Self {
        Self {
            members: members.into_iter().collect(),
        }
    }

    /// The filters, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.iter()
    }
}

/// A worker's view of a chain: the same filters, with instances of the worker's own. Exchanges hold
/// it in an `Rc`, so that an old generation lives until its last exchange is over.
#[derive(Debug)]
pub(crate) struct LocalChain {
    filters: Box<[Rc<LocalFilter>]>,
    /// Without it, shadow filters are not asked.
    shadow: Option<ShadowSender>,
}

impl LocalChain {
    /// Takes up a new generation; filters that stay keep their instances. Calls of shadow filters
    /// go to `shadow`.
    pub(crate) fn from_generation(
        chain: &Chain,
        previous: Option<&Self>,
        shadow: Option<ShadowSender>,
    ) -> Self {
        let known = |member: &Arc<Member>| {
            previous?
                .filters
                .iter()
                .find(|local| Arc::ptr_eq(local.member(), member))
                .cloned()
        };
        let filters = chain
            .members
            .iter()
            .map(|member| {
                known(member).unwrap_or_else(|| Rc::new(LocalFilter::new(member.clone())))
            })
            .collect();
        Self { filters, shadow }
    }

    /// Begins an exchange, which keeps this generation for all of its hooks.
    pub(crate) fn begin<'a>(self: &Rc<Self>, flow: Flow<'a>) -> FilterSession<'a> {
        FilterSession::new(self.clone(), flow)
    }

    fn filters(&self) -> impl Iterator<Item = &Rc<LocalFilter>> {
        self.filters.iter()
    }

    /// Whether any filter has that hook.
    fn has(&self, hook: Hook) -> bool {
        self.filters().any(|local| local.has(hook))
    }

    /// Whether any filter that judges responses may ask for the fields of the request.
    fn recalls_request_headers(&self) -> bool {
        self.filters().any(|local| {
            local.has(Hook::Response) && local.member().filter.hooks.uses_request_headers()
        })
    }

    fn enqueue_shadow(&self, local: &Rc<LocalFilter>, call: HookCall<'_>) {
        if let Some(shadow) = &self.shadow {
            shadow.enqueue(local, call);
        }
    }
}

/// What one filter answered to one call.
#[derive(Debug)]
pub(crate) struct TraceEntry {
    pub(crate) filter: Arc<str>,
    pub(crate) hook: Hook,
    /// Its judgement changes nothing.
    pub(crate) is_shadow: bool,
    pub(crate) judgement: Judgement,
    /// Why the filter could not judge.
    pub(crate) failure: Option<String>,
    /// Time spent in the filter, without starting an instance.
    pub(crate) time: Duration,
}
