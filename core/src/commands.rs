//! What the program does besides serving: one module for each subcommand, called by `main`. They load filters as `plugins` does and ask them
//! as `chain` does; traffic knows nothing of them.

mod access_log;
pub(crate) mod author;
pub(crate) mod bench;
pub(crate) mod cases;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod replay;
