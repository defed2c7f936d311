//! The SDK that belongs to this program and travels inside it, and which SDK a filter is written
//! with.

use crate::error::Escaped;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};

use super::tree::{self, File};

/// The folder `sdk/` of the sources below a workspace of its own. Written by the build script.
const FILES: &[File<'_>] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The contract, which filters in other languages are built with.
pub(super) const CONTRACT: &str = "sdk/wit/filter.wit";

/// Where a Rust filter gets `portcullis-sdk` from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sdk {
    /// The one in this program, which is unpacked into the user's data folder.
    #[default]
    Bundled,
    /// The package registry.
    Registry,
    /// A folder with the SDK's crate.
    Folder(PathBuf),
}

/// From what stands on a command line: `registry`, or a path.
impl From<PathBuf> for Sdk {
    fn from(path: PathBuf) -> Self {
        match path.to_str() {
            Some("registry") => Self::Registry,
            _ => Self::Folder(path),
        }
    }
}

/// The text of one of the SDK's files.
pub(super) fn file(path: &str) -> Option<&'static str> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == path)?;
    Some(text)
}

/// The crate's folder, unpacked. Where all of it is there already, nothing happens: the name tells
/// it from that of any other SDK.
pub(super) fn unpack() -> io::Result<PathBuf> {
    let root = data_dir()?.join("sdk").join(name());
    if missing(&root).next().is_some()
        && let Err(error) = write(&root)
    {
        // Another process may have been faster.
        if missing(&root).next().is_some() {
            let what = format!(
                "cannot unpack the SDK to {}: {error}; PORTCULLIS_DATA_DIR can name another folder than {}",
                Escaped(root.display()),
                Escaped(data_dir()?.display())
            );
            return Err(io::Error::new(error.kind(), what));
        }
    }
    Ok(root.join("sdk"))
}

/// The files that are not there.
fn missing(root: &Path) -> impl Iterator<Item = File<'static>> {
    let files = FILES.iter().copied();
    files.filter(|(path, _)| !root.join(path).is_file())
}

fn write(root: &Path) -> io::Result<()> {
    if !root.exists() {
        return tree::write(root, FILES.iter().copied());
    }
    missing(root).try_for_each(|(path, text)| {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap_or(root))?;
        fs::write(file, text)
    })
}

/// Version and content.
fn name() -> String {
    let mut hash = Sha256::new();
    for (path, text) in FILES {
        hash.update(format!("{path}\0{}\0{text}", text.len()));
    }
    let mut name = format!("{}-", env!("CARGO_PKG_VERSION"));
    for byte in &hash.finalize()[..6] {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// Where this program keeps what filters are built with.
fn data_dir() -> io::Result<PathBuf> {
    if let Some(dir) = env::var_os("PORTCULLIS_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(dir);
    }
    match etcetera::base_strategy::choose_native_strategy() {
        Ok(folders) => Ok(folders.data_dir().join("portcullis")),
        Err(_) => Err(io::Error::other(
            "the SDK has no place, as this user has no home folder; PORTCULLIS_DATA_DIR can name one",
        )),
    }
}

/// Whether the crate in that folder is the SDK.
pub(super) fn is_sdk(dir: &Path) -> bool {
    let text = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"));
    name.and_then(toml::Value::as_str) == Some("portcullis-sdk")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(path: &str) -> toml::Table {
        file(path).unwrap().parse().unwrap()
    }

    #[test]
    fn the_workspace_has_all_that_the_crates_in_it_take_from_it_and_no_more() {
        let root = table("Cargo.toml");
        assert_eq!(root.keys().collect::<Vec<_>>(), ["workspace"]);
        let workspace = root["workspace"].as_table().unwrap();
        let members = workspace["members"].as_array().unwrap();
        assert!(members.len() >= 2, "{members:?}");
        for member in members {
            let crate_of_it = format!("{}/Cargo.toml", member.as_str().unwrap());
            let dependencies = table(&crate_of_it)["dependencies"].clone();
            for (name, from) in dependencies.as_table().unwrap() {
                let is_inherited = from.get("workspace").is_some();
                assert!(
                    !is_inherited || workspace["dependencies"].get(name).is_some(),
                    "{name}"
                );
            }
        }
        assert!(workspace["dependencies"].get("wasmtime").is_none());
        assert!(workspace["package"].get("version").is_some());
        assert!(workspace["lints"].get("rust").is_some());
    }

    #[test]
    fn the_contract_and_the_way_to_a_compiler_travel_along() {
        for path in [
            CONTRACT,
            "sdk/toolchain.sh",
            "sdk/toolchain/debian.sh",
            "rust-toolchain.toml",
            "sdk/README.md",
        ] {
            assert!(file(path).is_some_and(|text| !text.is_empty()), "{path}");
        }
    }
}
