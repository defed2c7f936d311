//! Why there is no self-test.

use std::io;

use crate::commands::ExplainError;
use crate::config::ListenAddress;

/// Why nothing is known of what a proxy refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// The settings or the filters cannot be used.
    #[error("it is not known what the settings say")]
    Settings(#[from] ExplainError),
    /// Nothing answers where the proxy should.
    #[error(
        "no proxy can be reached at {listener}; start it with these settings, or name its settings with --config and --listen"
    )]
    Unreached {
        /// Where it should be.
        listener: ListenAddress,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another program listens there.
    #[error(
        "what listens at {0} does not answer as Portcullis does; name the proxy's address with --listen"
    )]
    Stranger(ListenAddress),
    /// The system has chosen the port.
    #[error("the port of {0} is not known, as the system has chosen it; name it with --listen")]
    Port(ListenAddress),
    /// No login, so that there would be wrong ones only.
    #[error(
        "the proxy does not take the login; nothing more was asked, as repeated failures would lock this client out"
    )]
    Login,
    /// There can be no server for what passes.
    #[error("cannot listen on loopback for what the proxy lets pass")]
    Origin(#[source] io::Error),
    /// The process within a boundary has not answered.
    #[error("the process that asks has not answered")]
    Inside(#[source] io::Error),
}
