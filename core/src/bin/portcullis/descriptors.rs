//! The limit of open files. A shell or a service manager often sets a low one that a program may
//! raise.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit as far as the system lets this process raise it. How many connections there may be
/// follows from it.
#[derive(Debug)]
pub(crate) struct Raised {
    /// What it was before.
    #[cfg(unix)]
    before: Rlimit,
}

impl Raised {
    /// Raises the limit.
    pub(crate) fn limit() -> Self {
        #[cfg(unix)]
        {
            let before = getrlimit(Resource::Nofile);
            set(before.maximum, before.maximum);
            Self { before }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Starts another process, which has the limit that this one had: some programs do not expect
    /// a high one.
    pub(crate) fn without<T>(&self, start: impl FnOnce() -> T) -> T {
        #[cfg(unix)]
        {
            set(self.before.current, self.before.maximum);
            let started = start();
            set(self.before.maximum, self.before.maximum);
            started
        }
        #[cfg(not(unix))]
        start()
    }
}

#[cfg(unix)]
fn set(current: Option<u64>, maximum: Option<u64>) {
    if getrlimit(Resource::Nofile).current == current {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, maximum }) {
        tracing::debug!(%error, "cannot change the limit of open files");
    }
}
