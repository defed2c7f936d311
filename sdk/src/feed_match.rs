//! An entry of a feed, as `feeds` hands it out and `proxy` gets it.

// An enum of the contract can have no other case in any later version, so there is none for what
// this version does not know.
/// What an entry says about the hosts that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// They are on the list.
    Listed,
    /// They are not on it, because an entry of the same list says so, or they are on a feed that the
    /// operator has declared as `kind = "allow"`.
    Excepted,
}

/// The entry of a feed that decides about a host. **It may be an exception**: ask
/// [`is_listed`](Self::is_listed).
///
/// ```
/// use portcullis_sdk::{feeds, testing};
///
/// testing::feed("malware", ["evil.example"]);
/// let found = feeds::find("www.evil.example").unwrap();
/// assert!(found.is_listed());
/// assert_eq!((&*found.feed, &*found.rule), ("malware", "evil.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// The feed's name in the settings.
    pub feed: String,
    /// Which of the feed's sources: a path, or a URL without user, password and query.
    pub source: String,
    /// The entry as it is written there.
    pub rule: String,
    /// Its line there, from 1; none if the source has no lines.
    pub line: Option<u32>,
    /// What it says.
    pub kind: Kind,
}

impl Match {
    /// Whether the host is on the list, rather than excepted from it.
    pub fn is_listed(&self) -> bool {
        self.kind == Kind::Listed
    }
}
