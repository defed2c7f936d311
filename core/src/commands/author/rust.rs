//! Filters in Rust: cargo, with the compiler that the project's own filters are built with.

// The build scripts use the same file.
#[path = "../../../build/toolchain.rs"]
mod toolchain;

use crate::error::Escaped;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use toolchain::{Missing, RUSTC, TARGET};

use super::project::{Component, Project};
use super::{BuildError, sdk, tool};
use crate::filter;

/// What makes a folder one.
pub(super) const MANIFEST: &str = "Cargo.toml";

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let mut cargo = tool::CARGO.command(dir)?;
    let rustc = rustc(dir)?;
    check_sdk(dir)?;
    cargo.args(["rustc", "--release", "--lib", "--target", TARGET]);
    // A crate that is a library for its tests too would go without link-time optimisation, and be
    // half as large again.
    cargo.args(["--crate-type", "cdylib"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
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
        name: project(dir)?.name,
        bytes: component.into_owned(),
    })
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
        let script = sdk::unpack().unwrap_or_else(|_| "sdk".into());
        BuildError::Compiler {
            cause,
            rustup: format!("rustup target add {TARGET}"),
            debian: format!(
                "{}=debian sh {}",
                toolchain::ROUTE,
                Escaped(script.join("toolchain.sh").display())
            ),
        }
    })
}

/// Cargo's message would not say which path is the right one.
fn check_sdk(dir: &Path) -> Result<(), BuildError> {
    let text = std::fs::read_to_string(dir.join(MANIFEST)).unwrap_or_default();
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let path = manifest
        .get("dependencies")
        .and_then(|dependencies| dependencies.get("portcullis-sdk")?.get("path")?.as_str());
    // Most of the time it points there; the folder may have been removed since.
    let (Some(path), Ok(ours)) = (path, sdk::unpack()) else {
        return Ok(());
    };
    if dir.join(path).join(MANIFEST).is_file() {
        return Ok(());
    }
    Err(BuildError::Sdk {
        named: path.into(),
        ours,
    })
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
