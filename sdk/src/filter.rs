//! The trait that a filter implements. The proxy's calls reach it through `exports`, a test's calls
//! directly.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Error, Flow, Request, Response, Schema, Verdict};

/// A filter: made once per instance from its configuration, then asked about requests.
///
/// Mark the implementation with [`#[filter]`](crate::filter); the proxy calls only the hooks that
/// are written there. A hook that returns an error could not judge; the operator's `on_error`
/// setting decides what becomes of the request.
///
/// ```
/// use portcullis_sdk::{Error, Filter, Flow, Protocol, Verdict, filter};
///
/// struct NoAddresses;
///
/// #[filter]
/// impl Filter for NoAddresses {
///     type Config = ();
///
///     fn new(_: ()) -> Result<Self, Error> {
///         Ok(Self)
///     }
///
///     fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
///         Ok(match flow.host().ip() {
///             Some(_) => Verdict::block("a name is needed"),
///             None => Verdict::NEXT,
///         })
///     }
/// }
///
/// let verdict = NoAddresses.judge_host(&Flow::new("10.0.0.1", 80, Protocol::Http))?;
/// assert_eq!(verdict, Verdict::block("a name is needed"));
/// # Ok::<(), Error>(())
/// ```
pub trait Filter: Sized + 'static {
    /// The `[config]` table of the operator's `NAME.toml`; `()` for a filter that has nothing to
    /// configure.
    type Config: DeserializeOwned + Schema;

    /// Makes the filter. An error is shown to the operator, and the filter is not used.
    fn new(config: Self::Config) -> Result<Self, Error>;

    /// Judges the host of every request, whatever its protocol, before it is resolved or dialled.
    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        let _ = flow;
        Ok(Verdict::NEXT)
    }

    /// Judges a request whose method, URL and headers the proxy can see (plain HTTP), after its
    /// host has passed. May change its header fields.
    fn judge_request(&self, flow: &Flow, request: &mut Request) -> Result<Verdict, Error> {
        let _ = (flow, request);
        Ok(Verdict::NEXT)
    }

    /// Judges the response to such a request when its head has come; its body follows unless the
    /// verdict says otherwise. May change its header fields. The request is as the origin got it,
    /// and can no longer be changed.
    fn judge_response(
        &self,
        flow: &Flow,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        let _ = (flow, request, response);
        Ok(Verdict::NEXT)
    }

    /// Works in the background, on an instance that judges nothing: what it learns it leaves in
    /// [`state`](crate::state). Called when the filter is taken into use, and then again after the
    /// time that it answers with, which is at least 100 ms, and nine times as long as the call
    /// took. After an error, which is logged, the proxy chooses the time.
    fn tick(&self) -> Result<Duration, Error> {
        Ok(Duration::MAX)
    }
}
