//! Where a compiler for wasm32-unknown-unknown is found.
//!
//! Shared by the build scripts, which compile the project's own filters, and by `portcullis plugin
//! build`, which compiles those of authors: both find the same one. `sdk/toolchain.sh` looks in the
//! same places, and gets one if there is none.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Names a compiler.
pub(crate) const RUSTC: &str = "PORTCULLIS_WASM_RUSTC";

/// Chooses where the compiler comes from: `rustup`, `debian`, or unset for whatever is there.
pub(crate) const ROUTE: &str = "PORTCULLIS_WASM_TOOLCHAIN";

/// Why there is no compiler.
#[derive(Debug)]
pub(crate) enum Missing {
    /// The one that was named has no such target.
    Named(PathBuf),
    /// None was found on this route.
    Route(Option<String>),
}

/// The first compiler that has the target: the one that was named, `own`, Debian's in the cache.
/// They are run in `dir`, as it is the folder that decides which toolchain rustup takes.
pub(crate) fn rustc(own: Option<&Path>, dir: &Path) -> Result<PathBuf, Missing> {
    let with_target = |rustc: &PathBuf| has_target(rustc, dir);
    if let Some(named) = variable(RUSTC).map(PathBuf::from) {
        return Some(named.clone())
            .filter(with_target)
            .ok_or(Missing::Named(named));
    }
    let route = variable(ROUTE).map(|route| route.to_string_lossy().into_owned());
    let own = || own.map(Path::to_owned).filter(with_target);
    let cached = || cached_rustc().filter(with_target);
    let found = match route.as_deref() {
        Some("rustup") => own(),
        Some("debian") => cached(),
        _ => own().or_else(cached),
    };
    found.ok_or(Missing::Route(route))
}

/// An environment variable; an empty one counts as unset.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Where `sdk/toolchain.sh` puts the compiler that it makes of Debian's packages.
fn cached_rustc() -> Option<PathBuf> {
    let cache = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))?;
    Some(cache.join("portcullis/wasm-toolchain/current/bin/rustc"))
}

fn has_target(rustc: &Path, dir: &Path) -> bool {
    let Ok(output) = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .output()
    else {
        return false;
    };
    let libdir = String::from_utf8_lossy(&output.stdout);
    let Ok(libraries) = fs::read_dir(libdir.trim()) else {
        return false;
    };
    libraries.flatten().any(|library| {
        library
            .file_name()
            .to_string_lossy()
            .starts_with("libcore-")
    })
}
