//! What time it is. Natively, the clock stands at the beginning of 1970 in UTC, until a test moves
//! it.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use portcullis_sdk::{Error, clock, testing};
//!
//! // 2026-03-02 was a Monday.
//! testing::set_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_000));
//! let now = clock::local(None)?;
//! assert_eq!((now.year, now.month, now.day), (2026, 3, 2));
//! assert_eq!((now.weekday, now.hour, now.minute), (1, 9, 0));
//! # Ok::<(), Error>(())
//! ```

use std::time::SystemTime;

use crate::Error;
pub use crate::local_time::LocalTime;
use crate::proxy;

/// Now, to the millisecond.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use portcullis_sdk::{clock, testing};
///
/// let before = clock::now();
/// testing::advance(Duration::from_secs(1));
/// assert_eq!(clock::now(), before + Duration::from_secs(1));
/// ```
pub fn now() -> SystemTime {
    proxy::now()
}

/// Now in a time zone: a name of the IANA database such as `Europe/Berlin`, or that of the proxy's
/// machine. Fails if the zone is unknown.
///
/// Natively, that of the machine is UTC.
///
/// ```
/// use portcullis_sdk::{Error, clock};
///
/// assert_eq!(clock::local(None)?.hour, 0);
/// assert_eq!(clock::local(Some("Asia/Tokyo"))?.hour, 9);
/// assert!(clock::local(Some("Nowhere/AtAll")).is_err());
/// # Ok::<(), Error>(())
/// ```
pub fn local(zone: Option<&str>) -> Result<LocalTime, Error> {
    proxy::local(zone).map_err(Error::new)
}
