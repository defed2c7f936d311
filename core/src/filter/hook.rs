//! The hooks of the contract, defined here and nowhere else: their names, what each is called with,
//! and which of them a filter exports. `load` finds out what a filter exports, `chain` makes the
//! calls, `instance` carries them out.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use portcullis_contract::Outcome;

use super::bindings::exports::portcullis::filter as exports;
use crate::flow::{Flow, RequestHead, ResponseHead};

/// A function that the proxy calls in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hook {
    /// Judges the host of every exchange.
    Host,
    /// Judges a request whose head the proxy sees.
    Request,
    /// Judges the response to such a request.
    Response,
    /// Is told that an exchange is over.
    Ended,
    /// Works in the background.
    Tick,
}

impl Hook {
    /// In the order in which an exchange meets them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Host,
        Self::Request,
        Self::Response,
        Self::Ended,
        Self::Tick,
    ];

    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Host => "judge-host",
            Self::Request => "judge-request",
            Self::Response => "judge-response",
            Self::Ended => "exchange-ended",
            Self::Tick => "tick",
        }
    }
}

/// A hook of an exchange, with what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HookCall<'a> {
    Host(&'a Flow<'a>),
    Request(&'a Flow<'a>, RequestHead<'a>),
    Response(&'a Flow<'a>, RequestHead<'a>, ResponseHead<'a>),
    Ended(&'a Flow<'a>, Option<RequestHead<'a>>, &'a Ending),
}

/// What became of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) how: Outcome,
    pub(crate) status: Option<StatusCode>,
    pub(crate) bytes_from_client: u64,
    pub(crate) bytes_to_client: u64,
    pub(crate) duration: Duration,
}

impl<'a> HookCall<'a> {
    pub(crate) fn hook(&self) -> Hook {
        match self {
            Self::Host(_) => Hook::Host,
            Self::Request(..) => Hook::Request,
            Self::Response(..) => Hook::Response,
            Self::Ended(..) => Hook::Ended,
        }
    }

    pub(crate) fn flow(&self) -> &'a Flow<'a> {
        match self {
            Self::Host(flow)
            | Self::Request(flow, _)
            | Self::Response(flow, ..)
            | Self::Ended(flow, ..) => flow,
        }
    }

    /// The request, where the proxy has seen one.
    pub(crate) fn request(&self) -> Option<RequestHead<'a>> {
        match self {
            Self::Host(_) => None,
            Self::Request(_, request) | Self::Response(_, request, _) => Some(*request),
            Self::Ended(_, request, _) => *request,
        }
    }

    /// The header fields that the hook may change.
    pub(crate) fn editable(&self) -> Option<&'a HeaderMap> {
        match self {
            Self::Host(_) | Self::Ended(..) => None,
            Self::Request(_, request) => Some(request.headers),
            Self::Response(_, _, response) => Some(response.headers),
        }
    }
}

/// What a filter imports of that which would have to be copied for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) exchange: bool,
    pub(crate) client: bool,
    pub(crate) request: bool,
    pub(crate) request_headers: bool,
    pub(crate) response_headers: bool,
}

/// The hooks that a filter exports.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) uses: Uses,
    pub(super) lifecycle: Option<exports::lifecycle::GuestIndices>,
    pub(super) judge_host: Option<exports::judge_host::GuestIndices>,
    pub(super) judge_request: Option<exports::judge_request::GuestIndices>,
    pub(super) judge_response: Option<exports::judge_response::GuestIndices>,
    pub(super) exchange_ended: Option<exports::exchange_ended::GuestIndices>,
    pub(super) tick: Option<exports::tick::GuestIndices>,
}

impl Hooks {
    /// Whether the filter exports that hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        match hook {
            Hook::Host => self.judge_host.is_some(),
            Hook::Request => self.judge_request.is_some(),
            Hook::Response => self.judge_response.is_some(),
            Hook::Ended => self.exchange_ended.is_some(),
            Hook::Tick => self.tick.is_some(),
        }
    }

    /// The hooks that the filter exports.
    pub(crate) fn exported(&self) -> impl Iterator<Item = Hook> {
        Hook::ALL.into_iter().filter(|hook| self.has(*hook))
    }

    /// As the contract names them.
    pub(crate) fn names(&self) -> Vec<String> {
        let exported = self.exported();
        exported.map(|hook| hook.name().to_owned()).collect()
    }
}
