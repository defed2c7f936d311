//! Tells filters that an exchange is over. A session makes it, and the record of the exchange holds
//! it until the end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method};

use super::background::BackgroundSender;
use super::local::LocalFilter;
use crate::filter::{Ending, Hook, HookCall};
use crate::flow::{Flow, OwnedFlow, RequestHead};
use crate::verdict::Notes;

/// The filters of a generation that want to know when an exchange is over, without the others: a
/// tunnel may outlive many generations, and keeps no filter that has no more to do for it.
#[derive(Debug)]
pub(super) struct EndListeners {
    filters: Box<[Rc<LocalFilter>]>,
    background: BackgroundSender,
}

impl EndListeners {
    /// Those among `filters`; none if there are none.
    pub(super) fn among<'a>(
        filters: impl Iterator<Item = &'a Rc<LocalFilter>>,
        background: &BackgroundSender,
    ) -> Option<Self> {
        let listening = filters.filter(|filter| filter.has(Hook::Ended));
        let filters: Box<[_]> = listening.cloned().collect();
        (!filters.is_empty()).then(|| Self {
            filters,
            background: background.clone(),
        })
    }
}

/// An exchange of which filters are told when it is over, and those filters.
#[derive(Debug)]
pub(crate) struct Watcher {
    listeners: Rc<EndListeners>,
    flow: OwnedFlow,
    request: RefCell<Option<(Method, String)>>,
    /// The name in the client's TLS handshake, once it was seen.
    server_name: RefCell<Option<Box<str>>>,
}

impl Watcher {
    pub(super) fn new(listeners: Rc<EndListeners>, flow: &Flow<'_>) -> Self {
        Self {
            listeners,
            flow: flow.into(),
            request: RefCell::default(),
            server_name: RefCell::default(),
        }
    }

    pub(super) fn set_request(&self, method: &Method, url: &str) {
        self.request.replace(Some((method.clone(), url.to_owned())));
    }

    pub(crate) fn set_server_name(&self, name: &str) {
        self.server_name.replace(Some(name.into()));
    }

    /// Enqueues the calls. `notes` are what filters have noted about the exchange, by their names.
    pub(crate) fn ended(&self, ending: &Ending, notes: &[(Arc<str>, Notes)]) {
        let EndListeners {
            filters,
            background,
        } = &*self.listeners;
        let request = self.request.take();
        let no_headers = HeaderMap::new();
        let request = request.as_ref().map(|(method, url)| RequestHead {
            method,
            url,
            headers: &no_headers,
        });
        let server_name = self.server_name.take();
        let flow = Flow {
            server_name: server_name.as_deref(),
            ..self.flow.borrow()
        };
        let call = HookCall::Ended(&flow, request, ending);
        for filter in filters {
            let member = filter.member();
            if member.is_shadow() {
                background.enqueue_shadow(filter, call);
                continue;
            }
            let mut noted = notes.iter();
            let noted = noted.find(|(name, _)| *name == member.filter.name);
            background.enqueue_ended(filter, call, noted.map(|(_, notes)| notes));
        }
    }
}
