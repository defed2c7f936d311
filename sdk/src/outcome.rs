//! What became of an exchange.

use std::time::Duration;

use crate::How;
use crate::proxy::OutcomeFacts;

/// What became of an exchange, for [`exchange_ended`](crate::Filter::exchange_ended). Each fact is
/// asked of the proxy when the filter wants it.
///
/// ```
/// use portcullis_sdk::{How, testing};
///
/// let outcome = testing::outcome("passed").with_status(200).with_bytes_to_client(1024);
/// assert_eq!(outcome.how(), How::Passed);
/// assert_eq!((outcome.status(), outcome.bytes_to_client()), (Some(200), 1024));
/// ```
#[derive(Debug)]
pub struct Outcome(OutcomeFacts);

impl Outcome {
    pub(crate) fn new(facts: OutcomeFacts) -> Self {
        Self(facts)
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn facts_mut(&mut self) -> &mut OutcomeFacts {
        &mut self.0
    }

    /// How it ended.
    pub fn how(&self) -> How {
        self.0.how().into()
    }

    /// The HTTP status that the client got, if it got one.
    pub fn status(&self) -> Option<u16> {
        self.0.status()
    }

    /// Bytes that came from the client: the body of a request, or what went through the tunnel.
    pub fn bytes_from_client(&self) -> u64 {
        self.0.bytes_from_client()
    }

    /// Bytes that went to the client.
    pub fn bytes_to_client(&self) -> u64 {
        self.0.bytes_to_client()
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        self.0.duration()
    }

    /// The method of the request that the proxy has forwarded; none if it has forwarded none, as
    /// for a tunnel.
    pub fn method(&self) -> Option<String> {
        Some(self.0.method()).filter(|method| !method.is_empty())
    }

    /// The URL of that request.
    pub fn url(&self) -> Option<String> {
        Some(self.0.url()).filter(|url| !url.is_empty())
    }
}
