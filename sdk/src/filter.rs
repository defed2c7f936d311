//! The trait that a filter implements. The proxy's calls reach it through `exports`, a test's calls
//! directly.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Error, Exchange, Outcome, Request, Response, Schema, Verdict};

/// A filter: made once per instance from its configuration, then asked about exchanges.
///
/// Mark the implementation with [`#[filter]`](crate::filter); the proxy calls only the hooks that
/// are written there. A hook that returns an error could not judge; the operator's `on_error`
/// setting decides what becomes of the exchange.
///
/// ```
/// use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter, testing};
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
///     fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
///         Ok(match exchange.host().ip() {
///             Some(_) => Verdict::block("a name is needed"),
///             None => Verdict::next(),
///         })
///     }
/// }
///
/// let verdict = NoAddresses.judge_host(&testing::exchange("10.0.0.1"))?;
/// assert_eq!(verdict, Verdict::block("a name is needed"));
/// # Ok::<(), Error>(())
/// ```
pub trait Filter: Sized + 'static {
    /// The `[config]` table of the operator's `NAME.toml`; `()` for a filter that has nothing to
    /// configure.
    type Config: DeserializeOwned + Schema;

    /// Makes the filter. An error is shown to the operator, and the filter is not used.
    fn new(config: Self::Config) -> Result<Self, Error>;

    /// Judges the host of every exchange, whatever its protocol, before it is resolved or dialled.
    /// A tunnel in which the proxy then finds another name is judged a second time:
    /// [`Exchange::found_in`] tells which time it is.
    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let _ = exchange;
        Ok(Verdict::next())
    }

    /// Judges an HTTP request that the proxy forwards, after its host has passed. May change its
    /// header fields. What goes through a tunnel is none of these requests.
    fn judge_request(&self, exchange: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        let _ = (exchange, request);
        Ok(Verdict::next())
    }

    /// Judges the response to such a request when its head has come; its body follows unless the
    /// verdict says otherwise. May change its header fields. The request is as the origin got it,
    /// and can no longer be changed.
    fn judge_response(
        &self,
        exchange: &Exchange,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        let _ = (exchange, request, response);
        Ok(Verdict::next())
    }

    /// Told that an exchange is over, whatever became of it. What the proxy refuses before it would
    /// ask a filter, such as a wrong login, is not told. The proxy does not wait for this hook:
    /// when it is busy it may call it later, and it counts the calls that it could not make. An
    /// error is logged.
    fn exchange_ended(&self, exchange: &Exchange, outcome: &Outcome) -> Result<(), Error> {
        let _ = (exchange, outcome);
        Ok(())
    }

    /// Works in the background, on an instance that is not asked about exchanges: what it learns it
    /// leaves in [`state`](crate::state). Called when the filter is taken into use, and again after
    /// the time that it answers with: at least 100 ms, and nine times as long as the call took.
    /// None means never again. After an error, which is logged, the proxy chooses the time.
    fn tick(&self) -> Result<Option<Duration>, Error> {
        Ok(None)
    }
}
