//! Lists that the proxy fetches, keeps up to date and shares among all filters. A filter sees those
//! that the operator grants.
//!
//! ```
//! use portcullis_sdk::{Exchange, Verdict, feeds, testing};
//!
//! fn judge(exchange: &Exchange) -> Verdict {
//!     match feeds::find(exchange.host()).filter(feeds::Match::is_listed) {
//!         Some(found) => Verdict::block(format!("{} is on the list {}", found.rule, found.feed)),
//!         None => Verdict::next(),
//!     }
//! }
//!
//! testing::feed("malware", ["evil.example"]);
//! let verdict = judge(&testing::exchange("www.evil.example"));
//! assert_eq!(verdict, Verdict::block("evil.example is on the list malware"));
//! ```
//!
//! Of one feed, the entry that decides by the rules of its format counts. Of several, it is that of
//! the first feed that lists the host, or else of the first feed that excepts it. Before all of
//! them comes a feed with `kind = "allow"` that has the host: its entry is found as
//! [excepted](Kind::Excepted), whatever others list. A feed that has no data yet has no entries.

pub use crate::error::FeedError as Error;
pub use crate::feed_match::{Kind, Match};
use crate::proxy;

/// The names of the feeds that the filter may look into, in order.
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

/// Looks a name or an address up in all feeds.
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed("malware", ["evil.example", "10.0.0.0/8"]);
/// assert!(feeds::find("www.evil.example").is_some_and(|found| found.is_listed()));
/// assert!(feeds::find("10.1.2.3").is_some_and(|found| found.rule == "10.0.0.0/8"));
/// assert!(feeds::find("notevil.example").is_none());
/// ```
pub fn find(host: impl AsRef<str>) -> Option<Match> {
    proxy::find(host.as_ref())
}

/// The same in some of them, in this order.
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed("ads", ["example"]);
/// testing::feed("malware", ["evil.example"]);
/// let found = feeds::find_in(&["malware", "ads"], "evil.example")?;
/// assert_eq!(found.map(|found| found.feed).as_deref(), Some("malware"));
/// # Ok::<(), feeds::Error>(())
/// ```
pub fn find_in(feeds: &[impl AsRef<str>], host: impl AsRef<str>) -> Result<Option<Match>, Error> {
    let feeds: Vec<&str> = feeds.iter().map(AsRef::as_ref).collect();
    proxy::find_in(&feeds, host.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn rule(host: &str) -> Option<(String, Kind)> {
        find(host).map(|found| (found.rule, found.kind))
    }

    #[test]
    fn of_a_feed_an_exception_decides_or_else_the_most_specific_entry() {
        assert!(names().is_empty());
        let entries = [
            "evil.example",
            "A.evil.example",
            "@@b.evil.example",
            "@@c.b.evil.example",
            "d.c.b.evil.example",
        ];
        testing::feed("malware", entries);
        testing::feed("empty", [""; 0]);
        assert_eq!(names(), ["empty", "malware"]);
        for (host, expected) in [
            ("b.a.evil.example", Some(("A.evil.example", Kind::Listed))),
            ("WWW.evil.example.", Some(("evil.example", Kind::Listed))),
            (
                "x.b.evil.example",
                Some(("@@b.evil.example", Kind::Excepted)),
            ),
            (
                "d.c.b.evil.example",
                Some(("@@c.b.evil.example", Kind::Excepted)),
            ),
            ("notevil.example", None),
            ("not a host", None),
        ] {
            let expected = expected.map(|(rule, kind)| (rule.to_owned(), kind));
            assert_eq!(rule(host), expected, "{host}");
        }
    }

    #[test]
    fn networks_cover_addresses_and_an_exception_or_else_the_smallest_decides() {
        testing::feed(
            "networks",
            [
                "10.0.0.0/8",
                "@@10.1.0.0/16",
                "10.1.2.3",
                "10.2.0.0/16",
                "2001:db8::/32",
            ],
        );
        for (host, expected) in [
            ("10.3.0.1", Some("10.0.0.0/8")),
            ("10.2.0.1", Some("10.2.0.0/16")),
            ("10.1.0.1", Some("@@10.1.0.0/16")),
            ("10.1.2.3", Some("@@10.1.0.0/16")),
            ("2001:db8::1", Some("2001:db8::/32")),
            ("11.0.0.1", None),
        ] {
            assert_eq!(
                rule(host).map(|(rule, _)| rule).as_deref(),
                expected,
                "{host}"
            );
        }
    }

    #[test]
    fn a_feed_that_lists_a_host_precedes_one_that_excepts_it() {
        testing::feed("a", ["@@evil.example"]);
        testing::feed("b", ["evil.example"]);
        let found = find_in(&["a", "b"], "evil.example").unwrap().unwrap();
        assert_eq!((&*found.feed, found.is_listed()), ("b", true));
        let found = find_in(&["a"], "evil.example").unwrap().unwrap();
        assert!(!found.is_listed());
    }

    #[test]
    fn a_feed_that_is_not_there_or_not_granted_is_an_error() {
        testing::feed("malware", ["evil.example"]);
        testing::feed_without_grant("secret");
        assert_eq!(names(), ["malware"]);
        let found = |feed| find_in(&["malware", feed], "evil.example");
        assert_eq!(found("malwre"), Err(Error::Unknown("malwre".into())));
        assert_eq!(found("secret"), Err(Error::NotGranted("secret".into())));
    }
}
