//! Hosts by the time of the week. The time is the proxy's; what it means is decided in `policy`.
//! This file only connects the two.

mod policy;

use policy::{Config, Policy};
use portcullis_sdk::{Error, Exchange, Filter, Verdict, clock, filter};

struct Schedule(Policy);

#[filter]
impl Filter for Schedule {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        let policy = Policy::new(config)?;
        // An unknown time zone is a mistake in the settings, so it is told now and not at the first
        // request.
        clock::local(policy.timezone()).map_err(|error| error.at("timezone"))?;
        Ok(Self(policy))
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let now = || clock::local(self.0.timezone());
        self.0.judge(exchange.host(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    use portcullis_sdk::testing;

    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    /// Sets the clock to a time such as `Mon 18:30`.
    fn at(time: &str) {
        let (day, time) = time.split_once(' ').unwrap();
        let (hour, minute) = time.split_once(':').unwrap();
        let day = DAYS.iter().position(|known| *known == day).unwrap() as u64;
        let (hour, minute): (u64, u64) = (hour.parse().unwrap(), minute.parse().unwrap());
        // 2026-03-02 was a Monday.
        let seconds = 1_772_409_600 + day * 86_400 + hour * 3_600 + minute * 60;
        testing::set_time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    }

    fn judge(config: &str, host: &str, time: &str) -> Verdict {
        at(time);
        let filter: Schedule = testing::init(config).unwrap();
        filter.judge_host(&testing::exchange(host)).unwrap()
    }

    fn passes(config: &str, time: &str) -> bool {
        judge(config, "www.games.example", time) == Verdict::next()
    }

    fn refusal(config: &str) -> String {
        let filter: Result<Schedule, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    #[test]
    fn a_host_that_is_open_at_times_is_blocked_at_all_others() {
        let evenings = r#"{"rules": [{"hosts": ["games.example"], "open": [
            {"days": ["mon", "wed"], "from": "18:00", "to": "20:00"},
            {"days": ["sat"]}
        ]}]}"#;
        for (time, expected) in [
            ("Mon 17:59", false),
            ("Mon 18:00", true),
            ("Mon 19:59", true),
            ("Mon 20:00", false),
            ("Tue 19:00", false),
            ("Wed 19:00", true),
            ("Fri 23:59", false),
            ("Sat 00:00", true),
            ("Sat 23:59", true),
            ("Sun 00:00", false),
        ] {
            assert_eq!(passes(evenings, time), expected, "{time}");
        }
    }

    #[test]
    fn a_host_that_is_closed_at_times_passes_at_all_others() {
        let lessons = r#"{"rules": [{"hosts": ["games.example"], "closed": [
            {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "13:00"}
        ]}]}"#;
        for (time, expected) in [
            ("Mon 07:59", true),
            ("Mon 08:00", false),
            ("Fri 12:59", false),
            ("Fri 13:00", true),
            ("Sat 09:00", true),
        ] {
            assert_eq!(passes(lessons, time), expected, "{time}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let nights = r#"{"rules": [{"hosts": ["games.example"], "closed": [
            {"days": ["fri", "sun"], "from": "22:00", "to": "06:00"}
        ]}]}"#;
        for (time, expected) in [
            ("Fri 05:00", true),
            ("Fri 21:59", true),
            ("Fri 22:00", false),
            ("Sat 05:59", false),
            ("Sat 06:00", true),
            ("Sat 23:00", true),
            ("Sun 05:00", true),
            ("Sun 23:00", false),
            ("Mon 05:00", false),
        ] {
            assert_eq!(passes(nights, time), expected, "{time}");
        }
    }

    #[test]
    fn only_the_hosts_of_a_rule_keep_its_times_and_every_rule_must_be_kept() {
        let rules = r#"{"rules": [
            {"hosts": ["games.example"], "open": [{"from": "12:00", "to": "20:00"}]},
            {"hosts": ["*"], "closed": [{"to": "06:00"}], "reason": "sleep"}
        ]}"#;
        assert_eq!(
            judge(rules, "a.games.example", "Thu 09:05"),
            Verdict::block("a.games.example is closed at this time (Thu 09:05)")
        );
        assert_eq!(judge(rules, "news.example", "Thu 09:05"), Verdict::next());
        assert_eq!(
            judge(rules, "10.0.0.1", "Thu 05:59"),
            Verdict::block("sleep")
        );
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused_with_a_hint() {
        for (config, message) in [
            ("", "missing field `rules`"),
            (r#"{"rules": []}"#, "rules: there is none"),
            (
                r#"{"rules": [{"hosts": ["a.example"]}]}"#,
                "rules[0]: there are no times; say when its hosts are `open`, or when they are `closed`",
            ),
            (
                r#"{"rules": [{"hosts": ["a.example"], "open": [{}], "closed": [{}]}]}"#,
                "rules[0]: `open` and `closed` exclude each other; make two rules of it",
            ),
            (
                r#"{"rules": [{"hosts": [], "open": [{}]}]}"#,
                "rules[0].hosts: it is empty",
            ),
            (
                r#"{"rules": [{"hosts": ["*"], "open": [{"days": []}]}]}"#,
                "rules[0].open[0].days: it is empty",
            ),
            (
                r#"{"rules": [{"hosts": ["*"], "open": [{"days": ["monday"]}]}]}"#,
                "rules[0].open[0].days[0]: unknown variant `monday`, expected one of `mon`, `tue`",
            ),
            (
                r#"{"rules": [{"hosts": ["*"], "closed": [{"from": "8"}]}]}"#,
                "rules[0].closed[0].from: `8` is not a time of the day; write it like 08:00, from 00:00 to 24:00",
            ),
            (
                r#"{"rules": [{"hosts": ["*"], "closed": [{}], "reason": "{day}"}]}"#,
                "rules[0].reason: nothing is known as {day}, only {host}, {time}",
            ),
        ] {
            let refusal = refusal(config);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
