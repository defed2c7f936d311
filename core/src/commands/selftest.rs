//! Drives a proxy that runs through all that its settings should refuse, and a little of what they
//! let pass, and compares: `portcullis selftest`. What should happen is said by the same functions
//! by which the proxy decides. Nothing is sent to another network unless a host was named for that.

mod case;
mod connector;
mod drive;
mod error;
mod inside;
mod origin;
mod plan;
mod report;
mod spelling;
mod step;

use std::fmt;
use std::str::FromStr;

use self::case::Kind;
use self::connector::{Connector, Connectors};
use self::drive::{Credentials, Driver};
pub use self::error::SelfTestError;
pub use self::inside::ask_inside;
pub(super) use self::inside::test_inside;
use self::origin::Origin;
pub(super) use self::plan::Confinement;
use self::plan::Planner;
pub use self::report::SelfTest;
use self::report::{Listener, Row};
use self::step::{Login, Outcome, Step};
use super::judges::Judges;
use crate::config::{Config, NamedListener};
use crate::flow::Inquiry;
use crate::target::{InvalidTarget, Target};

/// What a self-test is told besides the settings.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct SelfTestOptions {
    /// The name and the password of a user, where clients have to log in.
    pub login: Option<(String, String)>,
    /// A host that the settings let pass, and that may be asked for wherever it is.
    pub allowed: Option<TestedHost>,
}

/// A host that a self-test may ask for, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedHost(Target);

impl FromStr for TestedHost {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        // Without a port, that of each protocol is taken.
        Target::parse(text, Some(0)).map(Self)
    }
}

/// Without the password.
impl fmt::Debug for SelfTestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|(name, _)| name);
        f.debug_struct("SelfTestOptions")
            .field("user", &user)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

/// Asks the proxy that runs with these settings, at each of its listeners.
///
/// # Errors
///
/// If there is no such proxy, if the settings cannot be used, or if the login is wrong.
pub async fn self_test(
    config: Config,
    options: &SelfTestOptions,
) -> Result<SelfTest, SelfTestError> {
    let test = Test::open(&config, options).await?;
    tokio::select! {
        tested = test.run() => tested.map(SelfTest::new),
        () = test.origin.serve() => unreachable!("the server goes on"),
    }
}

/// The user that was named, or one that there may be, with a password that is not theirs.
fn wrong_login(options: &SelfTestOptions) -> Credentials {
    let login = options.login.as_ref();
    let name = login.map_or_else(|| "selftest".to_owned(), |(name, _)| name.clone());
    (name, format!("{:032x}", fastrand::u128(..)))
}

/// What stays the same for all listeners.
struct Test<'a> {
    config: &'a Config,
    judges: Judges,
    origin: Origin,
    options: &'a SelfTestOptions,
    wrong: Credentials,
}

impl<'a> Test<'a> {
    async fn open(config: &'a Config, options: &'a SelfTestOptions) -> Result<Self, SelfTestError> {
        Ok(Self {
            config,
            judges: Judges::open(config).await?,
            origin: Origin::open().await.map_err(SelfTestError::Origin)?,
            options,
            wrong: wrong_login(options),
        })
    }

    async fn run(&self) -> Result<Vec<Listener>, SelfTestError> {
        let mut tested = Vec::new();
        let mut may_fail = true;
        for listener in self.config.listeners() {
            tested.push(self.test(&listener, &mut may_fail).await?);
        }
        Ok(tested)
    }

    async fn test(
        &self,
        listener: &NamedListener,
        may_fail: &mut bool,
    ) -> Result<Listener, SelfTestError> {
        let address = &listener.settings.address;
        if address.socket().is_some_and(|address| address.port() == 0) {
            return Err(SelfTestError::Port(address.clone()));
        }
        let unreached = |source| SelfTestError::Unreached {
            listener: address.clone(),
            source,
        };
        let connectors = Connectors::find(&self.config.clients, &listener.settings).await;
        let Connectors { inside, outside } = connectors.map_err(unreached)?;
        for connector in [&inside, &outside].into_iter().flatten() {
            if !self
                .driver(connector)
                .is_portcullis()
                .await
                .map_err(unreached)?
            {
                return Err(SelfTestError::Stranger(address.clone()));
            }
        }
        let client = inside.as_ref().ok().and_then(|connector| connector.client);
        let user = self.options.login.as_ref().map(|(name, _)| name.as_str());
        let mut inquiry = self.judges.inquiry(client, user);
        inquiry.listener = listener.label();
        let planner = self.planner(inquiry, *may_fail, Confinement::None);
        let plans = planner.plan(side(&inside), side(&outside)).await;
        let mut rows = Vec::new();
        for (case, way, plan) in plans {
            let is_outside = case.kind == Kind::Client;
            let connector = if is_outside { &outside } else { &inside };
            let steps = plan.planned.iter().map(|planned| &planned.step);
            let outcomes = match connector {
                Ok(connector) => self
                    .ask(connector, steps)
                    .await
                    .map_err(|error| match error {
                        NotAsked::Login => SelfTestError::Login,
                        NotAsked::Io(source) => unreached(source),
                    })?,
                Err(_) => Vec::new(),
            };
            *may_fail &= case.kind != Kind::WrongLogin || outcomes.is_empty();
            rows.push(Row::new(case, way, plan, &outcomes));
        }
        Ok(Listener {
            listener: listener.to_string(),
            client: client.map(|client| client.to_string()),
            rows,
        })
    }

    fn planner(&self, inquiry: Inquiry, may_fail: bool, confinement: Confinement) -> Planner<'_> {
        Planner {
            config: self.config,
            judges: &self.judges,
            inquiry,
            port: self.origin.port,
            has_ipv6: self.origin.has_ipv6(),
            allowed: self.options.allowed.as_ref().map(|allowed| &allowed.0),
            has_login: self.options.login.is_some(),
            may_fail,
            confinement,
        }
    }

    fn driver<'d>(&'d self, connector: &'d Connector) -> Driver<'d> {
        Driver {
            connector,
            word: &self.origin.word,
            right: self.options.login.as_ref(),
            wrong: &self.wrong,
        }
    }

    async fn ask(
        &self,
        connector: &Connector,
        steps: impl Iterator<Item = &Step>,
    ) -> Result<Vec<Outcome>, NotAsked> {
        let driver = self.driver(connector);
        let mut outcomes = Vec::new();
        for step in steps {
            let outcome = driver.carry_out(step).await.map_err(NotAsked::Io)?;
            // A wrong login that is repeated would be a client that guesses.
            if self.options.login.is_some() && step.login == Login::Right && outcome.is_no_login() {
                return Err(NotAsked::Login);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

/// Why there are no answers.
enum NotAsked {
    /// The login is wrong.
    Login,
    /// The proxy cannot be reached any more.
    Io(std::io::Error),
}

fn side(connector: &Result<Connector, String>) -> Result<(), &str> {
    connector.as_ref().map(|_| ()).map_err(String::as_str)
}
