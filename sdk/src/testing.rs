//! Tests of a filter without WASM and without a proxy: what the filter asks of the proxy is
//! answered by a mock.
//!
//! The mock belongs to the thread, and `cargo test` gives each test a thread of its own, so every
//! test begins with no feeds, no state and an empty log.
//!
//! ```
//! use portcullis_sdk::{Error, Exchange, Filter, Level, Schema, Verdict, feeds, filter, testing, warn};
//!
//! #[derive(serde::Deserialize, Schema)]
//! struct Guard {
//!     feed: String,
//! }
//!
//! #[filter]
//! impl Filter for Guard {
//!     type Config = Self;
//!
//!     fn new(config: Self) -> Result<Self, Error> {
//!         Ok(config)
//!     }
//!
//!     fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
//!         let found = feeds::find_in(&[&self.feed], exchange.host())?;
//!         let Some(found) = found.filter(feeds::Match::is_listed) else {
//!             return Ok(Verdict::next());
//!         };
//!         warn!("{} is covered by {}", exchange.host(), found.rule);
//!         Ok(Verdict::block("listed"))
//!     }
//! }
//!
//! testing::feed("malware", ["evil.example"]);
//! let guard: Guard = testing::init(r#"{"feed": "malware"}"#)?;
//!
//! let verdict = guard.judge_host(&testing::exchange("www.evil.example"))?;
//! assert_eq!(verdict, Verdict::block("listed"));
//! assert_eq!(
//!     testing::logs(),
//!     [(Level::Warn, "www.evil.example is covered by evil.example".to_owned())]
//! );
//! # Ok::<(), Error>(())
//! ```

mod cases;
mod mocks;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::manifest::Described;
use crate::proxy::mock;
use crate::{Error, Filter, Level, config};

pub use mocks::{
    MockExchange, MockOutcome, MockRequest, MockResponse, exchange, outcome, request, response,
};

/// Makes a filter as the proxy does: from its configuration as JSON, or from an empty text for
/// none.
///
/// ```
/// use portcullis_sdk::{Error, Filter, testing};
///
/// struct Quota(u32);
///
/// impl Filter for Quota {
///     type Config = u32;
///
///     fn new(most: u32) -> Result<Self, Error> {
///         match most {
///             0 => Err(Error::new("a quota of 0 is none")),
///             _ => Ok(Self(most)),
///         }
///     }
/// }
///
/// assert_eq!(testing::init::<Quota>("3")?.0, 3);
/// let refusal = testing::init::<Quota>("0").err();
/// assert_eq!(refusal, Some(Error::new("a quota of 0 is none")));
/// # Ok::<(), Error>(())
/// ```
pub fn init<F: Filter>(config: &str) -> Result<F, Error> {
    F::new(config::parse(config)?)
}

/// What the proxy reads in the filter's WASM file before it runs it, as JSON: name, version and
/// description of the crate, the hooks, and the JSON Schema of the configuration.
///
/// ```
/// use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, filter, testing};
///
/// #[derive(serde::Deserialize, Schema)]
/// struct Guard {
///     /// The feed whose hosts are blocked.
///     feed: String,
/// }
///
/// #[filter]
/// impl Filter for Guard {
///     type Config = Self;
///
///     fn new(config: Self) -> Result<Self, Error> {
///         Ok(config)
///     }
///
///     fn judge_host(&self, _: &Exchange) -> Result<Verdict, Error> {
///         Ok(Verdict::next())
///     }
/// }
///
/// let manifest = testing::manifest::<Guard>();
/// assert!(manifest.contains(r#""hooks":["judge-host"]"#));
/// assert!(manifest.contains("The feed whose hosts are blocked."));
/// ```
pub fn manifest<F: Described>() -> String {
    F::MANIFEST.to_json()
}

/// Asks the filter what a file of cases asks, and panics with a report if anything is not as the
/// file expects. The path is meant from the folder of the crate's `Cargo.toml`.
/// [`portcullis_cases`] describes the format; `portcullis plugin test` runs the same file against
/// the built filter.
///
/// The mock of this thread begins anew, with what the file says of feeds and time. As in the proxy,
/// a filter that has failed is made again, a verdict that cannot be carried out is a failure, and
/// so is a panic.
///
/// ```no_run
/// # use portcullis_sdk::{Error, Filter};
/// # struct Guard;
/// # impl Filter for Guard {
/// #     type Config = ();
/// #     fn new(_: ()) -> Result<Self, Error> { Ok(Self) }
/// # }
/// // cases.toml:
/// //     [[case]]
/// //     host = "10.0.0.1"
/// //     expect = "block"
/// //     reason = "a name is needed"
/// portcullis_sdk::testing::cases::<Guard>("cases.toml");
/// ```
#[track_caller]
pub fn cases<F: Filter>(file: impl AsRef<Path>) {
    let file = file.as_ref();
    let name = file.display().to_string();
    let text = fs::read_to_string(file);
    let run = text
        .map_err(|error| format!("cannot read {name}: {error}"))
        .and_then(|text| cases::run::<F>(&text, &name));
    match run {
        Ok(report) if report.is_ok() => {}
        Ok(report) => panic!("\n{}", report.failures()),
        Err(problem) => panic!("\n{problem}"),
    }
}

/// Gives this thread's mock a feed with these entries, in place of any feed of that name: domains
/// with every name below them, addresses, and networks such as `10.0.0.0/8`. Behind `@@` they are
/// exceptions, which precede the others, however specific either are.
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed("malware", ["evil.example", "@@good.evil.example"]);
/// assert!(feeds::find("www.evil.example").is_some_and(|found| found.is_listed()));
/// assert!(!feeds::find("good.evil.example").is_some_and(|found| found.is_listed()));
/// ```
pub fn feed<E: AsRef<str>>(name: &str, entries: impl IntoIterator<Item = E>) {
    let entries = entries.into_iter();
    mock::set_feed(name, entries.map(|entry| entry.as_ref().to_owned()));
}

/// Gives this thread's mock a feed that the operator does not grant to the filter.
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed_without_grant("secret");
/// let refused = feeds::find_in(&["secret"], "www.example");
/// assert_eq!(refused, Err(feeds::Error::NotGranted("secret".into())));
/// ```
pub fn feed_without_grant(name: &str) {
    mock::deny_feed(name);
}

/// Has [`random`](crate::random) on this thread give other numbers, the same for each seed.
///
/// ```
/// use portcullis_sdk::{random, testing};
///
/// testing::set_seed(7);
/// let number = random::number();
/// testing::set_seed(7);
/// assert_eq!(random::number(), number);
/// ```
pub fn set_seed(seed: u64) {
    mock::set_seed(seed);
}

/// Lets time pass on this thread: [`clock`](crate::clock) shows it, and what
/// [`state`](crate::state) keeps only for a while expires. Of itself no time passes there.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{state, testing};
///
/// state::increment("www.example", 1, Some(Duration::from_secs(60)))?;
/// testing::advance(Duration::from_secs(59));
/// assert_eq!(state::text("www.example")?.as_deref(), Some("1"));
/// testing::advance(Duration::from_secs(1));
/// assert_eq!(state::text("www.example")?, None);
/// # Ok::<(), state::Error>(())
/// ```
pub fn advance(time: Duration) {
    mock::advance(time);
}

/// Sets the clock of this thread, which stands at the beginning of 1970 in UTC.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use portcullis_sdk::{clock, testing};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_000);
/// testing::set_time(time);
/// assert_eq!(clock::now(), time);
/// ```
pub fn set_time(time: SystemTime) {
    mock::set_time(time);
}

/// A counter or gauge of [`metrics`](crate::metrics) on this thread; none if nothing was kept by
/// that name and these labels. A histogram `wait` is `wait_count` and `wait_sum`.
///
/// ```
/// use portcullis_sdk::{metrics, testing};
///
/// metrics::count("lookups", 3, &[("list", "ads")]);
/// assert_eq!(testing::metric("lookups", &[("list", "ads")]), Some(3.0));
/// assert_eq!(testing::metric("lookups", &[]), None);
/// ```
pub fn metric(name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    mock::metric(name, labels)
}

/// The lines that were logged on this thread since the last call.
///
/// ```
/// use portcullis_sdk::{Level, info, testing};
///
/// info!("ready");
/// assert_eq!(testing::logs(), [(Level::Info, "ready".to_owned())]);
/// assert_eq!(testing::logs(), []);
/// ```
pub fn logs() -> Vec<(Level, String)> {
    mock::take_logs()
}
