//! The stage for end-to-end scenarios: a real proxy on port 0, and the peers on both sides of it as
//! raw sockets.
//!
//! A scenario plays the client and the origin itself, line by line, so it reads in the order in
//! which things happen and no helper task can fail unseen. Where the peers are not the point there
//! is a [`Stage`] around the proxy: names, a web site, a plugin folder. Every wait is bounded: what
//! does not happen fails the test and says what it was.

mod authority;
mod dns;
pub mod guests;
pub mod kept;
pub mod later;
mod log;
mod message;
mod peer;
mod proxy;
mod row;
mod settings;
mod site;
mod stage;
mod tls;
mod wat;
mod wire;

pub use authority::Authority;
pub use dns::{Dns, Family, Over};
pub use log::Log;
pub use message::{OPTIONS, connect, get, ok, post};
pub use peer::{curl, output, peer, python, script, skip_without};
pub use proxy::{Proxy, scene};
pub use row::Row;
pub use settings::Settings;
pub use site::Site;
pub use stage::{ROOM, Stage, plug};
pub use tls::{Repeated, client_hello, in_records, repeated, with_extension};
pub use wire::{Origin, Response, Wire, within};
