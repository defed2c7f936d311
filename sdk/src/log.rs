//! Lines for the proxy's log, and the macros that write them.

use std::fmt;

use crate::proxy;

/// How much a line of the log matters. The operator's settings decide which levels are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever debugs the filter.
    Debug,
    /// Worth knowing in normal operation.
    Info,
    /// Something is degraded.
    Warn,
    /// The operator must act.
    Error,
}

/// What the macros expand to.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    proxy::write_log(level, &message.to_string());
}

/// Writes a line to the proxy's log at level trace; takes what [`format!`] takes.
#[macro_export]
macro_rules! trace {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Trace, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level debug; takes what [`format!`] takes.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Debug, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level info; takes what [`format!`] takes.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Info, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level warn; takes what [`format!`] takes.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Warn, ::core::format_args!($($message)+)) };
}

/// Writes a line to the proxy's log at level error; takes what [`format!`] takes.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Error, ::core::format_args!($($message)+)) };
}
