//! A filter's folder in other hands: committed, cloned somewhere else and built there, and its
//! package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::languages::there_is;
use super::{Author, edit, json, stderr};

/// With it in the environment, the lock file of the template is written anew.
const UPDATE: &str = "PORTCULLIS_UPDATE_TEMPLATES";

impl Author {
    /// Commits what the author would commit, and clones it into a folder of a colleague's.
    fn shares_with(&self, colleague: &Self, dir: &Path) -> PathBuf {
        let git = |folder: &Path, arguments: &[&str]| {
            let mut git = self.command("git");
            git.args(["-c", "user.name=a", "-c", "user.email=a@a.example"]);
            let output = git.args(arguments).current_dir(folder).output().unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
        };
        git(dir, &["init", "--quiet"]);
        git(dir, &["add", "."]);
        git(
            dir,
            &[
                "commit",
                "--quiet",
                "--allow-empty",
                "--message",
                "A filter",
            ],
        );
        let clone = colleague.path("somewhere else");
        let from = dir.to_str().unwrap();
        git(
            colleague.dir.path(),
            &["clone", "--quiet", from, clone.to_str().unwrap()],
        );
        // Nothing of the author's is left.
        fs::remove_dir_all(self.dir.path()).unwrap();
        clone
    }

    /// What CI says, where the program is on the PATH and its sources are nowhere.
    fn runs_ci(&self, dir: &Path) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_portcullis"));
        let bin = self.path("bin");
        fs::create_dir(&bin).unwrap();
        fs::hard_link(program, bin.join("portcullis"))
            .or_else(|_| fs::copy(program, bin.join("portcullis")).map(drop))
            .unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)));
        let mut ci = self.command("sh");
        ci.arg(dir.join("ci.sh")).env("PATH", path.unwrap());
        ci.output().unwrap()
    }
}

/// What `ci.sh` has written to its end, and the checksum that stands there.
fn package(output: &Output, dir: &Path) -> Vec<u8> {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let packaged = fs::read(dir.join("shared-ads-0.1.0.wasm")).unwrap();
    let mut sum = Command::new("sha256sum");
    let sum = sum.arg(dir.join("shared-ads-0.1.0.wasm")).output().unwrap();
    let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
    let (sum, _) = sum.split_once(' ').unwrap();
    assert_eq!(said.lines().last(), Some(sum), "{said}");
    packaged
}

/// Cargo has read no other sources but those of the registry.
fn is_built_of_what_is_in(dir: &Path) {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("filters");
    let sources = built.join("wasm32-unknown-unknown/release/shared_ads.d");
    let sources = fs::read_to_string(sources).unwrap().replace("\\ ", "\0");
    let (_, sources) = sources.split_once(": ").unwrap();
    let sources: Vec<String> = sources
        .split_whitespace()
        .map(|path| path.replace('\0', " "))
        .collect();
    assert!(
        sources
            .iter()
            .any(|path| path.contains("vendor/portcullis"))
    );
    let outside = sources
        .iter()
        .find(|path| !Path::new(path).starts_with(dir));
    assert_eq!(outside, None);
}

/// No file of the folder names a place on this machine.
fn names_no_place_of_this_machine(dir: &Path) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_no_place_of_this_machine(&path);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for place in [sources, &std::env::temp_dir()] {
            // A script may well make a temporary folder.
            let place = format!("{}/", place.display());
            assert!(!text.contains(&place), "{place} in {}", path.display());
        }
    }
}

#[test]
fn a_colleague_builds_a_filter_in_rust_from_what_was_committed() {
    if !there_is("git") {
        return;
    }
    let (author, colleague) = (Author::new(), Author::new());
    let dir = author.begins(&["shared-ads"]);
    names_no_place_of_this_machine(&dir);
    let clone = author.shares_with(&colleague, &dir);
    assert!(clone.join("vendor/portcullis/LICENSE-MIT").is_file());
    let theirs = package(&colleague.runs_ci(&clone), &clone);
    is_built_of_what_is_in(&clone);
    let text = String::from_utf8_lossy(&theirs);
    let home = std::env::var("HOME").unwrap_or("/nowhere".into());
    for place in [&*home, colleague.dir.path().to_str().unwrap(), "/.cargo/"] {
        assert!(!text.contains(place), "{place}");
    }
    // Another folder makes the same filter.
    let built = fs::read(clone.join("shared-ads.wasm")).unwrap();
    let third = Author::new();
    let again = colleague.shares_with(&third, &clone);
    // So do other flags in the environment.
    let mut build = third.portcullis(&["plugin", "build", "--json"]);
    build.env("RUSTFLAGS", "-Copt-level=0");
    build.env("CARGO_ENCODED_RUSTFLAGS", "-Copt-level=1");
    build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2");
    let said = json(&build.arg(&again).output().unwrap());
    assert_eq!(said["sdk_outside"], serde_json::Value::Null);
    assert!(built == fs::read(again.join("shared-ads.wasm")).unwrap());
}

#[test]
fn a_colleague_builds_a_filter_in_javascript_from_what_was_committed() {
    if !there_is("git") || !there_is("node") || !there_is("npm") {
        return;
    }
    let (author, colleague) = (Author::new(), Author::new());
    let dir = author.begins(&["--lang", "js", "shared-ads"]);
    names_no_place_of_this_machine(&dir);
    let clone = author.shares_with(&colleague, &dir);
    package(&colleague.runs_ci(&clone), &clone);
}

#[test]
fn a_colleague_builds_a_filter_in_python_from_what_was_committed() {
    if !there_is("git") || !there_is("python3") {
        return;
    }
    let (author, colleague) = (Author::new(), Author::new());
    let dir = author.begins(&["--lang", "python", "shared-ads"]);
    names_no_place_of_this_machine(&dir);
    let clone = author.shares_with(&colleague, &dir);
    package(&colleague.runs_ci(&clone), &clone);
}

#[test]
fn a_new_filter_in_javascript_is_locked_to_versions_of_all_that_it_asks_for() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "no-ads"]);
    let read = |file: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(dir.join(file)).unwrap()).unwrap()
    };
    let (manifest, lock) = (read("package.json"), read("package-lock.json"));
    let packages = &lock["packages"];
    // npm ci wants both to say the same.
    let own = &packages[""];
    for key in ["name", "version", "devDependencies", "engines"] {
        assert_eq!(own[key], manifest[key], "{key}");
    }
    for (name, range) in manifest["devDependencies"].as_object().unwrap() {
        let locked = &packages[format!("node_modules/{name}")]["version"];
        let (locked, range) = (locked.as_str().unwrap(), range.as_str().unwrap());
        assert_eq!(range, format!("^{locked}"), "{name}");
    }
    // What is installed is compared with that, from whatever registry it comes.
    for (path, package) in packages.as_object().unwrap() {
        let is_pinned = path.is_empty() || package["integrity"].is_string();
        assert!(is_pinned && package["resolved"].is_null(), "{path}");
    }
}

#[test]
fn a_new_filter_in_rust_has_the_versions_that_its_sdk_is_tested_with() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    let lock = dir.join("Cargo.lock");
    let written = fs::read_to_string(&lock).unwrap();
    // Cargo takes out what this filter does not need. It gets what other systems than this one
    // need, unless cargo has it already.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(sources.join("../Cargo.lock"), &lock).unwrap();
    let mut metadata = author.command("cargo");
    let metadata = metadata.args(["metadata", "--format-version", "1"]);
    let output = metadata.current_dir(&dir).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let right = fs::read_to_string(&lock).unwrap();
    if written == right {
        return;
    }
    if std::env::var_os(UPDATE).is_some() {
        let template = right.replace("name = \"no-ads\"", "name = \"@NAME@\"");
        fs::write(sources.join("templates/rust/Cargo.lock"), template).unwrap();
        return;
    }
    panic!(
        "core/templates/rust/Cargo.lock is out of date; to write it anew, run\n  \
         {UPDATE}=1 cargo test -p portcullis --test authoring versions_that_its_sdk"
    );
}

#[test]
fn an_sdk_is_put_into_a_folder_in_place_of_another() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    let update = |dir: &Path| {
        let mut update = author.portcullis(&["plugin", "update-sdk", "--json"]);
        json(&update.arg(dir).output().unwrap())
    };
    let nothing = serde_json::json!([]);
    let updated = update(&dir);
    assert_eq!(
        (&updated["written"], &updated["removed"]),
        (&nothing, &nothing)
    );

    let library = dir.join("vendor/portcullis/sdk/src/lib.rs");
    let ours = fs::read_to_string(&library).unwrap();
    edit(&library, |text| text + "// of another version\n");
    fs::write(dir.join("vendor/portcullis/sdk/src/gone.rs"), "").unwrap();
    fs::remove_file(dir.join("vendor/portcullis/LICENSE-MIT")).unwrap();
    edit(&dir.join("src/lib.rs"), |text| text + "// mine\n");
    let updated = update(&dir);
    let written = ["LICENSE-MIT", "sdk/src/lib.rs"].map(|path| format!("vendor/portcullis/{path}"));
    assert_eq!(updated["written"], serde_json::json!(written));
    let removed = serde_json::json!(["vendor/portcullis/sdk/src/gone.rs"]);
    assert_eq!(updated["removed"], removed);
    assert_eq!(fs::read_to_string(&library).unwrap(), ours);
    let mine = fs::read_to_string(dir.join("src/lib.rs")).unwrap();
    assert!(mine.ends_with("// mine\n"));

    for (language, file) in [("js", "src/portcullis.js"), ("python", "portcullis.py")] {
        let dir = author.begins(&["--lang", language, &format!("in-{language}")]);
        let ours = fs::read_to_string(dir.join(file)).unwrap();
        edit(&dir.join(file), |_| String::new());
        assert_eq!(update(&dir)["written"], serde_json::json!([file]));
        assert_eq!(fs::read_to_string(dir.join(file)).unwrap(), ours);
    }

    let nowhere = author.portcullis(&["plugin", "update-sdk"]).output();
    assert!(stderr(&nowhere.unwrap()).contains("has no filter in it"));
}
