//! From an empty folder to a filter that a proxy obeys, as its author does it: with the real program, cargo, npm and componentize-py.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// An author at work in a folder of their own. The filters that are compiled in Rust have names of their own too, as cargo puts them into one
/// folder.
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

    /// A command that knows nothing of the cargo that runs this test, nor of the settings of whoever runs it. What was compiled for another
    /// test need not be compiled again.
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
            .env("PORTCULLIS_DATA_DIR", shared.join("data"))
            .env("PORTCULLIS_CACHE_DIR", self.path("cache"))
            // A language runtime takes its time, and this build of the compiler is not the fast one.
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
        let dir = PathBuf::from(created["dir"].as_str().unwrap());
        if created["language"] == "rust" {
            // The versions that are here already: cargo need not ask anybody.
            let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
            fs::copy(lock, dir.join("Cargo.lock")).unwrap();
        }
        dir
    }

    /// What `plugin build` says of the filter in that folder.
    fn builds(&self, dir: &Path) -> Value {
        let mut build = self.portcullis(&["plugin", "build", "--json"]);
        let output = build.arg(dir).output().unwrap();
        // The SDK is compiled with the filter: its warnings would be the author's.
        assert!(!stderr(&output).contains("warning:"), "{}", stderr(&output));
        json(&output)
    }

    /// What `plugin build` says if it cannot build that, when only the programs in `tools` are there.
    fn cannot_build(&self, dir: &Path, tools: &Path) -> String {
        let mut build = self.portcullis(&["plugin", "build"]);
        let output = build.arg(dir).env("PATH", tools).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    }

    /// Drops the filter in and asks a chain with nothing else that has an opinion. Shadow mode is switched off.
    fn drops_in(&self, built: &Value) {
        let name = built["name"].as_str().unwrap();
        let wasm = Path::new(built["file"].as_str().unwrap());
        let plugins = self.path("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::copy(wasm, plugins.join(format!("{name}.wasm"))).unwrap();
        let sidecar = fs::read_to_string(wasm.with_extension("toml")).unwrap();
        assert!(sidecar.contains("mode = \"shadow\""), "{sidecar}");
        let sidecar = sidecar.replace("mode = \"shadow\"", "mode = \"enforce\"");
        fs::write(plugins.join(format!("{name}.toml")), sidecar).unwrap();
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
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(file, changed).unwrap();
}

/// Judges what all templates are alike in.
fn blocks_what_its_settings_list(author: &Author, built: &Value) {
    let name = &built["name"];
    assert_eq!(built["refused"], Value::Null, "{built}");
    assert_eq!(built["decides"], false, "{built}");
    assert_eq!(built["hooks"], serde_json::json!(["judge-host"]));
    assert_eq!(built["imports"], serde_json::json!(["log"]));

    author.drops_in(built);
    let verdict = author.is_judged("www.blocked.example");
    assert_eq!(verdict["verdict"], "block", "{verdict}");
    assert_eq!(&verdict["filter"], name, "{verdict}");
    assert_eq!(verdict["reason"], "blocked.example is blocked here");
    let verdict = author.is_judged("notblocked.example");
    assert_eq!(verdict["verdict"], "next", "{verdict}");
}

#[test]
fn a_filter_in_rust_is_begun_tested_built_and_obeyed() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    let test = author
        .command("cargo")
        .arg("test")
        .current_dir(&dir)
        .output();
    let test = test.unwrap();
    let said = String::from_utf8_lossy(&test.stdout);
    assert!(
        said.contains("3 passed; 0 failed"),
        "{said} {}",
        stderr(&test)
    );
    assert!(!stderr(&test).contains("warning"), "{}", stderr(&test));

    let built = author.builds(&dir);
    let file = dir.join("no-ads.wasm");
    assert_eq!(built["file"].as_str(), file.to_str());
    assert!(built["bytes"].as_u64().unwrap() < 40_000, "{built}");
    blocks_what_its_settings_list(&author, &built);

    // A build that fails leaves what was there before.
    let good = fs::read(&file).unwrap();
    edit(&dir.join("src/lib.rs"), |source| {
        source.replace("Ok(Self { config })", "Ok(Self)")
    });
    let output = author.portcullis(&["plugin", "build", "no-ads"]).output();
    let output = output.unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "could not compile `no-ads`",
        "src/lib.rs:",
        "portcullis: cargo failed, see above (exit status: 101)",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(fs::read(&file).unwrap(), good);
}

#[test]
fn a_filter_that_a_proxy_would_refuse_is_built_and_the_reason_told() {
    let author = Author::new();
    let dir = author.begins(&["refused-ads"]);
    edit(&dir.join("refused-ads.toml"), |settings| {
        settings.replace("domains =", "domain =")
    });
    let mut build = author.portcullis(&["plugin", "build"]);
    let output = build.current_dir(&dir).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("a proxy refuses it: "), "{said}");
    assert!(
        said.contains("unknown key `domain` in [config]; did you mean `domains`?"),
        "{said}"
    );
    assert!(dir.join("refused-ads.wasm").exists());
}

#[test]
fn a_filter_for_another_version_of_the_contract_is_told_which_one_and_where_ours_is() {
    let author = Author::new();
    let ours = author.begins(&["ours"]);
    let manifest = fs::read_to_string(ours.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let sdk = manifest["dependencies"]["portcullis-sdk"]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let theirs = author.path("theirs");
    copy_tree(Path::new(&sdk).parent().unwrap(), &theirs);
    let bindings = fs::read_dir(theirs.join("sdk/src/bindings")).unwrap();
    let bindings = bindings.map(|file| file.unwrap().path());
    for file in bindings.chain([theirs.join("sdk/wit/filter.wit")]) {
        edit(&file, |text| text.replace("0.1.0", "0.2.0"));
    }
    let dir = author.begins(&["other-ads", "--sdk", theirs.join("sdk").to_str().unwrap()]);
    let mut build = author.portcullis(&["plugin", "build", "--json"]);
    let output = build.arg(&dir).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = built["refused"].as_str().unwrap();
    assert!(
        reason.contains("version 0.2.0 of the filter API, and this proxy speaks 0.1.0"),
        "{reason}"
    );
    assert!(
        reason.ends_with(&format!("(its SDK is in {sdk})")),
        "{reason}"
    );
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

#[test]
fn what_cannot_be_begun_is_refused_with_what_can_be() {
    let author = Author::new();
    fs::create_dir(author.path("taken")).unwrap();
    fs::write(author.path("taken/mine"), "").unwrap();
    for (arguments, reason) in [
        (
            &["No Ads"][..],
            "lower case, at most 64; for example `no-ads`",
        ),
        (&["../no-ads"], "begins with a letter"),
        (&["async"], "try `my-async`"),
        (
            &["taken"],
            "is there already, and nothing in it is overwritten",
        ),
        (
            &["no-ads", "--lang", "js", "--sdk", "registry"],
            "--sdk is for filters in Rust",
        ),
        (
            &["no-ads", "--sdk", "taken"],
            "is not the folder of portcullis-sdk",
        ),
        (
            &["no-ads", "--lang", "cobol"],
            "possible values: rust, js, python",
        ),
    ] {
        let mut command = author.portcullis(&["plugin", "new"]);
        let output = command.args(arguments).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{reason} in {said}");
    }
    let left = fs::read_dir(&author.dir).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taken"]);
}

#[test]
fn the_sdk_is_that_of_the_program_unless_another_is_named() {
    let author = Author::new();
    let sdk_of = |dir: PathBuf| {
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        manifest["dependencies"]["portcullis-sdk"].clone()
    };
    let path = |sdk: &toml::Value| sdk["path"].as_str().unwrap().to_owned();
    let first = path(&sdk_of(author.begins(&["first"])));
    // Unpacked once, and for good.
    assert_eq!(first, path(&sdk_of(author.begins(&["second"]))));
    let embedded = fs::read_to_string(Path::new(&first).join("src/lib.rs")).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    assert_eq!(
        embedded,
        fs::read_to_string(source.join("src/lib.rs")).unwrap()
    );

    let named = sdk_of(author.begins(&["third", "--sdk", source.to_str().unwrap()]));
    assert_eq!(Path::new(&path(&named)), source);
    let published = sdk_of(author.begins(&["fourth", "--sdk", "registry"]));
    assert_eq!(published.as_str(), Some(env!("CARGO_PKG_VERSION")));

    let output = author
        .portcullis(&["plugin", "build", "."])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("has no filter in it"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_sdk_that_is_gone_is_named_with_the_one_that_is_there() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
    let (_, path) = manifest.split_once("{ path = \"").unwrap();
    let (path, _) = path.split_once('"').unwrap();
    edit(&dir.join("Cargo.toml"), |text| {
        text.replace(path, "/home/somebody/sdk")
    });
    let output = author.portcullis(&["plugin", "build", "no-ads"]).output();
    let said = stderr(&output.unwrap());
    let expected = format!(
        "wants portcullis-sdk from /home/somebody/sdk, which is not there. This program's SDK is in {path}"
    );
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_tool_that_is_missing_is_named_with_the_command_that_installs_it() {
    let author = Author::new();
    let (none, debian) = (author.path("none"), author.path("debian"));
    for tools in [&none, &debian] {
        fs::create_dir(tools).unwrap();
    }
    fs::write(debian.join("apt-get"), "").unwrap();
    for (language, cause, package, link) in [
        (
            "rust",
            "there is no cargo on this machine, so a filter in Rust cannot be built",
            "cargo-web",
            "https://rustup.rs",
        ),
        (
            "js",
            "there is no node on this machine, so a filter in JavaScript cannot be built",
            "nodejs npm",
            "https://nodejs.org",
        ),
        (
            "python",
            "there is no python3 on this machine, so a filter in Python cannot be built",
            "python3 python3-venv",
            "https://www.python.org",
        ),
    ] {
        let dir = author.begins(&["--lang", language, &format!("in-{language}")]);
        let said = author.cannot_build(&dir, &none);
        assert!(said.contains(cause), "{said}");
        if cfg!(target_os = "macos") {
            assert!(said.contains("brew install"), "{said}");
            continue;
        }
        assert!(said.contains(link), "{said}");
        let said = author.cannot_build(&dir, &debian);
        assert!(said.contains(cause), "{said}");
        assert!(
            said.ends_with(&format!("To get it:  apt-get install {package}\n")),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_compiler_without_the_target_is_named_with_the_commands_that_get_one() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    let rustc = author.path("rustc");
    executable(&rustc, "#!/bin/sh\necho /nowhere\n");
    let mut build = author.portcullis(&["plugin", "build", "no-ads"]);
    let output = build.env("PORTCULLIS_WASM_RUSTC", &rustc).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let cause = format!(
        "PORTCULLIS_WASM_RUSTC is {}, which cannot compile for wasm32-unknown-unknown",
        rustc.display()
    );
    assert!(said.contains(&cause), "{said}");
    assert!(
        said.contains("rustup target add wasm32-unknown-unknown"),
        "{said}"
    );
    let (_, script) = said
        .split_once("PORTCULLIS_WASM_TOOLCHAIN=debian sh ")
        .unwrap();
    assert!(Path::new(script.trim_end()).is_file(), "{said}");
    assert!(!dir.join("no-ads.wasm").exists());
}

#[cfg(unix)]
fn executable(file: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, script).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn python_without_its_environments_is_named_with_the_package_that_has_them() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let tools = author.path("tools");
    fs::create_dir(&tools).unwrap();
    executable(&tools.join("python3"), "#!/bin/sh\nexit 1\n");
    fs::write(tools.join("apt-get"), "").unwrap();
    let said = author.cannot_build(&dir, &tools);
    assert!(
        said.contains("there is no python3 -m venv on this machine"),
        "{said}"
    );
    assert!(
        said.contains("python3-venv") || cfg!(target_os = "macos"),
        "{said}"
    );
}

#[test]
fn a_hook_that_the_world_lacks_is_named_with_the_line_to_add() {
    let author = Author::new();
    let tools = author.path("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["node", "npm", "npm.cmd"] {
        fs::write(tools.join(tool), "").unwrap();
    }
    for (language, file, hook, begin) in [
        (
            "js",
            "src/filter.js",
            "judgeRequest",
            "export const judgeRequest = {};",
        ),
        (
            "python",
            "app.py",
            "JudgeRequest",
            "class JudgeRequest(exports.JudgeRequest):",
        ),
    ] {
        let dir = author.begins(&["--lang", language, &format!("in-{language}")]);
        edit(&dir.join(file), |source| format!("{source}\n{begin}\n"));
        let said = author.cannot_build(&dir, &tools);
        let parts = [
            format!("{file} has the hook {hook}, but the world in wit/world.wit has not"),
            "export portcullis:filter/judge-request@0.1.0;".to_owned(),
        ];
        for part in parts {
            assert!(said.contains(&part), "{part} in {said}");
        }
    }
}

/// Whether a program is there. If not, whoever reads the test's output should know, and where everything has to be there it is a failure.
#[expect(
    clippy::print_stderr,
    reason = "what is not tested must not pass in silence"
)]
fn there_is(program: &str) -> bool {
    let runs = Command::new(program).arg("--version").output().is_ok();
    assert!(
        runs || std::env::var_os("CI").is_none(),
        "there is no {program}"
    );
    if !runs {
        eprintln!("SKIPPED: there is no {program}");
    }
    runs
}

#[test]
fn a_filter_in_javascript_is_begun_tested_built_and_obeyed() {
    if !there_is("node") || !there_is("npm") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "no-ads"]);
    let test = author.command("npm").arg("test").current_dir(&dir).output();
    let test = test.unwrap();
    assert_eq!(test.status.code(), Some(0), "{test:?}");

    let built = author.builds(&dir);
    blocks_what_its_settings_list(&author, &built);

    // What would be a trap without a word.
    edit(&author.path("plugins/no-ads.toml"), |settings| {
        settings.replace("domains =", "domain =")
    });
    let output = author
        .portcullis(&["plugin", "bench", "plugins/no-ads.wasm"])
        .output();
    let said = stderr(&output.unwrap());
    let hint = "no-ads.toml:7:1: unknown key `domain` in [config]; did you mean `domains`?";
    assert!(said.contains(hint), "{said}");

    edit(&dir.join("src/filter.js"), |source| {
        source.replace("return next", "return = next")
    });
    let said = stderr(
        &author
            .portcullis(&["plugin", "build", "no-ads"])
            .output()
            .unwrap(),
    );
    for part in [
        "src/filter.js:",
        "SyntaxError",
        "portcullis: npm run build failed, see above",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_filter_in_python_is_begun_tested_built_and_obeyed() {
    if !there_is("python3") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let mut test = author.command("python3");
    let test = test
        .args(["-m", "unittest"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert_eq!(test.status.code(), Some(0), "{test:?}");
    assert!(stderr(&test).contains("Ran 3 tests"), "{}", stderr(&test));

    let built = author.builds(&dir);
    blocks_what_its_settings_list(&author, &built);

    edit(&author.path("plugins/no-ads.toml"), |settings| {
        settings.replace("domains =", "domain =")
    });
    let output = author
        .portcullis(&["plugin", "bench", "plugins/no-ads.wasm"])
        .output();
    let said = stderr(&output.unwrap());
    let hint = "no-ads.toml:7:1: unknown key `domain` in [config]; did you mean `domains`?";
    assert!(said.contains(hint), "{said}");

    edit(&dir.join("app.py"), |source| {
        source.replace("return NEXT", "return = NEXT")
    });
    let said = stderr(
        &author
            .portcullis(&["plugin", "build", "no-ads"])
            .output()
            .unwrap(),
    );
    for part in [
        "app.py",
        "SyntaxError",
        "portcullis: componentize-py failed, see above",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn the_guide_shows_the_filter_that_is_begun() {
    let guide = include_str!("../../sdk/README.md");
    let template = include_str!("../templates/rust/src/lib.rs");
    let (_, filter) = template.split_once("\n\n").unwrap();
    let (filter, tests) = filter.split_once("#[cfg(test)]").unwrap();
    assert!(guide.contains(filter.trim_end()));
    let (test, _) = tests.split_once("    #[test]\n    fn other_hosts").unwrap();
    assert!(guide.contains(test.trim_end()));
}
