//! Why a filter is not installed. Nothing was changed then.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use super::super::NameError;
use crate::error::{Escaped, PluginError};

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// No URL of a filter.
    #[error("{} cannot be fetched: {problem}", Escaped(url))]
    Url {
        /// As it was given, or as it may be shown.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server of the file could serve another one.
    #[error(
        "{} has no checksum behind it, and its server can send another file at any time. Ask the filter's author for the \
         SHA-256 that `portcullis plugin package` has printed, and write {hint}",
        Escaped(url)
    )]
    NoChecksum {
        /// As it may be shown.
        url: String,
        /// Where the checksum goes.
        hint: String,
    },
    /// No checksum.
    #[error("`{}` is not a SHA-256, which has 64 hexadecimal digits; was it copied as a whole?", Escaped(.0))]
    InvalidChecksum(String),
    /// A file that cannot be read.
    #[error("cannot read {}", Escaped(file.display()))]
    Read {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server has not sent it.
    #[error("cannot fetch {} ({advice})", Escaped(url))]
    Fetch {
        /// As it may be shown.
        url: String,
        /// What can be done about it.
        advice: &'static str,
        /// What has happened.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// No proxy would load it.
    #[error("{} is larger than {} MiB, and no proxy would load it; is it the right file?", Escaped(place), limit >> 20)]
    TooLarge {
        /// As it may be shown.
        place: String,
        /// In bytes.
        limit: u64,
    },
    /// It is another file.
    #[error(
        "{} is not the file that was meant, or was changed on the way:\n  expected SHA-256 {expected}\n  found            \
         {found}\nGet it anew, and ask its author if that does not help",
        Escaped(place)
    )]
    Checksum {
        /// As it may be shown.
        place: String,
        /// In hexadecimal digits.
        expected: String,
        /// The same.
        found: String,
    },
    /// Not a filter at all.
    #[error(
        "{} is not a whole WebAssembly file; it begins with `{}`. Is it the right file?",
        Escaped(place),
        Escaped(begins)
    )]
    NoWasm {
        /// As it may be shown.
        place: String,
        /// The first characters.
        begins: String,
    },
    /// It cannot be called that.
    #[error("{0}; give it another name with --name")]
    Name(#[from] NameError),
    /// The file would never serve.
    #[error("no proxy would use it: {0}")]
    Refused(String),
    /// The place for a trial.
    #[error(
        "it cannot be tried aside, as the folder for temporary files cannot be written; TMPDIR can name another"
    )]
    Aside(#[source] io::Error),
    /// Others are at work there.
    #[error("{} has changed since it was looked at; look at it and try again", Escaped(.0.display()))]
    Changed(PathBuf),
    /// The plugin folder does not take it.
    #[error("cannot write {}; what was there before still is. May this user write to the folder?", Escaped(file.display()))]
    Write {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No filter can be looked at.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}
