//! Why `exec` does not run a command.

use std::io;
use std::path::PathBuf;

use crate::commands::SelfTestError;
use crate::config::ConfigError;
use crate::error::{Escaped, StartError};

/// Why a command was not run, or how its proxy has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// Settings that are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What should be allowed is no host.
    #[error(
        "`{host}` cannot be allowed: {problem}. Write a host such as a.example, which stands for the names below it, too, \
         or an address"
    )]
    Host {
        /// As it was written.
        host: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file that hosts should be read from.
    #[error("no hosts can be read from {}: {problem}", Escaped(.file.display()))]
    Hosts {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The settings have an allowlist of their own.
    #[error(
        "{} has an allowlist, which the hosts of this command would replace; leave one of them out",
        Escaped(.0.display())
    )]
    TwoAllowlists(PathBuf),
    /// The file for what is learned.
    #[error("{} is there already; what is learned is written into a new file", Escaped(.0.display()))]
    LearnedBefore(PathBuf),
    /// The command could not be started.
    #[error("cannot run {}", Escaped(.program.display()))]
    Command {
        /// As it was written.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written or read.
    #[error("cannot {action}")]
    Io {
        /// What was to be done.
        action: String,
        /// Why it was not.
        source: io::Error,
    },
    /// The system refuses what a boundary needs. Nothing was run.
    #[error("there is no boundary around the command, so that it was not run: {0}")]
    NoBoundary(String),
    /// There is no self-test in place of a command.
    #[error(transparent)]
    SelfTest(#[from] SelfTestError),
    /// The proxy did not start, so that the command was ended.
    #[error("the command has no proxy")]
    Proxy(#[from] StartError),
}
