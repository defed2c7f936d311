//! Which of the two messages of an exchange is meant.

/// The message whose header fields are read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}
