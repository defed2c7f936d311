//! Lists of domains that the proxy fetches, keeps up to date and shares among all filters.
//!
//! ```
//! use portcullis_sdk::{Error, Flow, Protocol, Verdict, feeds, testing};
//!
//! fn judge(flow: &Flow) -> Result<Verdict, Error> {
//!     Ok(match feeds::lookup("malware", flow.host())? {
//!         Some(rule) => Verdict::block(format!("{rule} is known for malware")),
//!         None => Verdict::NEXT,
//!     })
//! }
//!
//! testing::feed("malware", ["evil.example"]);
//! let flow = Flow::new("www.evil.example", 443, Protocol::Connect);
//! assert_eq!(judge(&flow)?, Verdict::block("evil.example is known for malware"));
//! # Ok::<(), Error>(())
//! ```

use crate::Error;
use crate::proxy;

/// The names of all feeds, in order.
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed("phishing", ["evil.example"]);
/// testing::feed("malware", ["worse.example"]);
/// assert_eq!(feeds::names(), ["malware", "phishing"]);
/// ```
pub fn names() -> Vec<String> {
    proxy::feed_names()
}

/// The most specific entry of `feed` that covers `host`: the host itself or the nearest domain
/// above it that is listed.
///
/// A feed that has no data yet covers nothing. Fails if there is no feed of that name.
///
/// ```
/// use portcullis_sdk::{Error, feeds, testing};
///
/// testing::feed("malware", ["example", "evil.example"]);
/// let rule = feeds::lookup("malware", "www.evil.example")?;
/// assert_eq!(rule.as_deref(), Some("evil.example"));
/// assert_eq!(feeds::lookup("malware", "www.example.org")?, None);
/// # Ok::<(), Error>(())
/// ```
pub fn lookup(feed: &str, host: impl AsRef<str>) -> Result<Option<String>, Error> {
    proxy::lookup(feed, host.as_ref()).map_err(Error::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_most_specific_entry_covers_a_host() {
        assert!(names().is_empty());
        testing::feed("malware", ["evil.example", "A.evil.example"]);
        testing::feed("empty", [""; 0]);

        assert_eq!(names(), ["empty", "malware"]);
        for (host, rule) in [
            ("b.a.evil.example", Some("a.evil.example")),
            ("WWW.evil.example.", Some("evil.example")),
            ("notevil.example", None),
        ] {
            assert_eq!(lookup("malware", host), Ok(rule.map(String::from)));
            assert_eq!(lookup("empty", host), Ok(None));
        }
        assert_eq!(
            lookup("malwre", "evil.example"),
            Err(Error::new("there is no feed named malwre"))
        );
    }
}
