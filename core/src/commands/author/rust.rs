//! Filters in Rust: cargo, with the compiler that the project's own filters are built with.

// The build scripts use the same file.
#[path = "../../../build/toolchain.rs"]
mod toolchain;

use crate::error::Escaped;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use toolchain::{Missing, RUSTC, TARGET};

use super::project::{Component, Project};
use super::{BuildError, sdk, tool};
use crate::filter;

/// What makes a folder one.
pub(super) const MANIFEST: &str = "Cargo.toml";

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let mut cargo = tool::CARGO.command(dir)?;
    let project = project(dir)?;
    let rustc = rustc(dir)?;
    check_sdk(dir)?;
    without_flags(&mut cargo, std::env::vars_os().map(|(name, _)| name));
    cargo.args(["rustc", "--release", "--lib", "--target", TARGET]);
    // A crate that is a library for its tests too would go without link-time optimisation, and be
    // half as large again.
    cargo.args(["--crate-type", "cdylib"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let places = [(cargo_home(), "/cargo"), (sdk::outside(dir), "/portcullis")];
    let places = places
        .iter()
        .filter_map(|(place, is)| Some((place.as_deref()?, *is)));
    cargo.arg("--config").arg(without_places(places));
    let cargo = cargo.env("RUSTC", rustc).stdout(Stdio::piped());
    let failed = |how: String| BuildError::Failed {
        what: "cargo".into(),
        how,
    };
    let running = cargo.spawn().map_err(|error| failed(error.to_string()))?;
    let output = running
        .wait_with_output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let module = module(&String::from_utf8_lossy(&output.stdout))
        .and_then(|file| std::fs::read(file).ok())
        .ok_or(BuildError::Nothing("cargo"))?;
    let component = filter::encode(&module).map_err(|error| BuildError::Encode(error.into()))?;
    Ok(Component {
        name: project.name,
        bytes: component.into_owned(),
    })
}

/// Where cargo has what it downloads.
fn cargo_home() -> Option<PathBuf> {
    toolchain::variable("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(etcetera::home_dir().ok()?.join(".cargo")))
}

/// Takes away what the environment with these variables says of flags and profiles, so that the
/// same sources make the same filter for every author. What configuration files of cargo's say
/// stays.
fn without_flags(cargo: &mut Command, variables: impl Iterator<Item = OsString>) {
    for name in variables {
        let text = name.to_string_lossy();
        let is_flags =
            text.ends_with("RUSTFLAGS") && (text == "RUSTFLAGS" || text.starts_with("CARGO_"));
        if is_flags || text.starts_with("CARGO_PROFILE_") || text == "CARGO_INCREMENTAL" {
            cargo.env_remove(&name);
        }
    }
}

/// A setting of cargo's that keeps the author's folders out of the places that panics name. It adds
/// to flags in the author's own configuration, and gives way to flags for the target.
fn without_places<'a>(places: impl Iterator<Item = (&'a Path, &'a str)>) -> String {
    let flags = places.map(|(place, is)| format!("--remap-path-prefix={}={is}", place.display()));
    let flags: Vec<toml::Value> = flags.map(toml::Value::from).collect();
    format!("build.rustflags = {}", toml::Value::Array(flags))
}

/// The module among the files that cargo says it has made, one message a line.
fn module(messages: &str) -> Option<PathBuf> {
    messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let files = message["filenames"].as_array()?;
        let mut paths = files.iter().filter_map(Value::as_str).map(PathBuf::from);
        paths.find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
    })
}

fn rustc(dir: &Path) -> Result<PathBuf, BuildError> {
    let own = toolchain::variable("RUSTC").unwrap_or("rustc".into());
    toolchain::rustc(Some(own.as_ref()), dir).map_err(|missing| {
        let cause = match missing {
            Missing::Named(rustc) => {
                format!(
                    "{RUSTC} is {}, which cannot compile for {TARGET}",
                    Escaped(rustc.display())
                )
            }
            Missing::Route(Some(route)) => {
                format!(
                    "no compiler for {TARGET} was found ({} is {route})",
                    toolchain::ROUTE
                )
            }
            Missing::Route(None) => format!("no compiler for {TARGET} was found"),
        };
        // The SDK's own way to a compiler, where the filter has the SDK.
        let sdk = sdk::named_in(dir).unwrap_or_else(|| sdk::CRATE.into());
        let script = dir.join(sdk).join("toolchain.sh");
        BuildError::Compiler {
            cause,
            rustup: format!("rustup target add {TARGET}"),
            debian: format!(
                "{}=debian sh {}",
                toolchain::ROUTE,
                Escaped(script.display())
            ),
        }
    })
}

/// Cargo's message would not say how to get one.
fn check_sdk(dir: &Path) -> Result<(), BuildError> {
    match sdk::named_in(dir) {
        Some(named) if !dir.join(&named).join(MANIFEST).is_file() => Err(BuildError::Sdk(named)),
        _ => Ok(()),
    }
}

fn project(dir: &Path) -> Result<Project, BuildError> {
    Project::read(dir.join(MANIFEST), |text| {
        let mut manifest: Value = toml::from_str(text)?;
        Ok(manifest["package"].take())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_with_odd_characters_is_still_one_flag() {
        let home = Path::new("/home/a \"b\"/.cargo");
        let setting = without_places([(home, "/cargo")].into_iter());
        let read: toml::Table = setting.parse().unwrap();
        let flags = read["build"]["rustflags"].as_array().unwrap();
        let flag = "--remap-path-prefix=/home/a \"b\"/.cargo=/cargo";
        assert_eq!(flags, &[toml::Value::from(flag)]);
    }

    #[test]
    fn what_the_environment_says_of_flags_is_left_out() {
        let mut cargo = Command::new("cargo");
        let variables = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_INCREMENTAL",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "RUSTUP_TOOLCHAIN",
            "PATH",
        ];
        without_flags(&mut cargo, variables.iter().map(OsString::from));
        let removed = cargo.as_std().get_envs();
        let mut removed: Vec<_> = removed.map(|(name, _)| name.to_str().unwrap()).collect();
        let mut expected = variables[..6].to_vec();
        removed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(removed, expected);
    }

    #[test]
    fn the_module_is_the_last_wasm_file_that_cargo_names() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/libserde.rlib\"]}\n",
            "not json\n",
            "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/a.d\",\"/t/a.wasm\"]}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(module(messages), Some("/t/a.wasm".into()));
        assert_eq!(module("{\"reason\":\"build-finished\"}"), None);
    }
}
