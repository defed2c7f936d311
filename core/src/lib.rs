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

mod access_log;
mod activity;
mod answer;
mod author;
mod bench;
mod builtin;
mod cases;
mod chain;
mod check;
mod clock;
pub mod config;
mod connect;
mod connection;
mod error;
mod examine;
mod exchange;
mod explain;
mod feeds;
mod filter;
mod flow;
mod head;
mod headers;
mod health;
mod http;
mod list;
mod listener;
mod metrics;
mod plugins;
mod proxy;
mod replay;
mod respond;
mod state;
mod target;
mod tunnel;
mod upload;
mod upstream;
mod verdict;
mod worker;

pub use author::{
    BuildError, Built, Created, Language, NewError, Sdk, UnknownLanguage, build_plugin, new_plugin,
};
pub use bench::{Bench, Timing, bench};
pub use cases::{Recording, record_cases, test_plugin};
pub use check::{Report, check};
pub use config::Config;
pub use error::{PluginError, StartError};
pub use examine::{Cost, Examination, Needed, Settings, check_plugin};
pub use explain::{ExplainError, Explanation, explain};
pub use filter::compile_if_asked;
pub use list::{PluginList, list_plugins};
pub use proxy::{Proxy, run_proxy};
pub use replay::{Change, Difference, Replay, replay};
pub use target::InvalidTarget;
