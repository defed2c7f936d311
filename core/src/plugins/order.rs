//! The order in which filters are asked: `[plugins] order`, followed while the proxy runs.

use std::path::PathBuf;

use super::folder::Stamp;
use crate::config::{self, ConfigError};
use crate::error::Causes;

/// Names, and the file that they come from if it is to be followed.
#[derive(Debug)]
pub(super) struct Order {
    names: Vec<String>,
    file: Option<PathBuf>,
    /// The file as it was at the last look, and as it was read.
    seen: Option<Stamp>,
    read: Option<Stamp>,
}

/// What a look at the file brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Same,
    /// It is another file than a moment ago: it may still be written.
    Unsettled,
    Changed,
}

impl Order {
    pub(super) fn new(names: Vec<String>, file: Option<PathBuf>) -> Self {
        let stamp = file.as_deref().and_then(Stamp::of_file);
        Self {
            names,
            file,
            seen: stamp.clone(),
            read: stamp,
        }
    }

    /// The filters that are asked first.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the file again if it is another one and looked the same twice. Whatever is wrong with it, the order that held before goes on
    /// holding.
    pub(super) async fn look(&mut self) -> Look {
        let Some(file) = self.file.clone() else {
            return Look::Same;
        };
        let (seen, read) = (self.seen.clone(), self.read.clone());
        let looking = tokio::task::spawn_blocking(move || {
            let stamp = Stamp::of_file(&file);
            // A file that is gone for a moment is being replaced.
            let is_due = stamp.is_some() && stamp != read && stamp == seen;
            let order = is_due.then(|| config::read_order(&file));
            (stamp, order)
        });
        let Ok((stamp, order)) = looking.await else {
            return Look::Same;
        };
        let is_settled = stamp == self.seen;
        self.seen = stamp;
        match order {
            Some(order) => {
                self.read.clone_from(&self.seen);
                self.take(order)
            }
            None if is_settled => Look::Same,
            None => Look::Unsettled,
        }
    }

    fn take(&mut self, read: Result<Vec<String>, ConfigError>) -> Look {
        match read {
            Ok(names) if names == self.names => Look::Same,
            Ok(names) => {
                self.names = names;
                Look::Changed
            }
            Err(error) => {
                tracing::error!(
                    error = %Causes(&error),
                    consequence = "the order of filters stays as it is, and the next start will fail",
                    "the configuration file has changed and cannot be used"
                );
                Look::Same
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_when_it_looked_the_same_twice() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("portcullis.toml");
        let write = |order: &str| fs::write(&file, format!("[plugins]\norder = {order}")).unwrap();
        write("['a']");
        let mut order = Order::new(vec!["a".into()], Some(file.clone()));
        assert_eq!(order.look().await, Look::Same);
        // On its way: cut off, which is valid, and empty.
        fs::write(&file, "").unwrap();
        assert_eq!(order.look().await, Look::Unsettled);
        write("['a', 'b']");
        assert_eq!(order.look().await, Look::Unsettled);
        assert_eq!(order.names(), ["a"]);
        assert_eq!(order.look().await, Look::Changed);
        assert_eq!(order.names(), ["a", "b"]);
        assert_eq!(order.look().await, Look::Same);

        fs::remove_file(&file).unwrap();
        order.look().await;
        assert_eq!(order.look().await, Look::Same);
        assert_eq!(order.names(), ["a", "b"]);
    }
}
