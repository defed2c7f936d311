//! The policy is against a server on the way to a list.

use super::FetchError;

/// The settings do not let the proxy connect to a server.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Prohibited(pub(super) String);

impl From<Prohibited> for FetchError {
    fn from(Prohibited(why): Prohibited) -> Self {
        Self::Prohibited(why)
    }
}
