//! What is known of a call that did not come back. `instance` makes it; whoever reads a failure reads it.

use std::fmt;

use rustc_demangle::demangle;
use wasmtime::WasmBacktrace;

/// So many functions, the innermost first, tell where it was.
const FRAMES: usize = 4;

/// A trap: a panic, memory out of bounds, a call of something that is not there.
#[derive(Debug)]
pub(crate) struct Trap {
    /// The error that the filter logged during the call, if it did: a panic is logged by the SDK.
    last_words: Option<String>,
    error: wasmtime::Error,
}

impl Trap {
    pub(super) fn new(error: wasmtime::Error, last_words: Option<String>) -> Self {
        Self { last_words, error }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(words) = &self.last_words {
            write!(f, "its last words: {words}")?;
            // A panic ends so, after it has said everything. Else they may be about something else.
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
