//! Where the proxy may connect for what is asked about. No name is resolved for that.

use super::precedence::Decider;
use super::{Explanation, Subject, refused};
use crate::error::Error;
use crate::flow::Protocol;
use crate::upstream::Scheme;
use crate::upstream::policy::{Policy, Refusal};

impl Explanation {
    /// Says what the policy says. It decides where everything before it lets the request pass.
    pub(super) fn tell_egress(&mut self, subject: &Subject, policy: &Policy) {
        let refusal = match judge(subject, policy) {
            Ok(Some(_)) => {
                self.egress = "its address may be dialled".into();
                return;
            }
            Ok(None) => {
                self.egress = format!(
                    "the name may be looked up; of its addresses, {} may be dialled",
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

/// The address that may be dialled, if the host is one.
fn judge(subject: &Subject, policy: &Policy) -> Result<Option<()>, Refusal> {
    let scheme = match subject.protocol {
        Protocol::Connect | Protocol::Socks4 | Protocol::Socks5 => Scheme::Tunnel,
        Protocol::Http => Scheme::Http,
    };
    policy.judge_target(&subject.target, scheme)?;
    let address = subject.target.ip();
    address
        .map(|ip| policy.judge(&subject.target, scheme, ip))
        .transpose()
}
