//! Tells a filter that exchanges are over. No request waits for that, and a failure says nothing
//! about how the filter judges. But it costs an instance, and up to as much computing as a call may
//! take, which requests and other filters need. So the filter is in a quarantine of its own where
//! it fails at this too often.

use std::rc::Rc;
use std::time::Instant;

use super::{LocalFilter, clients};
use crate::chain::quarantine::{Admission, Change, End};
use crate::error::ErrorChain;
use crate::filter::HookCall;
use crate::flow::ClientKey;
use crate::verdict::Notes;

/// Calls of one filter that may wait. A filter that falls further behind misses some.
const WAITING: usize = 256;

/// A place among the calls that wait until the filter was told of others.
#[derive(Debug)]
pub(in crate::chain) struct WaitsToTell(Rc<LocalFilter>);

impl Drop for WaitsToTell {
    fn drop(&mut self) {
        let waiting = &self.0.ends_waiting;
        waiting.set(waiting.get() - 1);
    }
}

impl LocalFilter {
    /// Takes a place, if one is free.
    pub(in crate::chain) fn wait_to_tell(self: &Rc<Self>) -> Option<WaitsToTell> {
        let waiting = self.ends_waiting.get();
        if waiting >= WAITING {
            return None;
        }
        self.ends_waiting.set(waiting + 1);
        Some(WaitsToTell(self.clone()))
    }

    /// Tells the filter that an exchange is over, unless it fails at that too often.
    pub(in crate::chain) async fn tell_ended(&self, call: HookCall<'_>, notes: Option<&Notes>) {
        let client = ClientKey::of(call.flow().client.address);
        let quarantine = &self.member.end_quarantine;
        let (admission, change) = quarantine.admit(client, Instant::now);
        self.log_change_at_ends(change, call);
        if matches!(admission, Admission::Quarantined | Admission::Held) {
            self.member.ended.lose();
            return;
        }
        let answer = self.ask(call, notes).await;
        if let Err(failure) = &answer {
            self.log_failure(failure, call);
        }
        let end = match answer {
            Ok(_) => End::Good,
            Err(failure) if failure.is_overload() => End::Overloaded,
            Err(failure) => End::Failed(ErrorChain(&failure).to_string()),
        };
        let change = quarantine.ended(admission, client, end, &self.end_calls, Instant::now());
        self.log_change_at_ends(change, call);
    }

    fn log_change_at_ends(&self, change: Option<Change>, call: HookCall<'_>) {
        let name = &*self.member.filter.name;
        match change {
            None => {}
            Some(Change::Tripped(tripped)) => tracing::warn!(
                filter = name,
                failures = tripped.failures,
                calls = tripped.calls,
                error = tripped.error,
                clients = clients(&tripped),
                pause = ?tripped.pause,
                consequence = "the filter does not know of exchanges that end meanwhile, and judges as before",
                "the filter fails too often when it is told that an exchange is over, and is told again after a pause"
            ),
            Some(Change::Recovered) => tracing::info!(
                filter = name,
                "the filter is told again that exchanges are over"
            ),
            Some(Change::Held { pause }) => tracing::warn!(
                filter = name,
                client = call.flow().client.address.map(tracing::field::display),
                ?pause,
                consequence =
                    "the filter does not know of exchanges of this client that end meanwhile",
                "exchanges of one client make the filter fail when it is told that they are over"
            ),
        }
    }
}
