//! The words of the contract as a filter meets them. There may be more of them one day, so each
//! enum has room for one that this version of the SDK does not know.

use std::fmt;

/// Declares an enum with its words, which are those of the contract's enum of that path.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident of $contract:ident {
        $($(#[$what:meta])* $variant:ident,)+
    })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$what])* $variant,)+
            /// A word that this version of the SDK does not know. Treat it as one that the filter
            /// does not care about.
            Other(String),
        }

        impl $name {
            /// The word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => portcullis_contract::$contract::$variant.name(),)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match &*word {
                    $(word if word == Self::$variant.as_str() => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::from(word.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

words! {
    /// How a client speaks to the proxy.
    ///
    /// ```
    /// use portcullis_sdk::{Exchange, Protocol, testing};
    ///
    /// /// Whether the request's URL and header fields will be seen, too.
    /// fn is_visible(exchange: &Exchange) -> bool {
    ///     exchange.protocol() == Protocol::Http
    /// }
    ///
    /// assert!(is_visible(&testing::exchange("www.example").with_protocol("http")));
    /// assert!(!is_visible(&testing::exchange("www.example")));
    /// ```
    Protocol of Protocol {
        /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
        Http,
        /// A CONNECT request (RFC 9110, section 9.3.6).
        Connect,
        /// SOCKS version 4, or 4a.
        Socks4,
        /// SOCKS version 5 (RFC 1928).
        Socks5,
    }

    /// Where the host that is judged was found.
    ///
    /// A tunnel in which the proxy finds another name is judged a second time. A filter that counts
    /// exchanges wants to count it once:
    ///
    /// ```
    /// use portcullis_sdk::{Exchange, FoundIn, testing};
    ///
    /// fn is_new(exchange: &Exchange) -> bool {
    ///     exchange.found_in() == FoundIn::Request
    /// }
    ///
    /// assert!(is_new(&testing::exchange("www.example")));
    /// assert!(!is_new(&testing::exchange("www.example").with_found_in("server-name")));
    /// ```
    FoundIn of FoundIn {
        /// In what the client has asked for.
        Request,
        /// In the TLS handshake inside a tunnel (RFC 6066, section 3).
        ServerName,
        /// In the Host field of an HTTP request inside a tunnel, whatever the tunnel leads to.
        HostField,
    }

    /// How an exchange has ended; see [`Outcome::how`](crate::Outcome::how).
    How of Outcome {
        /// The client got the origin's answer.
        Passed,
        /// It was refused.
        Blocked,
        /// The client was sent elsewhere.
        Redirected,
        /// The client got another answer than the origin's.
        Replaced,
        /// The connection was closed without an answer.
        Dropped,
        /// The proxy could not serve it.
        Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_later_version_is_kept() {
        assert_eq!(Protocol::from("connect"), Protocol::Connect);
        let later = Protocol::from("masque");
        assert_eq!(later, Protocol::Other("masque".into()));
        assert_eq!(later.to_string(), "masque");
    }
}
