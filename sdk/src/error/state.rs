//! Why a filter cannot use what it remembers. Returned by `state`.

use std::fmt;

/// Why a call failed. Nothing has changed then.
///
/// ```
/// use portcullis_sdk::state;
///
/// let too_large = state::set("large", vec![0; 1 << 20], None);
/// assert_eq!(too_large, Err(state::Error::TooLarge));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// There is no room left. There is some again when keys expire.
    Full,
    /// The key or the value is larger than any may be.
    TooLarge,
    /// The value is not an integer, or the sum does not fit into an `i64`.
    NotANumber,
    /// The store cannot be reached now.
    Unavailable(String),
    /// Something else, for people to read.
    Other(String),
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => {
                "the state of this filter is full, so nothing was stored; let keys expire sooner, \
                 or raise [limits] state"
            }
            Self::TooLarge => {
                "the key or the value is larger than any may be, so nothing was stored"
            }
            Self::NotANumber => {
                "the value is not an integer, or the sum does not fit into 64 bits, so nothing was \
                 added"
            }
            Self::Unavailable(problem) => {
                return write!(f, "the filter's state cannot be reached: {problem}");
            }
            Self::Other(problem) => problem,
        })
    }
}

impl std::error::Error for StateError {}
