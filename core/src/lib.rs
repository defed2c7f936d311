//! A forward proxy that runs the host of every request through a chain of WASM filters.

mod builtin;
pub mod config;
mod error;
mod feeds;
mod flow;
mod target;
mod verdict;

pub use config::Config;
