//! Lists as the proxy has them, for `make bench-feeds`. Neither the program nor an application has
//! this module.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Feed, FeedFormat};
use crate::feeds::Feeds;
use crate::feeds::fetch::Version;
use crate::feeds::snapshot::{Query, Snapshot};

/// Feeds, each the list in a file.
pub struct Lists(Arc<Feeds>);

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lists")
    }
}

impl Lists {
    /// Opens the lists of domains in these files by their names, as the proxy does when it starts:
    /// with what is in the cache.
    ///
    /// # Panics
    ///
    /// If a path is not absolute.
    pub fn open<'p>(files: impl IntoIterator<Item = (String, &'p Path)>, cache: &Path) -> Self {
        let feed = |path| {
            let url = url::Url::from_file_path(path).expect("the path is absolute");
            Feed::new(url, FeedFormat::Domains)
        };
        let feeds: BTreeMap<_, _> = files
            .into_iter()
            .map(|(name, path)| (name, feed(path)))
            .collect();
        Self(Feeds::open(&feeds, cache))
    }

    /// Reads the file of a list anew and has it serve, and returns how many names it has.
    ///
    /// # Panics
    ///
    /// If there is no list in it.
    pub async fn refresh(&self, name: &str) -> usize {
        let source = self.0.now().feeds[name].lists[0].source.clone();
        // One that is the same as before would not be read.
        source.state().version = Version::default();
        let refreshed = self.0.refresh(&source).await;
        refreshed.expect("it is a list");
        self.0.names_of(&source)
    }

    /// Whether one of the lists that are named has the host: all that a filter's question takes
    /// within the proxy.
    pub fn has(&self, lists: &[&str], host: &str) -> bool {
        self.0.find(lists.iter().copied(), host).is_some()
    }

    /// The same, counted as the proxy counts what has decided about an exchange.
    pub fn count(&self, lists: &[&str], host: &str) -> bool {
        let found = self.0.find(lists.iter().copied(), host);
        found.inspect(|found| found.hit.count()).is_some()
    }

    /// The snapshot of a list.
    ///
    /// # Panics
    ///
    /// If there is no such list.
    pub fn list(&self, name: &str) -> List {
        List(self.0.snapshot(name).expect("there is one"))
    }
}

/// One list, by itself.
pub struct List(Arc<Snapshot>);

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("List")
    }
}

impl List {
    /// Whether it has the canonical host.
    pub fn has(&self, host: &str) -> bool {
        let found = self
            .0
            .key()
            .map(|key| self.0.find_by(&Query::new(host, key)));
        found.flatten().is_some()
    }
}
