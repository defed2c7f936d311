//! The proxy's settings, each declared once: its type, its default, how it is written and what it
//! means. `Config` has the shape of `portcullis.toml`, so an embedding program assigns what an
//! operator would write. Environment variables and JSON Schema follow from the declarations. The
//! program or an embedding application makes a `Config`; nothing here knows what the settings do.

mod auth;
mod ceilings;
mod clients;
mod declaration;
mod document;
mod egress;
mod environment;
mod error;
mod feed;
pub(crate) mod file;
pub(crate) mod file_version;
mod filter;
mod filter_limits;
mod followed;
mod group;
mod layers;
mod listener;
mod load;
mod refusal;
mod request;
mod schema;
mod sources;
#[cfg(test)]
mod tests;
mod tunnel;
mod upstream;
mod users;
mod value;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use portcullis_contract::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

pub use self::auth::Auth;
pub use self::ceilings::Ceilings;
pub use self::clients::{Clients, Exposed, parse_network};
pub(crate) use self::document::did_you_mean;
pub use self::egress::{DnsCache, Egress, PrivateAddresses};
pub use self::error::ConfigError;
pub use self::feed::{
    Column, Feed, FeedFormat, FeedKind, OnShrink, Preset, PublicSuffixes, UntilFirst,
};
pub(crate) use self::filter::{
    FeedGrant, FilterSettings, Grants, Mode, OnError, QuarantineRule, Standing,
};
pub(crate) use self::filter_limits::FilterLimits;
pub use self::followed::Followed;
pub use self::group::Group;
pub use self::listener::{Balancer, InvalidAddress, Listen, ListenAddress, Listener};
pub(crate) use self::listener::{NamedListener, OwnListeners, is_loopback};
pub(crate) use self::refusal::located;
pub use self::request::{Checksum, Field, Secret, SecretError};
pub(crate) use self::schema::Schema;
pub use self::sources::{Flags, Sources};
pub use self::tunnel::{SniCheck, SniMismatch, Tunnel};
pub(crate) use self::upstream::ProxyProtocol;
pub use self::upstream::{Balance, Fallback, InvalidParent, ParentProxy, ProxyAddress, Upstream};
pub use self::users::UsersError;
pub(crate) use self::users::{PasswordHash, User, Users};
pub(crate) use self::value::name_problem;
use self::value::{
    AtMost, Bandwidth, BodyTime, Connections, FeedName, GroupName, HeadSize, ListenerName,
    LogFilter, Parsed, PerClient, Rate, StackSize, TaskSize, Time, UpstreamName, Word, Words,
    Workers,
};
pub use self::value::{Destination, InvalidDestination, InvalidNameServer, NameServer, Ports};
pub(crate) use self::value::{Hosts, ServerHost, TEST_NAMES, Transport};

/// How many fields the head of a message may have.
pub(crate) const MAX_FIELDS: usize = limits::FIELDS;

/// Everything that `run_proxy` needs to know.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "portcullis.toml", description = "The settings of Portcullis.")]
#[non_exhaustive]
pub struct Config {
    /// The file that it was read from. Where the proxy tells people of a command, it names the
    /// file.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The file as it is followed while the proxy runs, whether it is there yet or not. Without
    /// this, all settings are those that the proxy was started with.
    #[serde(skip)]
    pub followed: Option<Followed>,
    /// Where clients connect, and how many threads serve them.
    pub proxy: Proxy,
    /// Listeners with settings of their own, by name, beside those of `proxy`.
    #[serde(deserialize_with = "value::by_name::<_, ListenerName, _>")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,64}$"}))]
    pub listeners: BTreeMap<String, Listener>,
    /// Who may use the proxy.
    pub clients: Clients,
    /// Logins.
    pub auth: Auth,
    /// Deadlines, each of which bounds the wait for one peer, the number of clients, and the size
    /// of a head.
    pub limits: Limits,
    /// The plugin folder.
    pub plugins: Plugins,
    /// The compiling of filters.
    pub compiler: Compiler,
    /// Lists of domains, by name. The default one is there beside those that a file names. A change
    /// of the file holds at once.
    #[default(BTreeMap::from([(Feed::DEFAULT.to_owned(), Feed::malware())]))]
    #[serde(deserialize_with = "value::by_name::<_, FeedName, _>")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,64}$"}))]
    pub feeds: BTreeMap<String, Feed>,
    /// Groups of clients, by name. Filters can ask in which groups a client is.
    #[serde(deserialize_with = "value::by_name::<_, GroupName, _>")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,64}$"}))]
    pub groups: BTreeMap<String, Group>,
    /// What is kept on disk.
    pub cache: Cache,
    /// What people have decided.
    pub state: State,
    /// How origins are reached, and which of them may be.
    pub egress: Egress,
    /// Parent proxies, by the names of their tables: which requests go through which of them. All
    /// others go straight to their origins.
    #[serde(deserialize_with = "value::by_name::<_, UpstreamName, _>")]
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9_-]{1,64}$"}))]
    pub upstream: BTreeMap<String, Upstream>,
    /// What is looked at in tunnels.
    pub tunnel: Tunnel,
    /// What is logged, and how.
    pub log: Log,
}

/// Where clients connect, and how many threads serve them.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Proxy {
    /// Where clients connect: an IP address and a port, `unix:` and the path of a Unix socket, or a
    /// list of these. Port 0 lets the system choose. Where other machines can connect, `clients`
    /// has to say which of them may use the proxy. By default it is 127.0.0.1:3000, and nothing if
    /// there are `listeners`.
    pub listen: Listen,
    /// Worker threads; one for each core by default.
    #[default(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))]
    #[serde(with = "Parsed::<Workers>")]
    #[schemars(transform = declaration::without_default)]
    pub workers: NonZeroUsize,
}

/// Deadlines, each of which bounds the wait for one peer, the number of clients, and the size of a
/// head.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Limits {
    /// Open client connections of the whole proxy; fewer where the limit of open files allows no
    /// more. Further clients are answered with 503.
    #[default(10_000)]
    #[serde(with = "Parsed::<Connections>")]
    pub connections: usize,
    /// Those of one client, where IPv6 clients of one /64 are one. By default half of all where
    /// clients may come from other machines, and not limited where they cannot.
    #[serde(with = "Parsed::<PerClient>")]
    pub connections_per_client: Option<usize>,
    /// Requests on one client connection, which is closed after the last of them.
    #[serde(with = "Parsed::<AtMost>")]
    pub requests_per_connection: Option<usize>,
    /// Open tunnels of the whole proxy, by CONNECT, SOCKS or an upgrade such as WebSocket. Further
    /// ones are answered with 503.
    #[serde(with = "Parsed::<AtMost>")]
    pub tunnels: Option<usize>,
    /// Those of one client, where IPv6 clients of one /64 are one.
    #[serde(with = "Parsed::<AtMost>")]
    pub tunnels_per_client: Option<usize>,
    /// How fast one client may send and receive, in bytes a second: all that passes between it and
    /// the proxy, both ways and on all of its connections together.
    #[serde(with = "Parsed::<Bandwidth>")]
    pub bandwidth_per_client: Option<u64>,
    /// From accept, or on a kept connection from the first byte of a request, to the end of its
    /// head.
    #[default(Duration::from_secs(60))]
    #[serde(with = "Parsed::<Time>")]
    pub request_head: Duration,
    /// The head of a request or response, in bytes: its first line and its fields, of which there
    /// are at most 1000.
    #[default(64 << 10)]
    #[serde(with = "Parsed::<HeadSize>")]
    pub head_size: usize,
    /// How long an idle kept connection waits for its next request.
    #[default(Duration::from_secs(60))]
    #[serde(with = "Parsed::<Time>")]
    pub keep_alive: Duration,
    /// From the first byte of a TLS handshake or a request of plain HTTP in a tunnel to the end of
    /// its first message or its head.
    #[default(Duration::from_secs(5))]
    #[serde(with = "Parsed::<Time>")]
    pub client_hello: Duration,
    /// To resolve a name.
    #[default(Duration::from_secs(5))]
    #[serde(with = "Parsed::<Time>")]
    pub resolve: Duration,
    /// To connect to an origin, all addresses together.
    #[default(Duration::from_secs(10))]
    #[serde(with = "Parsed::<Time>")]
    pub connect: Duration,
    /// From the end of a request to the head of its response.
    #[default(Duration::from_secs(60))]
    #[serde(with = "Parsed::<Time>")]
    pub response_head: Duration,
    /// Without a byte in either direction of a tunnel or body.
    #[default(Duration::from_mins(5))]
    #[serde(with = "Parsed::<Time>")]
    pub idle: Duration,
    /// The least that a client sends of a request's body, in bytes a second, while it is waited
    /// for. Its pauses may add up to `idle` before what it has sent since makes up for them.
    #[default(100)]
    #[serde(with = "Parsed::<Rate>")]
    pub body_rate: u64,
    /// The body of a request or of a response as a whole, however fast it moves.
    #[serde(with = "Parsed::<BodyTime>")]
    pub body_time: Option<Duration>,
    /// Without a byte moving, for an exchange whose client has closed its sending side, and for a
    /// tunnel of which either side has.
    #[default(Duration::from_secs(30))]
    #[serde(with = "Parsed::<Time>")]
    pub half_closed: Duration,
    /// From the shutdown signal to the end of everything.
    #[default(Duration::from_secs(5))]
    #[serde(with = "Parsed::<Time>")]
    pub shutdown: Duration,
}

/// The plugin folder.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Plugins {
    /// Watched for `NAME.wasm` and `NAME.toml`. A folder that is named must exist; the default one
    /// need not.
    #[default("plugins".into())]
    #[schemars(extend("format" = "path"))]
    pub dir: PathBuf,
    /// Whether the folder must exist. While it does not, every request is refused.
    #[serde(skip)]
    pub dir_must_exist: bool,
    /// The filters that are asked first, by name; the rest follow by file name. A change of the
    /// file holds at once.
    pub order: Vec<String>,
    /// A filter whose file is gone goes on serving for this time: the file may be about to be
    /// replaced.
    #[default(Duration::from_secs(1))]
    #[serde(with = "Parsed::<Time>")]
    pub deletion_grace: Duration,
    /// The most that a filter's own settings may grant it.
    pub ceilings: Ceilings,
    /// The stack of a filter's call, in bytes.
    #[default(512 << 10)]
    #[serde(with = "Parsed::<StackSize>")]
    pub stack: usize,
}

/// The compiling of filters. Hostile files may keep a compiler busy for ever or fill the memory, so
/// it runs in a process of its own that can be ended.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Compiler {
    /// A program that calls [`run_compiler_child`](crate::run_compiler_child) first of all; the
    /// `portcullis` program names itself. Without one, filters are compiled in this process: after
    /// `time` the proxy gives up on a file, but nothing ends its compiler or bounds its memory.
    #[serde(skip)]
    pub program: Option<PathBuf>,
    /// What a process may compute, all its threads together; it is ended when it computes more. It
    /// is also ended after five times that by the clock, but not before a minute has passed. Where
    /// the system does not count computing time (Windows), the clock alone counts.
    #[default(Duration::from_mins(1))]
    #[serde(with = "Parsed::<Time>")]
    pub time: Duration,
    /// What a process may allocate, in bytes.
    #[default(2 << 30)]
    #[serde(with = "Parsed::<TaskSize>")]
    pub memory: u64,
    /// Machine code that is kept, in bytes. What was not used for longest goes first.
    #[default(1 << 30)]
    #[serde(with = "Parsed::<TaskSize>")]
    pub cache: u64,
    /// Where machine code is kept; `compiled` in the folder of the cache. It is made for its owner
    /// alone, and not used if others can write there: they would run code in the proxy.
    #[default(Self::cache_within(&default_cache_dir()))]
    #[serde(skip)]
    pub cache_dir: PathBuf,
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Cache {
    /// The folder of good copies of feeds and of compiled filters; `portcullis` in the user's cache
    /// folder by default.
    #[default(default_cache_dir())]
    #[schemars(extend("format" = "path"), transform = declaration::without_default)]
    pub dir: PathBuf,
}

/// What people have decided.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct State {
    /// The folder of decisions about hosts; `portcullis` in the user's folder for state by default.
    #[default(default_state_dir())]
    #[schemars(extend("format" = "path"), transform = declaration::without_default)]
    pub dir: PathBuf,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Log {
    /// Text for people or JSON for machines.
    #[serde(with = "Parsed::<Word<LogFormat>>")]
    pub format: LogFormat,
    /// A level, or directives as `tracing_subscriber::EnvFilter` reads them.
    #[default("info".into())]
    #[serde(with = "Parsed::<LogFilter>")]
    pub filter: String,
    /// The access log: one line for each exchange.
    pub access: AccessLog,
}

/// The form of a log line. The program knows how to write each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// One readable line.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Words for LogFormat {
    const EXPECTED: &'static str = r#"a format of logs: "text" or "json""#;
}

/// The access log: one line for each exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct AccessLog {
    /// Where the lines go: standard error or output, a file, or nowhere.
    #[serde(with = "Parsed::<AccessLogTo>")]
    pub to: AccessLogTo,
    /// How a line is written.
    #[serde(with = "Parsed::<Word<AccessLogFormat>>")]
    pub format: AccessLogFormat,
}

/// Where access lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLogTo {
    /// Standard error, between the lines of the program.
    #[default]
    Stderr,
    /// Standard output.
    Stdout,
    /// This file, at its end.
    File(PathBuf),
    /// They are not written.
    Off,
}

/// How an access line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AccessLogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

impl Words for AccessLogFormat {
    const EXPECTED: &'static str = r#"a format of access logs: "logfmt" or "json""#;
}

impl Config {
    /// Fails if nothing says who may use the proxy although other machines reach it: which clients
    /// may, or which users.
    pub(crate) fn check_exposed(&self) -> Result<(), Exposed> {
        if self.auth.is_on() {
            return Ok(());
        }
        self.clients.check(&self.listeners())
    }
}

impl Compiler {
    /// The folder of machine code in the folder of everything that is kept.
    fn cache_within(cache_dir: &Path) -> PathBuf {
        cache_dir.join("compiled")
    }
}

/// The user's folder for state as the platform has it, or the one for data where there is none.
fn default_state_dir() -> PathBuf {
    match etcetera::base_strategy::choose_native_strategy() {
        Ok(folders) => {
            let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
            state.join("portcullis")
        }
        Err(_) => PathBuf::from("state"),
    }
}

/// The user's cache folder as the platform has it; a service account without a home gets one in its
/// working directory.
fn default_cache_dir() -> PathBuf {
    match etcetera::base_strategy::choose_native_strategy() {
        Ok(folders) => folders.cache_dir().join("portcullis"),
        Err(_) => PathBuf::from("cache"),
    }
}
