//! What is known of a call that trapped. `instance` makes it, and it is part of a failure's
//! message.

use std::fmt;

use rustc_demangle::demangle;
use wasmtime::WasmBacktrace;

/// Frames kept from a backtrace, innermost first.
const FRAMES: usize = 4;

/// A trap: a panic, memory out of bounds, a call of something that is not there.
#[derive(Debug)]
pub(crate) struct Trap {
    /// The error that the filter logged during the call, if it did: a panic is logged by the SDK.
    last_error_log: Option<String>,
    error: wasmtime::Error,
}

impl Trap {
    pub(super) fn new(error: wasmtime::Error, last_error_log: Option<String>) -> Self {
        Self {
            last_error_log,
            error,
        }
    }

    /// Whether it was not the guest that failed.
    pub(super) fn is_of_system(&self) -> bool {
        self.error.downcast_ref::<wasmtime::Trap>().is_none()
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.last_error_log {
            write!(f, "its last words: {message}")?;
            // A panic of the SDK logs its message and then executes this instruction, so there is
            // nothing to add. Before any other trap the message may be about something else.
            if self.error.downcast_ref() == Some(&wasmtime::Trap::UnreachableCodeReached) {
                return Ok(());
            }
            f.write_str("; ")?;
        }
        write!(f, "{}", self.error.root_cause())?;
        let frames = self.error.downcast_ref::<WasmBacktrace>();
        let frames = frames.map(WasmBacktrace::frames).unwrap_or_default();
        let names = frames.iter().filter_map(|frame| frame.func_name());
        for (at, name) in names.take(FRAMES).enumerate() {
            let by = if at == 0 { " in" } else { ", called by" };
            write!(f, "{by} {:#}", demangle(name))?;
        }
        Ok(())
    }
}
