//! The programs of others that filters are built with. One that is missing is named with the
//! command that installs it.

use crate::error::Escaped;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::{BuildError, Language};

/// A program, and where it comes from.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) program: &'static str,
    needed_for: Language,
    debian: &'static str,
    macos: &'static str,
    elsewhere: &'static str,
}

pub(super) const CARGO: Tool = Tool {
    program: "cargo",
    needed_for: Language::Rust,
    debian: "apt-get install cargo-web",
    macos: "brew install rustup && rustup default stable",
    elsewhere: "see https://rustup.rs",
};

pub(super) const NODE: Tool = Tool {
    program: "node",
    needed_for: Language::JavaScript,
    debian: "apt-get install nodejs npm",
    macos: "brew install node",
    elsewhere: "see https://nodejs.org/en/download",
};

pub(super) const NPM: Tool = Tool {
    program: if cfg!(windows) { "npm.cmd" } else { "npm" },
    debian: "apt-get install npm",
    ..NODE
};

pub(super) const PYTHON: Tool = Tool {
    program: "python3",
    needed_for: Language::Python,
    debian: "apt-get install python3 python3-venv",
    macos: "brew install python",
    elsewhere: "see https://www.python.org/downloads",
};

/// The part of Python that some systems leave out.
pub(super) const PYTHON_VENV: Tool = Tool {
    program: "python3 -m venv",
    debian: "apt-get install python3-venv",
    ..PYTHON
};

impl Tool {
    /// A command that runs it in `dir`.
    pub(super) fn command(&self, dir: &Path) -> Result<Command, BuildError> {
        let path = find(self.program).ok_or_else(|| self.missing())?;
        Ok(command(&path, dir))
    }

    /// That it is not there.
    pub(super) fn missing(&self) -> BuildError {
        let fix = if cfg!(target_os = "macos") {
            self.macos
        } else if find("apt-get").is_some() {
            self.debian
        } else {
            self.elsewhere
        };
        BuildError::Tool {
            program: self.program,
            language: self.needed_for,
            fix,
        }
    }
}

/// Where the program is that a shell would run.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let extension = env::consts::EXE_SUFFIX;
    let dirs = env::var_os("PATH")?;
    let candidates = env::split_paths(&dirs)
        .flat_map(|dir| [dir.join(program), dir.join(format!("{program}{extension}"))]);
    candidates.into_iter().find(|path| path.is_file())
}

/// A command whose output goes where our messages go: the answer alone is on standard output.
pub(super) fn command(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    command.stdin(Stdio::null()).stdout(io::stderr());
    command.stderr(Stdio::inherit()).kill_on_drop(true);
    command
}

/// Runs it to its end. `what` is what it does, as it continues "… failed".
pub(super) async fn run(command: &mut Command, what: &str) -> Result<(), BuildError> {
    let failed = |how: &dyn std::fmt::Display| BuildError::Failed {
        what: what.to_owned(),
        how: how.to_string(),
    };
    match command.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(&status)),
        Err(error) => Err(failed(&error)),
    }
}

/// Whether `done`, which an installer leaves at its end, is there and no older than any file that
/// says what to install.
pub(super) fn is_current(done: &Path, needs: &[PathBuf]) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|file| file.modified()).ok();
    let Some(done) = changed(done) else {
        return false;
    };
    let mut needs = needs.iter().filter_map(|file| changed(file));
    needs.all(|changed| changed <= done)
}

/// Where the tools write before the result goes into the filter's folder.
pub(super) fn cannot_write_aside(source: io::Error) -> BuildError {
    BuildError::Files {
        action: format!("write to {}", Escaped(env::temp_dir().display())),
        source,
    }
}
