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

mod chain;
mod commands;
pub mod config;
mod downstream;
mod error;
mod feeds;
mod filter;
mod flow;
pub mod log;
mod plugins;
mod proxy;
mod target;
mod timer;
mod upstream;
mod verdict;

pub use commands::author::{
    BuildError, Built, Created, Language, NewError, Sdk, UnknownLanguage, build_plugin, new_plugin,
};
pub use commands::bench::{Bench, TickTiming, Timing, bench};
pub use commands::cases::{Recording, record_cases, test_plugin};
pub use commands::check::{Report, check};
pub use commands::explain::{ExplainError, Explanation, explain};
pub use commands::inspect::{Cost, Inspection, Needed, Settings, check_plugin};
pub use commands::list::{PluginList, list_plugins};
pub use commands::replay::{Change, Difference, Replay, replay};
pub use config::Config;
pub use error::{PluginError, StartError};
pub use filter::run_compiler_child;
pub use proxy::{Ended, Proxy, run_proxy};
pub use target::InvalidTarget;
