//! What lies in the plugin folder, and a hint when that changes. Used by `plugins`. Reads names and
//! versions, never contents.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use crate::config::file::is_writable_by_others;
use crate::config::file_version::{FileVersion, identity};
use crate::error::panic_message;

/// Whether a scan of the folder left something that the next one must look at soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scan {
    Settled,
    Unsettled,
}

/// The files of every name in a folder.
pub(super) type Listing = BTreeMap<Arc<str>, Files>;

/// Files whose names look as if they were meant for filters and are not, and what is wrong.
pub(super) type Misnamed = BTreeMap<OsString, &'static str>;

/// The files that make up one filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// `NAME.wasm`.
    pub(super) wasm: Option<FileVersion>,
    /// `NAME.toml`.
    pub(super) settings: Option<FileVersion>,
}

impl Files {
    /// Whether there are settings that are not empty.
    pub(super) fn say_something(&self) -> bool {
        self.settings.as_ref().is_some_and(|file| file.len() > 0)
    }
}

/// What a look at the folder has found.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) listing: Listing,
    pub(super) misnamed: Misnamed,
    /// Whether others than its owner can write to it.
    pub(super) is_exposed: bool,
}

impl Seen {
    /// What is in the folder now.
    pub(super) fn in_folder(dir: &Path) -> io::Result<Self> {
        let (listing, misnamed) = list(dir)?;
        Ok(Self {
            listing,
            misnamed,
            is_exposed: fs::metadata(dir).is_ok_and(|found| is_writable_by_others(&found)),
        })
    }
}

/// Looks at a folder that is not watched. One on a file system that does not answer holds up its
/// caller alone.
pub(super) async fn look(dir: Arc<Path>) -> io::Result<Seen> {
    aside(move || Seen::in_folder(&dir)).await.flatten()
}

/// Lists `NAME.wasm` and `NAME.toml`, links followed, whatever they are: what cannot be read as a
/// file is a filter that cannot be used. Names that begin with a dot are not filters, nor are those
/// in `Misnamed`.
fn list(dir: &Path) -> io::Result<(Listing, Misnamed)> {
    let (mut listing, mut misnamed) = (Listing::new(), Misnamed::new());
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(file) = path.file_name() else {
            continue;
        };
        let (name, extension) = match split(file) {
            Ok(Some(split)) => split,
            Ok(None) => continue,
            Err(mistake) => {
                misnamed.insert(file.to_owned(), mistake);
                continue;
            }
        };
        // A link that leads nowhere, to itself or where this user may not look is there, and cannot
        // be read.
        let metadata = match fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path)) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // What may be there is not known, so nothing is known of the folder.
            Err(error) => return Err(error),
        };
        let files = listing.entry(name.into()).or_default();
        let slot = match extension {
            Extension::Wasm => &mut files.wasm,
            Extension::Toml => &mut files.settings,
        };
        *slot = Some(FileVersion::of(&metadata));
    }
    Ok((listing, misnamed))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    Wasm,
    Toml,
}

/// The name of a filter and what the file is of it. Fails with what is wrong if a person would take
/// the file for one of a filter.
fn split(file: &OsStr) -> Result<Option<(&str, Extension)>, &'static str> {
    let text = file.to_string_lossy();
    let Some((name, extension)) = text.rsplit_once('.') else {
        return Ok(None);
    };
    if name.is_empty() || name.starts_with('.') {
        return Ok(None);
    }
    let extension = match extension {
        "wasm" => Extension::Wasm,
        "toml" => Extension::Toml,
        other
            if ["wasm", "toml"]
                .iter()
                .any(|it| other.eq_ignore_ascii_case(it)) =>
        {
            return Err("its name must end in .wasm or .toml, in small letters");
        }
        _ => return Ok(None),
    };
    let name = file.to_str().and_then(|file| file.rsplit_once('.'));
    let (name, _) = name.ok_or("its name must be UTF-8")?;
    Ok(Some((name, extension)))
}

/// Hints that something in a folder changed. Events get lost (network file systems, a folder made
/// anew), so the folder must also be scanned from time to time.
#[derive(Debug)]
pub(crate) struct Watch {
    dir: PathBuf,
    changed: Arc<Notify>,
    armed: Option<Armed>,
}

/// Watches one folder, whatever its name is by now.
#[derive(Debug)]
struct Armed {
    folder: (u64, u64),
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            changed: Arc::default(),
            armed: None,
        }
    }

    /// Waits for the next hint; hints that came since the last call count.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Watches the folder that bears the name now, and then calls `look`: a folder that was deleted
    /// and made again sends nothing to old watches. Both may wait for the disk, in one call on
    /// another thread, so that a file system that does not answer holds up the caller alone. Fails
    /// if `look` panics, in the same words each time.
    pub(crate) async fn look<T: Send + 'static>(
        &mut self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let (dir, changed) = (self.dir.clone(), self.changed.clone());
        let armed = self.armed.take();
        let looking = aside(move || {
            // Where the thread of a watch is gone, `notify` panics. The look is made all the same.
            let watching = AssertUnwindSafe(|| watch(&dir, armed, changed));
            let armed = catch_unwind(watching).ok().flatten();
            (armed, look())
        });
        let (armed, seen) = looking.await?;
        self.armed = armed;
        Ok(seen)
    }
}

/// Does on another thread what may wait for the disk. Fails if that panics.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| match error.try_into_panic() {
        Ok(panic) => io::Error::other(panic_message(&*panic)),
        Err(error) => io::Error::other(error),
    })
}

/// What watches the folder from now on: `armed` if it does so already, or if nothing better can be
/// had.
fn watch(dir: &Path, armed: Option<Armed>, changed: Arc<Notify>) -> Option<Armed> {
    let folder = identity(&fs::metadata(dir).ok()?);
    if armed.as_ref().is_some_and(|armed| armed.folder == folder) {
        return armed;
    }
    match watcher(dir, changed) {
        Ok(watcher) => Some(Armed {
            folder,
            _watcher: watcher,
        }),
        Err(error) => {
            tracing::debug!(dir = %dir.display(), %error, "cannot watch the folder; looking every second");
            armed
        }
    }
}

fn watcher(dir: &Path, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    // `notify` does not say that the system has no thread for it.
    thread::Builder::new().spawn(|| ())?;
    let watcher = notify::recommended_watcher(move |event| {
        if !is_echo(&event) {
            changed.notify_one();
        }
    })?;
    // If the thread is missing even so, watching panics, and dropping it then would once more,
    // which ends the process.
    let mut watcher = ManuallyDrop::new(watcher);
    let watching = watcher.watch(dir, RecursiveMode::NonRecursive);
    let watcher = ManuallyDrop::into_inner(watcher);
    watching.map(|()| watcher)
}

/// Whether an event comes from a program that only reads, as a scan does itself. After everything
/// else, errors included, the folder must be scanned.
fn is_echo(event: &notify::Result<Event>) -> bool {
    matches!(event, Ok(Event { kind: EventKind::Access(access), .. })
        if *access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use notify::event::Flag;

    use super::*;
    use crate::config::file::open_regular;

    #[tokio::test]
    async fn a_look_that_panics_is_told_of_in_the_same_words_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(dir.path().to_owned());
        for _ in 0..2 {
            let seen: io::Result<()> = watch.look(|| panic!("it cannot be read")).await;
            assert_eq!(seen.unwrap_err().to_string(), "it cannot be read");
        }
        assert_eq!(watch.look(|| 1).await.unwrap(), 1);
    }

    #[test]
    fn only_named_filters_and_their_settings_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            "a.wasm",
            "a.toml",
            "b.wasm",
            "c.toml",
            ".d.wasm",
            "e.wasm.part",
            "README.md",
            "wasm",
        ] {
            fs::write(dir.path().join(file), "x").unwrap();
        }
        for name in ["f.WASM", "g.Toml", ".h.WASM"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let (listing, misnamed) = list(dir.path()).unwrap();
        assert_eq!(
            listing.keys().map(|name| &**name).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert!(listing["a"].wasm.is_some() && listing["a"].settings.is_some());
        assert!(listing["c"].wasm.is_none());
        let misnamed: Vec<_> = misnamed.keys().collect();
        assert_eq!(misnamed, ["f.WASM", "g.Toml"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_bears_a_filters_name_is_listed_whatever_it_is() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder.wasm")).unwrap();
        let strange = OsStr::from_bytes(b"gu\xffard.wasm");
        fs::write(dir.path().join(strange), "x").unwrap();
        let (listing, misnamed) = list(dir.path()).unwrap();
        assert!(listing["folder"].wasm.is_some());
        assert!(
            open_regular(&dir.path().join("folder.wasm"))
                .unwrap()
                .is_none()
        );
        assert_eq!(misnamed[strange], "its name must be UTF-8");
    }

    #[test]
    fn a_replaced_file_is_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("a.wasm"), dir.path().join("other"));
        fs::write(&file, "one").unwrap();
        fs::write(&other, "two").unwrap();
        let before = list(dir.path()).unwrap();
        assert_eq!(before, list(dir.path()).unwrap());
        fs::rename(&other, &file).unwrap();
        assert_ne!(before, list(dir.path()).unwrap());
    }

    #[test]
    fn reading_is_not_a_change() {
        let event = |kind| Ok(Event::new(kind));
        assert!(is_echo(&event(EventKind::Access(AccessKind::Open(
            AccessMode::Any
        )))));
        assert!(is_echo(&event(EventKind::Access(AccessKind::Close(
            AccessMode::Read
        )))));
        assert!(!is_echo(&event(EventKind::Access(AccessKind::Close(
            AccessMode::Write
        )))));
        assert!(!is_echo(&event(EventKind::Any)));
        // inotify's queue was too short for what happened.
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(!is_echo(&Ok(overflow)));
        assert!(!is_echo(&Err(notify::Error::generic("overflow"))));
    }
}
