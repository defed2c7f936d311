//! Why a name has no addresses. Everything in `resolve` answers with it.

use std::io;
use std::sync::Arc;

use hickory_resolver::net::NetError;

use crate::error::Error;
use crate::upstream::dial;
use crate::upstream::tls::TlsError;

/// What a DNS server has said of a name that leads nowhere. It is an answer, and is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Absence {
    #[error("there is no such name")]
    Name,
    #[error("it has no address")]
    Address,
}

impl Absence {
    /// What is said of a name that may stand for one of two.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Name, Self::Name) => Self::Name,
            (Self::Address, _) | (_, Self::Address) => Self::Address,
        }
    }
}

/// Why there is no answer, or none with an address.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Absent(#[from] Absence),
    #[error("no DNS server has answered in time")]
    Timeout,
    #[error(transparent)]
    Servers(#[from] NetError),
    /// A server that is asked over TLS or HTTPS. No other way to it is tried.
    #[error("the DNS server {server} cannot be asked: {reason}")]
    Encrypted { server: Arc<str>, reason: Arc<str> },
    /// The same, as it is not known where it is.
    #[error("the DNS server {server} cannot be asked, as its own name does not resolve: {reason}")]
    Unfound { server: Arc<str>, reason: Arc<str> },
    /// It is the proxy itself.
    #[error("the DNS server {server} is not asked: {reason}")]
    Own { server: Arc<str>, reason: Arc<str> },
    #[error(transparent)]
    Trust(Arc<TlsError>),
    #[error(transparent)]
    System(Arc<io::Error>),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(Arc::new(error))
    }
}

impl Failure {
    /// What a client is told whose host has no addresses because of it.
    pub(super) fn of(self, host: &str) -> Error {
        let host = host.into();
        match self {
            Self::Timeout => Error::DnsTimeout { host },
            failure => match failure.shortage() {
                Some(what) => Error::NoRoom(what),
                None => Error::Dns {
                    host,
                    source: failure.into(),
                },
            },
        }
    }

    /// What this machine lacked for a question.
    pub(super) fn shortage(&self) -> Option<&'static str> {
        match self {
            Self::Servers(NetError::Io(error)) | Self::System(error) => dial::shortage(error),
            _ => None,
        }
    }
}
