//! Where a request wants to go. The implementation is in the contract crate: filters and their test
//! cases have to agree with the proxy on what a host is called.

pub use portcullis_contract::InvalidTarget;
pub(crate) use portcullis_contract::{Target, canonical_host};

/// The port that goes without saying in an `http` URL.
pub(crate) const HTTP_PORT: u16 = 80;
