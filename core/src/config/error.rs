//! What is wrong with the configuration, and where.

use std::io;
use std::path::PathBuf;

use portcullis_contract::Escaped;

/// Why there is no configuration. Each names the place to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is missing, unreadable or not UTF-8.
    #[error("cannot read the configuration file {}", Escaped(path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not TOML, has a key that does not exist or a value that makes no sense.
    #[error("{}:{line}:{column}: {problem}", Escaped(path.display()))]
    File {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A filter needs settings, and the file for them is missing.
    #[error("it has to be configured, and there is no {}; write there:  {example}", Escaped(path.display()))]
    Absent {
        /// The file that is missing.
        path: PathBuf,
        /// The least that it must say, as one line of TOML.
        example: String,
    },
    /// The value of a flag makes no sense.
    #[error("{name}: {problem}")]
    Flag {
        /// Its name, such as `--listen`.
        name: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The value of an environment variable makes no sense.
    #[error("environment variable {name}: {problem}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}
