//! The last good copy of each feed on disk, so that a start without network has lists:
//! `feeds/NAME.list`, the body as it was fetched, and `feeds/NAME.json`, what it is. `feeds` calls
//! it off the async threads. It does not check bodies.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::fetch::Validators;
use crate::config::{Feed, FeedFormat};

/// What is read of a description, in bytes. Those that were written are much shorter.
const DESCRIPTION_LIMIT: u64 = 64 << 10;

/// The folder of the copies.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
}

/// A copy as it was found.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) body: Vec<u8>,
    pub(crate) validators: Validators,
    pub(crate) fetched_at: SystemTime,
}

/// Why a copy is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot understand {}", path.display())]
    Description {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("it is the body of another url or format than the configured one")]
    OtherSource,
    #[error("it has {bytes} bytes, and max_size is {max}")]
    TooLarge { bytes: u64, max: u64 },
}

/// The content of `NAME.json`.
#[derive(Serialize, Deserialize)]
struct Description {
    url: String,
    format: FeedFormat,
    #[serde(flatten)]
    validators: Validators,
    /// Seconds since 1970.
    fetched_at: u64,
    /// The size of the body.
    bytes: u64,
}

impl Cache {
    /// The copies under `cache_dir`, which need not exist yet.
    pub(crate) fn new(cache_dir: &Path) -> Self {
        Self {
            dir: cache_dir.join("feeds"),
        }
    }

    /// The copy of `feed`, if there is one.
    pub(crate) fn load(&self, name: &str, feed: &Feed) -> Result<Option<Saved>, Unusable> {
        let path = self.description(name);
        let json = match read_at_most(&path, DESCRIPTION_LIMIT) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Unusable::Read { path, source }),
        };
        let description: Description = serde_json::from_slice(&json)
            .map_err(|source| Unusable::Description { path, source })?;
        if (&*description.url, description.format) != (feed.url.as_str(), feed.format) {
            return Err(Unusable::OtherSource);
        }
        let body = read_body(self.list(name), feed.max_size)?;
        // A crash between the two writes leaves a newer body, and a power cut may leave half of
        // one. Without validators the next fetch asks for all of it.
        let complete = body.len() as u64 == description.bytes;
        Ok(Some(Saved {
            body,
            validators: if complete {
                description.validators
            } else {
                Validators::default()
            },
            // The clock may have been wrong when this was written, but the copy is from the past.
            fetched_at: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(description.fetched_at))
                .map_or_else(SystemTime::now, |time| time.min(SystemTime::now())),
        }))
    }

    /// Replaces the copy of `feed`.
    pub(crate) fn save(
        &self,
        name: &str,
        feed: &Feed,
        body: &[u8],
        validators: &Validators,
        fetched_at: SystemTime,
    ) -> io::Result<()> {
        let since_1970 = fetched_at.duration_since(SystemTime::UNIX_EPOCH);
        let description = serde_json::to_vec(&Description {
            url: feed.url.to_string(),
            format: feed.format,
            validators: validators.clone(),
            fetched_at: since_1970.unwrap_or_default().as_secs(),
            bytes: body.len() as u64,
        })?;
        fs::create_dir_all(&self.dir)?;
        self.replace(&self.list(name), body)?;
        self.replace(&self.description(name), &description)
    }

    fn list(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.list"))
    }

    fn description(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }

    /// Replaces a file so that at any moment, a power cut included, `path` is the old or the new
    /// one.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.dir)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

fn read_body(path: PathBuf, max: u64) -> Result<Vec<u8>, Unusable> {
    let read = || Ok((fs::metadata(&path)?.len(), read_at_most(&path, max)?));
    match read() {
        Ok((bytes, _)) if bytes > max => Err(Unusable::TooLarge { bytes, max }),
        Ok((_, body)) => Ok(body),
        Err(source) => Err(Unusable::Read { path, source }),
    }
}

fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_description_without_end_is_not_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        fs::create_dir(&cache.dir).unwrap();
        let endless = File::create(cache.description("list")).unwrap();
        endless.set_len(1 << 40).unwrap();
        let feed = Config::default().feeds["malware"].clone();
        let loaded = cache.load("list", &feed);
        assert!(
            matches!(loaded, Err(Unusable::Description { .. })),
            "{loaded:?}"
        );
    }
}
