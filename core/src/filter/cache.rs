//! Compiled filters on disk, so that a restart with the same files compiles nothing. A file is
//! named after the SHA-256 of the WebAssembly, a mark of the engine and the SHA-256 of its own
//! content. `compiler` calls it.
//!
//! The engine runs machine code as it is. Two things make that safe. The folder belongs to the
//! proxy's user alone (`folder`), as a user who can write here can run code in the proxy. And what
//! is read is compared with the digest in its name, so that a file that a crash has torn or a disk
//! has damaged is not run. The digest is no signature: it does not stop a user who may write here,
//! and a key that the proxy can read would not, either.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::io::{self, Read, Seek, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use self::folder::{Folder, Untrusted};
use crate::config;

mod folder;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

/// Identifies the content of a file: its SHA-256.
pub(crate) type Hash = [u8; 32];

const EXTENSION: &str = ".cwasm";

/// The end of the names of files that say why there is no machine code.
const REFUSED: &str = ".refused";

/// How much of such a file is read, in bytes.
const REFUSAL_LIMIT: u64 = 16 << 10;

/// The beginning of the names of files that are being written.
const UNFINISHED: &str = "new-";

/// A file that has been unfinished for longer is not being written any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A private folder of machine code.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Folder,
    /// In bytes.
    size: u64,
    /// Tells the machine code of one engine from that of another.
    engine: u64,
}

/// Why machine code on disk is not run.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("its content is not what its name says: it was damaged")]
    Damaged,
    #[error("cannot read it")]
    Read(#[from] io::Error),
    #[error("{0:#}")]
    Engine(wasmtime::Error),
}

impl Unusable {
    /// Whether the file is at fault: it is damaged, or another engine has made it. What the system
    /// did not give, such as a descriptor or memory, it may give at the next start.
    fn is_of_file(&self) -> bool {
        match self {
            Self::Damaged => true,
            Self::Read(_) => false,
            Self::Engine(error) => !is_of_system(error),
        }
    }
}

/// Whether the engine was let down while it opened the file, mapped it or made it executable.
pub(super) fn is_of_system(error: &wasmtime::Error) -> bool {
    #[cfg(unix)]
    let is_of_kernel = error.is::<rustix::io::Errno>();
    #[cfg(not(unix))]
    let is_of_kernel = false;
    is_of_kernel || error.is::<io::Error>() || error.is::<wasmtime::OutOfMemory>()
}

impl Cache {
    /// Makes the folder if there is none. Fails if another user could write there.
    pub(super) fn open(engine: &Engine, settings: &config::Compiler) -> Result<Self, Untrusted> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        Ok(Self {
            folder: Folder::open(&settings.cache_dir)?,
            size: settings.cache,
            engine: hasher.finish(),
        })
    }

    /// The component that was made of this content before.
    pub(super) fn find(&self, engine: &Engine, hash: Hash) -> Option<Component> {
        let prefix = format!("{}-", self.stem(hash));
        let names = self.folder.names().ok()?;
        let mut of_this = names.iter().filter_map(|name| {
            let digest = name.strip_prefix(&prefix)?.strip_suffix(EXTENSION)?;
            Some((name, digest))
        });
        of_this.find_map(
            |(name, digest)| match self.load_file(engine, name, digest) {
                Ok(component) => Some(component),
                Err(error) => {
                    tracing::warn!(
                        file = %self.folder.path().join(name).display(),
                        %error,
                        "a compiled filter on disk cannot be used; it is compiled again"
                    );
                    if error.is_of_file() {
                        drop(self.folder.remove(name));
                    }
                    None
                }
            },
        )
    }

    /// Why a compiling process failed on this content under the same limits.
    pub(super) fn refusal(&self, hash: Hash, settings: &config::Compiler) -> Option<String> {
        let mut text = String::new();
        let file = self.folder.file(&(self.stem(hash) + REFUSED)).ok()?;
        file.take(REFUSAL_LIMIT).read_to_string(&mut text).ok()?;
        let (limits, refusal) = text.split_once('\n')?;
        (limits == limits_of(settings)).then(|| refusal.to_owned())
    }

    /// Keeps for the next start why a compiling process failed.
    pub(super) fn remember_refusal(&self, hash: Hash, settings: &config::Compiler, why: &str) {
        let name = self.stem(hash) + REFUSED;
        let text = format!("{}\n{why}", limits_of(settings));
        if let Err(error) = self.write(&name, text.as_bytes()) {
            tracing::debug!(
                file = %self.folder.path().join(name).display(),
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
        let digest = hex(Sha256::digest(code).into());
        let name = format!("{}-{digest}{EXTENSION}", self.stem(hash));
        let written = self.write(&name, code);
        self.evict();
        match written {
            // It may be gone already, if another process has filled the folder.
            Ok(()) => {
                let loaded = self.load_file(engine, &name, &digest);
                loaded.or_else(|_| Self::load(engine, code))
            }
            Err(error) => {
                tracing::warn!(
                    dir = %self.folder.path().display(),
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
        // SAFETY: the proxy's own compiler has made it, a moment ago or as its digest says.
        unsafe { Component::deserialize(engine, code) }
    }

    /// Loads what [`Self::write`] has written.
    fn load_file(&self, engine: &Engine, name: &str, digest: &str) -> Result<Component, Unusable> {
        let mut file = self.folder.file(name)?;
        let mut hasher = Sha256::new();
        io::copy(&mut file, &mut hasher)?;
        if hex(hasher.finalize().into()) != digest {
            return Err(Unusable::Damaged);
        }
        let component = map(engine, &self.folder.path_of(name, &file), &file)?;
        // It counts as used. If the time cannot be set, the file is only deleted earlier.
        drop(file.set_modified(SystemTime::now()));
        Ok(component)
    }

    /// What the names of the files about one content begin with.
    fn stem(&self, hash: Hash) -> String {
        format!("{}-{:016x}", hex(hash), self.engine)
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let unfinished = format!("{UNFINISHED}{:016x}", fastrand::u64(..));
        let write = || {
            let mut file = self.folder.create(&unfinished)?;
            file.write_all(content)?;
            // A file should be whole under its name, also after a power cut.
            file.sync_all()?;
            self.folder.rename(&unfinished, name)
        };
        write().inspect_err(|_| drop(self.folder.remove(&unfinished)))
    }

    /// Deletes the least recently used files until the rest is small enough. A component that is in
    /// use keeps its file's content.
    fn evict(&self) {
        let names = self.folder.names().unwrap_or_default();
        let file = |name: String| {
            let metadata = self.folder.file(&name).ok()?.metadata().ok()?;
            Some((metadata.modified().ok()?, metadata.len(), name))
        };
        let mut files: Vec<_> = names.into_iter().filter_map(file).collect();
        files.sort();
        let mut size: u64 = files.iter().map(|(_, len, _)| len).sum();
        // The newest file is the one that was just written.
        files.pop();
        for (modified, len, name) in files {
            let is_whole = !name.starts_with(UNFINISHED);
            // A process that was killed leaves behind what it had begun to write.
            let is_abandoned = !is_whole && modified.elapsed().is_ok_and(|age| age > ABANDONED);
            if is_abandoned || is_whole && size > self.size {
                drop(self.folder.remove(&name));
                size -= len;
            }
        }
    }
}

fn limits_of(settings: &config::Compiler) -> String {
    format!("{:?} {}", settings.time, settings.memory)
}

fn hex(hash: Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Maps the code into memory, so that only what runs takes room there. Where an open file has no
/// path, the code is read.
fn map(engine: &Engine, path: &Path, mut file: &File) -> Result<Component, Unusable> {
    if path.exists() {
        return map_path(engine, path).map_err(Unusable::Engine);
    }
    let mut code = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut code)?;
    Cache::load(engine, &code).map_err(Unusable::Engine)
}

#[expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "no other way to load machine code"
)]
fn map_path(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: `write` has put the file where no other user can write, and its digest is right.
    unsafe { Component::deserialize_file(engine, path) }
}
