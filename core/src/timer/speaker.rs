//! Which side of a tunnel has spoken last. `tunnel` sees it, and `Deadlines` judges by it what a
//! stop cuts.

/// The side whose bytes have moved last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// It may wait for an answer.
    Client,
    /// Also where nothing has moved.
    Origin,
}
