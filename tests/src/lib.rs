//! The stage for end-to-end scenarios: a real proxy on port 0, and the peers on both sides of it as raw sockets.
//!
//! A scenario plays the client and the origin itself, line by line, so it reads in the order in which things happen and no
//! helper task can fail unseen. Every wait is bounded: what does not happen fails the test and says what it was.

mod log;
mod proxy;
mod wire;

pub use log::Log;
pub use proxy::Proxy;
pub use wire::{Origin, Response, Wire};
