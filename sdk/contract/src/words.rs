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
    /// How the proxy learned of a host.
    Protocol {
        /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
        Http = "http",
        /// A CONNECT request (RFC 9110, section 9.3.6).
        Connect = "connect",
        /// A SOCKS request.
        Socks = "socks",
        /// The server name in a TLS handshake (RFC 6066, section 3).
        Tls = "tls",
    }

    /// What else a verdict holds for when the proxy keeps it.
    Scope {
        /// The same host, whatever the port, the protocol and the client.
        Host = "host",
        /// The same host for clients at the same address.
        ClientAndHost = "client-and-host",
    }

    /// What a verdict does, without its parts.
    VerdictKind {
        /// No opinion: the next filter is asked.
        Next = "next",
        /// The request passes, and no further filter is asked.
        Allow = "allow",
        /// The request is refused.
        Block = "block",
        /// The client is sent elsewhere.
        Redirect = "redirect",
        /// The client gets another answer than the origin's.
        Replace = "replace",
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
