//! Only these hosts: what is not on the list is refused. Which list counts for which client is
//! decided in `policy`; this file only hands over the facts.

mod policy;

use policy::{Config, Policy};
use portcullis_sdk::{Error, Filter, Flow, Verdict, filter};

struct Allowlist(Policy);

#[filter]
impl Filter for Allowlist {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self(Policy::new(config)?))
    }

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        let client = || flow.client().address();
        Ok(self.0.judge(flow.host(), client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::{Protocol, testing};

    const VENDORS: &str = r#"{
        "hosts": ["corp.example", "10.0.0.5"],
        "clients": [
            {"networks": ["10.1.0.0/16", "2001:db8::/32"], "hosts": ["vendor.example"]},
            {"networks": ["10.1.2.3"], "hosts": ["*"]}
        ]
    }"#;

    fn judge(config: &str, host: &str, client: Option<&str>) -> Verdict {
        let filter: Allowlist = testing::init(config).unwrap();
        let flow = Flow::new(host, 443, Protocol::Connect);
        let flow = match client {
            Some(address) => flow.with_client(address.parse().unwrap()),
            None => flow,
        };
        filter.judge_host(&flow).unwrap()
    }

    fn refusal(config: &str) -> String {
        let filter: Result<Allowlist, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    #[test]
    fn what_is_listed_for_everybody_goes_on_to_the_next_filter() {
        for host in ["corp.example", "a.b.corp.example", "10.0.0.5"] {
            for client in [None, Some("10.1.0.1"), Some("192.0.2.1")] {
                assert_eq!(judge(VENDORS, host, client), Verdict::NEXT, "{host}");
            }
        }
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        for host in ["example", "notcorp.example", "10.0.0.6", "::1"] {
            let reason = format!("{host} is not on the allowlist");
            let verdict = judge(VENDORS, host, Some("10.1.0.1"));
            assert_eq!(verdict, Verdict::block(reason));
        }
    }

    #[test]
    fn clients_in_a_network_have_its_hosts_besides() {
        for (client, verdict) in [
            (Some("10.1.255.1"), Verdict::NEXT),
            (Some("::ffff:10.1.0.1"), Verdict::NEXT),
            (Some("2001:db8::1"), Verdict::NEXT),
            (
                Some("10.2.0.1"),
                Verdict::block("www.vendor.example is not on the allowlist"),
            ),
            (
                None,
                Verdict::block("www.vendor.example is not on the allowlist"),
            ),
        ] {
            let judged = judge(VENDORS, "www.vendor.example", client);
            assert_eq!(judged, verdict, "{client:?}");
        }
    }

    #[test]
    fn a_client_has_the_hosts_of_every_network_that_it_is_in() {
        for host in ["vendor.example", "anything.example", "192.0.2.1"] {
            assert_eq!(judge(VENDORS, host, Some("10.1.2.3")), Verdict::NEXT);
        }
    }

    #[test]
    fn the_reason_is_the_operators() {
        let config = r#"{"hosts": ["a.example"], "reason": "{host} is not for us; write to it@corp.example"}"#;
        assert_eq!(
            judge(config, "b.example", None),
            Verdict::block("b.example is not for us; write to it@corp.example")
        );
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused_with_a_hint() {
        for (config, message) in [
            (
                "",
                "hosts: nothing is listed, so every request would be refused; list what may be reached, such as [\"example.com\"], \
                 or \"*\" for everything",
            ),
            (
                r#"{"hosts": [], "clients": []}"#,
                "hosts: nothing is listed",
            ),
            (
                r#"{"hosts": ["*.corp.example"]}"#,
                "hosts[0]: `*.corp.example` is not a host; write it like example.com",
            ),
            (r#"{"host": []}"#, "host: unknown field `host`"),
            (
                r#"{"clients": [{"networks": ["10.0.0.7/8"], "hosts": ["*"]}]}"#,
                "clients[0].networks[0]: 10.0.0.7/8 begins within a network; that is 10.0.0.0/8",
            ),
            (
                r#"{"clients": [{"networks": ["build"], "hosts": ["*"]}]}"#,
                "clients[0].networks[0]: `build` is neither a network such as 10.0.0.0/8 nor an address",
            ),
            (
                r#"{"clients": [{"networks": [], "hosts": ["*"]}]}"#,
                "clients[0].networks: it is empty",
            ),
            (
                r#"{"clients": [{"networks": ["::/0"], "hosts": []}]}"#,
                "clients[0].hosts: it is empty",
            ),
            (
                r#"{"hosts": ["*"], "reason": "{client}"}"#,
                "reason: nothing is known as {client}, only {host}",
            ),
        ] {
            let refusal = refusal(config);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
