//! Filters in Python: componentize-py, from the PATH or in an environment of the folder's own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::project::{Component, Project};
use super::{BuildError, tool, world};

/// What makes a folder one.
pub(super) const MANIFEST: &str = "pyproject.toml";

const SOURCE: &str = "app.py";

/// The module in it.
const MODULE: &str = "app";

const COMPONENTIZE: &str = "componentize-py";

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let project = Project::read(dir.join(MANIFEST), |text| {
        let mut manifest: Value = toml::from_str(text)?;
        Ok(manifest["project"].take())
    })?;
    world::check(dir, SOURCE, &["class "], world::pascal_case)?;
    let componentize = componentize(dir).await?;
    let aside = tempfile::tempdir().map_err(tool::cannot_write_aside)?;
    let file = aside.path().join("filter.wasm");
    let mut command = tool::command(&componentize, dir);
    command.args(["--wit-path", "wit", "--world", world::WORLD]);
    // What Python's library would like to have of WASI is there, and traps.
    command.args(["componentize", "--stub-wasi", MODULE, "--output"]);
    // Its messages are good; the backtrace of its own code hides them.
    command.arg(&file).env_remove("RUST_BACKTRACE");
    tool::run(&mut command, COMPONENTIZE).await?;
    let bytes = std::fs::read(&file).map_err(|_| BuildError::Nothing(COMPONENTIZE))?;
    Ok(Component {
        bytes: project.label(dir, bytes)?,
        name: project.name,
    })
}

/// Where the program is, after it was installed if need be.
async fn componentize(dir: &Path) -> Result<PathBuf, BuildError> {
    let programs = dir
        .join(".venv")
        .join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let installed = program(COMPONENTIZE);
    if installed.is_file() {
        return Ok(installed);
    }
    if let Some(found) = tool::find(COMPONENTIZE) {
        return Ok(found);
    }
    let mut probe = tool::PYTHON.command(dir)?;
    probe.args(["-c", "import ensurepip, venv"]);
    if tool::run(probe.stderr(std::process::Stdio::null()), "")
        .await
        .is_err()
    {
        return Err(tool::PYTHON_VENV.missing());
    }
    let mut venv = tool::PYTHON.command(dir)?;
    tool::run(venv.args(["-m", "venv", ".venv"]), "python3 -m venv").await?;
    let mut pip = tool::command(&program("python"), dir);
    pip.args(["-m", "pip", "install", "--quiet", "-r", "requirements.txt"]);
    tool::run(&mut pip, "pip install -r requirements.txt").await?;
    Ok(installed)
}
