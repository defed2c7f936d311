//! Only these hosts: what is not on the list is refused. Which list counts for which client is
//! decided in `policy`; this file only hands over the facts.

mod policy;

use std::time::Duration;

use policy::{Config, Policy};
use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter};

/// The answer depends on the host, on what was asked about the client, and on the settings alone.
/// The time only bounds for how long a host that is not asked for takes room.
const KEPT: Duration = Duration::from_secs(3600);

struct Allowlist(Policy);

#[filter]
impl Filter for Allowlist {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self(Policy::new(config)?))
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let verdict = self.0.judge(exchange.host(), exchange.client());
        Ok(verdict.keep(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing::{self, MockExchange};

    const VENDORS: &str = r#"{
        "hosts": ["corp.example", "10.0.0.5"],
        "clients": [
            {"networks": ["10.1.0.0/16", "2001:db8::/32"], "hosts": ["vendor.example"]},
            {"networks": ["10.1.2.3"], "hosts": ["*"]}
        ]
    }"#;

    fn next() -> Verdict {
        Verdict::next().keep(KEPT)
    }

    fn blocked(reason: impl Into<String>) -> Verdict {
        Verdict::block(reason).keep(KEPT)
    }

    fn answer(config: &str, exchange: &MockExchange) -> Verdict {
        let filter: Allowlist = testing::init(config).unwrap();
        filter.judge_host(exchange).unwrap()
    }

    fn judge(config: &str, host: &str, client: Option<&str>) -> Verdict {
        let exchange = testing::exchange(host);
        let exchange = match client {
            Some(address) => exchange.with_client(address),
            None => exchange,
        };
        answer(config, &exchange)
    }

    fn refusal(config: &str) -> String {
        let filter: Result<Allowlist, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    #[test]
    fn what_is_listed_for_everyone_goes_on_to_the_next_filter() {
        for host in ["corp.example", "a.b.corp.example", "10.0.0.5"] {
            for client in [None, Some("10.1.0.1"), Some("192.0.2.1")] {
                assert_eq!(judge(VENDORS, host, client), next(), "{host}");
            }
        }
    }

    #[test]
    fn what_is_not_listed_is_refused() {
        for host in ["example", "notcorp.example", "10.0.0.6", "::1"] {
            let reason = format!("{host} is not on the allowlist");
            let verdict = judge(VENDORS, host, Some("10.1.0.1"));
            assert_eq!(verdict, blocked(reason));
        }
    }

    #[test]
    fn clients_in_a_network_have_its_hosts_besides() {
        for (client, verdict) in [
            (Some("10.1.255.1"), next()),
            (Some("::ffff:10.1.0.1"), next()),
            (Some("2001:db8::1"), next()),
            (
                Some("10.2.0.1"),
                blocked("www.vendor.example is not on the allowlist"),
            ),
            (None, blocked("www.vendor.example is not on the allowlist")),
        ] {
            let judged = judge(VENDORS, "www.vendor.example", client);
            assert_eq!(judged, verdict, "{client:?}");
        }
    }

    #[test]
    fn a_client_has_the_hosts_of_every_network_that_it_is_in() {
        for host in ["vendor.example", "anything.example", "192.0.2.1"] {
            assert_eq!(judge(VENDORS, host, Some("10.1.2.3")), next());
        }
    }

    /// The tablets may reach the school and nothing else; all others go where they like.
    const TABLETS: &str = r#"{
        "clients": [{"groups": ["tablets"], "networks": ["10.9.0.0/16"], "hosts": ["school.example"], "only": true}]
    }"#;

    #[test]
    fn clients_may_be_kept_to_some_hosts_while_others_go_anywhere() {
        let tablet = |host| answer(TABLETS, &testing::exchange(host).with_groups(["tablets"]));
        assert_eq!(tablet("www.school.example"), next());
        assert_eq!(
            tablet("games.example"),
            blocked("games.example is not on the allowlist")
        );
        assert_ne!(judge(TABLETS, "games.example", Some("10.9.1.1")), next());
        assert_eq!(judge(TABLETS, "games.example", Some("10.1.1.1")), next());
        assert_eq!(judge(TABLETS, "games.example", None), next());
    }

    #[test]
    fn what_everyone_may_reach_is_not_for_clients_that_are_kept_to_some_hosts() {
        let config = r#"{"hosts": ["news.example"], "clients": [
            {"networks": ["10.9.0.0/16"], "hosts": ["school.example"], "only": true},
            {"networks": ["10.9.0.7"], "hosts": ["library.example"]}
        ]}"#;
        for (client, host, passes) in [
            ("10.9.0.1", "school.example", true),
            ("10.9.0.1", "news.example", false),
            ("10.9.0.7", "school.example", true),
            ("10.9.0.7", "library.example", true),
            ("10.9.0.7", "news.example", false),
            ("10.1.0.1", "news.example", true),
            ("10.1.0.1", "school.example", false),
        ] {
            let verdict = judge(config, host, Some(client));
            assert_eq!(verdict == next(), passes, "{client} {host}");
        }
    }

    #[test]
    fn the_client_is_asked_for_only_where_it_matters() {
        let asked = |config, host| {
            let exchange = testing::exchange(host).with_client("10.2.0.1");
            answer(config, &exchange);
            exchange.asked()
        };
        assert_eq!(asked(VENDORS, "corp.example"), [""; 0]);
        assert_eq!(asked(VENDORS, "vendor.example"), ["client.address"]);
        assert_eq!(asked(r#"{"hosts": ["a.example"]}"#, "b.example"), [""; 0]);
        let both = ["client.address", "client.groups"];
        assert_eq!(asked(TABLETS, "games.example"), both);
    }

    #[test]
    fn the_reason_is_the_operators() {
        let config = r#"{"hosts": ["a.example"], "reason": "{host} is not for us; write to it@corp.example"}"#;
        assert_eq!(
            judge(config, "b.example", None),
            blocked("b.example is not for us; write to it@corp.example")
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
                "clients[0]: it is for no client",
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
