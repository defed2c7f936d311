//! One worker's view of a generation. Filters that stay from one generation to the next keep what
//! the worker has of them.

use std::rc::Rc;
use std::sync::Arc;

use super::background::BackgroundSender;
use super::generation::{Chain, Place};
use super::local::LocalFilter;
use super::member::Member;
use super::missing::Missing;
use super::watcher::EndListeners;
use crate::filter::Hook;

/// A worker's view of a chain: the same filters, with instances of the worker's own. Exchanges hold
/// it in an `Rc` while filters may have to judge them, and an old generation lives as long as that.
#[derive(Debug)]
pub(crate) struct LocalChain {
    places: Box<[LocalPlace]>,
    /// Without it, filters are not asked in the background.
    background: Option<BackgroundSender>,
    end_listeners: Option<Rc<EndListeners>>,
}

/// A place in the chain, on this worker.
#[derive(Debug)]
pub(super) enum LocalPlace {
    Filter(Rc<LocalFilter>),
    Missing(Missing),
}

impl LocalChain {
    /// Takes up a new generation; filters that stay keep their instances. Calls that no exchange
    /// waits for go to `background`.
    pub(crate) fn from_generation(
        chain: &Chain,
        previous: Option<&Self>,
        background: Option<BackgroundSender>,
    ) -> Self {
        let known = |member: &Arc<Member>| {
            let mut filters = previous?.filters();
            filters
                .find(|local| Arc::ptr_eq(local.member(), member))
                .cloned()
        };
        let local = |place: &Place| match place {
            Place::Filter(member) => LocalPlace::Filter(
                known(member).unwrap_or_else(|| Rc::new(LocalFilter::new(member.clone()))),
            ),
            Place::Missing(missing) => LocalPlace::Missing(missing.clone()),
        };
        let places: Box<[_]> = chain.places().map(local).collect();
        let end_listeners = background
            .as_ref()
            .and_then(|background| EndListeners::among(filters(&places), background));
        Self {
            places,
            background,
            end_listeners: end_listeners.map(Rc::new),
        }
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &LocalPlace> {
        self.places.iter()
    }

    pub(super) fn filters(&self) -> impl Iterator<Item = &Rc<LocalFilter>> {
        filters(&self.places)
    }

    /// Whether any place has no filter.
    pub(super) fn has_missing(&self) -> bool {
        let mut places = self.places();
        places.any(|place| matches!(place, LocalPlace::Missing(_)))
    }

    /// Whether any filter has that hook.
    pub(super) fn has(&self, hook: Hook) -> bool {
        self.filters().any(|local| local.has(hook))
    }

    /// Whether any filter that judges responses may ask for the fields of the request.
    pub(super) fn needs_request_headers(&self) -> bool {
        self.filters().any(|local| {
            local.has(Hook::Response) && local.member().filter.hooks.uses.request_headers
        })
    }

    pub(super) fn background(&self) -> Option<&BackgroundSender> {
        self.background.as_ref()
    }

    /// The filters that are told of ends; none if no filter wants to know of them, or if none is
    /// asked in the background.
    pub(super) fn end_listeners(&self) -> Option<&Rc<EndListeners>> {
        self.end_listeners.as_ref()
    }
}

fn filters(places: &[LocalPlace]) -> impl Iterator<Item = &Rc<LocalFilter>> {
    places.iter().filter_map(|place| match place {
        LocalPlace::Filter(local) => Some(local),
        LocalPlace::Missing(_) => None,
    })
}
