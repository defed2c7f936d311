//! The hooks of the contract, defined here and nowhere else: their names, what each is called with,
//! and which of them a filter exports. `load` finds out what a filter exports, `chain` makes the
//! calls, `instance` carries them out.

use http::HeaderMap;

use super::bindings::exports::portcullis::filter as exports;
use crate::flow::{Flow, RequestHead, ResponseHead};

/// A function that the proxy calls in a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Judges the host of every exchange.
    Host,
    /// Judges a request whose head the proxy sees.
    Request,
    /// Judges the response to such a request.
    Response,
    /// Works in the background.
    Tick,
}

impl Hook {
    /// In the order in which an exchange meets them.
    pub(crate) const ALL: [Self; 4] = [Self::Host, Self::Request, Self::Response, Self::Tick];

    /// Its name in the contract.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Host => "judge-host",
            Self::Request => "judge-request",
            Self::Response => "judge-response",
            Self::Tick => "tick",
        }
    }
}

/// A hook that judges, with what it judges.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HookCall<'a> {
    Host(&'a Flow<'a>),
    Request(&'a Flow<'a>, RequestHead<'a>),
    Response(&'a Flow<'a>, RequestHead<'a>, ResponseHead<'a>),
}

impl<'a> HookCall<'a> {
    pub(crate) fn hook(&self) -> Hook {
        match self {
            Self::Host(_) => Hook::Host,
            Self::Request(..) => Hook::Request,
            Self::Response(..) => Hook::Response,
        }
    }

    pub(crate) fn flow(&self) -> &'a Flow<'a> {
        match self {
            Self::Host(flow) | Self::Request(flow, _) | Self::Response(flow, ..) => flow,
        }
    }

    /// The header fields that the hook may change.
    pub(crate) fn editable(&self) -> Option<&'a HeaderMap> {
        match self {
            Self::Host(_) => None,
            Self::Request(_, request) => Some(request.headers),
            Self::Response(_, _, response) => Some(response.headers),
        }
    }
}

/// The hooks that a filter exports.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// Whether the filter may ask for the fields of requests, or change them.
    pub(super) uses_request_headers: bool,
    pub(super) uses_response_headers: bool,
    pub(super) lifecycle: Option<exports::lifecycle::GuestIndices>,
    pub(super) judge_host: Option<exports::judge_host::GuestIndices>,
    pub(super) judge_request: Option<exports::judge_request::GuestIndices>,
    pub(super) judge_response: Option<exports::judge_response::GuestIndices>,
    pub(super) tick: Option<exports::tick::GuestIndices>,
}

impl Hooks {
    /// Whether the filter exports that hook.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        match hook {
            Hook::Host => self.judge_host.is_some(),
            Hook::Request => self.judge_request.is_some(),
            Hook::Response => self.judge_response.is_some(),
            Hook::Tick => self.tick.is_some(),
        }
    }

    /// Whether the filter needs the request's fields for what it does.
    pub(crate) fn uses_request_headers(&self) -> bool {
        self.uses_request_headers
    }

    /// Whether the filter needs the response's fields.
    pub(crate) fn uses_response_headers(&self) -> bool {
        self.uses_response_headers
    }

    /// As the contract names them.
    pub(crate) fn names(&self) -> Vec<String> {
        let exported = Hook::ALL.into_iter().filter(|hook| self.has(*hook));
        exported.map(|hook| hook.name().to_owned()).collect()
    }
}
