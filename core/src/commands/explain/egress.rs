//! Where the proxy may connect for what is asked about. No name is resolved for that.

use std::collections::BTreeMap;

use super::precedence::Decider;
use super::{Explanation, Subject, refused};
use crate::config::{Egress, Upstream};
use crate::error::Error;
use crate::flow::{Inquiry, Protocol};
use crate::upstream::policy::{Policy, Refusal};
use crate::upstream::resolve::order;
use crate::upstream::{Scheme, choose};

impl Explanation {
    /// Says what the policy says, and which parent proxies the request goes through. It decides
    /// where everything before it lets the request pass.
    pub(super) fn tell_egress(
        &mut self,
        subject: &Subject,
        policy: &Policy,
        parent: Option<&str>,
        egress: &Egress,
    ) {
        let refusal = match (judge(subject, policy, parent), parent) {
            (Ok(address), Some(parent)) => {
                let resolved = match address {
                    Some(()) => "",
                    None => ", which resolves the name: its addresses are not looked at here",
                };
                self.egress = format!("it goes through a proxy of [upstream.{parent}]{resolved}");
                return;
            }
            (Ok(Some(())), None) => {
                self.egress = "its address may be dialled".into();
                return;
            }
            (Ok(None), None) => {
                let place = order::in_words(egress, subject.target.host());
                self.egress = format!(
                    "the name is looked up {place}; of its addresses, {} may be dialled",
                    policy.in_words()
                );
                return;
            }
            (Err(refusal), _) => refusal,
        };
        let error = Error::from(refusal);
        self.egress = format!("refused: {error}");
        if self.outcome.passes() {
            self.decided_by = Decider::Egress;
            self.outcome = refused(&error, "[egress]");
        }
    }
}

/// The table of parent proxies through which a request goes; none if it goes straight to its
/// origin.
pub(super) fn parent<'a>(
    tables: &'a BTreeMap<String, Upstream>,
    subject: &Subject,
    inquiry: &Inquiry,
) -> Option<&'a str> {
    let at = choose(tables.values(), &subject.target, &inquiry.client)?;
    let (name, table) = tables.iter().nth(at)?;
    table.proxies().next().map(|_| name.as_str())
}

/// The address that may be dialled, if the host is one.
fn judge(subject: &Subject, policy: &Policy, parent: Option<&str>) -> Result<Option<()>, Refusal> {
    let scheme = match subject.protocol {
        Protocol::Connect | Protocol::Socks4 | Protocol::Socks5 => Scheme::Tunnel,
        Protocol::Http => Scheme::Http,
    };
    let address = subject.target.ip();
    if parent.is_some() {
        let known: Vec<_> = address.into_iter().collect();
        policy.judge_unresolved(&subject.target, scheme, &known)?;
        return Ok(address.map(|_| ()));
    }
    policy.judge_target(&subject.target, scheme)?;
    address
        .map(|ip| policy.judge(&subject.target, scheme, ip))
        .transpose()
}
