//! Compiled filters on disk, so that a restart with the same files compiles nothing. A file is
//! named after the SHA-256 of the WebAssembly and a mark of the engine. It is loaded without a
//! check: a user who can write here can run code in the proxy, so the folder belongs to the proxy's
//! user alone. `compiler` calls it.

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

/// The extension of files that say why there is no machine code.
const REFUSED: &str = "refused";

/// A file without an extension that is older than this is not being written any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A private folder of machine code.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    /// In bytes.
    size: u64,
    /// Tells the machine code of one engine from that of another.
    engine: u64,
}

impl Cache {
    /// Makes the folder if there is none. Fails if another user could write there.
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

    /// The component that was made of this content before.
    pub(super) fn find(&self, engine: &Engine, hash: Hash) -> Option<Component> {
        let path = self.path(hash);
        let file = File::open(&path).ok()?;
        match load_file(engine, &path) {
            Ok(component) => {
                // It counts as used. If the time cannot be set, the file is only deleted earlier.
                drop(file.set_modified(SystemTime::now()));
                Some(component)
            }
            Err(error) => {
                tracing::warn!(
                    file = %path.display(),
                    %error,
                    "a compiled filter on disk cannot be used; it is compiled again"
                );
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

    /// Keeps for the next start why a compiling process failed.
    pub(super) fn remember_refusal(&self, hash: Hash, settings: &config::Compiler, why: &str) {
        let path = self.path(hash).with_extension(REFUSED);
        let text = format!("{}\n{why}", limits_of(settings));
        if let Err(error) = fs::write(&path, text) {
            tracing::debug!(
                file = %path.display(),
                %error,
                "cannot keep why a filter did not compile"
            );
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
        self.evict();
        match written {
            // It may be gone already, if another process has filled the folder.
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
        // SAFETY: the proxy's own compiler has made it a moment ago.
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
        // A file under this name must be whole, also after a power cut: it is run as it is.
        file.as_file().sync_all()?;
        let path = self.path(hash);
        file.persist(&path)?;
        Ok(path)
    }

    /// Deletes the least recently used files until the rest is small enough. A component that is in
    /// use keeps its file's content.
    fn evict(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut size: u64 = files.iter().map(|(_, len, _)| len).sum();
        // The newest file is the one that was just written.
        files.pop();
        for (modified, len, path) in files {
            let is_code = path.extension().is_some();
            // A process that was killed leaves behind what it had begun to write.
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
    // SAFETY: `write` has put the file into a folder where no other user can write.
    unsafe { Component::deserialize_file(engine, path) }
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    // A link is not followed: it could be made to point elsewhere later.
    let metadata = fs::symlink_metadata(dir)?;
    let owner = rustix::process::geteuid().as_raw();
    if metadata.is_dir() && metadata.uid() == owner && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{} must be a folder that only the proxy's user can read and write; delete it, and it is \
         made anew",
        dir.display()
    )))
}

/// Where the system has no modes, a user's folders are private.
#[cfg(not(unix))]
fn make_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}
