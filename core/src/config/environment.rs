//! Settings from environment variables: `PORTCULLIS_`, the section, the key. An empty variable is as good as none.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::ConfigError;
use super::document::nearest;
use super::settings::{Feed, Settings};
use super::value::{FeedName, Setting, Text, read};

const PREFIX: &str = "PORTCULLIS_";

/// The variable that names the configuration file.
const CONFIG: &str = "CONFIG";

type Put<S> = fn(&mut S, &str) -> Result<(), String>;

const VARIABLES: &[(&str, Put<Settings>)] = &[
    ("PROXY_LISTEN", |s, v| put(&mut s.proxy.listen, v)),
    ("PROXY_WORKERS", |s, v| put(&mut s.proxy.workers, v)),
    ("LIMITS_CONNECTIONS", |s, v| {
        put(&mut s.limits.connections, v)
    }),
    ("LIMITS_REQUEST_HEAD", |s, v| {
        put(&mut s.limits.request_head, v)
    }),
    ("LIMITS_KEEP_ALIVE", |s, v| put(&mut s.limits.keep_alive, v)),
    ("LIMITS_RESOLVE", |s, v| put(&mut s.limits.resolve, v)),
    ("LIMITS_CONNECT", |s, v| put(&mut s.limits.connect, v)),
    ("LIMITS_RESPONSE_HEAD", |s, v| {
        put(&mut s.limits.response_head, v)
    }),
    ("LIMITS_IDLE", |s, v| put(&mut s.limits.idle, v)),
    ("LIMITS_HALF_CLOSED", |s, v| {
        put(&mut s.limits.half_closed, v)
    }),
    ("LIMITS_SHUTDOWN", |s, v| put(&mut s.limits.shutdown, v)),
    ("PLUGINS_DIR", |s, v| put_path(&mut s.plugins.dir, v)),
    ("PLUGINS_ORDER", |s, v| put_words(&mut s.plugins.order, v)),
    ("PLUGINS_DELETION_GRACE", |s, v| {
        put(&mut s.plugins.deletion_grace, v)
    }),
    ("PLUGINS_STACK", |s, v| put(&mut s.plugins.stack, v)),
    ("COMPILER_TIME", |s, v| put(&mut s.compiler.time, v)),
    ("COMPILER_MEMORY", |s, v| put(&mut s.compiler.memory, v)),
    ("COMPILER_CACHE", |s, v| put(&mut s.compiler.cache, v)),
    ("CACHE_DIR", |s, v| put_path(&mut s.cache.dir, v)),
    ("EGRESS_RESOLVERS", |s, v| {
        put_list(&mut s.egress.resolvers, v)
    }),
    ("LOG_FORMAT", |s, v| put(&mut s.log.format, v)),
    ("LOG_FILTER", |s, v| put(&mut s.log.filter, v)),
    ("LOG_ACCESS_TO", |s, v| put(&mut s.log.access.to, v)),
    ("LOG_ACCESS_FORMAT", |s, v| put(&mut s.log.access.format, v)),
];

/// What follows `FEEDS_NAME` in the name of a variable.
const FEED_VARIABLES: [(&str, Put<Feed>); 4] = [
    ("_URL", |feed, v| put(&mut feed.url, v)),
    ("_FORMAT", |feed, v| put(&mut feed.format, v)),
    ("_REFRESH", |feed, v| put(&mut feed.refresh, v)),
    ("_MAX_SIZE", |feed, v| put(&mut feed.max_size, v)),
];

/// The settings among `variables`. `feeds` are the feeds that exist already: `PORTCULLIS_FEEDS_MY_LIST_URL` is the URL of
/// `my-list` if there is one, and of `my_list` if not.
pub(super) fn settings<'a>(
    variables: &[(OsString, OsString)],
    feeds: impl Iterator<Item = &'a FeedName> + Clone,
) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    for (name, key, value) in ours(variables) {
        let problem = |problem| ConfigError::Variable {
            name: name.to_owned(),
            problem,
        };
        let text = value
            .to_str()
            .ok_or_else(|| problem("its value is not UTF-8".into()))?;
        if let Some((_, put)) = VARIABLES.iter().find(|(known, _)| *known == key) {
            put(&mut settings, text).map_err(problem)?;
        } else if let Some((feed, put)) = feed_variable(key) {
            let name = feed_name(feed, feeds.clone()).map_err(problem)?;
            let feeds = settings.feeds.get_or_insert_default();
            put(feeds.entry(Text(name)).or_default(), text).map_err(problem)?;
        } else if let Some(meant) = misspelt(key, feeds.clone()) {
            return Err(problem(format!(
                "there is no such setting; did you mean {PREFIX}{meant}?"
            )));
        }
    }
    Ok(settings)
}

/// The configuration file that the environment names.
pub(super) fn config_file(variables: &[(OsString, OsString)]) -> Option<PathBuf> {
    ours(variables)
        .find(|(_, key, _)| *key == CONFIG)
        .map(|(_, _, value)| PathBuf::from(value))
}

/// Name, name without prefix, and value of the variables that are for us.
fn ours(variables: &[(OsString, OsString)]) -> impl Iterator<Item = (&str, &str, &OsStr)> {
    variables
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| {
            let name = name.to_str()?;
            Some((name, name.strip_prefix(PREFIX)?, value.as_os_str()))
        })
}

fn feed_variable(key: &str) -> Option<(&str, Put<Feed>)> {
    let rest = key.strip_prefix("FEEDS_")?;
    FEED_VARIABLES
        .iter()
        .find_map(|(suffix, put)| Some((rest.strip_suffix(suffix)?, *put)))
}

fn feed_name<'a>(
    text: &str,
    mut feeds: impl Iterator<Item = &'a FeedName>,
) -> Result<FeedName, String> {
    match feeds.find(|feed| in_variables(feed) == text) {
        Some(feed) => Ok(feed.clone()),
        None => read(&text.to_ascii_lowercase()),
    }
}

fn in_variables(feed: &FeedName) -> String {
    feed.0.to_ascii_uppercase().replace('-', "_")
}

/// The name that was likely meant. Names that resemble none are left alone: Kubernetes sets `PORTCULLIS_PORT` and the like
/// for a service of this name.
fn misspelt<'a>(key: &str, feeds: impl Iterator<Item = &'a FeedName>) -> Option<String> {
    let of_feeds = feeds.flat_map(|feed| {
        let name = in_variables(feed);
        FEED_VARIABLES.map(|(suffix, _)| format!("FEEDS_{name}{suffix}"))
    });
    let names: Vec<String> = VARIABLES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(of_feeds)
        .collect();
    nearest(key, names.iter().map(String::as_str))
        .filter(|meant| strsim::damerau_levenshtein(key, meant) <= 2)
        .filter(|_| key != CONFIG)
        .map(str::to_owned)
}

fn put<T: Setting>(slot: &mut Option<Text<T>>, text: &str) -> Result<(), String> {
    *slot = Some(Text(read(text)?));
    Ok(())
}

fn put_list<T: Setting>(slot: &mut Option<Vec<Text<T>>>, text: &str) -> Result<(), String> {
    let items = words(text).map(|word| read(word).map(Text));
    *slot = Some(items.collect::<Result<_, _>>()?);
    Ok(())
}

fn put_words(slot: &mut Option<Vec<String>>, text: &str) -> Result<(), String> {
    *slot = Some(words(text).map(str::to_owned).collect());
    Ok(())
}

fn put_path(slot: &mut Option<PathBuf>, text: &str) -> Result<(), String> {
    *slot = Some(PathBuf::from(text));
    Ok(())
}

/// The parts of a list with commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}
