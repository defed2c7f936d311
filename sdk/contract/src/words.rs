//! The words of the contract, each an enum with its spelling in logs, reports and test cases.

use std::fmt;

/// How the proxy learned of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// An absolute-form HTTP request (RFC 9112, section 3.2.2).
    Http,
    /// A CONNECT request (RFC 9110, section 9.3.6).
    Connect,
    /// A SOCKS request.
    Socks,
    /// The server name in a TLS handshake (RFC 6066, section 3).
    Tls,
}

impl Protocol {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Connect => "connect",
            Self::Socks => "socks",
            Self::Tls => "tls",
        }
    }
}

/// What else a verdict holds for when the proxy keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The same host, whatever the port, the protocol and the client.
    Host,
    /// The same host for clients at the same address.
    ClientAndHost,
}

impl Scope {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ClientAndHost => "client-and-host",
        }
    }
}

/// What a verdict does, without its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// No opinion: the next filter is asked.
    Next,
    /// The request passes, and no further filter is asked.
    Allow,
    /// The request is refused.
    Block,
    /// The client is sent elsewhere.
    Redirect,
    /// The client gets another answer than the origin's.
    Replace,
}

impl VerdictKind {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Redirect => "redirect",
            Self::Replace => "replace",
        }
    }

    /// Whether the request goes on.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Next | Self::Allow)
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// For those who debug the filter.
    Debug,
    /// Worth knowing in normal operation.
    Info,
    /// Something is degraded.
    Warn,
    /// The operator must act.
    Error,
}

impl Level {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
