//! Test cases of Portcullis filters: a file that says what a filter is asked and what it should
//! answer. The same file is run natively, by `portcullis_sdk::testing::cases`, and against the
//! built `.wasm`, by `portcullis plugin test`.
//!
//! ```
//! use portcullis_cases::{Answer, Cases, Observed};
//!
//! let cases = Cases::parse(
//!     r#"
//!     now = "2026-03-02T09:00:00Z"
//!
//!     [feeds]
//!     malware = ["evil.example"]
//!
//!     [[case]]
//!     name = "a name below a listed one is blocked"
//!     host = "www.evil.example"
//!     expect = "block"
//!     reason = "evil.example is on the list malware"
//!     "#,
//!     "cases.toml",
//! )?;
//!
//! // The caller runs the filter and says what it did.
//! let observed = Observed::new(Answer::Next);
//! let outcome = cases.cases[0].compare(&observed);
//! assert_eq!(
//!     outcome.differences[0].to_string(),
//!     "the verdict: expected block, got next"
//! );
//! # Ok::<(), portcullis_cases::Error>(())
//! ```
//!
#![doc = include_str!("../FORMAT.md")]

mod case;
mod compare;
mod document;
mod format;
mod metric;
mod report;
mod url;
mod value;

pub use case::{
    Answer, Case, Cases, Ended, ExchangeFacts, Expected, Message, Observed, Question, Word,
};
pub use compare::{Difference, Outcome};
pub use document::Error;
pub use report::Report;

/// The format of a file of cases, as text for people (Markdown).
pub const FORMAT: &str = include_str!("../FORMAT.md");
