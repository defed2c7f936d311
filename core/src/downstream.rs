//! The client's side: connections, the requests on them, and the responses that go back. `proxy`
//! starts the workers; this plane asks `chain` for a verdict and `upstream` for the way to the
//! origin.

pub(crate) mod auth;
pub(crate) mod bandwidth;
mod body;
pub(crate) mod connect;
pub(crate) mod connection;
mod copy;
pub(crate) mod encode;
mod exchange;
pub(crate) mod first_request;
#[cfg(feature = "cli")]
pub(crate) mod foresee;
pub(crate) mod forward;
pub(crate) mod head;
pub(crate) mod headers;
mod heads;
pub(crate) mod hello;
mod interim;
pub(crate) mod per_client;
pub(crate) mod proxy_protocol;
mod rate_limited;
pub(crate) mod refusal;
mod reply;
mod respond;
pub(crate) mod session;
pub(crate) mod socks;
mod tunnel;
pub(crate) mod tunnels;
mod unread;
pub(crate) mod unserved;
pub(crate) mod wire;
pub(crate) mod worker;
