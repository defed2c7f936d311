//! Asks the system's own functions, which block a thread for as long as they like. `resolve` does
//! so where it is not known which name servers to ask.

use std::io;
use std::net::IpAddr;
use std::thread;

use tokio::sync::oneshot;

use crate::flow::ClientKey;
use crate::upstream::turns::Turns;

/// How many names the system is asked for at a time. A call that its caller has given up on goes on
/// and counts.
pub(super) const CALLS: usize = 16;

/// A function of the system: all addresses of a name.
pub(super) type Call = fn(&str) -> io::Result<Vec<IpAddr>>;

/// The calls that a resolver may make.
#[derive(Clone, Debug)]
pub(super) struct Calls(Turns);

impl Default for Calls {
    fn default() -> Self {
        Self(Turns::new(CALLS))
    }
}

impl Calls {
    /// Makes the call as soon as it is the client's turn.
    pub(super) async fn make(
        self,
        client: ClientKey,
        call: Call,
        name: String,
    ) -> io::Result<Vec<IpAddr>> {
        let turn = self.0.take(client).await;
        let (answer, answered) = oneshot::channel();
        // A thread of its own: those of the runtime have other work, which must not wait.
        thread::Builder::new()
            .name("portcullis-names".into())
            .spawn(move || {
                let _turn = turn;
                // The caller may be gone.
                let _ = answer.send(call(&name));
            })?;
        answered
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the lookup panicked")))
    }
}
