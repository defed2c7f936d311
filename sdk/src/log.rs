//! Lines for the proxy's log, and the macros that write them.

use std::fmt;

use portcullis_contract::Level;

use crate::proxy;

/// What the macros expand to.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    proxy::write_log(level, &message.to_string());
}

/// Writes a line to the proxy's log at level trace; takes what [`format!`] takes.
///
/// ```
/// use portcullis_sdk::{Level, testing, trace};
///
/// let host = "www.example";
/// trace!("asked about {host}");
/// assert_eq!(testing::logs(), [(Level::Trace, "asked about www.example".to_owned())]);
/// ```
#[macro_export]
macro_rules! trace {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Trace, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level debug; takes what [`format!`] takes.
///
/// ```
/// use portcullis_sdk::{Level, debug, testing};
///
/// let (host, rule) = ("www.example", "example");
/// debug!("{host} is covered by {rule}");
/// assert_eq!(testing::logs(), [(Level::Debug, "www.example is covered by example".to_owned())]);
/// ```
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Debug, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level info; takes what [`format!`] takes.
///
/// ```
/// use portcullis_sdk::{Level, info, testing};
///
/// info!("{} domains are blocked", 3);
/// assert_eq!(testing::logs(), [(Level::Info, "3 domains are blocked".to_owned())]);
/// ```
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Info, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level warn; takes what [`format!`] takes.
///
/// ```
/// use portcullis_sdk::{Level, testing, warn};
///
/// let feed = "malware";
/// warn!("the feed {feed:?} has no data yet");
/// assert_eq!(testing::logs(), [(Level::Warn, "the feed \"malware\" has no data yet".to_owned())]);
/// ```
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Warn, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level error; takes what [`format!`] takes.
///
/// ```
/// use portcullis_sdk::{Level, error, testing};
///
/// error!("the list is empty, so nothing is blocked");
/// assert_eq!(testing::logs(), [(Level::Error, "the list is empty, so nothing is blocked".to_owned())]);
/// ```
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Error, ::core::format_args!($($message)+)) };
}
