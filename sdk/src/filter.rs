//! The trait that a filter implements. The proxy's calls reach it through `exports`, a test's calls directly.

use serde::de::DeserializeOwned;

use crate::{Error, Flow, Request, Verdict};

/// A filter: made once per instance from its configuration, then asked about requests.
///
/// Mark the implementation with [`#[filter]`](crate::filter); the proxy calls only the hooks that are written there. A hook that
/// returns an error could not judge; the operator's `on_error` setting decides what becomes of the request.
pub trait Filter: Sized + 'static {
    /// The `[config]` table of the operator's `NAME.toml`; `()` for a filter that has nothing to configure.
    type Config: DeserializeOwned;

    /// Makes the filter. An error is shown to the operator, and the filter is not used.
    fn new(config: Self::Config) -> Result<Self, Error>;

    /// Judges the host of every request, whatever its protocol, before it is resolved or dialled.
    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        let _ = flow;
        Ok(Verdict::Next)
    }

    /// Judges a request whose method, URL and headers the proxy can see (plain HTTP), after its host has passed.
    fn judge_request(&self, flow: &Flow, request: &Request) -> Result<Verdict, Error> {
        let _ = (flow, request);
        Ok(Verdict::Next)
    }
}
