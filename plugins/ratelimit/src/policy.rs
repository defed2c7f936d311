//! What is counted together, and how far. Pure: counting is handed to it.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use portcullis_sdk::{Domains, Error, Host, Template, TimeSpan, Verdict, state};

/// Hosts or domains that one client is counted by at a time.
const SUBJECTS: i64 = 100;

/// The operator's settings.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Each counts by itself, and each must be kept to.
    limits: Vec<Limit>,
    /// What the client is told; `{host}`, `{client}` (its address), `{requests}` and `{per}` are
    /// filled in.
    #[serde(default = "reason")]
    reason: String,
}

/// A number of requests in a span of time. The time begins with the first request; when it is over,
/// counting begins anew.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
struct Limit {
    /// How many pass, at least 1. A tunnel is one request, whatever goes through it.
    requests: u32,
    /// In how much time, such as `1m`.
    per: TimeSpan,
    /// Which requests are counted together.
    #[serde(default)]
    by: By,
    /// Requests to other hosts do not count: domains with every name below them, addresses, or `*`
    /// for everything.
    #[serde(default = "Domains::all")]
    hosts: Domains,
}

/// Which requests are counted together.
#[derive(Clone, Copy, Default, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(rename_all = "kebab-case")]
enum By {
    /// Those from the same client: an IPv4 address, or the /64 network of an IPv6 address.
    #[default]
    Client,
    /// Those from the same client to the same host. Beyond a hundred hosts, a client's are counted
    /// together.
    ClientAndHost,
    /// Those from the same client to hosts below the same registered domain, such as
    /// `example.co.uk`.
    ClientAndDomain,
}

fn reason() -> String {
    "more than {requests} requests in {per}".into()
}

/// The settings, checked.
pub(crate) struct Policy {
    limits: Vec<Limit>,
    reason: Template,
}

impl Policy {
    /// Checks the settings.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.limits.is_empty() {
            let error = "there is none; add one such as { requests = 600, per = \"1m\" }";
            return Err(Error::new(error).at("limits"));
        }
        for (at, limit) in config.limits.iter().enumerate() {
            let (setting, error) = if limit.requests == 0 {
                ("requests", "0 would refuse everything; choose 1 or more")
            } else if limit.per.is_zero() {
                (
                    "per",
                    "nothing happens in no time; choose one such as \"1m\"",
                )
            } else if limit.hosts.is_empty() {
                (
                    "hosts",
                    "it is empty, so the limit does nothing; fill it, or remove it to count all requests",
                )
            } else {
                continue;
            };
            return Err(Error::new(error).at(format_args!("limits[{at}].{setting}")));
        }
        let reason = Template::parse(&config.reason, &["host", "client", "requests", "per"]);
        Ok(Self {
            limits: config.limits,
            reason: reason.map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what exceeds a limit. Fails if there is no room for another count.
    pub(crate) fn judge(
        &self,
        host: &Host,
        client: IpAddr,
        counts: &impl Counts,
    ) -> Result<Verdict, state::Error> {
        let client = client.to_canonical();
        let limits = self.limits.iter().enumerate();
        for (at, limit) in limits.filter(|(_, limit)| limit.hosts.covers(host)) {
            let window = limit.per.into();
            // The window is part of the key, so that an old count does not outlive a setting that
            // was changed.
            let own = format!("{at} {} {}", limit.per, network(client));
            let key = match limit.by.subject(host) {
                None => own,
                Some(subject) => subject_key(own, &subject, window, counts)?,
            };
            if counts.add(&key, window)? > limit.requests.into() {
                return Ok(self.refusal(host, client, limit));
            }
        }
        Ok(Verdict::next())
    }

    fn refusal(&self, host: &Host, client: IpAddr, limit: &Limit) -> Verdict {
        let (requests, per) = (limit.requests.to_string(), limit.per.to_string());
        let client = client.to_string();
        let values = [
            ("host", host.as_str()),
            ("client", &client),
            ("requests", &requests),
            ("per", &per),
        ];
        // Counting begins anew by then, if not before: the proxy does not say when it began.
        Verdict::block(self.reason.render(values))
            .status(429)
            .retry_after(limit.per.into())
    }
}

/// Counts by key.
pub(crate) trait Counts {
    /// Adds one, and gives the sum. The count is forgotten when `window` has passed since the
    /// first.
    fn add(&self, key: &str, window: Duration) -> Result<i64, state::Error>;

    /// Whether there is a count already.
    fn has(&self, key: &str) -> Result<bool, state::Error>;
}

/// The addresses that are counted as one client. A host with one IPv6 address has the other 2^64 of
/// its /64 network, too (RFC 6177).
fn network(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
    }
}

/// What a request about this subject is counted as. A client chooses what it asks for, and must not
/// fill the room for all counts with that: from some number on its subjects are counted together.
fn subject_key(
    own: String,
    subject: &str,
    window: Duration,
    counts: &impl Counts,
) -> Result<String, state::Error> {
    // A host has no slash in its name, so these keys cannot meet.
    let key = format!("{own} {subject}");
    if counts.has(&key)? || counts.add(&format!("{own} /subjects"), window)? <= SUBJECTS {
        return Ok(key);
    }
    Ok(format!("{own} /others"))
}

impl By {
    /// What there is to count by besides the client.
    fn subject(self, host: &Host) -> Option<String> {
        match self {
            Self::Client => None,
            Self::ClientAndHost => Some(host.to_string()),
            Self::ClientAndDomain => {
                let domain = host.registrable_domain();
                Some(domain.unwrap_or_else(|| host.to_string()))
            }
        }
    }
}
