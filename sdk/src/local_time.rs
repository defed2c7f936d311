//! The time as `clock` tells it and `proxy` gets it.

/// A moment as clocks on the wall show it.
///
/// ```
/// use portcullis_sdk::{Error, clock};
///
/// // Natively, before a test says otherwise: the first of January 1970, a Thursday.
/// let now = clock::local(None)?;
/// assert_eq!((now.day, now.month, now.year, now.weekday), (1, 1, 1970, 4));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalTime {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 1 for Monday to 7 for Sunday (ISO 8601).
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}
