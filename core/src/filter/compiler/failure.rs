//! What keeps a file from being compiled, and whether it may pass.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use crate::filter::cache::is_of_system;
use crate::filter::inspect::CompileError;

/// Why there is no machine code, though nothing was found wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompilerError {
    /// It computed for too long and was ended.
    #[error(
        "compiling it takes more than {0:?} of computing; make it smaller, or raise [compiler] time"
    )]
    Slow(Duration),
    /// It was ended by the clock, before it had computed for as long as it may.
    #[error(
        "compiling it is not done after {0:?}, as other programs have the processors; it is tried \
         again by itself"
    )]
    Crowded(Duration),
    /// It ended, or was ended, before it read the file: it may be that there is no descriptor, no
    /// memory or no time just now.
    #[error(
        "the compiling process {0} before it read the file, as it does when memory or open files \
         are short; it is tried again by itself"
    )]
    NotBegun(String),
    /// It crashed, or reached a limit that the system enforces.
    #[error(
        "the compiling process ended with {how}{message}; its limits are [compiler] memory and \
         time{blame}"
    )]
    Died {
        /// Its exit code or the signal.
        how: String,
        /// The first line on its standard error, after a separator.
        message: String,
        /// Whether the file is to blame, or the system may have been short of something.
        blame: Blame,
    },
    /// It is another kind of program.
    #[error(
        "{} does not call portcullis::run_compiler_child() first; call it at the start of its main",
        .0.display()
    )]
    NoEntry(PathBuf),
    /// The system refused to run it.
    #[error("cannot run a compiling process; it is tried again by itself")]
    Run(#[source] io::Error),
    /// The system has ended it, and not for a limit of ours.
    #[error(
        "the system has killed the compiling process, as it does when memory is short; it is tried \
         again by itself"
    )]
    Killed,
    /// It failed before under the same limits, and was not tried again.
    #[error("{0} (when it was compiled last; touch the file to have it tried again)")]
    Remembered(String),
    /// There is more machine code than may be kept.
    #[error(
        "its machine code is larger than {}; make it smaller, or raise [compiler] cache",
        ByteSize(*.0)
    )]
    Large(u64),
    /// The system did not give what loading the code takes.
    #[error("the compiled code cannot be loaded now; it is tried again by itself")]
    NotLoaded(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This engine cannot run what was written.
    #[error(
        "the compiled code cannot be used; is another version of the program installed by now? \
         Then restart the proxy"
    )]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Reading the file, or compiling it in this process, panicked.
    #[error("this file breaks the parser or the compiler: {0}")]
    Panic(String),
}

/// What has made a compiling process end on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nothing is known but that it has ended: a thread or memory that it did not get does that,
    /// too.
    Unknown,
    /// The file, as the process has ended each time.
    File,
}

/// What follows from it, after a separator.
impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("; it is tried again by itself"),
            Self::File => Ok(()),
        }
    }
}

impl CompilerError {
    /// Whether it is the machine's state that kept the file from being compiled, or may be.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Crowded(_)
            | Self::NotBegun(_)
            | Self::Run(_)
            | Self::Killed
            | Self::NotLoaded(_) => true,
            Self::Died { blame, .. } => *blame == Blame::Unknown,
            _ => false,
        }
    }

    /// Whether a restart would spend the same time on the file in vain.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(self, Self::Slow(_) | Self::Died { .. }) && !self.may_pass()
    }

    /// Why code that was made a moment ago is not loaded.
    pub(super) fn of_loading(error: wasmtime::Error) -> Self {
        if is_of_system(&error) {
            Self::NotLoaded(error.into())
        } else {
            Self::Unusable(error.into())
        }
    }
}

/// Why there is no machine code: because of the file or because of the compiling process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCompiled {
    #[error(transparent)]
    File(#[from] CompileError),
    #[error(transparent)]
    Compiler(#[from] CompilerError),
}
