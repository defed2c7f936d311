//! Says whether everything that the configuration names can be used: `portcullis check`.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::Config;
use crate::error::StartError;
use crate::feeds::{FeedStatus, Feeds};
use crate::filter::Loader;
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{self, Plugins};

/// What was found. As text it is a line for each plugin and each feed. By serde it is an object
/// with `ok`, `plugins` (each `name`, `builtin`, `disabled` and, where there is one, `version`,
/// `description`, `mode`, `hooks`, `refused`), `feeds` (each `name` and `names`, which is a count),
/// `available` and `missing`.
#[derive(Debug, Serialize)]
pub struct Report {
    ok: bool,
    plugins: Vec<plugins::Status>,
    feeds: Vec<Feed>,
    /// Built-in filters that wait for their settings.
    available: Vec<&'static str>,
    #[serde(skip)]
    dir: PathBuf,
    /// Names in `[plugins] order` that are not filters.
    missing: Vec<String>,
}

/// One list, as its copy on disk has it.
#[derive(Debug, Serialize)]
struct Feed {
    name: String,
    names: usize,
}

/// Loads every filter and every feed's copy on disk. Nothing is fetched, and no address is bound.
///
/// # Errors
///
/// If the WASM engine does not start.
pub async fn check(config: Config) -> Result<Report, StartError> {
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    let loader = Loader::new(&config, feeds.clone())?;
    let dir = config.plugins.dir.clone();
    let plugins = Plugins::open(config.plugins, BUILTINS, loader).await;
    let status = plugins.status();
    let feed = |feed: FeedStatus| Feed {
        name: feed.name.to_string(),
        names: feed.names,
    };
    Ok(Report {
        ok: status.iter().all(|plugin| plugin.refused.is_none()),
        available: plugins.available().collect(),
        dir,
        missing: plugins.missing().map(Into::into).collect(),
        plugins: status,
        feeds: feeds.status().into_iter().map(feed).collect(),
    })
}

impl Report {
    /// Whether every plugin can be used. A feed without data is fine: it is fetched when the proxy
    /// runs.
    pub fn is_ok(&self) -> bool {
        self.ok
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
                None if plugin.mode == Some(plugins::Mode::Shadow) => {
                    writeln!(f, "ok, in shadow mode: it decides nothing")?
                }
                None => writeln!(f, "ok")?,
            }
        }
        for name in &self.available {
            let settings = self.dir.join(format!("{name}.toml"));
            let settings = settings.display();
            writeln!(
                f,
                "plugin {name} (built in): available, add {settings} to use it"
            )?;
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
