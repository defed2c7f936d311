//! When which hosts pass. Pure: it is handed the time and asks for nothing itself.

mod window;

use portcullis_sdk::clock::LocalTime;
use portcullis_sdk::{Domains, Error, Host, Template, Verdict};
use window::{Day, Window};

/// The operator's settings.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// A name of the IANA database such as `Europe/Berlin`; the zone of the proxy's machine if
    /// there is none.
    timezone: Option<String>,
    /// Every rule for a host must be kept.
    rules: Vec<RuleConfig>,
}

/// The times of some hosts. There must be either `open` or `closed`.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
struct RuleConfig {
    /// Domains with every name below them, addresses, or `*` for everything.
    hosts: Domains,
    /// They pass at these times and no others.
    open: Option<Vec<Window>>,
    /// They do not pass at these times.
    closed: Option<Vec<Window>>,
    /// What the client is told; `{host}` and `{time}` (`Mon 18:30`) are filled in.
    #[serde(default = "reason")]
    reason: String,
}

fn reason() -> String {
    "{host} is closed at this time ({time})".into()
}

/// The settings, checked.
pub(crate) struct Policy {
    timezone: Option<String>,
    rules: Vec<Rule>,
}

struct Rule {
    hosts: Domains,
    windows: Vec<Window>,
    within: Access,
    reason: Template,
}

/// What holds while a window lasts; at other times the opposite does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Open,
    Closed,
}

impl Policy {
    /// Checks the settings, but for the time zone.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.rules.is_empty() {
            let error = "there is none; add one such as { hosts = [\"games.example\"], open = [{ from = \"18:00\", to = \"20:00\" }] }";
            return Err(Error::new(error).at("rules"));
        }
        let listed = config.rules.into_iter().enumerate();
        let rules = listed.map(|(at, rule)| Rule::new(rule, &format!("rules[{at}]")));
        Ok(Self {
            timezone: config.timezone,
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whose clocks count; none for those of the proxy's machine.
    pub(crate) fn timezone(&self) -> Option<&str> {
        self.timezone.as_deref()
    }

    /// Blocks what is closed. `now` is asked for only if it matters.
    pub(crate) fn judge(
        &self,
        host: &Host,
        now: impl FnOnce() -> Result<LocalTime, Error>,
    ) -> Result<Verdict, Error> {
        let mut rules = self
            .rules
            .iter()
            .filter(|rule| rule.hosts.covers(host))
            .peekable();
        if rules.peek().is_none() {
            return Ok(Verdict::next());
        }
        let now = now()?;
        let Some(rule) = rules.find(|rule| rule.access(now) == Access::Closed) else {
            return Ok(Verdict::next());
        };
        let time = format!("{} {:02}:{:02}", Day::of(now).name(), now.hour, now.minute);
        let values = [("host", host.as_str()), ("time", &time)];
        Ok(Verdict::block(rule.reason.render(values)))
    }
}

impl Rule {
    fn new(config: RuleConfig, place: &str) -> Result<Self, Error> {
        let (within, name, windows) = match (config.open, config.closed) {
            (Some(windows), None) => (Access::Open, "open", windows),
            (None, Some(windows)) => (Access::Closed, "closed", windows),
            (None, None) => {
                let error =
                    "there are no times; say when its hosts are `open`, or when they are `closed`";
                return Err(Error::new(error).at(place));
            }
            (Some(_), Some(_)) => {
                let error = "`open` and `closed` exclude each other; make two rules of it";
                return Err(Error::new(error).at(place));
            }
        };
        if config.hosts.is_empty() {
            let error =
                Error::new("it is empty, so the rule does nothing; fill it or remove the rule");
            return Err(error.at(format_args!("{place}.hosts")));
        }
        if let Some(at) = windows.iter().position(Window::is_never) {
            let error = Error::new(
                "it is empty, so the window is never there; leave it out to mean every day",
            );
            return Err(error.at(format_args!("{place}.{name}[{at}].days")));
        }
        let reason = Template::parse(&config.reason, &["host", "time"]);
        Ok(Self {
            hosts: config.hosts,
            windows,
            within,
            reason: reason.map_err(|error| error.at(format_args!("{place}.reason")))?,
        })
    }

    fn access(&self, now: LocalTime) -> Access {
        let is_within = self.windows.iter().any(|window| window.contains(now));
        match (is_within, self.within) {
            (true, access) => access,
            (false, Access::Open) => Access::Closed,
            (false, Access::Closed) => Access::Open,
        }
    }
}
