//! Of which names a self-test asks: some that the settings are against, one that they let pass, and
//! those of the proxy itself; and which names are shown in tunnels.

use std::net::IpAddr;

use portcullis_contract::FoundIn;

use super::super::spelling;
use super::super::step::{Host, Outcome, Sent, Step, Way};
use super::{Forecast, NOWHERE, Plan, Planned, Planner, Unsent, shown_refusal};
use crate::config::{Destination, Hosts, SniCheck, SniMismatch, TEST_NAMES};
use crate::target::Target;
use crate::upstream::policy::{Rule, effective_ip};

/// On the list that is compiled in. Nothing under `.test` ever resolves.
const TEST_NAME: &str = "www.blocked.portcullis.test";

/// How many entries of one kind are tried.
const ENTRIES: usize = 5;

/// A port for no tunnel by default: that of mail, from which proxies are kept.
const MAIL_PORT: u16 = 25;

impl Planner<'_> {
    /// The name that was given, the server of the self-test, or a name that does not exist.
    pub(super) async fn plan_allowed(&self, way: Way) -> Result<Planned, Unsent> {
        if let Some(allowed) = self.allowed {
            let host = match allowed.ip() {
                Some(ip @ IpAddr::V6(_)) if !way.is_socks() => format!("[{ip}]"),
                _ => allowed.host().to_owned(),
            };
            let port = port_of(allowed, way);
            let step = Step {
                sent: Sent::Nothing,
                ..Step::new(way, Host::Text(host), port)
            };
            return Ok(let_pass(step));
        }
        for host in ["localhost", "127.0.0.1"] {
            let near = self.plan_one(way, Host::name(host), self.port).await;
            if let Ok(planned) = near
                && planned.expected == Outcome::Reached
            {
                return Ok(planned);
            }
        }
        if way == Way::Socks4 {
            return Err("SOCKS 4 does not say whether a host is refused or not there; name one with --allowed".to_owned());
        }
        let step = Step {
            sent: Sent::Nothing,
            ..Step::new(way, Host::name(NOWHERE), way.usual_port())
        };
        match self.forecast_name(way, NOWHERE).await {
            Forecast::Passes(permitted) if permitted.parent.is_none() => Ok(let_pass(step)),
            _ => Err("it would be sent to another network; name a host with --allowed".to_owned()),
        }
    }

    async fn forecast_name(&self, way: Way, name: &str) -> Forecast<'_> {
        let target = Host::name(name).target(way, way.usual_port());
        self.forecast(way, &target.expect("a name that is a host"))
            .await
    }

    /// A name that leads nowhere, however it is judged.
    pub(super) async fn harmless(&self) -> &'static str {
        match self.forecast_name(Way::Connect, TEST_NAME).await {
            Forecast::Refused { .. } => TEST_NAME,
            Forecast::Passes(_) => NOWHERE,
        }
    }

    /// The name that is compiled in, those that people have denied, and one of each list. What is
    /// on a list is asked for by tunnels alone, through which nothing is sent.
    pub(super) async fn plan_blocked(&self, way: Way) -> Plan {
        let mut names = vec![TEST_NAME.to_owned()];
        if way != Way::Http {
            let samples = self.judges.feeds.samples().into_iter();
            let samples = samples.filter(|(feed, _)| **feed != *TEST_NAMES);
            names.extend(samples.map(|(_, name)| name));
            names.extend(self.judges.decisions.denied().into_iter().take(ENTRIES));
        }
        let mut all = Vec::new();
        for name in names {
            let port = way.usual_port();
            let planned = self.plan_one(way, Host::Text(name), port).await;
            all.push(planned.map(sending_nothing));
        }
        let mut plan: Plan = all.into_iter().collect();
        if !plan.planned.is_empty() {
            plan.left_out.clear();
        }
        plan
    }

    pub(super) async fn plan_denied(&self, way: Way) -> Plan {
        let entries = self.config.egress.deny.iter();
        let names = entries.filter_map(|entry| name_in(entry, way.usual_port()));
        let names: Vec<_> = names.take(ENTRIES).collect();
        if names.is_empty() {
            return Plan::nothing("[egress] deny has no entry of a name");
        }
        let mut all = Vec::new();
        for (name, port) in names {
            let planned = self.plan_one(way, Host::Text(name), port).await;
            all.push(planned.map(sending_nothing));
        }
        all.into_iter().collect()
    }

    pub(super) async fn plan_port(&self, way: Way) -> Result<Planned, Unsent> {
        let planned = self.plan_host(way, Host::name(NOWHERE), MAIL_PORT).await;
        match planned {
            Ok((planned, Some(Rule::ConnectPort(_)))) => Ok(sending_nothing(planned)),
            Ok((planned, _)) if planned.by.is_some() => Ok(sending_nothing(planned)),
            _ => {
                Err("the settings let tunnels lead to port 25, so that nothing was sent".to_owned())
            }
        }
    }

    /// The listeners, where this machine meets them.
    pub(super) async fn plan_own(&self, way: Way) -> Plan {
        let listeners = self.config.listeners().into_iter();
        let addresses = listeners.filter_map(|it| it.settings.address.socket());
        let mut all = Vec::new();
        for address in addresses {
            let hosts = match effective_ip(address.ip()) {
                IpAddr::V4(ip) => spelling::of_v4(ip, way),
                ip => spelling::of_any(ip, way),
            };
            for host in hosts {
                let planned = self.plan_one(way, host, address.port()).await;
                all.push(planned.map(sending_nothing));
            }
        }
        if all.is_empty() {
            return Plan::nothing("the proxy has no listener with an address");
        }
        all.into_iter().collect()
    }

    /// Through a tunnel that is granted: a name that is refused, the same name, and another one.
    pub(super) async fn plan_shown(&self, way: Way, found_in: FoundIn) -> Plan {
        let near = self.plan_one(way, Host::name("localhost"), self.port).await;
        let near = near.ok().filter(|near| near.expected == Outcome::Reached);
        let tunnel = match (near, self.allowed) {
            (Some(near), _) => near,
            (None, Some(allowed)) if allowed.ip().is_none() => {
                let host = Host::name(allowed.host());
                let_pass(Step::new(way, host, port_of(allowed, way)))
            }
            (None, _) => {
                let why =
                    "a tunnel would have to lead to another network; name a host with --allowed";
                return Plan::nothing(why);
            }
        };
        let host = tunnel.step.host.to_string();
        let mut all = Vec::new();
        for name in [TEST_NAME, host.as_str(), NOWHERE] {
            let mut planned = tunnel.clone();
            planned.step.sent = match found_in {
                FoundIn::HostField => Sent::Request(name.to_owned()),
                _ => Sent::Hello(name.to_owned()),
            };
            match self.against_shown(way, &host, name, found_in).await {
                Some((outcome, by)) => {
                    planned.expected = outcome;
                    planned.by = Some(by);
                }
                None if tunnel.expected == Outcome::Reached => {}
                // It would come to another server.
                None => continue,
            }
            all.push(Ok(planned));
        }
        if all.is_empty() {
            return Plan::nothing(
                "the settings let every name pass in tunnels, so that nothing was sent",
            );
        }
        all.into_iter().collect()
    }

    /// What is against a name in a tunnel to another host, and what the client gets.
    async fn against_shown(
        &self,
        way: Way,
        host: &str,
        name: &str,
        found_in: FoundIn,
    ) -> Option<(Outcome, String)> {
        let tunnel = &self.config.tunnel;
        if tunnel.sni != SniCheck::Enforce || name == host {
            return None;
        }
        if let Some(against) = self.judge_shown(way, name, found_in).await {
            return Some(against);
        }
        let is_refused = tunnel.mismatch == SniMismatch::Refuse;
        is_refused.then(|| (shown_refusal(found_in), "[tunnel] mismatch".to_owned()))
    }
}

/// The port of a host that was named, which may be without one.
fn port_of(allowed: &Target, way: Way) -> u16 {
    match allowed.port() {
        0 => way.usual_port(),
        port => port,
    }
}

fn let_pass(step: Step) -> Planned {
    Planned {
        step,
        expected: Outcome::Passed(String::new()),
        by: None,
    }
}

/// If it is let pass all the same, nothing goes through its tunnel.
fn sending_nothing(planned: Planned) -> Planned {
    Planned {
        step: Step {
            sent: Sent::Nothing,
            ..planned.step
        },
        ..planned
    }
}

/// A name that an entry covers, and a port.
fn name_in(entry: &Destination, port: u16) -> Option<(String, u16)> {
    let name = match &entry.hosts {
        Hosts::Name(name) | Hosts::Within(name) => name.to_string(),
        Hosts::Below(domain) => format!("portcullis-selftest.{domain}"),
        Hosts::Any => NOWHERE.to_owned(),
        Hosts::Network(_) => return None,
    };
    let has_port = entry.ports.is_none_or(|ports| ports.have(port));
    let port = match entry.ports {
        Some(ports) if !has_port => ports.first(),
        _ => port,
    };
    Some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_denies_names_a_host_that_it_covers() {
        for (entry, name, port) in [
            ("a.example", "a.example", 80),
            ("*.a.example", "portcullis-selftest.a.example", 80),
            (".a.example:443", "a.example", 443),
            ("*:25", NOWHERE, 25),
            ("a.example:1-99", "a.example", 80),
        ] {
            let destination = entry.parse().unwrap();
            let made = name_in(&destination, 80).unwrap();
            assert_eq!(made, (name.to_owned(), port), "{entry}");
        }
        assert!(name_in(&"10.0.0.0/8".parse().unwrap(), 80).is_none());
    }
}
