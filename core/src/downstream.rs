//! The client's side: connections, the requests on them, and the responses that go back. `proxy`
//! starts the workers; this plane asks `chain` for a verdict and `upstream` for the way to the
//! origin.

mod body;
mod connect;
pub(crate) mod connection;
mod copy;
mod encode;
mod exchange;
mod forward;
mod head;
pub(crate) mod headers;
mod interim;
pub(crate) mod refusal;
mod reply;
mod respond;
pub(crate) mod session;
mod tunnel;
mod wire;
pub(crate) mod worker;
