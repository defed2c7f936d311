//! A forward proxy that runs the host of every request through a chain of WASM filters.
//!
//! ```text
//! listener -> connection -> forward | connect         the client's wire formats
//!                              |
//!                       chain -> filter               the only users of WASM
//!                              |
//!                           Verdict
//!                              |
//!          upstream (resolve, dial) -> tunnel | response
//! ```
//!
//! [`run_proxy`] is the entry point: it binds, starts one worker thread a core and a control
//! thread, and accepts until it is told to stop. A worker owns its connections, its connections to
//! origins, its resolver and its instances of the filters. Traffic crosses no thread, and workers
//! share only what counts for all of them, such as the `state` of filters. The control thread looks
//! after `feeds` (lists of hosts), `plugins` (the folder of filters) and `health`, and publishes
//! immutable values that workers read.
//!
//! An application that embeds the proxy depends on this crate without default features, and calls
//! [`run_compiler_child`] first in its `main`. With the feature `cli`, which is on by default,
//! `commands` has what the program does besides serving. The crate unwinds when it panics and
//! relies on that: with `panic = "abort"` a defect ends the application.

#![cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "some of what each part offers is for `commands` alone"
    )
)]

mod chain;
#[cfg(feature = "cli")]
pub mod commands;
pub mod config;
mod downstream;
mod error;
mod feeds;
mod filter;
mod flow;
#[cfg(all(any(test, fuzzing), feature = "cli"))]
pub mod fuzz;
pub mod log;
mod plugins;
mod proxy;
mod target;
mod timer;
mod upstream;
mod verdict;

pub use config::Config;
pub use error::StartError;
#[cfg(feature = "bench")]
pub use feeds::bench;
pub use filter::run_compiler_child;
pub use proxy::{Ended, Proxy, run_proxy};
pub use upstream::reload::Reloader;
