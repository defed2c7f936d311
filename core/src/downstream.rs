//! The client's side: connections, the requests on them, and the answers that go back. `proxy` starts the workers; this
//! plane asks `chain` for a verdict and `upstream` for the way to the origin.

pub(crate) mod body;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod exchange;
pub(crate) mod forward;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod respond;
pub(crate) mod tunnel;
pub(crate) mod worker;
