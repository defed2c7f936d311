//! A configuration file that changes while a proxy runs.

use std::fs;
use std::path::PathBuf;

use portcullis::Config;
use portcullis::config::Sources;
use tempfile::TempDir;

/// The default feed is fetched from a server that no test may ask.
const NO_DEFAULT_FEED: &str = "[feeds.malware]\nenabled = false\n";

/// A configuration file in a folder of its own.
#[derive(Debug)]
pub struct Settings {
    folder: TempDir,
}

impl Settings {
    /// One that says this, and that there is no default feed.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let settings = Self { folder };
        settings.say(text);
        settings
    }

    /// No file yet.
    pub fn without_file() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Self { folder }
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("portcullis.toml")
    }

    /// Has it say something else.
    pub fn say(&self, text: &str) {
        let text = format!("{text}\n{NO_DEFAULT_FEED}");
        fs::write(self.file(), text).expect("the folder can be written to");
    }

    /// Has a proxy follow it, which was started in its folder. Of what it says by now, the feeds
    /// and the order of filters hold.
    pub fn apply(&self, config: &mut Config) {
        let mut sources = Sources::default();
        sources.dir = self.folder.path().to_owned();
        // Where there is no file.
        let disabled = ("PORTCULLIS_FEEDS_MALWARE_ENABLED".into(), "false".into());
        sources.variables = vec![disabled];
        let read = Config::load(&sources).expect("the file is right");
        config.feeds = read.feeds;
        config.plugins.order = read.plugins.order;
        config.file = read.file;
        config.followed = read.followed;
    }
}
