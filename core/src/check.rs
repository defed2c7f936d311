//! Whether everything that the configuration names can be used: `portcullis check`.

use std::fmt;

use crate::builtin::BUILTINS;
use crate::config::Config;
use crate::error::StartError;
use crate::feeds::{FeedStatus, Feeds};
use crate::filter::Loader;
use crate::plugins::{self, Plugins};

/// What was found. Its text is a line for each plugin and each feed.
#[derive(Debug)]
pub struct Report {
    plugins: Vec<plugins::Status>,
    feeds: Vec<FeedStatus>,
    /// In `[plugins] order`, but nowhere else.
    missing: Vec<String>,
}

/// Loads every filter and every feed's copy on disk. Nothing is fetched, nothing bound.
///
/// # Errors
///
/// If the WASM engine does not start.
pub async fn check(config: Config) -> Result<Report, StartError> {
    let feeds = Feeds::open(&config.feeds, &config.cache_dir);
    let loader = Loader::new(&config, feeds.clone())?;
    let plugins = Plugins::open(config.plugins, BUILTINS, loader).await;
    Ok(Report {
        missing: plugins.missing().map(Into::into).collect(),
        plugins: plugins.status(),
        feeds: feeds.status(),
    })
}

impl Report {
    /// Whether every plugin can be used. A feed without data is no fault: it is fetched when the proxy runs.
    pub fn is_ok(&self) -> bool {
        self.plugins.iter().all(|plugin| plugin.refused.is_none())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for plugin in &self.plugins {
            let origin = if plugin.builtin { "built in" } else { "file" };
            write!(f, "plugin {} ({origin}): ", plugin.name)?;
            match &plugin.refused {
                Some(reason) => writeln!(f, "refused: {reason}")?,
                None if plugin.disabled => writeln!(f, "disabled")?,
                None => writeln!(f, "ok")?,
            }
        }
        for name in &self.missing {
            writeln!(
                f,
                "plugin {name}: in [plugins] order, but neither a file nor built in"
            )?;
        }
        for feed in &self.feeds {
            write!(f, "feed {}: ", feed.name)?;
            match feed.names {
                0 => writeln!(f, "no data yet")?,
                names => writeln!(f, "{names} names")?,
            }
        }
        Ok(())
    }
}
