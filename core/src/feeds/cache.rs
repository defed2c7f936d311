//! The last good copy of each list on disk, so that a start without network has lists:
//! `feeds/NAME.list`, the body as it was fetched, `feeds/NAME.json`, what it is and when its source
//! last said so, and `feeds/NAME.snapshot`, what was read from it. `feeds` calls it off the async
//! threads. It does not read bodies.
//!
//! A snapshot is good for the description beside it and for the settings that it was read with.
//! Where it is not, the body is there to be read again.

mod hits;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::fetch::body::{Body, Room};
use super::fetch::{UNKEPT_HINT, Validators, Version, shown};
use super::origin::Origin;
use super::snapshot::{Draft, Refused, Snapshot, Stamp};
use crate::config::file::{self, Kind};
use crate::config::{Feed, FeedFormat};
use crate::error::ErrorChain;

/// What reads lists. To be raised with every change that finds other names or texts in the same
/// body: the snapshots of an earlier reader are not used.
const READER: u32 = 8;

/// What is read of a description, in bytes. Those that were written are much shorter.
const DESCRIPTION_LIMIT: u64 = 64 << 10;

/// The folder of the copies.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    /// Whether hits could not be written there, which was said.
    lacks_hits: Arc<AtomicBool>,
}

/// A copy as it was found.
#[derive(Debug)]
pub(crate) struct Saved {
    /// The list; or why it is to be read from the body.
    pub(crate) snapshot: Result<Snapshot, Refused>,
    pub(crate) version: Version,
    /// Of the body that was fetched; none if an earlier program has kept it.
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) fetched_at: SystemTime,
}

/// A list that has arrived, and where its copy on disk is kept.
pub(crate) struct Arrival {
    pub(crate) cache: Cache,
    /// The name of its feed.
    pub(crate) feed: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) version: Version,
    pub(crate) fetched_at: SystemTime,
}

/// A list that is ready to serve.
pub(crate) struct Kept {
    pub(crate) list: Snapshot,
    /// Why there is no copy of it on disk.
    pub(crate) error: Option<String>,
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
    #[error(
        "it is the body of another url or format than the configured one, or was not checked as configured"
    )]
    OtherSource,
    #[error("it has {bytes} bytes, and max_size is {max}")]
    TooLarge { bytes: u64, max: u64 },
    #[error("it is not what was fetched: it was cut off or damaged, or exchanged")]
    Damaged,
}

/// Why the description of a copy was not written again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritten {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("it cannot be written")]
    Write(#[from] io::Error),
}

/// The content of `NAME.json`.
#[derive(Serialize, Deserialize)]
struct Description {
    url: String,
    format: FeedFormat,
    /// What the list was checked with. One that was checked otherwise, or not at all, is another.
    #[serde(default)]
    proof: String,
    #[serde(flatten)]
    validators: Validators,
    /// Seconds since 1970.
    fetched_at: u64,
    /// The size of the body.
    bytes: u64,
    /// In hexadecimal; none if an earlier program has written this.
    #[serde(default)]
    sha256: Option<String>,
}

impl Cache {
    /// The copies under `cache_dir`, which need not exist yet.
    pub(crate) fn new(cache_dir: &Path) -> Self {
        Self {
            dir: cache_dir.join("feeds"),
            lacks_hits: Arc::default(),
        }
    }

    /// The copy of the list that comes from `origin`, if there is one.
    pub(crate) fn load(&self, origin: &Origin) -> Result<Option<Saved>, Unusable> {
        let Some(description) = self.described(origin)? else {
            return Ok(None);
        };
        // A crash between two writes leaves a newer body, and a power cut may leave half of one.
        let is_whole = self.body_length(origin)? == description.bytes;
        let snapshot = if is_whole {
            self.open(&origin.copy, Stamp::of(&description, origin))
        } else {
            Err(Refused::Other)
        };
        Ok(Some(Saved {
            sha256: description.sha256(),
            // Without a version the next fetch asks for all of the list and reads it, and then
            // there is a snapshot again.
            version: if snapshot.is_ok() {
                Version {
                    sha256: description.sha256(),
                    validators: description.validators,
                }
            } else {
                Version::default()
            },
            snapshot,
            // The clock may have been wrong when this was written, but the copy is from the past.
            fetched_at: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(description.fetched_at))
                .map_or_else(SystemTime::now, |time| time.min(SystemTime::now())),
        }))
    }

    /// What the copy is that was made of the list from `origin`, if there is one.
    fn described(&self, origin: &Origin) -> Result<Option<Description>, Unusable> {
        let path = self.description(&origin.copy);
        let json = match read_at_most(&path, DESCRIPTION_LIMIT) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Unusable::Read { path, source }),
        };
        let description: Description = serde_json::from_slice(&json)
            .map_err(|source| Unusable::Description { path, source })?;
        let of = (&*description.url, description.format, &*description.proof);
        if of != (origin.url.as_str(), origin.format.format, &*proof(origin)) {
            return Err(Unusable::OtherSource);
        }
        Ok(Some(description))
    }

    /// The body of that copy.
    pub(crate) fn body(&self, origin: &Origin) -> Result<Body, Unusable> {
        self.body_length(origin)?;
        let path = self.list(&origin.copy);
        let body = file::open(&path).and_then(Body::in_file);
        body.map_err(|source| Unusable::Read { path, source })
    }

    /// Where a body is while it is read for the first time.
    pub(crate) fn room(&self) -> Room {
        Room::in_folder(self.dir.clone())
    }

    /// The size of that body in bytes, if there is one.
    pub(crate) fn size(&self, origin: &Origin) -> Option<u64> {
        Some(fs::metadata(self.list(&origin.copy)).ok()?.len())
    }

    fn body_length(&self, origin: &Origin) -> Result<u64, Unusable> {
        let (path, max) = (self.list(&origin.copy), origin.max_size);
        match fs::metadata(&path) {
            Ok(file) if file.len() > max => Err(Unusable::TooLarge {
                bytes: file.len(),
                max,
            }),
            Ok(file) => Ok(file.len()),
            Err(source) => Err(Unusable::Read { path, source }),
        }
    }

    fn open(&self, name: &str, stamp: Stamp) -> Result<Snapshot, Refused> {
        Snapshot::open(&file::open(&self.snapshot(name))?, stamp)
    }

    /// Replaces that copy, but for its snapshot, which is to have the stamp.
    pub(crate) fn save(
        &self,
        origin: &Origin,
        body: &mut Body,
        version: &Version,
        fetched_at: SystemTime,
    ) -> io::Result<Stamp> {
        let description = Description {
            url: origin.url.to_string(),
            format: origin.format.format,
            proof: proof(origin),
            validators: version.validators.clone(),
            fetched_at: seconds(fetched_at),
            bytes: body.len(),
            sha256: version.sha256.map(|sha256| HEXLOWER.encode(&sha256)),
        };
        fs::create_dir_all(&self.dir)?;
        let list = self.list(&origin.copy);
        file::replace(&list, Kind::Private, |file| body.copy_to(file))?;
        self.describe(origin, &description)?;
        Ok(Stamp::of(&description, origin))
    }

    /// Writes down that the source still has the body of that copy, and how it calls it now. Says
    /// whether there is a copy at all: one that is another's by now, or of another body, is left
    /// alone.
    pub(crate) fn confirm(
        &self,
        origin: &Origin,
        version: &Version,
        fetched_at: SystemTime,
    ) -> Result<bool, Unwritten> {
        let description = match self.described(origin) {
            Err(Unusable::OtherSource) => return Ok(true),
            described => described?,
        };
        let Some(description) = description.filter(|_| self.size(origin).is_some()) else {
            return Ok(false);
        };
        if description.sha256() != version.sha256 {
            return Ok(true);
        }
        let confirmed = Description {
            validators: version.validators.clone(),
            fetched_at: seconds(fetched_at),
            ..description
        };
        self.describe(origin, &confirmed)?;
        Ok(true)
    }

    fn describe(&self, origin: &Origin, description: &Description) -> io::Result<()> {
        let json = serde_json::to_vec(description)?;
        let path = self.description(&origin.copy);
        file::replace(&path, Kind::Private, |file| file.write_all(&json))
    }

    /// Replaces the snapshot of a copy of this name, and opens it.
    pub(crate) fn save_snapshot(
        &self,
        name: &str,
        draft: &Draft,
        stamp: Stamp,
    ) -> io::Result<Snapshot> {
        let path = self.snapshot(name);
        file::replace(&path, Kind::Private, |file| draft.write(stamp, file))?;
        self.open(name, stamp).map_err(io::Error::other)
    }

    fn list(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.list"))
    }

    fn description(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }

    /// The file of a copy that is written last.
    pub(super) fn snapshot(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.snapshot"))
    }
}

impl Arrival {
    /// The list, which has its records in the copy or, if that cannot be kept, in memory.
    pub(crate) fn keep(&self, draft: Draft, mut body: Body) -> Kept {
        let origin = &self.origin;
        let stamp = self
            .cache
            .save(origin, &mut body, &self.version, self.fetched_at);
        // A long list takes much memory while its snapshot is made.
        drop(body);
        let kept = stamp.and_then(|stamp| self.cache.save_snapshot(&origin.copy, &draft, stamp));
        let error = match kept {
            Ok(list) => return Kept { list, error: None },
            Err(error) => ErrorChain(&error).to_string(),
        };
        warn!(
            feed = &*self.feed,
            source = &*shown(&origin.url),
            error,
            hint = UNKEPT_HINT,
            "cannot keep a copy of the feed; its names stay in memory, and after a restart it may \
             have no data until it is fetched"
        );
        Kept {
            list: draft.into(),
            error: Some(error),
        }
    }
}

impl Description {
    fn sha256(&self) -> Option<[u8; 32]> {
        let digits = self.sha256.as_ref()?;
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
    }
}

impl Stamp {
    /// For the list that a description is of, read as its feed wants it by this program. When it
    /// was fetched, and how its server calls that version, may change without the list.
    fn of(description: &Description, origin: &Origin) -> Self {
        let Description {
            url,
            format,
            proof,
            validators: _,
            fetched_at: _,
            bytes,
            sha256,
        } = description;
        let program = env!("CARGO_PKG_VERSION");
        let how = format!("{program} {READER} {:?}", origin.format);
        let of = format!("{:?}", (url, format, proof, bytes, sha256, how));
        let digest = Sha256::digest(of);
        Self(*digest.first_chunk().expect("it has 32 bytes"))
    }
}

fn seconds(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}

/// The checksum and the key that a list is checked with; nothing if it is not.
fn proof(origin: &Origin) -> String {
    let Feed {
        checksum, minisign, ..
    } = &origin.settings;
    match (checksum, minisign) {
        (None, None) => String::new(),
        proof => format!("{proof:?}"),
    }
}

fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file::open(path)?.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

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
        let loaded = cache.load(&Origin::all("list", &feed)[0]);
        assert!(
            matches!(loaded, Err(Unusable::Description { .. })),
            "{loaded:?}"
        );
    }
}
