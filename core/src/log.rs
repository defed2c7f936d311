//! The lines that the proxy writes: one access line for each exchange, and, where they share
//! standard error, the program's own lines. `access` says what a line holds and how it is written,
//! `writer` is the thread that writes it.
//!
//! The data plane hands over records, the program hands over finished lines, and neither ever waits
//! for a terminal, a pipe or a disk: lines that come faster than they can be written are dropped,
//! counted and told. Nothing here knows what a request or a filter is.

pub(crate) mod access;
mod file;
mod lane;
mod output;
mod program;
mod reports;
mod throttle;
mod writer;

pub use self::program::{ProgramLines, stderr};
pub(crate) use self::throttle::Throttle;
