//! What people have decided about hosts. A decision precedes every filter: the chain asks for it
//! before anything else. `proxy` follows the file that `store` keeps; commands change it.

pub(crate) mod store;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Escaped;
use crate::flow::Client;
use crate::flow::groups::Groups;
use crate::target::canonical_host;
use crate::verdict::{Judgement, Match, Verdict};

/// What one person has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// By which it can be taken back.
    pub(crate) id: u32,
    pub(crate) verdict: Ruling,
    /// Canonical; none for a pause, which covers every host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<Box<str>>,
    /// The names below the host are not covered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exact: bool,
    /// The only client for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<IpAddr>,
    /// The only user for whom it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Box<str>>,
    /// The only group of clients for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<Box<str>>,
    /// In seconds since 1970; it holds for ever if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<u64>,
}

/// The kinds of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Ruling {
    /// The host passes, whatever filters say.
    Allow,
    /// The host is refused, whatever filters say.
    Deny,
    /// Every host passes that is not denied more precisely.
    Pause,
}

impl Decision {
    /// Whether it makes sense: what it is about, and for whom.
    fn is_whole(&self) -> bool {
        let is_canonical =
            |host: &str| canonical_host(host).is_ok_and(|canonical| canonical == host);
        let host = self.host.as_deref();
        host.is_some() == (self.verdict != Ruling::Pause)
            && host.is_none_or(is_canonical)
            && self
                .client
                .is_none_or(|client| client == client.to_canonical())
            && self.scopes() <= 1
    }

    /// How many of those that it may be for alone it names.
    fn scopes(&self) -> usize {
        let named = [
            self.client.is_some(),
            self.user.is_some(),
            self.group.is_some(),
        ];
        named.into_iter().filter(|is_named| *is_named).count()
    }

    pub(crate) fn is_over(&self, now: SystemTime) -> bool {
        let end = |until| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(until));
        self.until.and_then(end).is_some_and(|end| end <= now)
    }

    /// Whether it says the same of the same, so that one of two replaces the other.
    pub(crate) fn is_about_the_same(&self, other: &Self) -> bool {
        let about = |it: &Self| {
            let scope = (it.client, it.user.clone(), it.group.clone());
            (it.host.clone(), it.exact, scope)
        };
        about(self) == about(other)
    }

    /// The group that it is for, if the settings have none of that name: it holds for no client.
    pub(crate) fn missing_group(&self, groups: &Groups) -> Option<&str> {
        self.group.as_deref().filter(|group| !groups.has(group))
    }

    /// How precisely it is meant for `client`; none if it is not.
    fn precision(&self, client: &Client) -> Option<u8> {
        match (&self.client, &self.user, &self.group) {
            // What is decided about one device holds for all of its users.
            (Some(address), ..) => (client.address == Some(*address)).then_some(3),
            (None, Some(user), _) => (client.user.as_deref() == Some(&**user)).then_some(2),
            (None, None, Some(group)) => client
                .groups
                .iter()
                .any(|has| **has == **group)
                .then_some(1),
            (None, None, None) => Some(0),
        }
    }

    /// What follows for an exchange with `host`.
    pub(crate) fn judgement(&self, host: &str) -> Judgement {
        let verdict = match self.verdict {
            Ruling::Allow | Ruling::Pause => Verdict::Allow,
            Ruling::Deny => Verdict::Block {
                status: StatusCode::FORBIDDEN,
                reason: format!("the operator has denied {host}").into(),
            },
        };
        Judgement {
            verdict,
            matched: Some(Box::new(Match::rule(self.to_string()))),
            ..Judgement::PASS
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Pause => "pause",
        })
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decision {}: {}", self.id, self.verdict)?;
        if let Some(host) = &self.host {
            write!(f, " {host}")?;
        }
        if self.exact {
            write!(f, " exactly")?;
        }
        if let Some(client) = self.client {
            write!(f, " for client {client}")?;
        }
        if let Some(user) = &self.user {
            write!(f, " for user {}", Escaped(user))?;
        }
        if let Some(group) = &self.group {
            write!(f, " for group {group}")?;
        }
        let until = self.until.and_then(|until| i64::try_from(until).ok());
        if let Some(until) = until.and_then(|until| Timestamp::from_second(until).ok()) {
            write!(f, " until {until}")?;
        }
        Ok(())
    }
}

/// The decisions of this moment. Clones see each change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decisions(Arc<ArcSwap<Table>>);

/// Decisions by host; the empty one stands for all.
#[derive(Debug, Default)]
struct Table(HashMap<Box<str>, Vec<Arc<Decision>>>);

impl Decisions {
    /// These hold from now on.
    pub(crate) fn replace(&self, decisions: Vec<Decision>) {
        let mut table = Table::default();
        for decision in decisions {
            let host = decision.host.clone().unwrap_or_default();
            table.0.entry(host).or_default().push(Arc::new(decision));
        }
        self.0.store(Arc::new(table));
    }

    /// The hosts of those that deny, whichever clients they are for.
    #[cfg(feature = "cli")]
    pub(crate) fn denied(&self) -> Vec<String> {
        let table = self.0.load();
        let all = table.0.values().flatten();
        let denying = all.filter(|decision| decision.verdict == Ruling::Deny);
        let mut hosts: Vec<String> = denying
            .filter_map(|decision| decision.host.as_deref().map(str::to_owned))
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The decision about `host`, a canonical one, for `client`. Of several, the one counts that
    /// is for the address, or else for the user, or else for a group of the client; then the one of
    /// the longest name; then one that denies.
    pub(crate) fn find(
        &self,
        host: &str,
        client: &Client,
        now: SystemTime,
    ) -> Option<Arc<Decision>> {
        let table = self.0.load();
        if table.0.is_empty() {
            return None;
        }
        let of = |domain: &str| table.0.get(domain).into_iter().flatten();
        let itself = of(host);
        let below = domains_above(host)
            .flat_map(of)
            .filter(|decision| !decision.exact);
        let holds = |decision: &&Arc<Decision>| !decision.is_over(now);
        let found = itself.chain(below).filter(holds).filter_map(|decision| {
            let precision = decision.precision(client)?;
            let length = decision.host.as_ref().map_or(0, |host| host.len());
            let denies = decision.verdict == Ruling::Deny;
            Some(((precision, length, denies, Reverse(decision.id)), decision))
        });
        let (_, decision) = found.max_by_key(|(rank, _)| *rank)?;
        Some(decision.clone())
    }
}

/// The domains that `host` is below, and the empty one, which all hosts are below.
fn domains_above<'a>(host: &'a str) -> impl Iterator<Item = &'a str> {
    let parent = |domain: &&'a str| -> Option<&'a str> {
        match domain.split_once('.') {
            Some((_, parent)) => Some(parent),
            None => (!domain.is_empty()).then_some(""),
        }
    };
    std::iter::successors(Some(host), parent).skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    fn decision(id: u32, verdict: Ruling, host: &str) -> Decision {
        Decision {
            id,
            verdict,
            host: (verdict != Ruling::Pause).then(|| host.into()),
            exact: false,
            client: None,
            user: None,
            group: None,
            until: None,
        }
    }

    fn for_client(decision: Decision) -> Decision {
        let client = Some([192, 0, 2, 7].into());
        Decision { client, ..decision }
    }

    fn for_group(decision: Decision) -> Decision {
        let group = Some("children".into());
        Decision { group, ..decision }
    }

    /// The number of the decision about `host` for a child at 192.0.2.7.
    fn decided(decisions: &[Decision], host: &str) -> Option<u32> {
        let mut client = Client::at(IpAddr::from([192, 0, 2, 7]));
        client.groups = vec!["children".into()];
        found(decisions, host, &client)
    }

    fn found(decisions: &[Decision], host: &str, client: &Client) -> Option<u32> {
        let all = Decisions::default();
        all.replace(decisions.to_vec());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        all.find(host, client, now).map(|decision| decision.id)
    }

    use Ruling::{Allow, Deny, Pause};

    #[test]
    fn a_decision_covers_a_host_and_the_names_below_it_unless_it_is_exact() {
        let exact = Decision {
            exact: true,
            ..decision(2, Deny, "x.a.example")
        };
        let decisions = [decision(1, Allow, "a.example"), exact];
        for (host, id) in [
            ("a.example", Some(1)),
            ("b.a.example", Some(1)),
            ("x.a.example", Some(2)),
            ("y.x.a.example", Some(1)),
            ("example", None),
            ("xa.example", None),
            ("", None),
        ] {
            assert_eq!(decided(&decisions, host), id, "{host}");
        }
    }

    #[test]
    fn the_client_precedes_the_group_then_the_longer_host_counts_and_then_the_denial() {
        let all = decision(1, Deny, "b.a.example");
        let group = for_group(decision(2, Allow, "a.example"));
        let client = for_client(decision(3, Deny, "example"));
        let host = "c.b.a.example";
        let decide = |decisions: &[&Decision]| {
            let decisions: Vec<_> = decisions.iter().copied().cloned().collect();
            decided(&decisions, host)
        };
        assert_eq!(decide(&[&all]), Some(1));
        assert_eq!(decide(&[&all, &group]), Some(2));
        assert_eq!(decide(&[&client, &all, &group]), Some(3));
        let longer = decision(4, Allow, host);
        assert_eq!(decide(&[&all, &longer]), Some(4));
        let allowed = decision(5, Allow, "b.a.example");
        assert_eq!(decide(&[&all, &allowed]), Some(1));
        assert_eq!(decide(&[&allowed, &all]), Some(1));
        let other = Client::at(IpAddr::from([192, 0, 2, 8]));
        assert_eq!(found(&[client, group], host, &other), None);
    }

    #[test]
    fn the_address_precedes_the_user_and_a_user_is_no_other() {
        let for_ada = |decision: Decision| Decision {
            user: Some("ada".into()),
            ..decision
        };
        let decisions = [
            for_client(decision(1, Deny, "example")),
            for_ada(decision(2, Allow, "a.example")),
            for_group(decision(3, Deny, "b.a.example")),
        ];
        let decided = |last: u8, user: Option<&str>| {
            let mut client = Client::at(IpAddr::from([192, 0, 2, last]));
            client.user = user.map(Into::into);
            client.groups = vec!["children".into()];
            found(&decisions, "b.a.example", &client)
        };
        assert_eq!(decided(7, Some("ada")), Some(1));
        assert_eq!(decided(7, None), Some(1));
        assert_eq!(decided(8, Some("ada")), Some(2));
        assert_eq!(decided(8, Some("bob")), Some(3));
        let both = for_ada(for_client(decision(4, Deny, "example")));
        assert!(!both.is_whole() && for_ada(decision(4, Deny, "example")).is_whole());
        let told = for_ada(decision(5, Deny, "a.example")).to_string();
        assert_eq!(told, "decision 5: deny a.example for user ada");
    }

    #[test]
    fn a_pause_covers_every_host_that_is_not_denied_more_precisely() {
        let pause = decision(1, Pause, "");
        let deny = decision(2, Deny, "a.example");
        let both = [pause.clone(), deny.clone()];
        assert_eq!(decided(&both, "b.example"), Some(1));
        assert_eq!(decided(&both, "10.0.0.1"), Some(1));
        assert_eq!(decided(&both, "a.example"), Some(2));
        assert_eq!(decided(&[for_client(pause), deny], "a.example"), Some(1));
    }

    #[test]
    fn a_decision_ends_by_itself() {
        let until = |until| {
            let until = Some(until);
            decided(
                &[Decision {
                    until,
                    ..decision(1, Deny, "a.example")
                }],
                "a.example",
            )
        };
        assert_eq!(until(NOW + 1), Some(1));
        for over in [NOW, NOW - 1, 0] {
            assert_eq!(until(over), None);
        }
        // A time that no clock reaches.
        assert_eq!(until(u64::MAX), Some(1));
    }

    #[test]
    fn a_decision_is_told_in_words() {
        let told = for_group(Decision {
            exact: true,
            until: Some(NOW),
            ..decision(7, Deny, "a.example")
        });
        let text =
            "decision 7: deny a.example exactly for group children until 1970-01-12T13:46:40Z";
        assert_eq!(told.to_string(), text);
    }
}
