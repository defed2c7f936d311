//! What a self-test asks one listener for, and what should become of it: by the settings alone, as
//! `judges` reads them. What the settings let pass is asked for only if it leads to the server of
//! the self-test, if it does not exist, or if it was named for that.

mod names;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis_contract::FoundIn;

use super::case::{self, CASES, Case, Kind};
use super::spelling;
use super::step::{Host, Login, Outcome, Sent, Step, TUNNEL_PORT, Way};
use crate::commands::judges::{Judges, Permitted, Question};
use crate::config::Config;
use crate::downstream::foresee;
use crate::error::Error;
use crate::flow::{Inquiry, Protocol};
use crate::target::{HTTP_PORT, Target};
use crate::upstream::policy::{Rule, effective_ip};

/// Never resolves, and is asked of no name server (RFC 6761, section 6.4).
pub(super) const NOWHERE: &str = "portcullis-selftest.invalid";

/// One of each kind of address that is neither public nor of this machine.
const PRIVATE: [IpAddr; 12] = [
    v4(10, 0, 0, 1),
    v4(172, 16, 0, 1),
    v4(192, 168, 0, 1),
    v4(100, 64, 0, 1),
    v4(198, 18, 0, 1),
    v4(192, 0, 2, 1),
    v4(224, 0, 0, 1),
    v4(240, 0, 0, 1),
    v4(255, 255, 255, 255),
    v6(0xfd00, 1),
    v6(0xfec0, 1),
    v6(0xff02, 1),
];

/// The same for those that an entry of `allow` has to name.
const METADATA: [IpAddr; 6] = [
    v4(169, 254, 0, 1),
    v4(100, 100, 100, 200),
    v4(168, 63, 129, 16),
    v4(192, 0, 0, 192),
    v6(0xfe80, 1),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16, last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last))
}

/// Makes plans for one listener.
pub(super) struct Planner<'a> {
    pub(super) config: &'a Config,
    pub(super) judges: &'a Judges,
    /// In whose name the listener is asked.
    pub(super) inquiry: Inquiry,
    /// Where the server of the self-test is.
    pub(super) port: u16,
    pub(super) has_ipv6: bool,
    /// A host that may be asked for, wherever it is.
    pub(super) allowed: Option<&'a Target>,
    /// Whether there are the name and the password of a user.
    pub(super) has_login: bool,
    /// Whether a wrong login may be tried here.
    pub(super) may_fail: bool,
    /// Whether there is a boundary around what asks.
    pub(super) confinement: Confinement,
}

/// What the client of a tunnel gets for a name that settings are against.
fn shown_refusal(found_in: FoundIn) -> Outcome {
    match found_in {
        FoundIn::HostField => case::page(),
        _ => Outcome::Alert,
    }
}

/// What surrounds the process that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confinement {
    None,
    Namespaces,
}

/// Something to ask for, and what should become of it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) step: Step,
    pub(super) expected: Outcome,
    /// What decides, where the request is refused.
    pub(super) by: Option<String>,
}

/// What there is to do about a case by one way. What is not asked for is left out with a reason.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) planned: Vec<Planned>,
    pub(super) left_out: Vec<String>,
}

/// Why nothing is sent.
type Unsent = String;

/// What the settings say of a request.
enum Forecast<'a> {
    Passes(Permitted<'a>),
    Refused {
        outcome: Outcome,
        by: String,
        rule: Option<Rule>,
    },
}

impl Plan {
    fn only(planned: Result<Planned, Unsent>) -> Self {
        [planned].into_iter().collect()
    }

    pub(super) fn nothing(why: impl Into<String>) -> Self {
        Self::only(Err(why.into()))
    }
}

impl FromIterator<Result<Planned, Unsent>> for Plan {
    fn from_iter<I: IntoIterator<Item = Result<Planned, Unsent>>>(all: I) -> Self {
        let mut plan = Self::default();
        for planned in all {
            match planned {
                Ok(planned) => plan.planned.push(planned),
                Err(why) if plan.left_out.contains(&why) => {}
                Err(why) => plan.left_out.push(why),
            }
        }
        plan
    }
}

impl Planner<'_> {
    /// What is to be asked for, of each case and by each way. The first two are who asks: a client
    /// that may come in, and one that may not.
    pub(super) async fn plan(
        &self,
        inside: Result<(), &str>,
        outside: Result<(), &str>,
    ) -> Vec<(&'static Case, Way, Plan)> {
        let mut plans = Vec::new();
        for case in &CASES {
            for &way in case.ways {
                let side = if case.kind == Kind::Client {
                    outside
                } else {
                    inside
                };
                let plan = match (side, self.in_the_way(case.kind, way)) {
                    (Err(why), _) => Plan::nothing(why),
                    (Ok(()), Some(why)) => Plan::nothing(why),
                    (Ok(()), None) => self.plan_case(case, way).await,
                };
                plans.push((case, way, plan));
            }
        }
        plans
    }

    /// What keeps a case from being tried at all.
    fn in_the_way(&self, kind: Kind, way: Way) -> Option<&'static str> {
        let auth = &self.config.auth;
        match kind {
            Kind::Network if self.confinement == Confinement::None => {
                Some("there is a boundary around commands of `exec --enforce` alone")
            }
            Kind::Network | Kind::Client => None,
            Kind::NoLogin | Kind::KeptLogin | Kind::WrongLogin if !auth.is_on() => {
                Some("[auth] is not written, so that no client logs in")
            }
            Kind::NoLogin => None,
            Kind::WrongLogin if !self.may_fail => {
                Some("one wrong login is enough, and another listener has had it")
            }
            Kind::WrongLogin if auth.failures < 2 => Some(
                "[auth] failures is 1, so that it would keep this client from logging in for a minute",
            ),
            Kind::WrongLogin => None,
            _ if auth.is_on() && way == Way::Socks4 => {
                Some("SOCKS 4 has no passwords, and is refused where clients log in")
            }
            _ if auth.is_on() && !self.has_login => {
                Some("clients have to log in; name a user with --user")
            }
            _ => None,
        }
    }

    async fn plan_case(&self, case: &Case, way: Way) -> Plan {
        match case.kind {
            Kind::Allowed => Plan::only(self.plan_allowed(way).await),
            Kind::Client => {
                // Clients of SOCKS say first how they could log in.
                let expected = if self.config.auth.is_on() && way.is_socks() {
                    Outcome::of_refusal(way, &foresee::of_missing_login(way.protocol()))
                } else {
                    case.outcome(way)
                };
                self.plan_refused(way, Login::Missing, expected, "[clients] allow")
                    .await
            }
            Kind::NoLogin => self.plan_login(case, way, Login::Missing).await,
            Kind::KeptLogin => self.plan_login(case, way, Login::Kept).await,
            Kind::WrongLogin => self.plan_login(case, way, Login::Wrong).await,
            Kind::Blocked => self.plan_blocked(way).await,
            Kind::Denied => self.plan_denied(way).await,
            Kind::Port => Plan::only(self.plan_port(way).await),
            Kind::Own => self.plan_own(way).await,
            Kind::Loopback => {
                let mut hosts = spelling::of_v4(Ipv4Addr::LOCALHOST, way);
                hosts.extend(spelling::of_v4(Ipv4Addr::UNSPECIFIED, way));
                hosts.extend(spelling::of_any(Ipv6Addr::LOCALHOST.into(), way));
                hosts.extend(["localhost", "LocalHost.", "a.localhost"].map(Host::name));
                self.plan_hosts(way, hosts, self.port).await
            }
            Kind::Private => {
                let hosts = PRIVATE.iter().flat_map(|ip| spelling::of_any(*ip, way));
                let spelled = spelling::of_v4(Ipv4Addr::new(10, 0, 0, 1), way);
                self.plan_hosts(way, hosts.chain(spelled), HTTP_PORT).await
            }
            Kind::Metadata => {
                let hosts = METADATA.iter().flat_map(|ip| spelling::of_any(*ip, way));
                let spelled = spelling::of_v4(Ipv4Addr::new(169, 254, 169, 254), way);
                self.plan_hosts(way, hosts.chain(spelled), HTTP_PORT).await
            }
            Kind::ServerName => self.plan_shown(way, FoundIn::ServerName).await,
            Kind::HostField => self.plan_shown(way, FoundIn::HostField).await,
            Kind::Network => self.plan_networks(way),
        }
    }

    async fn plan_login(&self, case: &Case, way: Way, login: Login) -> Plan {
        self.plan_refused(way, login, case.outcome(way), "[auth]")
            .await
    }

    /// A request that is refused before it is looked at where it leads.
    async fn plan_refused(&self, way: Way, login: Login, expected: Outcome, by: &str) -> Plan {
        // If it is let pass all the same, it leads nowhere.
        let host = Host::name(self.harmless().await);
        Plan::only(Ok(Planned {
            step: Step {
                login,
                sent: Sent::Nothing,
                ..Step::new(way, host, way.usual_port())
            },
            expected,
            by: Some(by.to_owned()),
        }))
    }

    /// Hosts at a port; by a tunnel at the usual one if settings are against the port.
    async fn plan_hosts(&self, way: Way, hosts: impl IntoIterator<Item = Host>, port: u16) -> Plan {
        let mut all = Vec::new();
        for host in hosts {
            let first = self.plan_host(way, host.clone(), port).await;
            all.push(match first {
                Ok((_, Some(Rule::ConnectPort(_)))) => self.plan_one(way, host, TUNNEL_PORT).await,
                other => other.map(|(planned, _)| planned),
            });
        }
        all.into_iter().collect()
    }

    async fn plan_one(&self, way: Way, host: Host, port: u16) -> Result<Planned, Unsent> {
        let planned = self.plan_host(way, host, port).await;
        planned.map(|(planned, _)| planned)
    }

    /// One request, and the rule of the egress policy that is against it.
    async fn plan_host(
        &self,
        way: Way,
        host: Host,
        port: u16,
    ) -> Result<(Planned, Option<Rule>), Unsent> {
        let step = Step::new(way, host, port);
        let target = step.host.target(way, port);
        let target = target.map_err(|error| format!("{step}: {error}"))?;
        let (expected, by, rule) = match self.forecast(way, &target).await {
            Forecast::Refused { outcome, by, rule } => (outcome, Some(by), rule),
            Forecast::Passes(permitted) => {
                self.check_near(&permitted, port)?;
                (Outcome::Reached, None, None)
            }
        };
        Ok((Planned { step, expected, by }, rule))
    }

    /// Whether what is let pass leads to the server of the self-test.
    fn check_near(&self, permitted: &Permitted<'_>, port: u16) -> Result<(), Unsent> {
        if let Some(parent) = permitted.parent {
            return Err(format!(
                "the settings let it pass to a proxy of [upstream.{parent}], so that nothing was sent"
            ));
        }
        let is_near = |ip: &IpAddr| {
            // Elsewhere, 0.0.0.0 leads nowhere.
            let ip = if cfg!(target_os = "linux") {
                effective_ip(*ip)
            } else {
                *ip
            };
            ip == Ipv4Addr::LOCALHOST || self.has_ipv6 && ip == Ipv6Addr::LOCALHOST
        };
        let addresses = permitted.addresses.as_deref().unwrap_or_default();
        if port == self.port && !addresses.is_empty() && addresses.iter().any(is_near) {
            return Ok(());
        }
        Err("the settings let it pass, so that nothing was sent".to_owned())
    }

    async fn forecast(&self, way: Way, target: &Target) -> Forecast<'_> {
        let protocol = way.protocol();
        let url = format!("http://{}/", target.authority(HTTP_PORT));
        let question = Question {
            target,
            protocol,
            url: (way == Way::Http).then_some(&url),
            found_in: FoundIn::Request,
        };
        if let Some((refused, by)) = self.judge(question, protocol).await {
            return Forecast::Refused {
                outcome: Outcome::of_refusal(way, &refused),
                by,
                rule: None,
            };
        }
        match self.judges.permit(target, protocol, &self.inquiry) {
            Ok(permitted) => Forecast::Passes(permitted),
            Err(refusal) => {
                let rule = Some(refusal.rule.clone());
                let refused = foresee::of_error(&Error::from(refusal), protocol);
                Forecast::Refused {
                    outcome: Outcome::of_refusal(way, &refused),
                    by: "[egress]".to_owned(),
                    rule,
                }
            }
        }
    }

    /// How the filters, or a person, stop it, and who that is. The client is told so in what it
    /// speaks then.
    async fn judge(
        &self,
        question: Question<'_>,
        spoken: Protocol,
    ) -> Option<(foresee::Refusal, String)> {
        let judged = self.judges.judge(question, &self.inquiry).await;
        let host = question.target.host();
        let judgement = judged.judgement(host);
        if judgement.verdict.passes() {
            return None;
        }
        let by = match (&judged.decision, judged.deciding()) {
            (None, Some(step)) => format!("the filter {}", step.filter),
            _ => "a decision".to_owned(),
        };
        let refused = foresee::of_judgement(&judgement, host, spoken);
        Some((refused, by))
    }

    /// What the client of a tunnel gets that shows a name in it, and who is against the name.
    async fn judge_shown(
        &self,
        way: Way,
        name: &str,
        found_in: FoundIn,
    ) -> Option<(Outcome, String)> {
        let target = Target::of_host(name, TUNNEL_PORT).ok()?;
        if self.judges.policy.judge_name(&target).is_err() {
            return Some((shown_refusal(found_in), "[egress] deny".to_owned()));
        }
        let question = Question {
            target: &target,
            protocol: way.protocol(),
            url: None,
            found_in,
        };
        // A client that speaks HTTP in its tunnel gets a page of it.
        let (refused, by) = self.judge(question, Protocol::Connect).await?;
        let outcome = match (&refused, found_in) {
            (foresee::Refusal::Nothing, _) => Outcome::Closed,
            (_, FoundIn::HostField) => Outcome::of_refusal(Way::Connect, &refused),
            _ => Outcome::Alert,
        };
        Some((outcome, by))
    }

    fn plan_networks(&self, way: Way) -> Plan {
        let elsewhere = [v4(192, 0, 2, 1), v6(0x2001, 1)];
        let planned = elsewhere.map(|ip| {
            Ok(Planned {
                step: Step::new(way, Host::Address(ip), 0),
                expected: Outcome::NoRoute,
                by: Some("the boundary".to_owned()),
            })
        });
        planned.into_iter().collect()
    }
}
