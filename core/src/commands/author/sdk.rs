//! The SDK that travels inside this program. `plugin new` writes it into the folder of a filter in
//! Rust, so that the folder is all that it takes to build it.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::tree::File;
use crate::error::Escaped;

/// The folder `sdk/` of the sources below a workspace of its own, and the licences. Written by the
/// build script.
pub(super) const FILES: &[File<'_>] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Where they lie in the folder of a filter.
pub(super) const FOLDER: &str = "vendor/portcullis";

/// The SDK's crate there.
pub(super) const CRATE: &str = "vendor/portcullis/sdk";

/// The contract, which filters in other languages are built with.
pub(super) const CONTRACT: &str = "sdk/wit/filter.wit";

/// The text of one of the SDK's files.
pub(super) fn file(path: &str) -> Option<&'static str> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == path)?;
    Some(text)
}

/// Whether the crate in that folder is the SDK.
pub(super) fn is_sdk(dir: &Path) -> bool {
    let manifest = manifest(dir);
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"));
    name.and_then(toml::Value::as_str) == Some("portcullis-sdk")
}

/// Where the filter in `dir` has the SDK's crate, as its Cargo.toml says. None if that does not
/// name a folder.
pub(super) fn named_in(dir: &Path) -> Option<PathBuf> {
    let manifest = manifest(dir);
    let sdk = manifest.get("dependencies")?.get("portcullis-sdk")?;
    Some(sdk.get("path")?.as_str()?.into())
}

/// The folder with the SDK's crates, if the filter in `dir` has them from outside of its own: a
/// colleague who gets the filter's folder does not get them.
pub(in crate::commands) fn outside(dir: &Path) -> Option<PathBuf> {
    let sdk = dir.join(named_in(dir)?).canonicalize().ok()?;
    let is_inside = sdk.starts_with(dir.canonicalize().ok()?);
    (!is_inside).then_some(sdk)
}

/// What that means, as one line.
pub(in crate::commands) struct OutsideSdk<'a>(pub(in crate::commands) &'a Path);

impl fmt::Display for OutsideSdk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SDK: {}, outside of the filter's folder: others need the same SDK at the same place to make the same file. To \
             have it in the folder:  portcullis plugin update-sdk  and in Cargo.toml  portcullis-sdk = {{ path = \"{CRATE}\" }}",
            Escaped(self.0.display())
        )
    }
}

/// What cannot be read says nothing.
fn manifest(dir: &Path) -> toml::Table {
    let text = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// How `to` is written in a file of `from`, with slashes. None if there is no way, as from one
/// drive to another. Both are absolute and have no `..` in them.
pub(super) fn relative(from: &Path, to: &Path) -> Option<String> {
    let shared = from.components().zip(to.components());
    let shared = shared.take_while(|(from, to)| from == to).count();
    let up = from.components().skip(shared).map(|_| Some(".."));
    let down = to.components().skip(shared).map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let parts: Option<Vec<&str>> = up.chain(down).collect();
    Some(parts?.join("/")).filter(|_| shared > 0)
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
    fn the_contract_the_licences_and_the_way_to_a_compiler_travel_along() {
        for path in [
            CONTRACT,
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "sdk/toolchain.sh",
            "sdk/toolchain/debian.sh",
            "rust-toolchain.toml",
            "sdk/README.md",
        ] {
            assert!(file(path).is_some_and(|text| !text.is_empty()), "{path}");
        }
    }

    #[test]
    fn a_committed_folder_is_no_burden() {
        let bytes: usize = FILES.iter().map(|(_, text)| text.len()).sum();
        assert!(bytes < 1 << 20, "{bytes} bytes");
        assert!(FILES.iter().all(|(path, _)| !path.contains("released")));
    }

    #[test]
    fn an_sdk_outside_of_the_folder_is_found() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("filter");
        for folder in ["filter/vendor/sdk", "sdk"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let outside_at = |path: &str| {
            let manifest = format!("[dependencies]\nportcullis-sdk = {{ path = \"{path}\" }}\n");
            fs::write(dir.join("Cargo.toml"), manifest).unwrap();
            outside(&dir)
        };
        assert_eq!(outside_at("vendor/sdk"), None);
        let sdk = root.path().join("sdk").canonicalize().unwrap();
        assert_eq!(outside_at("../sdk"), Some(sdk));
        assert_eq!(outside_at("../gone"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_named_from_another_one() {
        let named = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        let named = |from, to| named(from, to).unwrap();
        assert_eq!(named("/a/mine", "/a/other/sdk"), "../other/sdk");
        assert_eq!(named("/a/mine", "/a/mine/sdk"), "sdk");
        assert_eq!(named("/a/b/mine", "/c/sdk"), "../../../c/sdk");
    }
}
