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
    stamp: Option<Stamp>,
}

impl Order {
    pub(super) fn new(names: Vec<String>, file: Option<PathBuf>) -> Self {
        let stamp = file.as_deref().and_then(Stamp::of_file);
        Self { names, file, stamp }
    }

    /// The filters that are asked first.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the file again if it is another one, and says whether the order is. Whatever is wrong with the file, the order that held before
    /// goes on holding.
    pub(super) async fn has_changed(&mut self) -> bool {
        let Some(file) = self.file.clone() else {
            return false;
        };
        let before = self.stamp.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let stamp = Stamp::of_file(&file);
            // A file that is gone for a moment is being replaced.
            let is_another = stamp.is_some() && stamp != before;
            is_another.then(|| (stamp, config::read_order(&file)))
        });
        let Ok(Some((stamp, read))) = reading.await else {
            return false;
        };
        self.stamp = stamp;
        self.take(read)
    }

    fn take(&mut self, read: Result<Vec<String>, ConfigError>) -> bool {
        match read {
            Ok(names) if names == self.names => {
                tracing::info!(
                    "the configuration file has changed, but not the order of filters; all else in it holds from the next start"
                );
                false
            }
            Ok(names) => {
                self.names = names;
                true
            }
            Err(error) => {
                tracing::error!(
                    error = %Causes(&error),
                    consequence = "the order of filters stays as it is, and the next start will fail",
                    "the configuration file has changed and cannot be used"
                );
                false
            }
        }
    }
}
