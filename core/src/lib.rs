//! A forward proxy that runs the host of every request through a chain of WASM filters.
//!
//! ```text
//! listener -> connection -> http | connect            the client's wire formats
//!                              |
//!                       chain -> filter               the only users of WASM
//!                              |
//!                           Verdict
//!                              |
//!          upstream (resolve, dial) -> tunnel | response
//! ```
//!
//! [`run_proxy`] is the door: it binds, starts one worker thread a core and a control thread, and accepts until it is told to
//! stop. A worker owns its connections, its connections to origins, its resolver and its instances of the filters; traffic
//! crosses no thread, and only the `state` of filters is shared under a lock. The control thread tends `feeds` (lists of
//! hosts), `plugins` (the folder of filters) and `health`, and publishes immutable values that workers take up.
//!
//! What the program does besides is in `commands`: it asks filters and reads what a proxy leaves, and no proxy needs to run.

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
mod plugins;
mod proxy;
mod target;
mod timer;
mod upstream;
mod verdict;

pub use config::Config;
pub use error::StartError;
pub use filter::run_compiler_child;
pub use proxy::{Ended, Proxy, run_proxy};
