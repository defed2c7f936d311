//! `plugin package` and `plugin install` as people and scripts meet them. The built-in filter is at
//! hand.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::{portcullis, stderr, stdout, there_is};

const BLOCKLIST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/blocklist.wasm"));

/// Room for a machine that is busy, and what the filter asks for.
const SETTINGS: &str = "[limits]\ncpu = '10s'\nwall = '20s'\nstart_cpu = '20s'\nstart_wall = '60s'\n\
    [grants]\nfeeds = ['*']\n";

/// An author's folder with a filter `mine` in it.
fn author() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.wasm"), BLOCKLIST).unwrap();
    fs::write(dir.path().join("mine.toml"), SETTINGS).unwrap();
    dir
}

fn plugin(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir.path());
    command.arg("plugin").args(arguments).output().unwrap()
}

/// Installs without a terminal.
fn install(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir.path());
    command.args(["plugin", "install"]).args(arguments);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_package_is_made_and_installed_elsewhere() {
    let author = author();
    let output = plugin(&author, &["package", "mine.wasm"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sum = stdout(&output);
    let sum = sum.strip_suffix('\n').unwrap();
    // Alone, so that a script needs no other tool.
    assert_eq!(sum.len(), 64, "{sum}");
    let said = stderr(&output);
    let file = format!("mine-{}.wasm", env!("CARGO_PKG_VERSION"));
    for part in [
        &*file,
        "hooks: judge-host\n",
        "imports: ",
        "feeds",
        "plugin install",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let output = plugin(&author, &["package", "mine.wasm", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["sha256"], sum);

    let operator = TempDir::new().unwrap();
    let package = author.path().join(file);
    let source = format!("{}#sha256={sum}", package.display());
    let output = install(&operator, &[&source, "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "plugins/mine.wasm is installed, and waits for its settings\n"
    );
    assert!(stderr(&output).contains("\n[grants]\nfeeds = ['*']\n"));
    let installed = fs::read(operator.path().join("plugins/mine.wasm")).unwrap();
    assert!(installed == fs::read(&package).unwrap());

    let output = install(&operator, &[&source]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("nothing was done"));

    let other = "0".repeat(64);
    let source = format!("{}#sha256={other}", package.display());
    let output = install(&operator, &[&source, "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let start = "portcullis: nothing is installed: ";
    assert!(said.starts_with(start), "{said}");
    assert!(
        said.contains(&format!("expected SHA-256 {other}\n")),
        "{said}"
    );
    assert!(
        said.contains(&format!("found            {sum}\n")),
        "{said}"
    );
}

#[test]
fn without_a_terminal_nothing_is_installed_unless_a_script_says_so() {
    let author = author();
    let output = install(&author, &["mine.wasm", "--name", "theirs"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("sha256 "), "{said}");
    assert!(said.contains("standard input is not a terminal"), "{said}");
    assert!(said.contains("run the same with --yes"), "{said}");
    assert!(!author.path().join("plugins").exists());

    let arguments = ["mine.wasm", "--name", "theirs", "--yes", "--json"];
    let output = install(&author, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["name"], "theirs");
    assert_eq!(json["missing"], serde_json::json!(["feeds"]));
    assert_eq!(json["replaces"], serde_json::Value::Null);
    assert!(author.path().join("plugins/theirs.wasm").is_file());
}

/// What a person sees who answers that on a terminal. None where `script`, which has one, is not
/// there or is of another kind.
fn on_a_terminal(dir: &Path, command: &Command, answer: &str) -> Option<(Option<i32>, String)> {
    let mut line = vec![command.get_program().to_str()?];
    line.extend(command.get_args().filter_map(|argument| argument.to_str()));
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--return",
        "--command",
        &line.join(" "),
        "/dev/null",
    ]);
    script
        .current_dir(dir)
        .env("PORTCULLIS_CACHE_DIR", dir.join("cache"));
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = script.spawn().ok()?;
    // The terminal keeps it until it is read.
    let mut input = running.stdin.take()?;
    input.write_all(answer.as_bytes()).ok()?;
    let output = running.wait_with_output().ok()?;
    Some((output.status.code(), stdout(&output)))
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_is_asked_and_nothing_happens_without_a_yes() {
    if !there_is("script") {
        return;
    }
    let author = author();
    let mut command = portcullis(author.path());
    command.args(["plugin", "install", "mine.wasm", "--name", "theirs"]);
    for answer in ["n\n", "\n", "no way\n"] {
        let (code, said) = on_a_terminal(author.path(), &command, answer).unwrap();
        assert!(
            said.contains("Install it as plugins/theirs.wasm? [y/N] "),
            "{said}"
        );
        assert!(said.contains("the answer was not `y`"), "{said}");
        assert_eq!(code, Some(1), "{said}");
        assert!(!author.path().join("plugins").exists());
    }
    let (code, said) = on_a_terminal(author.path(), &command, "y\n").unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(author.path().join("plugins/theirs.wasm").is_file());

    // Another version is shown beside the one that is there.
    let output = plugin(&author, &["package", "mine.wasm"]);
    let sum = stdout(&output);
    let package = format!("mine-{}.wasm", env!("CARGO_PKG_VERSION"));
    let mut command = portcullis(author.path());
    command.args(["plugin", "install", &package, "--name", "theirs"]);
    let (code, said) = on_a_terminal(author.path(), &command, "n\n").unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("  replaces  0.1.0, sha256 "), "{said}");
    assert!(
        said.contains(&format!("  sha256    {}", sum.trim())),
        "{said}"
    );
    assert!(
        said.contains("Replace plugins/theirs.wasm? [y/N] "),
        "{said}"
    );
    assert!(fs::read(author.path().join("plugins/theirs.wasm")).unwrap() == BLOCKLIST);
}

#[test]
fn what_a_package_cannot_be_made_of_is_told_with_what_to_do() {
    let author = author();
    fs::write(author.path().join("text.wasm"), "text").unwrap();
    let cases = "[[case]]\nhost = 'a.example'\nexpect = 'block'\n";
    fs::write(author.path().join("cases.toml"), cases).unwrap();
    for (file, reason) in [
        ("text.wasm", "to do: build it again"),
        ("mine.wasm", "expected  block"),
        ("gone.wasm", "cannot read gone.wasm"),
        ("mine", "this is neither a file NAME.wasm nor"),
    ] {
        let output = plugin(&author, &["package", file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert_eq!(stdout(&output), "", "{file}");
        let said = stderr(&output);
        let start = format!("portcullis: cannot package {file}: ");
        assert!(said.starts_with(&start), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}
