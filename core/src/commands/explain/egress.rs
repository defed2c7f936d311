//! Where the proxy may connect for what is asked about. No name is resolved for that.

use super::precedence::Decider;
use super::{Explanation, Subject, refused};
use crate::commands::judges::Permitted;
use crate::config::Egress;
use crate::error::Error;
use crate::upstream::policy::{Policy, Refusal};
use crate::upstream::resolve::order;

impl Explanation {
    /// Says what the policy says, and which parent proxies the request goes through. It decides
    /// where everything before it lets the request pass.
    pub(super) fn tell_egress(
        &mut self,
        subject: &Subject,
        permitted: Result<Permitted<'_>, Refusal>,
        policy: &Policy,
        egress: &Egress,
    ) {
        let is_address = subject.target.ip().is_some();
        let refusal = match permitted {
            Ok(Permitted {
                parent: Some(parent),
                ..
            }) => {
                let resolved = if is_address {
                    ""
                } else {
                    ", which resolves the name: its addresses are not looked at here"
                };
                self.egress = format!("it goes through a proxy of [upstream.{parent}]{resolved}");
                return;
            }
            Ok(_) if is_address => {
                self.egress = "its address may be dialled".into();
                return;
            }
            Ok(_) => {
                let place = order::in_words(egress, subject.target.host());
                self.egress = format!(
                    "the name is looked up {place}; of its addresses, {} may be dialled",
                    policy.in_words()
                );
                return;
            }
            Err(refusal) => refusal,
        };
        let error = Error::from(refusal);
        self.egress = format!("refused: {error}");
        if self.outcome.passes() {
            self.decided_by = Decider::Egress;
            self.outcome = refused(&error, "[egress]");
        }
    }
}
