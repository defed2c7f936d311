//! Filters in Python: componentize-py, from the PATH or in an environment of the folder's own.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::project::{Component, Project};
use super::world::Speech;
use super::{BuildError, tool, world};

/// What makes a folder one.
pub(super) const MANIFEST: &str = "pyproject.toml";

const SOURCE: &str = "app.py";

const SPEECH: Speech = Speech {
    source: SOURCE,
    begins: &["class "],
    spell: world::pascal_case,
    imports,
};

/// The module in it.
const MODULE: &str = "app";

const COMPONENTIZE: &str = "componentize-py";

/// What it and the filter need.
const REQUIREMENTS: &str = "requirements.txt";

/// A file in the environment that says when it was complete.
const DONE: &str = "portcullis-installed";

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let project = Project::read(dir.join(MANIFEST), |text| {
        let mut manifest: Value = toml::from_str(text)?;
        Ok(manifest["project"].take())
    })?;
    world::check(dir, &SPEECH)?;
    let mut command = componentize(dir).await?;
    let aside = tempfile::tempdir().map_err(tool::cannot_write_aside)?;
    let file = aside.path().join("filter.wasm");
    command.args(["--wit-path", "wit", "--world", world::WORLD]);
    // What Python's library would like to have of WASI is there, and traps.
    command.args(["componentize", "--stub-wasi", MODULE, "--output"]);
    // Its messages are good; the backtrace of its own code hides them.
    command.arg(&file).env_remove("RUST_BACKTRACE");
    tool::run(&mut command, COMPONENTIZE).await?;
    let bytes = fs::read(&file).map_err(|_| BuildError::Nothing(COMPONENTIZE))?;
    Ok(Component {
        bytes: project.label(dir, bytes)?,
        name: project.name,
    })
}

/// Of `from wit_world.imports import clock, request_headers`, or `from wit_world.imports.clock import now`.
fn imports(line: &str) -> Vec<String> {
    let line = line.split('#').next().unwrap_or_default();
    let Some(rest) = line.strip_prefix("from wit_world.imports") else {
        return Vec::new();
    };
    let names = match (rest.strip_prefix(" import "), rest.strip_prefix('.')) {
        (Some(names), _) => names,
        (None, Some(rest)) => rest.split(' ').next().unwrap_or_default(),
        (None, None) => "",
    };
    let names = names.split(',').map(|name| {
        let name = name.trim_matches(|c: char| !c.is_alphanumeric());
        let name = name.split(' ').next().unwrap_or_default();
        name.replace('_', "-")
    });
    names.collect()
}

/// The program, after what the filter needs was installed if need be.
async fn componentize(dir: &Path) -> Result<Command, BuildError> {
    let venv = dir.join(".venv");
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let installed = program(COMPONENTIZE);
    let requirements = dir.join(REQUIREMENTS);
    if !installed.is_file()
        && needs_nothing_else(&requirements)
        && let Some(found) = tool::find(COMPONENTIZE)
    {
        return Ok(tool::command(&found, dir));
    }
    let done = venv.join(DONE);
    // Without a list of what is needed, somebody else cares for the environment.
    let is_theirs = installed.is_file() && !requirements.exists();
    if !is_theirs && !tool::is_current(&done, &[requirements]) {
        install(dir, &program("python")).await?;
        fs::write(&done, "").map_err(|source| BuildError::Files {
            action: format!("write {}", done.display()),
            source,
        })?;
    }
    let mut command = tool::command(&installed, dir);
    // There it looks for the packages that become part of the filter.
    command.env("VIRTUAL_ENV", venv);
    Ok(command)
}

/// Whether nothing but componentize-py is required.
fn needs_nothing_else(requirements: &Path) -> bool {
    let text = fs::read_to_string(requirements).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with('#') || line.starts_with(COMPONENTIZE))
}

/// Installs what is required into `.venv`, whose interpreter will be, or is, `python`.
async fn install(dir: &Path, python: &Path) -> Result<(), BuildError> {
    let mut pip = tool::command(python, dir);
    pip.args(["-m", "pip", "--version"]);
    if !succeeds(&mut pip).await {
        let mut probe = tool::PYTHON.command(dir)?;
        if !succeeds(probe.args(["-c", "import ensurepip, venv"])).await {
            return Err(tool::PYTHON_VENV.missing());
        }
        let mut venv = tool::PYTHON.command(dir)?;
        tool::run(venv.args(["-m", "venv", ".venv"]), "python3 -m venv").await?;
    }
    let mut pip = tool::command(python, dir);
    pip.args(["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS]);
    tool::run(&mut pip, "pip install -r requirements.txt").await
}

/// Whether it does; nobody reads what it says.
async fn succeeds(probe: &mut Command) -> bool {
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    tool::run(probe, "").await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_is_named_as_in_the_contract() {
        for (line, names) in [
            ("from wit_world.imports import log", vec!["log"]),
            (
                "from wit_world.imports import clock as time, request_headers  # both, and feeds",
                vec!["clock", "request-headers"],
            ),
            ("from wit_world.imports.clock import now", vec!["clock"]),
            ("from wit_world import exports", vec![]),
            ("import json", vec![]),
        ] {
            assert_eq!(imports(line), names, "{line}");
        }
    }
}
