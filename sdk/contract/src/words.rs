//! The words of the contract, each an enum with its spelling in logs, reports and test cases.

use std::fmt;

/// Declares an enum with the word for each of its variants.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$what])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one that a word stands for.
            pub fn from_name(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == word)
            }
        }
    )+};
}

words! {
    /// How a client speaks to the proxy.
    Protocol {
        /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
        Http = "http",
        /// A CONNECT request (RFC 9110, section 9.3.6).
        Connect = "connect",
        /// SOCKS version 4, or 4a.
        Socks4 = "socks4",
        /// SOCKS version 5 (RFC 1928).
        Socks5 = "socks5",
    }

    /// Where the host that is judged was found.
    FoundIn {
        /// In what the client has asked for.
        Request = "request",
        /// In the TLS handshake inside a tunnel (RFC 6066, section 3).
        ServerName = "server-name",
        /// In the Host field of an HTTP request inside a tunnel, whatever the tunnel leads to.
        HostField = "host-field",
    }

    /// How an exchange has ended.
    Outcome {
        /// The client got the origin's answer.
        Passed = "passed",
        /// It was refused.
        Blocked = "blocked",
        /// The client was sent elsewhere.
        Redirected = "redirected",
        /// The client got another answer than the origin's.
        Replaced = "replaced",
        /// The connection was closed without an answer.
        Dropped = "dropped",
        /// The proxy could not serve it.
        Failed = "failed",
    }

    /// A fact about an exchange that a filter can ask for when it judges a host, besides the host
    /// and the port. A kept verdict holds where those agree that the filter has asked for.
    Fact {
        /// `exchange.id`. What a filter has noted about the exchange counts as this, too.
        Exchange = "exchange.id",
        /// `exchange.protocol`.
        Protocol = "exchange.protocol",
        /// `exchange.found-in`.
        FoundIn = "exchange.found-in",
        /// `exchange.server-name`.
        ServerName = "exchange.server-name",
        /// `exchange.listener`.
        Listener = "exchange.listener",
        /// `exchange.started`.
        Started = "exchange.started",
        /// `client.address`.
        ClientAddress = "client.address",
        /// `client.user`.
        User = "client.user",
        /// `client.groups`.
        Groups = "client.groups",
    }

    // Filters match on these three without a case for what they do not know: a variant or an enum
    // of the contract has the same cases in every later version.
    /// What a verdict does, without its parts.
    VerdictKind {
        /// No opinion: the next filter is asked.
        Next = "next",
        /// The exchange passes the hook, and no further filter is asked there.
        Allow = "allow",
        /// The exchange is refused.
        Block = "block",
        /// The client is sent elsewhere.
        Redirect = "redirect",
        /// The client gets another answer than the origin's.
        Replace = "replace",
        /// The connection is closed without an answer.
        Drop = "drop",
        /// A person is asked.
        Ask = "ask",
    }

    /// What becomes of an exchange that no person has decided about.
    Fallback {
        /// The next filter is asked.
        Next = "next",
        /// The exchange is refused with status 403.
        Block = "block",
    }

    /// How much a line of the log matters.
    Level {
        /// Every step.
        Trace = "trace",
        /// For those who debug the filter.
        Debug = "debug",
        /// Worth knowing in normal operation.
        Info = "info",
        /// Something is degraded.
        Warn = "warn",
        /// The operator must act.
        Error = "error",
    }
}

impl VerdictKind {
    /// Whether the request goes on.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Next | Self::Allow)
    }
}

/// Facts, each at most once.
///
/// ```
/// use portcullis_contract::{Fact, Facts};
///
/// let mut asked = Facts::NONE;
/// asked.add(Fact::User);
/// assert!(asked.has(Fact::User) && !asked.has(Fact::Groups));
/// assert_eq!(asked.iter().map(Fact::name).collect::<Vec<_>>(), ["client.user"]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts(u16);

impl Facts {
    /// No fact.
    pub const NONE: Self = Self(0);

    /// Adds a fact.
    pub const fn add(&mut self, fact: Fact) {
        self.0 |= 1 << fact as u16;
    }

    /// Whether the fact is among them.
    pub const fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u16) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of the declaration.
    pub fn iter(self) -> impl Iterator<Item = Fact> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            // Behind the last bit there is no fact.
            let fact = Fact::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(*fact)
        })
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<T: IntoIterator<Item = Fact>>(facts: T) -> Self {
        let mut all = Self::NONE;
        facts.into_iter().for_each(|fact| all.add(fact));
        all
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stands_for_what_has_it_as_its_name() {
        for kind in VerdictKind::ALL {
            assert_eq!(VerdictKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(VerdictKind::from_name("Allow"), None);
    }
}
