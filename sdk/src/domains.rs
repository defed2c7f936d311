//! Domains as an operator lists them: the type that a configuration has where it says which hosts
//! are meant.

use std::collections::BinaryHeap;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::{Error, Host};

/// Domains with every name below them; `*` among them stands for all hosts there are, addresses
/// too. Looking a host up takes a handful of comparisons, however many there are. (For lists that
/// are fetched, or of a million names, there are [`feeds`](crate::feeds).)
///
/// ```
/// use portcullis_sdk::{Domains, Error, Exchange, Filter, Schema, Verdict, filter, testing};
///
/// #[derive(serde::Deserialize, Schema)]
/// struct Closed {
///     hosts: Domains,
/// }
///
/// #[filter]
/// impl Filter for Closed {
///     type Config = Self;
///
///     fn new(config: Self) -> Result<Self, Error> {
///         Ok(config)
///     }
///
///     fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
///         Ok(match self.hosts.most_specific(exchange.host()) {
///             Some(domain) => Verdict::block(format!("{domain} is closed")),
///             None => Verdict::next(),
///         })
///     }
/// }
///
/// let filter: Closed = testing::init(r#"{"hosts": ["example.com", "b.example.com"]}"#)?;
/// let judge = |host| filter.judge_host(&testing::exchange(host));
/// assert_eq!(judge("a.b.example.com")?, Verdict::block("b.example.com is closed"));
/// assert_eq!(judge("example.org")?, Verdict::next());
///
/// let error = testing::init::<Closed>(r#"{"hosts": ["example.com", "*.example.org"]}"#).err();
/// assert!(error.is_some_and(|error| error.to_string().starts_with("hosts[1]: ")));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// Sorted.
    listed: Vec<Host>,
    has_all: bool,
}

/// What stands for all hosts.
const ALL: &str = "*";

impl Domains {
    /// Every host there is.
    pub const fn all() -> Self {
        Self {
            listed: Vec::new(),
            has_all: true,
        }
    }

    /// The most specific entry that covers the host.
    pub fn most_specific(&self, host: &Host) -> Option<&str> {
        host.suffixes()
            .find_map(|name| {
                let at = self
                    .listed
                    .binary_search_by(|listed| listed.as_str().cmp(name));
                Some(self.listed.get(at.ok()?)?.as_str())
            })
            .or(self.has_all.then_some(ALL))
    }

    /// Whether an entry covers the host.
    pub fn covers(&self, host: &Host) -> bool {
        self.most_specific(host).is_some()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && !self.has_all
    }
}

impl FromIterator<Host> for Domains {
    fn from_iter<I: IntoIterator<Item = Host>>(domains: I) -> Self {
        // The code for sorting that a heap brings into the filter is a tenth of `sort`'s.
        let listed: BinaryHeap<Host> = domains.into_iter().collect();
        Self {
            listed: listed.into_sorted_vec(),
            has_all: false,
        }
    }
}

impl<'de> Deserialize<'de> for Domains {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let has_all = entries.iter().any(|entry| entry.0.is_none());
        let listed: Self = entries.into_iter().filter_map(|entry| entry.0).collect();
        Ok(Self { has_all, ..listed })
    }
}

/// A domain, or none for all of them. Read one by one, so that an error has the entry's place.
struct Entry(Option<Host>);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == ALL {
            return Ok(Self(None));
        }
        let unreadable = |error: Error| {
            D::Error::custom(format_args!(
                "{error}; it stands for every name below it too"
            ))
        };
        Ok(Self(Some(text.parse().map_err(unreadable)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn most_specific(entries: &[&str], host: &str) -> Option<String> {
        let json = serde_json::to_string(entries).unwrap();
        let domains: Domains = config::parse(&json).unwrap();
        domains
            .most_specific(&host.parse().unwrap())
            .map(String::from)
    }

    #[test]
    fn the_most_specific_entry_covers_a_host() {
        let entries = ["b.example", "*", "a.b.example", "b.example"];
        for (host, entry) in [
            ("x.a.b.example", "a.b.example"),
            ("a.b.example", "a.b.example"),
            ("xa.b.example", "b.example"),
            ("xb.example", "*"),
            ("10.0.0.1", "*"),
        ] {
            assert_eq!(
                most_specific(&entries, host).as_deref(),
                Some(entry),
                "{host}"
            );
        }
        assert_eq!(most_specific(&["b.example"], "xb.example"), None);
        assert_eq!(most_specific(&[], "b.example"), None);
    }

    #[test]
    fn an_entry_is_brought_into_the_spelling_of_a_host() {
        assert!(most_specific(&[".Example.COM."], "www.example.com").is_some());
        assert!(most_specific(&["2001:DB8:0::1"], "2001:db8::1").is_some());
    }

    #[test]
    fn an_entry_that_is_no_host_is_named_with_its_place() {
        let error = config::parse::<Domains>(r#"["*", "*.example.com"]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "[1]: `*.example.com` is not a host; write it like example.com or 10.0.0.1, and in other scripts as xn--…; \
             it stands for every name below it too"
        );
    }

    #[test]
    fn a_set_is_empty_that_covers_nothing() {
        assert!(Domains::default().is_empty());
        assert!(!Domains::all().is_empty());
        assert!(Domains::all().covers(&"10.0.0.1".parse().unwrap()));
    }
}
