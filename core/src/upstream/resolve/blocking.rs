//! Asks the system's own functions, which block a thread for as long as they like. `resolve` does
//! so where it is not known which name servers to ask.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;

use tokio::sync::{Semaphore, oneshot};

/// How many names the system is asked for at a time. A call that its caller has given up on goes on
/// and counts.
pub(super) const CALLS: usize = 16;

/// A function of the system: all addresses of a name.
pub(super) type Call = fn(&str) -> io::Result<Vec<IpAddr>>;

/// The calls that a resolver may make.
#[derive(Clone, Debug)]
pub(super) struct Calls(Arc<Semaphore>);

impl Default for Calls {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CALLS)))
    }
}

impl Calls {
    /// Makes the call as soon as it may.
    pub(super) async fn make(self, call: Call, name: String) -> io::Result<Vec<IpAddr>> {
        let permit = self.0.acquire_owned().await;
        let permit = permit.expect("it is never closed");
        let (answer, answered) = oneshot::channel();
        // A thread of its own: those of the runtime have other work, which must not wait.
        thread::Builder::new()
            .name("portcullis-names".into())
            .spawn(move || {
                let _permit = permit;
                // The caller may be gone.
                let _ = answer.send(call(&name));
            })?;
        answered
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the lookup panicked")))
    }
}
