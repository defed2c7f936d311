//! Parent proxies: which requests go through which of them, and in what order they are tried. One
//! value for all workers, made by `proxy` from the settings. `upstream` asks it for the way, and
//! says how the proxies fare; this file dials nothing.

mod choice;
mod member;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64;
use http::HeaderValue;
use tokio::time::Instant;
use url::Url;

pub(crate) use self::choice::choose;
use self::member::FIRST_REST;
pub(crate) use self::member::Fault;
pub(crate) use self::member::Member;
pub(super) use self::member::MemberPermit;
use super::tls::{self, TlsError};
use crate::config::{self, Balance, Fallback, ProxyProtocol, SecretError};
use crate::error::ErrorChain;
use crate::flow::Client;
use crate::target::Target;

/// The ways of the settings. Clones share what is known of the proxies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parents(Arc<[Rule]>);

/// A table of the settings.
#[derive(Debug)]
struct Rule {
    table: config::Upstream,
    /// None if requests go straight to their origins.
    parent: Option<Arc<Parent>>,
}

/// The proxies of a table.
pub(crate) struct Parent {
    name: Arc<str>,
    members: Vec<Member>,
    balance: Balance,
    fallback: Fallback,
    login: Option<Login>,
    tls: Option<tls::Connector>,
    /// The member that is tried first where nothing else decides.
    turn: AtomicUsize,
}

/// What a proxy is shown of whom the requests come from.
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: String,
    /// The same as a header field has it (RFC 7617).
    pub(super) basic: HeaderValue,
}

/// Why the ways of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParentsError {
    #[error("[upstream.{name}] credentials")]
    Secret {
        name: String,
        #[source]
        source: SecretError,
    },
    #[error(
        "[upstream.{0}] credentials: they are not NAME:PASSWORD, each of 1 to 255 bytes without control characters"
    )]
    Credentials(String),
    #[error("[upstream.{name}]")]
    Tls {
        name: String,
        #[source]
        source: TlsError,
    },
}

impl Parents {
    /// Reads the secrets and certificates that the tables name.
    pub(crate) fn new(tables: &BTreeMap<String, config::Upstream>) -> Result<Self, ParentsError> {
        let rules = tables.iter().map(|(name, table)| {
            let is_direct = table.proxies().next().is_none();
            let parent = (!is_direct).then(|| Parent::new(name, table)).transpose()?;
            Ok(Rule {
                table: table.clone(),
                parent: parent.map(Arc::new),
            })
        });
        rules.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The proxies through which a client's requests for a target go; none if they go straight
    /// there.
    pub(crate) fn find(&self, target: &Target, client: &Client) -> Option<&Arc<Parent>> {
        let tables = self.0.iter().map(|rule| &rule.table);
        self.0[choose(tables, target, client)?].parent.as_ref()
    }
}

impl Parent {
    fn new(name: &str, table: &config::Upstream) -> Result<Self, ParentsError> {
        let login = match &table.credentials {
            None => None,
            Some(secret) => {
                let read = secret.read().map_err(|source| ParentsError::Secret {
                    name: name.to_owned(),
                    source,
                })?;
                let login = Login::parse(&read);
                Some(login.ok_or_else(|| ParentsError::Credentials(name.to_owned()))?)
            }
        };
        let has_tls = table
            .proxies()
            .any(|proxy| proxy.protocol == ProxyProtocol::Https);
        let tls = has_tls.then(|| tls::Connector::new(table.ca.as_deref()));
        let tls = tls.transpose().map_err(|source| ParentsError::Tls {
            name: name.to_owned(),
            source,
        })?;
        Ok(Self {
            name: name.into(),
            members: table.proxies().map(Member::new).collect(),
            balance: table.balance,
            fallback: table.fallback,
            login,
            tls,
            turn: AtomicUsize::new(0),
        })
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether plain requests are sent to the proxies as they are, with their whole URLs, instead
    /// of through tunnels.
    pub(super) fn takes_requests(&self) -> bool {
        let mut members = self.members.iter();
        members.all(|member| member.protocol() != ProxyProtocol::Socks5)
    }

    /// Whether a connection to a proxy can be used for any host.
    pub(super) fn shares_connections(&self) -> bool {
        self.takes_requests() && self.balance != Balance::Host
    }

    /// Where a proxy is, with the login for it. Its names are resolved there.
    pub(crate) fn url_of(&self, place: usize) -> Url {
        let member = &self.members[place];
        let scheme = match member.protocol() {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Https => "https",
            ProxyProtocol::Socks5 => "socks5h",
        };
        let url = format!("{scheme}://{}", member.target());
        let mut url = Url::parse(&url).expect("a canonical host is a host of URLs");
        if let Some(Login { name, password, .. }) = &self.login {
            let set = url.set_username(name);
            set.and_then(|()| url.set_password(Some(password)))
                .expect("there is a host");
        }
        url
    }

    pub(super) fn may_go_direct(&self) -> bool {
        self.fallback == Fallback::Direct
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    pub(super) fn tls(&self) -> Option<&tls::Connector> {
        self.tls.as_ref()
    }

    /// The places of the proxies in the order in which they are tried for a host. Those that have
    /// failed lately come last. Those that are not there do not come at all if the request can go
    /// straight to its origin.
    pub(crate) fn candidates(&self, host: &str) -> Vec<usize> {
        let now = Instant::now();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.members.len();
        let mut places: Vec<_> = (0..count)
            .map(|at| (turn.wrapping_add(at)) % count)
            .collect();
        match self.balance {
            Balance::LeastConnections => {
                places.sort_by_key(|&place| self.members[place].connections());
            }
            // Rendezvous hashing: a proxy that fails gives its hosts to all others.
            Balance::Host => places.sort_by_key(|&place| hash(host, &self.members[place])),
        }
        places.sort_by_key(|&place| self.members[place].rests_until(now));
        if self.may_go_direct() {
            places.retain(|&place| !self.members[place].is_unreachable(now));
        }
        places
    }

    pub(crate) fn member(&self, place: usize) -> &Member {
        &self.members[place]
    }

    /// How many proxies there are.
    pub(super) fn size(&self) -> usize {
        self.members.len()
    }

    /// A proxy has done what it is for.
    pub(crate) fn record_reached(&self, place: usize) {
        let member = &self.members[place];
        if member.record_reached() {
            tracing::info!(upstream = %self.name, proxy = %member, "a parent proxy is well again");
        }
    }

    /// A proxy has failed, which is told once until it is well again.
    pub(crate) fn record_failure(
        &self,
        place: usize,
        fault: Fault,
        error: &(dyn StdError + 'static),
    ) {
        let member = &self.members[place];
        let Some(rest) = member.record_failure(fault) else {
            return;
        };
        let (upstream, error) = (&self.name, ErrorChain(error));
        if rest > FIRST_REST {
            tracing::debug!(%upstream, proxy = %member, %error, retry_in = ?rest, "a parent proxy fails still");
            return;
        }
        tracing::warn!(
            %upstream,
            proxy = %member,
            %error,
            retry_in = ?rest,
            "a parent proxy has failed; others of [upstream] take its place if there are any"
        );
    }
}

fn hash(host: &str, member: &Member) -> u64 {
    let mut hasher = DefaultHasher::new();
    (host, member.target()).hash(&mut hasher);
    hasher.finish()
}

impl Login {
    fn parse(text: &str) -> Option<Self> {
        let (name, password) = text.split_once(':')?;
        // SOCKS has no room for more (RFC 1929).
        let is_usable =
            |text: &str| (1..=255).contains(&text.len()) && !text.contains(char::is_control);
        if !is_usable(name) || !is_usable(password) {
            return None;
        }
        let encoded = format!("Basic {}", BASE64.encode(text.as_bytes()));
        let mut basic = HeaderValue::try_from(encoded).ok()?;
        basic.set_sensitive(true);
        Some(Self {
            name: name.to_owned(),
            password: password.to_owned(),
            basic,
        })
    }
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_a_name_and_a_password() {
        let login = Login::parse("ann:a:b").unwrap();
        assert_eq!((&*login.name, &*login.password), ("ann", "a:b"));
        assert_eq!(login.basic, "Basic YW5uOmE6Yg==");
        let long = "x".repeat(256);
        for text in [
            "ann",
            ":b",
            "ann:",
            "ann:b\n",
            &format!("{long}:b"),
            &format!("a:{long}"),
        ] {
            assert!(Login::parse(text).is_none(), "{text}");
        }
    }
}
