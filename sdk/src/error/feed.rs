//! Why a filter gets no answer from its lists. Returned by `feeds`.

use std::fmt;

/// Why feeds were not looked into.
///
/// ```
/// use portcullis_sdk::{Error, feeds};
///
/// let error = feeds::find_in(&["malwre"], "evil.example").unwrap_err();
/// assert_eq!(error, feeds::Error::Unknown("malwre".into()));
/// assert_eq!(Error::from(error).to_string(), "there is no feed named malwre");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedError {
    /// There is no feed of that name.
    Unknown(String),
    /// There is, and the operator has not granted it.
    NotGranted(String),
    /// Something else, for people to read.
    Other(String),
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(feed) => write!(f, "there is no feed named {feed}"),
            Self::NotGranted(feed) => write!(
                f,
                "the filter is not granted the feed {feed}; add it to [grants] feeds"
            ),
            Self::Other(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for FeedError {}
