//! The ordered filters and their one verdict, and the decisions of people that precede them. Client
//! protocols begin a [`FilterSession`] for each exchange on their worker's [`LocalChain`];
//! `plugins` publishes each new [`Chain`].

mod background;
pub(crate) mod decisions;
mod failure_log;
mod fair;
mod generation;
mod instances;
mod local;
mod local_chain;
mod member;
mod missing;
mod quarantine;
mod session;
mod starts;
mod verdict_cache;
mod watcher;

pub(crate) use self::background::{BackgroundSender, background_calls};
pub(crate) use self::generation::{Chain, Place};
pub(crate) use self::local::{LocalFilter, TraceEntry};
pub(crate) use self::local_chain::LocalChain;
pub(crate) use self::member::{Member, ShadowTally};
pub(crate) use self::missing::Missing;
pub(crate) use self::quarantine::Tripped;
pub(crate) use self::session::FilterSession;
pub(crate) use self::watcher::Watcher;
