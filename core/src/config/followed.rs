//! The configuration file as a running proxy follows it: where it is, what it said when it was last
//! read, and what else says something. `proxy` looks after it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Config;
use super::environment::portcullis_vars;
use super::sources::Sources;

/// A configuration file that a proxy follows while it runs: a change of `[feeds]` and of `[plugins]
/// order` holds at once, also if there was no file at the start. What was a pipe or a device then
/// is not read again. [`Config::load`] makes it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Followed {
    sources: Sources,
    file: PathBuf,
    is_stream: bool,
    /// What the sources have said together.
    said: Arc<Config>,
}

impl Followed {
    /// Of the environment only what is for the proxy.
    pub(super) fn new(sources: &Sources, file: PathBuf, is_stream: bool, said: Config) -> Self {
        let mut sources = sources.clone();
        let ours: Vec<_> = portcullis_vars(&sources.variables)
            .map(|(name, _, value)| (name.into(), value.to_owned()))
            .collect();
        sources.variables = ours;
        // Should it go again, it does not say that the defaults hold.
        sources.file = Some(file.clone());
        Self {
            sources,
            file,
            is_stream,
            said: Arc::new(said),
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether it was a pipe or a device when it was read. That can be read once: a pipe is empty
    /// then.
    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// What it said when it was read, with what else says something. There was no file if this
    /// does not name it.
    pub(crate) fn said(&self) -> &Arc<Config> {
        &self.said
    }

    /// All that says something, as it was at the start.
    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }
}

/// Variables may be secret.
impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
