//! Compiled filters on disk, so that a restart with the same files compiles nothing. A file is named after the SHA-256 of the WebAssembly and
//! a mark of the engine, and loaded without a check: whoever can write here runs code in the proxy, so the folder is its owner's alone.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::config;

/// Identifies the content of a file: its SHA-256.
pub(crate) type Hash = [u8; 32];

const EXTENSION: &str = "cwasm";

/// For files that say why there is no machine code.
const REFUSED: &str = "refused";

/// Nothing takes that long to write.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A private folder of machine code.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    /// In bytes.
    size: u64,
    /// Tells apart what different engines make of one file.
    engine: u64,
}

impl Cache {
    /// Makes the folder if need be. Fails if others could write there.
    pub(super) fn open(engine: &Engine, settings: &config::Compiler) -> io::Result<Self> {
        make_private(&settings.cache_dir)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        Ok(Self {
            dir: settings.cache_dir.clone(),
            size: settings.cache,
            engine: hasher.finish(),
        })
    }

    /// What was made of this content before.
    pub(super) fn find(&self, engine: &Engine, hash: Hash) -> Option<Component> {
        let path = self.path(hash);
        let file = File::open(&path).ok()?;
        match load_file(engine, &path) {
            Ok(component) => {
                // It counts as used. If that cannot be noted it may go early, nothing worse.
                drop(file.set_modified(SystemTime::now()));
                Some(component)
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a compiled filter on disk cannot be used; it is compiled again");
                drop(fs::remove_file(&path));
                None
            }
        }
    }

    /// Why a compiling process failed on this content under the same limits.
    pub(super) fn refusal(&self, hash: Hash, settings: &config::Compiler) -> Option<String> {
        let text = fs::read_to_string(self.path(hash).with_extension(REFUSED)).ok()?;
        let (limits, refusal) = text.split_once('\n')?;
        (limits == limits_of(settings)).then(|| refusal.to_owned())
    }

    /// Keeps that for the next start.
    pub(super) fn remember_refusal(&self, hash: Hash, settings: &config::Compiler, why: &str) {
        let path = self.path(hash).with_extension(REFUSED);
        let text = format!("{}\n{why}", limits_of(settings));
        if let Err(error) = fs::write(&path, text) {
            tracing::debug!(file = %path.display(), %error, "cannot keep why a filter did not compile");
        }
    }

    /// Keeps `code`, which [`compile`](super::compile::compile) has made, and loads it.
    pub(super) fn keep(
        &self,
        engine: &Engine,
        hash: Hash,
        code: &[u8],
    ) -> wasmtime::Result<Component> {
        let written = self.write(hash, code);
        self.make_room();
        match written {
            // It may be gone already, if others have filled the folder.
            Ok(path) => load_file(engine, &path).or_else(|_| Self::load(engine, code)),
            Err(error) => {
                tracing::warn!(
                    dir = %self.dir.display(),
                    %error,
                    "a compiled filter cannot be kept: the next start compiles it again"
                );
                Self::load(engine, code)
            }
        }
    }

    /// Loads what [`compile`](super::compile::compile) has made, without keeping it.
    #[expect(
        unsafe_code,
        clippy::disallowed_methods,
        reason = "no other way to load machine code"
    )]
    pub(super) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: our own compiler has made it a moment ago.
        unsafe { Component::deserialize(engine, code) }
    }

    fn path(&self, hash: Hash) -> PathBuf {
        let mut name = String::new();
        for byte in hash {
            name.push_str(&format!("{byte:02x}"));
        }
        self.dir
            .join(format!("{name}-{:016x}.{EXTENSION}", self.engine))
    }

    fn write(&self, hash: Hash, code: &[u8]) -> io::Result<PathBuf> {
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        file.write_all(code)?;
        // A file that is there must be whole, also after a power cut: it is run as it is.
        file.as_file().sync_all()?;
        let path = self.path(hash);
        file.persist(&path)?;
        Ok(path)
    }

    /// Deletes what was not used for longest, until the rest is small enough. A component that is in use keeps its file's content.
    fn make_room(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut size: u64 = files.iter().map(|(_, len, _)| len).sum();
        // The newest is the one that all this is for.
        files.pop();
        for (modified, len, path) in files {
            let is_code = path.extension().is_some();
            // What a process has begun to write and left behind when it was killed.
            let is_abandoned = !is_code && modified.elapsed().is_ok_and(|age| age > ABANDONED);
            if is_abandoned || is_code && size > self.size {
                drop(fs::remove_file(path));
                size -= len;
            }
        }
    }
}

fn limits_of(settings: &config::Compiler) -> String {
    format!("{:?} {}", settings.time, settings.memory)
}

#[expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "no other way to load machine code"
)]
fn load_file(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is one that `write` has put into a folder where nobody else can write.
    unsafe { Component::deserialize_file(engine, path) }
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    // Not through a link: that could be made to point elsewhere later.
    let metadata = fs::symlink_metadata(dir)?;
    let owner = rustix::process::geteuid().as_raw();
    if metadata.is_dir() && metadata.uid() == owner && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{} must be a folder that only the proxy's user can read and write; delete it, and it is made anew",
        dir.display()
    )))
}

/// A user's folders are private where the system has no modes.
#[cfg(not(unix))]
fn make_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}
