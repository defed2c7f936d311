//! Opens hosts from Monday to Friday between two hours, and at any time for the clients of a group.
//! Everything else passes. See business-hours.toml for the settings.

use portcullis_sdk::{Domains, Error, Exchange, Filter, Schema, Verdict, clock, filter};

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What is closed at other times, with all names below.
    hosts: Domains,
    /// The hour at which they open, 0 to 23.
    from: u8,
    /// The hour at which they close, 1 to 24.
    to: u8,
    /// A name of the IANA database.
    timezone: String,
    /// A group of the proxy's settings.
    override_group: String,
}

struct BusinessHours(Config);

#[filter]
impl Filter for BusinessHours {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        clock::local(Some(&config.timezone))?;
        if config.from >= config.to || config.to > 24 {
            return Err(Error::new("it must be later than `from`, and at most 24").at("to"));
        }
        Ok(Self(config))
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let Self(config) = self;
        let Some(host) = config.hosts.most_specific(exchange.host()) else {
            return Ok(Verdict::next());
        };
        let now = clock::local(Some(&config.timezone))?;
        let is_open = now.weekday <= 5 && (config.from..config.to).contains(&now.hour);
        Ok(
            match is_open || exchange.client().is_in(&config.override_group) {
                true => Verdict::next(),
                false => Verdict::block(format!("{host} is closed now")),
            },
        )
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<BusinessHours>("cases.toml");
}

#[test]
fn hours_that_cannot_be_are_refused() {
    let opens = |from: u8, to: u8| {
        let hours = format!(r#""from": {from}, "to": {to}"#);
        let others = r#""hosts": [], "timezone": "UTC", "override_group": "oncall""#;
        let config = format!("{{{hours}, {others}}}");
        portcullis_sdk::testing::init::<BusinessHours>(&config).is_ok()
    };
    assert!(opens(0, 24) && opens(8, 9));
    assert!(!opens(8, 8) && !opens(9, 8) && !opens(8, 25));
}
