//! The order in which filters are asked: `[plugins] order`, followed while the proxy runs. Used by
//! `plugins`.

use std::path::PathBuf;

use super::folder::Stamp;
use crate::config::{self, ConfigError};
use crate::error::Causes;

/// Names, and the file that they come from if it is to be followed.
#[derive(Debug)]
pub(super) struct Order {
    names: Vec<String>,
    file: Option<PathBuf>,
    /// The file as the last scan found it, and as it was read.
    seen: Option<Stamp>,
    read: Option<Stamp>,
    /// Why the file, as it is now, cannot be used.
    fault: Option<String>,
}

/// What became of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reload {
    Unchanged,
    /// The file is another one than a moment ago: it may still be written.
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
            fault: None,
        }
    }

    /// Why the file cannot be used, if it was changed so.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The filters that are asked first.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the file again if it is another one and two scans found it the same. Whatever is wrong
    /// with it, the order that held before stays.
    pub(super) async fn reload(&mut self) -> Reload {
        let Some(file) = self.file.clone() else {
            return Reload::Unchanged;
        };
        let (seen, read) = (self.seen.clone(), self.read.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let stamp = Stamp::of_file(&file);
            // A file that is gone for a moment is being replaced.
            let is_due = stamp.is_some() && stamp != read && stamp == seen;
            let order = is_due.then(|| config::read_order(&file));
            (stamp, order)
        });
        let (stamp, order) = match reading.await {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "reading the configuration file failed; please report it");
                return Reload::Unchanged;
            }
        };
        let is_settled = stamp == self.seen;
        self.seen = stamp;
        match order {
            Some(order) => {
                // What kept the file from being read may pass.
                if !matches!(order, Err(ConfigError::Read { .. })) {
                    self.read.clone_from(&self.seen);
                }
                self.take_over(order)
            }
            None if is_settled => {
                if self.seen.is_none() {
                    // A start without the file would not fail.
                    self.fault = None;
                }
                Reload::Unchanged
            }
            None => Reload::Unsettled,
        }
    }

    fn take_over(&mut self, read: Result<Vec<String>, ConfigError>) -> Reload {
        let names = match read {
            Ok(names) => names,
            Err(error) => {
                let fault = Causes(&error).to_string();
                // A file that cannot be read is tried again every second, which is not news.
                if self.fault.as_ref() != Some(&fault) {
                    tracing::error!(
                        error = fault,
                        consequence =
                            "the order of filters stays as it is, and the next start will fail",
                        "the configuration file has changed and cannot be used"
                    );
                }
                self.fault = Some(fault);
                return Reload::Unchanged;
            }
        };
        self.fault = None;
        if names == self.names {
            return Reload::Unchanged;
        }
        self.names = names;
        Reload::Changed
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_when_two_scans_found_it_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("portcullis.toml");
        let write = |order: &str| fs::write(&file, format!("[plugins]\norder = {order}")).unwrap();
        write("['a']");
        let mut order = Order::new(vec!["a".into()], Some(file.clone()));
        assert_eq!(order.reload().await, Reload::Unchanged);
        // On its way: cut off, which is valid, and empty.
        fs::write(&file, "").unwrap();
        assert_eq!(order.reload().await, Reload::Unsettled);
        write("['a', 'b']");
        assert_eq!(order.reload().await, Reload::Unsettled);
        assert_eq!(order.names(), ["a"]);
        assert_eq!(order.reload().await, Reload::Changed);
        assert_eq!(order.names(), ["a", "b"]);
        assert_eq!(order.reload().await, Reload::Unchanged);

        fs::remove_file(&file).unwrap();
        order.reload().await;
        assert_eq!(order.reload().await, Reload::Unchanged);
        assert_eq!(order.names(), ["a", "b"]);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_a_fault_until_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("portcullis.toml");
        fs::write(&file, "").unwrap();
        let mut order = Order::new(Vec::new(), Some(file.clone()));
        // Not to be read, and not to be understood.
        for content in [&b"\xff"[..], b"[plugins"] {
            fs::write(&file, content).unwrap();
            for _ in 0..3 {
                assert_eq!(order.names(), [""; 0]);
                order.reload().await;
            }
            assert!(order.fault().is_some(), "{content:?}");
        }
        fs::write(&file, "[plugins]\norder = ['a']").unwrap();
        order.reload().await;
        assert_eq!(order.reload().await, Reload::Changed);
        assert_eq!(order.fault(), None);
    }
}
