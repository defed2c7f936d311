//! Test cases of Portcullis filters: a file that says what a filter is asked and what it should answer. The same file is run natively, by
//! `portcullis_sdk::testing::cases`, and against the built `.wasm`, by `portcullis plugin test`.
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
//! // Whoever runs the filter says what it did.
//! let observed = Observed::new(Answer::Next);
//! let outcome = cases.cases[0].compare(&observed);
//! assert_eq!(
//!     outcome.differences[0].to_string(),
//!     "the verdict: expected block, got next"
//! );
//! # Ok::<(), portcullis_cases::Error>(())
//! ```
//!
//! # The format
//!
//! At the top of the file, all optional:
//!
//! | key | meaning |
//! |---|---|
//! | `now` | the time when the first case begins, in UTC; the beginning of 1970 if there is none |
//! | `[config]` | the filter's configuration, in place of that in `NAME.toml` |
//! | `[feeds]` | the feeds that there are, each a list of domains |
//!
//! Each `[[case]]` asks one thing:
//!
//! | key | meaning |
//! |---|---|
//! | `name` | what the case is about; what it asks, if there is none |
//! | `host` | `a.example`, `a.example:8443` or `[2001:db8::1]:443`: what the `judge-host` hook is asked |
//! | `protocol` | `connect`, with port 443 unless another is named, or `http`, with port 80 |
//! | `url` | in place of `host`: an `http` URL, whose host is judged and then the request (`judge-request`); of an `https` URL, the host |
//! | `method`, `headers` | of the request: `GET`, and none |
//! | `response` | `{ status = 200, headers = { … } }`: what the origin answers, if the request passes (`judge-response`) |
//! | `tick` | `true`, in place of `host`: the `tick` hook is called |
//! | `client` | the address that the request comes from |
//! | `after` | the time that passes before, such as `60s` |
//! | `fresh` | `true` begins anew: a new filter, no state, no metrics, the clock at `now` |
//!
//! A hook is asked if those before it have let the message pass.
//!
//! **State and time go on from case to case**, as they do in the proxy, until a case is `fresh`. Verdicts that may be cached are not: every
//! case asks.
//!
//! And each says what it expects. But for `expect`, which only a `tick` can do without, what is not mentioned may be anything:
//!
//! | key | meaning |
//! |---|---|
//! | `expect` | `next`, `allow`, `block`, `redirect`, `replace`, or `error` if it should fail: the last opinion of the hooks that were asked |
//! | `status` | of a refusal, a redirect or a replaced answer |
//! | `reason` | of a refusal |
//! | `location` | of a redirect |
//! | `content_type`, `body` | of a replaced answer |
//! | `error` | a part of what the failure says |
//! | `cached` | for how long the proxy may use the answer about the host again, such as `60s`, or `false` |
//! | `cached_for` | `host` or `client-and-host` |
//! | `pause` | the time after which the `tick` hook wants to be called again |
//! | `log` | parts of lines that are logged, each after its level, as in `warn: 3 left`; `[]` if there is none |
//! | `request_headers`, `response_headers` | fields by name as the message goes on: a value, a list of values, or `false` if there is none |
//! | `state` | what is remembered afterwards, by key: text, a number, or `false` for nothing |
//! | `metrics` | numbers by name, or `false` for none |

mod case;
mod compare;
mod document;
mod format;
pub mod limits;
mod report;
mod target;
mod value;

pub use case::{
    Answer, Case, Cases, Expected, Level, Message, Observed, Protocol, Question, Scope, Word,
};
pub use compare::Difference;
pub use document::Error;
pub use report::{Outcome, Report};
