//! Filters in Python: componentize-py, from the PATH or in an environment of the folder's own.

mod imports;

use crate::error::Escaped;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::project::{self, Component, Project};
use super::{BuildError, tool};
use crate::filter::Hook;

/// What makes a folder one.
pub(super) const MANIFEST: &str = "pyproject.toml";

/// The module with the filter.
const MODULE: &str = "app";

/// The world in `wit/world.wit` that says what the module exports and imports.
const WORLD: &str = "filter";

/// The file of that module.
const CODE: &str = "app.py";

/// The file of that world.
const WIT: &str = "wit/world.wit";

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
    let schema = project::schema(dir)?;
    // What is not there, the tool names.
    let text = |file: &str| fs::read_to_string(dir.join(file)).ok();
    if let (Some(code), Some(world)) = (text(CODE), text(WIT)) {
        check_hooks(&code, &world)?;
        imports::check(&code, &world)?;
    }
    let mut command = componentize(dir).await?;
    let aside = tempfile::tempdir().map_err(tool::cannot_write_aside)?;
    let file = aside.path().join("filter.wasm");
    command.args(["--wit-path", "wit", "--world", WORLD]);
    // What Python's library would like to have of WASI is there, and traps.
    command.args(["componentize", "--stub-wasi", MODULE, "--output"]);
    // Its messages are good; the backtrace of its own code hides them.
    command.arg(&file).env_remove("RUST_BACKTRACE");
    tool::run(&mut command, COMPONENTIZE).await?;
    let bytes = fs::read(&file).map_err(|_| BuildError::Nothing(COMPONENTIZE))?;
    Ok(Component {
        bytes: project.label(schema, &bytes),
        name: project.name,
    })
}

/// Fails if a hook is written and not exported, or the other way round. Of the one, componentize-py
/// says nothing, or that a module of its own lacks something; of the other, it names no file.
fn check_hooks(code: &str, world: &str) -> Result<(), BuildError> {
    for hook in Hook::ALL.map(Hook::name) {
        let class = class_of(hook);
        // The contract has a world for each hook, too.
        let ways = [
            format!("export portcullis:filter/{hook}@"),
            format!("include portcullis:filter/{hook}-hook@"),
        ];
        let mut lines = world.lines().map(str::trim_start);
        let is_exported = lines.any(|line| ways.iter().any(|way| line.starts_with(way)));
        let mut classes = code.lines().filter_map(|line| line.strip_prefix("class "));
        let is_written = classes.any(|rest| words(rest).next() == Some(&*class));
        // It may come from another module.
        let is_named = words(code).any(|word| word == class) || code.contains("import *");
        if is_written && !is_exported {
            return Err(BuildError::NotExported { class, hook });
        }
        if is_exported && !is_named {
            return Err(BuildError::NotWritten { class, hook });
        }
    }
    Ok(())
}

/// What componentize-py calls the class of a hook: `JudgeHost` for `judge-host`.
fn class_of(hook: &str) -> String {
    let words = hook.split('-');
    let words = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    words.collect()
}

/// The names and the words of Python in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// The program, after what the filter needs was installed if need be.
async fn componentize(dir: &Path) -> Result<Command, BuildError> {
    let venv = dir.join(".venv");
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let installed = program(COMPONENTIZE);
    let requirements = dir.join(REQUIREMENTS);
    if !installed.is_file()
        && let Some(needed) = needed_alone(&requirements)
        && let Some(found) = tool::find(COMPONENTIZE)
    {
        let version = version(&mut tool::command(&found, dir)).await;
        if needed.is_none() || version == needed {
            return Ok(tool::command(&found, dir));
        }
        drop(writeln!(
            io::stderr(),
            "{} is {COMPONENTIZE} {}, and {REQUIREMENTS} asks for {needed}, which is installed into .venv; to do without \
             that:  pip install {COMPONENTIZE}=={needed}",
            Escaped(found.display()),
            version.as_deref().unwrap_or("of an unknown version"),
            needed = needed.unwrap_or_default(),
        ));
    }
    let done = venv.join(DONE);
    // Without a list of requirements, the author takes care of the environment.
    let is_the_authors = installed.is_file() && !requirements.exists();
    if !is_the_authors && !tool::is_current(&done, &[requirements]) {
        install(dir, &program("python")).await?;
        fs::write(&done, "").map_err(|source| BuildError::Files {
            action: format!("write {}", Escaped(done.display())),
            source,
        })?;
    }
    let mut command = tool::command(&installed, dir);
    // There it looks for the packages that become part of the filter.
    command.env("VIRTUAL_ENV", venv);
    Ok(command)
}

/// The version of componentize-py that is required, if nothing else is. The inner one is none where
/// any version will do, as there is no list of requirements.
fn needed_alone(requirements: &Path) -> Option<Option<String>> {
    let Ok(text) = fs::read_to_string(requirements) else {
        return Some(None);
    };
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let version = lines.next()?.strip_prefix(COMPONENTIZE)?.trim_start();
    let version = version.strip_prefix("==")?.trim();
    let is_alone = lines.next().is_none();
    is_alone.then(|| Some(version.to_owned()))
}

/// Which version of componentize-py a command runs, if it says so.
async fn version(command: &mut Command) -> Option<String> {
    let command = command.arg("--version").stdout(Stdio::piped());
    let output = command.stderr(Stdio::null()).output().await.ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (_, version) = said.trim().rsplit_once(' ')?;
    Some(version.to_owned())
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

/// Whether it does. Its output is dropped.
async fn succeeds(probe: &mut Command) -> bool {
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    tool::run(probe, "").await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: &str =
        "class Lifecycle(exports.Lifecycle):\n    pass\n\nclass JudgeHost(exports.JudgeHost):\n";
    const EXPORTS: &str =
        "  export portcullis:filter/judge-host@1.0.0;\n  // export portcullis:filter/tick@1.0.0;\n";

    #[test]
    fn a_hook_is_written_and_exported_or_neither() {
        assert!(check_hooks(CLASSES, EXPORTS).is_ok());
        let more = format!("{CLASSES}class ExchangeEnded:\n    pass\n");
        let included = format!("{EXPORTS}include portcullis:filter/exchange-ended-hook@1.0.0;\n");
        assert!(check_hooks(&more, &included).is_ok());
        assert_eq!(
            check_hooks(&more, EXPORTS).unwrap_err().to_string(),
            "app.py has the class ExchangeEnded, and wit/world.wit does not export exchange-ended, so that it would never be \
             called; add there:  export portcullis:filter/exchange-ended@1.0.0;"
        );
        let more = format!("{EXPORTS}export portcullis:filter/tick@1.0.0;\n");
        assert_eq!(
            check_hooks(CLASSES, &more).unwrap_err().to_string(),
            "wit/world.wit exports tick, and app.py does not have its class, so the filter cannot be built; add to \
             app.py:  class Tick(exports.Tick):  with its method, or take the export out of wit/world.wit"
        );
        for elsewhere in ["from hooks import Tick\n", "from hooks import *\n"] {
            assert!(check_hooks(&format!("{elsewhere}{CLASSES}"), &more).is_ok());
        }
    }

    #[test]
    fn another_class_is_not_taken_for_a_hook() {
        for code in [
            "class Ticker:\n",
            "  class Tick:\n",
            "# class Tick:\n",
            "Tick = 1\n",
        ] {
            assert!(
                check_hooks(&format!("{CLASSES}{code}"), EXPORTS).is_ok(),
                "{code}"
            );
        }
    }
}
