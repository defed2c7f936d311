//! Why settings say nothing of a request.

use crate::chain::decisions::store::StoreError;
use crate::error::StartError;
use crate::target::InvalidTarget;

/// Why there is nothing to explain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The text is not a host with an optional port.
    #[error("this is neither a host nor a URL")]
    Target(#[from] InvalidTarget),
    /// The text is not a URL.
    #[error("this is not a URL")]
    Url(#[from] url::ParseError),
    /// The URL is neither http nor https.
    #[error("only http and https URLs go through the proxy")]
    Scheme,
    /// What people have decided is not known.
    #[error(transparent)]
    Decisions(#[from] StoreError),
    /// The filters cannot be loaded.
    #[error(transparent)]
    Start(#[from] StartError),
}
