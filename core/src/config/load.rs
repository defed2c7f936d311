//! Makes a `Config` of what the file, the environment and the flags say.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::settings::{self, Settings};
use super::value::{ByteCount, Connections, FeedName, StackSize, Text, value_or};
use super::{
    AccessLog, Compiler, Config, ConfigError, Egress, Feed, Limits, Log, Plugins, environment,
};

/// Read from the working directory if no other file is named.
const DEFAULT_FILE: &str = "portcullis.toml";

/// Where settings come from. A flag beats an environment variable, and that beats the file.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file to read; it must exist. Without it, the one that `PORTCULLIS_CONFIG` names, and without that,
    /// `portcullis.toml` in `dir` if it is there.
    pub file: Option<PathBuf>,
    /// Where `portcullis.toml` is looked for; empty for the working directory.
    pub dir: PathBuf,
    /// The environment, as `std::env::vars_os` gives it.
    pub variables: Vec<(OsString, OsString)>,
    /// What the command line says.
    pub flags: Flags,
}

/// The settings that have a flag.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `[proxy] listen`.
    pub listen: Option<SocketAddr>,
    /// `[plugins] dir`.
    pub plugins_dir: Option<PathBuf>,
}

impl Sources {
    /// The file that is read, if any.
    pub fn config_file(&self) -> Option<PathBuf> {
        let in_dir = || Some(self.dir.join(DEFAULT_FILE)).filter(|file| file.exists());
        self.file
            .clone()
            .or_else(|| environment::config_file(&self.variables))
            .or_else(in_dir)
    }
}

impl Config {
    /// Reads all sources; what none of them says is as in [`Config::default`]. A `[feeds]` table in the file takes the place
    /// of the default feed, and paths in the file are meant from where the file is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let file = sources.config_file();
        let text = match &file {
            Some(path) => fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?,
            None => String::new(),
        };
        let document = Document {
            path: file.as_deref().unwrap_or(Path::new(DEFAULT_FILE)),
            text: &text,
        };
        let mut settings: Settings = document.read()?;
        if let Some(dir) = document.path.parent() {
            settings = settings.relative_to(dir);
        }
        let feeds = settings.feeds.get_or_insert_with(default_feeds);
        let names = feeds.keys().map(|Text(name)| name);
        let variables = environment::settings(&sources.variables, names)?;
        let order_is_fixed = variables.plugins.order.is_some();
        let settings = Settings::from(&sources.flags)
            .over(variables)
            .over(settings);
        let mut config = assemble(settings).map_err(|missing| missing.explain(document))?;
        config.plugins.order_file = file.filter(|_| !order_is_fixed);
        Ok(config)
    }
}

/// The `[plugins] order` that a configuration file has by now.
pub(crate) fn read_order(file: &Path) -> Result<Vec<String>, ConfigError> {
    let text = fs::read_to_string(file).map_err(|source| ConfigError::Read {
        path: file.to_owned(),
        source,
    })?;
    let document = Document {
        path: file,
        text: &text,
    };
    let settings: Settings = document.read()?;
    Ok(settings.plugins.order.unwrap_or_default())
}

impl From<&Flags> for Settings {
    fn from(flags: &Flags) -> Self {
        let mut settings = Self::default();
        settings.proxy.listen = flags.listen.map(Text);
        settings.plugins.dir = flags.plugins_dir.clone();
        settings
    }
}

fn default_feeds() -> BTreeMap<Text<FeedName>, settings::Feed> {
    let feeds = Config::default().feeds.into_iter().map(|(name, feed)| {
        let feed = settings::Feed {
            url: Some(Text(feed.url)),
            format: Some(Text(feed.format)),
            ..settings::Feed::default()
        };
        (Text(FeedName(name)), feed)
    });
    feeds.collect()
}

fn assemble(settings: Settings) -> Result<Config, MissingKey> {
    let default = Config::default();
    let feeds = settings.feeds.unwrap_or_default().into_iter();
    let resolvers = settings.egress.resolvers.unwrap_or_default();
    let cache_dir = settings.cache.dir.unwrap_or(default.cache_dir);
    let compiler = settings.compiler;
    Ok(Config {
        listen: value_or(settings.proxy.listen, default.listen),
        workers: value_or(settings.proxy.workers, default.workers),
        limits: settings.limits.into(),
        plugins: Plugins {
            dir: settings.plugins.dir.unwrap_or(default.plugins.dir),
            order: settings.plugins.order.unwrap_or(default.plugins.order),
            order_file: None,
            deletion_grace: value_or(
                settings.plugins.deletion_grace,
                default.plugins.deletion_grace,
            ),
            stack: settings
                .plugins
                .stack
                .map_or(default.plugins.stack, |Text(StackSize(bytes))| bytes),
        },
        compiler: Compiler {
            program: None,
            time: value_or(compiler.time, default.compiler.time),
            memory: compiler
                .memory
                .map_or(default.compiler.memory, |Text(ByteCount(bytes))| bytes),
            cache: compiler
                .cache
                .map_or(default.compiler.cache, |Text(ByteCount(bytes))| bytes),
            cache_dir: Compiler::cache_within(&cache_dir),
        },
        feeds: feeds.map(complete).collect::<Result<_, _>>()?,
        cache_dir,
        egress: Egress {
            resolvers: resolvers.iter().map(|Text(resolver)| resolver.0).collect(),
        },
        log: Log {
            format: value_or(settings.log.format, default.log.format),
            filter: settings
                .log
                .filter
                .map_or(default.log.filter, |Text(filter)| filter.0),
            access: AccessLog {
                to: value_or(settings.log.access.to, default.log.access.to),
                format: value_or(settings.log.access.format, default.log.access.format),
            },
        },
    })
}

impl From<settings::Limits> for Limits {
    fn from(limits: settings::Limits) -> Self {
        let default = Self::default();
        Self {
            connections: limits
                .connections
                .map_or(default.connections, |Text(Connections(number))| number),
            request_head: value_or(limits.request_head, default.request_head),
            keep_alive: value_or(limits.keep_alive, default.keep_alive),
            resolve: value_or(limits.resolve, default.resolve),
            connect: value_or(limits.connect, default.connect),
            response_head: value_or(limits.response_head, default.response_head),
            idle: value_or(limits.idle, default.idle),
            half_closed: value_or(limits.half_closed, default.half_closed),
            shutdown: value_or(limits.shutdown, default.shutdown),
        }
    }
}

fn complete(
    (Text(name), feed): (Text<FeedName>, settings::Feed),
) -> Result<(String, Feed), MissingKey> {
    let missing = |key| MissingKey {
        feed: name.clone(),
        key,
    };
    let Text(url) = feed.url.ok_or_else(|| missing("url"))?;
    let Text(format) = feed.format.ok_or_else(|| missing("format"))?;
    let feed = Feed {
        url,
        format,
        refresh: feed.refresh.map_or(Feed::REFRESH, |Text(time)| time.0),
        max_size: feed.max_size.map_or(Feed::MAX_SIZE, |Text(size)| size.0),
    };
    Ok((name.0, feed))
}

/// A feed without what every feed needs, once all sources are laid over each other.
struct MissingKey {
    feed: FeedName,
    key: &'static str,
}

impl MissingKey {
    fn explain(self, document: Document<'_>) -> ConfigError {
        let Self { feed, key } = self;
        let example = match key {
            "url" => r#"url = "https://lists.example/hosts""#,
            _ => r#"format = "hosts", "domains" or "json""#,
        };
        let problem = format!("the feed `{}` has no {key}; add {example}", feed.0);
        match document.position(&["feeds", &feed.0]) {
            Some(offset) => document.problem_at(offset, problem),
            None => ConfigError::Feed(problem),
        }
    }
}
