//! A limit on the requests of a client in a span of time. The proxy counts, in the filter's state;
//! what is counted together, and how far, is decided in `policy`. This file only connects the two.

mod policy;

use std::cell::Cell;
use std::time::Duration;

use policy::{Config, Counts, Policy};
use portcullis_sdk::{Error, Exchange, Filter, FoundIn, Verdict, filter, metrics, state, warn};

struct RateLimit {
    policy: Policy,
    /// Whether this instance has said that there is no room.
    has_complained: Cell<bool>,
}

#[filter]
impl Filter for RateLimit {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self {
            policy: Policy::new(config)?,
            has_complained: Cell::new(false),
        })
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        // Without a client it is not a request: `explain` asks what would happen, and must not
        // count.
        let Some(client) = exchange.client().address() else {
            return Ok(Verdict::next());
        };
        // A tunnel is judged again for the name that was found in it, and is one request.
        if exchange.found_in() != FoundIn::Request {
            return Ok(Verdict::next());
        }
        match self.policy.judge(exchange.host(), client, &State) {
            Err(state::Error::Full) => Ok(self.no_room()),
            judged => Ok(judged?),
        }
    }
}

impl RateLimit {
    /// Refuses a request that cannot be counted. An error would count as a failure of the filter
    /// and bring it into quarantine, for all clients; so those that are counted already go on being
    /// served.
    fn no_room(&self) -> Verdict {
        metrics::count("uncounted", 1, &[]);
        if !self.has_complained.replace(true) {
            warn!(
                "there is no room to count more clients, so the requests of others are refused; \
                 raise [limits] state"
            );
        }
        let reason = "the proxy is counting as many clients as it can; try again later";
        Verdict::block(reason).status(503)
    }
}

struct State;

impl Counts for State {
    fn add(&self, key: &str, window: Duration) -> Result<i64, state::Error> {
        state::increment(key, 1, Some(window))
    }

    fn has(&self, key: &str) -> Result<bool, state::Error> {
        Ok(state::get(key)?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use portcullis_sdk::testing;

    const MINUTE: Duration = Duration::from_secs(60);

    fn filter(config: &str) -> RateLimit {
        testing::init(config).unwrap()
    }

    fn refusal(config: &str) -> String {
        let filter: Result<RateLimit, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    fn judge(filter: &RateLimit, client: &str, host: &str) -> Verdict {
        let exchange = testing::exchange(host).with_client(client);
        filter.judge_host(&exchange).unwrap()
    }

    fn refused(reason: &str, seconds: u64) -> Verdict {
        let refusal = Verdict::block(reason).status(429);
        refusal.retry_after(Duration::from_secs(seconds))
    }

    fn passes(filter: &RateLimit, client: &str, host: &str) -> bool {
        judge(filter, client, host) == Verdict::next()
    }

    #[test]
    fn a_client_has_its_requests_until_its_window_ends() {
        let filter = filter(r#"{"limits": [{"requests": 2, "per": "1m"}]}"#);
        assert!(passes(&filter, "10.0.0.1", "a.example"));
        testing::advance(MINUTE / 2);
        assert!(passes(&filter, "10.0.0.1", "b.example"));
        assert_eq!(
            judge(&filter, "10.0.0.1", "c.example"),
            refused("more than 2 requests in 1m", 60)
        );
        assert!(passes(&filter, "10.0.0.2", "a.example"));

        // What was refused does not prolong it.
        testing::advance(MINUTE / 2);
        assert!(passes(&filter, "10.0.0.1", "a.example"));
    }

    #[test]
    fn requests_may_count_for_each_host_or_registered_domain() {
        let hosts =
            filter(r#"{"limits": [{"requests": 1, "per": "1m", "by": "client-and-host"}]}"#);
        assert!(passes(&hosts, "10.0.0.1", "a.example.co.uk"));
        assert!(passes(&hosts, "10.0.0.1", "b.example.co.uk"));
        assert!(!passes(&hosts, "10.0.0.1", "a.example.co.uk"));

        let domains =
            filter(r#"{"limits": [{"requests": 1, "per": "2m", "by": "client-and-domain"}]}"#);
        assert!(passes(&domains, "10.0.0.1", "a.example.co.uk"));
        assert!(!passes(&domains, "10.0.0.1", "b.example.co.uk"));
        assert!(passes(&domains, "10.0.0.1", "other.co.uk"));
        for host in ["192.0.2.1", "192.0.2.2", "localhost"] {
            assert!(passes(&domains, "10.0.0.1", host), "{host}");
            assert!(!passes(&domains, "10.0.0.1", host), "{host}");
        }
    }

    #[test]
    fn every_limit_for_a_host_must_be_kept_to() {
        let filter = filter(
            r#"{"limits": [
                {"requests": 3, "per": "1h"},
                {"requests": 1, "per": "1m", "hosts": ["api.example"]}
            ]}"#,
        );
        assert!(passes(&filter, "10.0.0.1", "v1.api.example"));
        assert_eq!(
            judge(&filter, "10.0.0.1", "v2.api.example"),
            refused("more than 1 requests in 1m", 60)
        );
        assert!(passes(&filter, "10.0.0.1", "b.example"));
        assert_eq!(
            judge(&filter, "10.0.0.1", "b.example"),
            refused("more than 3 requests in 1h", 3600)
        );
    }

    #[test]
    fn a_client_that_cannot_be_counted_is_asked_to_try_again_later() {
        let filter = filter(r#"{"limits": [{"requests": 2, "per": "1m"}]}"#);
        assert!(passes(&filter, "10.0.0.1", "a.example"));
        let room = (1..1 << 20).rev();
        let full = room
            .map(|bytes| state::set("other", vec![0; bytes], None))
            .find(Result::is_ok);
        assert_eq!(full, Some(Ok(())));
        for _ in 0..2 {
            let refusal = "the proxy is counting as many clients as it can; try again later";
            assert_eq!(
                judge(&filter, "10.0.0.2", "a.example"),
                Verdict::block(refusal).status(503)
            );
        }
        assert_eq!(testing::metric("uncounted", &[]), Some(2.0));
        assert_eq!(testing::logs().len(), 1);
        // The count of this client has its room already.
        assert!(passes(&filter, "10.0.0.1", "a.example"));
    }

    #[test]
    fn a_count_that_cannot_be_read_is_a_failure_and_not_a_lack_of_room() {
        let filter = filter(r#"{"limits": [{"requests": 2, "per": "1m"}]}"#);
        state::set("0 1m 10.0.0.1", "many", None).unwrap();
        let exchange = testing::exchange("a.example").with_client("10.0.0.1");
        let error = filter.judge_host(&exchange).unwrap_err();
        assert_eq!(error, Error::from(state::Error::NotANumber));
        assert_eq!(testing::metric("uncounted", &[]), None);
    }

    #[test]
    fn an_address_is_one_client_however_it_is_written() {
        let filter = filter(r#"{"limits": [{"requests": 1, "per": "1m"}]}"#);
        assert!(passes(&filter, "10.0.0.1", "a.example"));
        assert!(!passes(&filter, "::ffff:10.0.0.1", "a.example"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let filter = filter(r#"{"limits": [{"requests": 1, "per": "1m"}]}"#);
        assert!(passes(&filter, "2001:db8:0:1::1", "a.example"));
        assert!(!passes(&filter, "2001:db8:0:1:ffff::2", "a.example"));
        assert!(passes(&filter, "2001:db8:0:2::1", "a.example"));
    }

    #[test]
    fn the_hosts_of_a_client_that_asks_for_very_many_count_together() {
        let filter =
            filter(r#"{"limits": [{"requests": 2, "per": "1m", "by": "client-and-host"}]}"#);
        for host in 0..100 {
            assert!(passes(&filter, "10.0.0.1", &format!("{host}.example")));
        }
        for host in ["a.other.example", "b.other.example"] {
            assert!(passes(&filter, "10.0.0.1", host));
        }
        assert!(!passes(&filter, "10.0.0.1", "c.other.example"));
        // What was counted by itself still is, and so is every other client.
        assert!(passes(&filter, "10.0.0.1", "1.example"));
        assert!(!passes(&filter, "10.0.0.1", "1.example"));
        assert!(passes(&filter, "10.0.0.2", "c.other.example"));
    }

    #[test]
    fn a_question_without_a_client_is_not_counted() {
        let filter = filter(r#"{"limits": [{"requests": 1, "per": "1m"}]}"#);
        let exchange = testing::exchange("a.example");
        assert_eq!(filter.judge_host(&exchange), Ok(Verdict::next()));
        assert_eq!(filter.judge_host(&exchange), Ok(Verdict::next()));
    }

    #[test]
    fn a_tunnel_that_is_judged_again_is_one_request() {
        let filter = filter(r#"{"limits": [{"requests": 1, "per": "1m"}]}"#);
        assert!(passes(&filter, "10.0.0.1", "10.9.9.9"));
        let again = testing::exchange("a.example").with_client("10.0.0.1");
        let again = again.with_found_in("server-name");
        assert_eq!(filter.judge_host(&again), Ok(Verdict::next()));
    }

    #[test]
    fn a_limit_that_has_changed_begins_anew() {
        let hour = filter(r#"{"limits": [{"requests": 1, "per": "1h"}]}"#);
        assert!(passes(&hour, "10.0.0.1", "a.example"));
        let minute = filter(r#"{"limits": [{"requests": 1, "per": "1m"}]}"#);
        assert!(passes(&minute, "10.0.0.1", "a.example"));
        assert!(!passes(&hour, "10.0.0.1", "a.example"));
    }

    #[test]
    fn the_reason_is_the_operators() {
        let filter = filter(
            r#"{"limits": [{"requests": 1, "per": "90s"}], "reason": "{client} asked for {host} and more: {requests} in {per}"}"#,
        );
        assert!(passes(&filter, "10.0.0.1", "a.example"));
        assert_eq!(
            judge(&filter, "10.0.0.1", "a.example"),
            refused("10.0.0.1 asked for a.example and more: 1 in 1m 30s", 90)
        );
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused_with_a_hint() {
        for (config, message) in [
            ("", "missing field `limits`"),
            (
                r#"{"limits": []}"#,
                "limits: there is none; add one such as { requests = 600, per = \"1m\" }",
            ),
            (
                r#"{"limits": [{"requests": 0, "per": "1m"}]}"#,
                "limits[0].requests: 0 would refuse everything",
            ),
            (
                r#"{"limits": [{"requests": 1, "per": "0s"}]}"#,
                "limits[0].per: nothing happens in no time; choose one such as \"1m\"",
            ),
            (
                r#"{"limits": [{"requests": 1, "per": "minute"}]}"#,
                "limits[0].per: `minute` is not a span of time",
            ),
            (
                r#"{"limits": [{"requests": 1, "per": "1m", "by": "user"}]}"#,
                "limits[0].by: unknown variant `user`, expected one of `client`, `client-and-host`, `client-and-domain`",
            ),
            (
                r#"{"limits": [{"requests": 1, "per": "1m", "hosts": []}]}"#,
                "limits[0].hosts: it is empty",
            ),
            (
                r#"{"limits": [{"requests": 1, "per": "1m"}], "reason": "{seconds}"}"#,
                "reason: nothing is known as {seconds}, only {host}, {client}, {requests}, {per}",
            ),
        ] {
            let refusal = refusal(config);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
