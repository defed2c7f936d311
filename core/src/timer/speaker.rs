//! Which side of a tunnel has sent last. `tunnel` sees it, and `Deadlines` decides by it whether a
//! tunnel that is quiet ends when the proxy begins to stop.

/// The side whose bytes have moved last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// It may wait for an answer.
    Client,
    /// Also where nothing has moved.
    Origin,
}
