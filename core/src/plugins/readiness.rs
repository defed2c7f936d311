//! What keeps the proxy from judging all that it should: for the health check, the status file, and
//! commands. What is missing that is no filter is found here, too.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Plugins;
use crate::chain::Missing;
use crate::config::{OnError, UntilFirst};
use crate::feeds::Awaited;

/// Something that is configured and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// As it begins a sentence: `the filter guard`.
    pub(crate) what: String,
    pub(crate) reason: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.reason)
    }
}

impl Plugins {
    /// What is wrong now, in the order of the chain. The proxy is ready if there is nothing.
    pub(super) fn find_faults(&self) -> Vec<Fault> {
        let feeds = self.loader.feeds().awaited().into_iter();
        let feeds = feeds.map(|awaited| Fault {
            what: format!("the feed {}", awaited.feed),
            reason: match awaited.missing {
                None => "it has not arrived yet".into(),
                Some(lists) => format!("of its lists, not yet arrived: {}", lists.join(", ")),
            },
        });
        let mut faults = self.find_filter_faults();
        faults.extend(feeds);
        faults
    }

    /// The same, but for feeds.
    pub(crate) fn find_filter_faults(&self) -> Vec<Fault> {
        let folder = self.folder_fault.iter().map(|reason| Fault {
            what: "the plugin folder".into(),
            reason: reason.clone(),
        });
        let order = self.order.fault.iter().map(|reason| Fault {
            what: "the configuration file".into(),
            reason: reason.clone(),
        });
        let filters = self.ordered().filter_map(|(name, plugin)| {
            Some(Fault {
                what: format!("the filter {name}"),
                reason: plugin.fault()?,
            })
        });
        folder.chain(order).chain(filters).collect()
    }

    /// The feeds without which no request passes, as long as they have no list.
    pub(crate) fn find_blocking_feeds(&self) -> Vec<Fault> {
        let fault = |missing: Missing| Fault {
            what: missing.name.to_string(),
            reason: missing.reason.to_string(),
        };
        self.missing_feeds().map(fault).collect()
    }

    /// While the folder cannot be listed, it is not known which filters are missing.
    pub(super) fn missing_folder(&self) -> Option<Missing> {
        let reason = self.folder_fault.as_deref().unwrap_or("it is being read");
        self.is_folder_held
            .then(|| refuse_all("[plugins] dir".into(), reason.into()))
    }

    /// The feeds without which the operator wants no request to pass.
    pub(super) fn missing_feeds(&self) -> impl Iterator<Item = Missing> {
        let awaited = self.loader.feeds().awaited().into_iter();
        let blocking = awaited.filter(|feed| feed.until_first == UntilFirst::Block);
        let reason = "the list has not arrived yet, and [feeds] until_first = 'block'";
        blocking
            .map(|Awaited { feed, .. }| refuse_all(format!("[feeds.{feed}]").into(), reason.into()))
    }
}

fn refuse_all(name: Arc<str>, reason: Arc<str>) -> Missing {
    Missing {
        name,
        on_error: OnError::Block,
        reason,
    }
}
