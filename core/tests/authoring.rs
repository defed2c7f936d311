//! From an empty folder to a filter that a proxy obeys, as its author does it: with the real
//! program, cargo, npm and componentize-py.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

// A file of its own beside this one would be another program to link.
#[path = "authoring/build.rs"]
mod build;
#[path = "authoring/guide.rs"]
mod guide;
#[path = "authoring/kept.rs"]
mod kept;
#[path = "authoring/languages.rs"]
mod languages;
#[expect(
    unreachable_pub,
    reason = "the scenarios have it as a part of their library"
)]
#[path = "../../tests/src/later.rs"]
mod later;
#[path = "authoring/mocks.rs"]
mod mocks;
#[path = "authoring/new.rs"]
mod new;
#[path = "authoring/share.rs"]
mod share;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Limits of a filter that nothing is too slow for.
const ROOMY: &str = "[limits]\ncpu = '10s'\nwall = '30s'\nstart_cpu = '20s'\nstart_wall = '60s'\n";

/// An author at work in a folder of their own. The filters that are compiled in Rust have names of
/// their own too, as cargo puts them into one folder.
struct Author {
    dir: TempDir,
}

impl Author {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// A command that knows nothing of the cargo that runs this test, nor of the settings of
    /// the user who runs it. What was compiled for another test is not compiled again.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut command = Command::new(program);
        command.current_dir(&self.dir);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let finds_compiler = name.starts_with("PORTCULLIS_WASM_");
            let is_cargos = name.starts_with("CARGO") && name != "CARGO_HOME";
            if is_cargos || name.starts_with("PORTCULLIS_") && !finds_compiler {
                command.env_remove(&*name);
            }
        }
        command
            .env("CARGO_TARGET_DIR", shared.join("filters"))
            .env("PORTCULLIS_CACHE_DIR", self.path("cache"))
            // A language runtime takes its time, and this build of the compiler is not the fast
            // one.
            .env("PORTCULLIS_COMPILER_TIME", "10m");
        command
    }

    fn portcullis(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments);
        command
    }

    /// Runs `plugin new` with these arguments and gives the folder.
    fn begins(&self, arguments: &[&str]) -> PathBuf {
        let mut command = self.portcullis(&["plugin", "new", "--json"]);
        let created = json(&command.args(arguments).output().unwrap());
        created["dir"].as_str().unwrap().into()
    }

    /// What `plugin build` says of the filter in that folder.
    fn builds(&self, dir: &Path) -> Value {
        let mut build = self.portcullis(&["plugin", "build", "--json"]);
        let output = build.arg(dir).output().unwrap();
        // The SDK is compiled with the filter: its warnings would be the author's.
        assert!(!stderr(&output).contains("warning:"), "{}", stderr(&output));
        json(&output)
    }

    /// What `plugin build` says if it cannot build that, when only the programs in `tools` are
    /// there.
    fn cannot_build(&self, dir: &Path, tools: &Path) -> String {
        let mut build = self.portcullis(&["plugin", "build"]);
        let output = build.arg(dir).env("PATH", tools).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    }

    /// Has the battery of checks find nothing wrong with the filter, which has time for it on a
    /// machine that is busy.
    fn keeps_to_the_contract(&self, built: &Value) {
        let dir = self.path("conformance");
        fs::create_dir(&dir).unwrap();
        let wasm = Path::new(built["file"].as_str().unwrap());
        let file = dir.join(wasm.file_name().unwrap());
        fs::copy(wasm, &file).unwrap();
        let settings = fs::read_to_string(wasm.with_extension("toml")).unwrap();
        fs::write(file.with_extension("toml"), format!("{settings}\n{ROOMY}")).unwrap();
        let mut command = self.portcullis(&["plugin", "conformance", "--json"]);
        let found = json(&command.arg(file).output().unwrap());
        let starts = found["checks"].as_array().unwrap().iter();
        let mut starts = starts.filter(|check| check["id"] == "S1");
        assert_eq!(starts.next().unwrap()["finding"], "pass", "{found}");
        assert_eq!(found["ok"], true, "{found}");
    }

    /// Drops the filter in and asks a chain with nothing else that has an opinion. Shadow mode is
    /// switched off.
    fn drops_in(&self, built: &Value) {
        let name = built["name"].as_str().unwrap();
        let wasm = Path::new(built["file"].as_str().unwrap());
        let plugins = self.path("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::copy(wasm, plugins.join(format!("{name}.wasm"))).unwrap();
        let settings = fs::read_to_string(wasm.with_extension("toml")).unwrap();
        assert!(settings.contains("mode = \"shadow\""), "{settings}");
        let settings = settings.replace("mode = \"shadow\"", "mode = \"enforce\"");
        fs::write(plugins.join(format!("{name}.toml")), settings).unwrap();
    }

    fn is_judged(&self, host: &str) -> Value {
        let mut explain = self.portcullis(&["explain", "--json", host]);
        json(&explain.output().unwrap())["final"].take()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The answer of a command that has done what it was asked to.
fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(file, changed).unwrap();
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
