//! What is known of a call that trapped. `instance` makes it, and it is part of a failure's
//! message.

use std::fmt::{self, Write as _};

use rustc_demangle::demangle;
use wasmtime::WasmBacktrace;

/// Frames kept from a backtrace, innermost first.
const FRAMES: usize = 4;

/// Longest name of a function that is shown, in bytes. The rest is cut: a file may give its
/// functions names of 100,000 bytes, and in the spelling of Rust they can stand for a million.
const NAME_BYTES: usize = 256;

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
            write!(f, "{by} {}", readable(name))?;
        }
        Ok(())
    }
}

/// The beginning of a function's name, as its author wrote it.
fn readable(name: &str) -> String {
    let mut beginning = Beginning(String::new());
    // Writing ends with an error where the name goes on.
    if write!(beginning, "{:#}", demangle(name)).is_err() {
        beginning.0.push('…');
    }
    beginning.0
}

/// The first [`NAME_BYTES`] of a text.
struct Beginning(String);

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = NAME_BYTES.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_the_name_that_its_author_wrote() {
        for (name, shown) in [
            (
                "_ZN4core9panicking5panic17h0123456789abcdefE",
                "core::panicking::panic",
            ),
            ("judge", "judge"),
            ("", ""),
        ] {
            assert_eq!(readable(name), shown);
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let as_it_is = readable(&"é".repeat(50_000));
        assert_eq!(as_it_is, "é".repeat(NAME_BYTES / 2) + "…");
        let mangled = format!("_ZN{}17h0123456789abcdefE", "1a".repeat(50_000));
        let demangled = readable(&mangled);
        assert!(demangled.starts_with("a::a::a::"), "{demangled}");
        assert_eq!(demangled.len(), NAME_BYTES + "…".len());
    }
}
