//! What stands in for the proxy in a native test. Each thread has its own, so tests that run side by side do not meet.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::{Host, Level};

#[derive(Default)]
struct Mock {
    feeds: BTreeMap<String, BTreeSet<String>>,
    logs: Vec<(Level, String)>,
}

thread_local! {
    static MOCK: RefCell<Mock> = RefCell::default();
}

pub(crate) fn set_feed(name: &str, domains: BTreeSet<String>) {
    MOCK.with_borrow_mut(|mock| mock.feeds.insert(name.into(), domains));
}

pub(crate) fn take_logs() -> Vec<(Level, String)> {
    MOCK.with_borrow_mut(|mock| std::mem::take(&mut mock.logs))
}

pub(crate) fn write_log(level: Level, message: &str) {
    MOCK.with_borrow_mut(|mock| mock.logs.push((level, message.into())));
}

pub(crate) fn feed_names() -> Vec<String> {
    MOCK.with_borrow(|mock| mock.feeds.keys().cloned().collect())
}

pub(crate) fn lookup(feed: &str, host: &str) -> Result<Option<String>, String> {
    MOCK.with_borrow(|mock| {
        let domains = mock
            .feeds
            .get(feed)
            .ok_or_else(|| format!("there is no feed named {feed}"))?;
        let host = Host::new(host);
        let rule = host.ancestors().find(|name| domains.contains(*name));
        Ok(rule.map(String::from))
    })
}
