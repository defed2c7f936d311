//! The proxy's settings as valid, typed values: a `Config` that exists can be run. Made by `main` or by whoever embeds the
//! proxy; it reads the configuration file and nothing else.

mod document;
mod environment;
mod error;
mod load;
mod refusal;
mod schema;
mod settings;
mod sidecar;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;

pub use self::error::ConfigError;
pub(crate) use self::load::read_order;
pub use self::load::{Flags, Sources};
pub(crate) use self::refusal::located;
pub(crate) use self::schema::Schema;
pub(crate) use self::sidecar::{FilterLimits, Grants, Mode, OnError, QuarantineRule, Sidecar};
pub(crate) use self::value::TEST_NAMES;

/// Everything `run_proxy` needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where clients connect; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Worker threads; one a core by default.
    pub workers: NonZeroUsize,
    /// How long each peer may take.
    pub limits: Limits,
    /// Where filters come from.
    pub plugins: Plugins,
    /// How filters become machine code.
    pub compiler: Compiler,
    /// Lists of domains, by name.
    pub feeds: BTreeMap<String, Feed>,
    /// Where good copies of feeds are kept.
    pub cache_dir: PathBuf,
    /// How origins are reached.
    pub egress: Egress,
    /// What is logged, and how.
    pub log: Log,
}

/// Deadlines, each of which bounds the wait for one peer, and the number of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open client connections of the whole proxy. More wait in the system's listen queue.
    pub connections: usize,
    /// From accept, or on a kept connection from the first byte of a request, to the end of its
    /// head.
    pub request_head: Duration,
    /// How long an idle kept connection waits for its next request.
    pub keep_alive: Duration,
    /// To resolve a name.
    pub resolve: Duration,
    /// To connect to an origin, all addresses together.
    pub connect: Duration,
    /// From the end of a request to the head of its response.
    pub response_head: Duration,
    /// Without a byte in either direction of a tunnel or body.
    pub idle: Duration,
    /// Without a byte moving, for an exchange whose client has closed its sending side.
    pub half_closed: Duration,
    /// From the shutdown signal to the end of everything.
    pub shutdown: Duration,
}

/// The plugin folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugins {
    /// Watched for `NAME.wasm` and `NAME.toml`; it need not exist.
    pub dir: PathBuf,
    /// The filters that are asked first, by name; the rest follow by file name.
    pub order: Vec<String>,
    /// A configuration file whose `[plugins] order` is followed while the proxy runs.
    pub order_file: Option<PathBuf>,
    /// A filter whose file is gone goes on serving for so long: it may be about to be replaced.
    pub deletion_grace: Duration,
    /// The stack of a filter's call, in bytes.
    pub stack: usize,
}

/// The compiling of filters. Hostile files may keep a compiler busy for ever or fill the memory, so it runs in a process of its own
/// that can be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// A program that calls [`run_compiler_child`](crate::run_compiler_child) first of all; the `portcullis` program names itself. Without
    /// one, filters are compiled in this process: after `time` nobody waits for them any more, but nothing ends them or bounds their memory.
    pub program: Option<PathBuf>,
    /// What a process may compute, all its threads together; it is ended when it computes more, or after five times that by the clock. Where
    /// the system does not count that (Windows), it is the clock alone that counts.
    pub time: Duration,
    /// What it may allocate, in bytes.
    pub memory: u64,
    /// Machine code that is kept, in bytes: what was not used for longest goes first.
    pub cache: u64,
    /// Where it is kept. The folder is made for its owner alone, and not used if others can write there: they would run code in the proxy.
    pub cache_dir: PathBuf,
}

impl Compiler {
    /// Its place in the folder of everything that is kept.
    pub(crate) fn cache_within(cache_dir: &Path) -> PathBuf {
        cache_dir.join("compiled")
    }
}

/// One list of domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// http, https or file.
    pub url: url::Url,
    /// How the body is read.
    pub format: FeedFormat,
    /// Time between two fetches.
    pub refresh: Duration,
    /// A larger body is refused, in bytes.
    pub max_size: u64,
}

/// How a feed's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedFormat {
    /// `0.0.0.0 name [name…]` a line (hosts(5)).
    Hosts,
    /// One domain a line.
    Domains,
    /// A JSON array of strings.
    Json,
}

/// How origins are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    /// DNS servers to ask instead of the system's.
    pub resolvers: Vec<SocketAddr>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// Directives as `tracing_subscriber::EnvFilter` reads them.
    pub filter: String,
    /// One line for each exchange.
    pub access: AccessLog,
}

/// The access log: one line for each exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Where the lines go.
    pub to: AccessLogTo,
    /// How a line is written.
    pub format: AccessLogFormat,
}

/// Where access lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLogTo {
    /// Standard error, between the lines of the program.
    Stderr,
    /// Standard output.
    Stdout,
    /// This file, at its end.
    File(PathBuf),
    /// They are not written.
    Off,
}

/// How an access line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line.
    Text,
    /// One JSON object a line.
    Json,
}

impl Feed {
    /// URLhaus writes its list anew every five minutes and asks not to be asked more often; most hosts on it live for hours.
    const REFRESH: Duration = Duration::from_secs(15 * 60);

    /// Far above the longest public lists, in bytes.
    const MAX_SIZE: u64 = 64 * 1024 * 1024;

    /// The URL host file of abuse.ch: domains that spread malware at this time.
    fn malware() -> Self {
        Self {
            url: "https://urlhaus.abuse.ch/downloads/hostfile/"
                .parse()
                .expect("the default URL is tested"),
            format: FeedFormat::Hosts,
            refresh: Self::REFRESH,
            max_size: Self::MAX_SIZE,
        }
    }
}

impl Default for Config {
    /// What an empty configuration says. The folder of the cache is found by looking at the environment, not at the disk.
    fn default() -> Self {
        let cache_dir = default_cache_dir();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            plugins: Plugins {
                dir: PathBuf::from("plugins"),
                order: Vec::new(),
                order_file: None,
                deletion_grace: Duration::from_secs(1),
                stack: 512 << 10,
            },
            compiler: Compiler {
                program: None,
                time: Duration::from_secs(60),
                memory: 2 << 30,
                cache: 1 << 30,
                cache_dir: Compiler::cache_within(&cache_dir),
            },
            feeds: BTreeMap::from([("malware".to_owned(), Feed::malware())]),
            cache_dir,
            egress: Egress::default(),
            log: Log {
                format: LogFormat::Text,
                filter: "info".into(),
                access: AccessLog {
                    to: AccessLogTo::Stderr,
                    format: AccessLogFormat::Logfmt,
                },
            },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            request_head: Duration::from_secs(60),
            keep_alive: Duration::from_secs(60),
            resolve: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            response_head: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            half_closed: Duration::from_secs(30),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// The user's cache folder as the platform has it; a service account without a home gets one in its working directory.
fn default_cache_dir() -> PathBuf {
    match etcetera::base_strategy::choose_native_strategy() {
        Ok(folders) => folders.cache_dir().join("portcullis"),
        Err(_) => PathBuf::from("cache"),
    }
}
