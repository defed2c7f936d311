//! `plugin build`, where something is missing or wrong.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Author, edit, stderr};

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
fn a_filter_for_another_version_of_the_contract_is_told_how_to_get_ours() {
    let author = Author::new();
    let dir = author.begins(&["other-ads"]);
    let theirs = dir.join("vendor/portcullis/sdk");
    let bindings = fs::read_dir(theirs.join("src/bindings")).unwrap();
    let bindings = bindings.map(|file| file.unwrap().path());
    for file in bindings.chain([theirs.join("wit/filter.wit")]) {
        edit(&file, |text| as_version_2(&text));
    }
    let mut build = author.portcullis(&["plugin", "build", "--json"]);
    // Apart, as cargo takes one SDK for another that it has compiled meanwhile for another test.
    build.env("CARGO_TARGET_DIR", author.path("target"));
    let output = build.arg(&dir).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let built: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = built["refused"].as_str().unwrap();
    assert!(
        reason.contains("version 2.0.0 of the filter API, and this proxy speaks 1.0.0"),
        "{reason}"
    );
    assert!(
        reason.ends_with("; to build it for this one:  portcullis plugin update-sdk"),
        "{reason}"
    );
}

/// The same text for version 2.0.0. Where it is generated, a line may end within a version.
fn as_version_2(text: &str) -> String {
    let mut changed = text.replace("1.0.0", "2.0.0");
    for (before, after) in [("1", ".0.0"), ("1.", "0.0"), ("1.0", ".0"), ("1.0.", "0")] {
        let version = |major: &str| format!("@{major}{}\\\n{after}", &before[1..]);
        changed = changed.replace(&version("1"), &version("2"));
    }
    changed
}

#[test]
fn an_sdk_that_was_not_committed_is_named_with_a_way_to_get_one() {
    let author = Author::new();
    let dir = author.begins(&["no-ads"]);
    fs::remove_dir_all(dir.join("vendor")).unwrap();
    let output = author.portcullis(&["plugin", "build", "no-ads"]).output();
    let said = stderr(&output.unwrap());
    let expected = "wants portcullis-sdk from vendor/portcullis/sdk, which is not there";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("portcullis plugin update-sdk"), "{said}");
    let update = author.portcullis(&["plugin", "update-sdk", "no-ads"]);
    assert!({ update }.output().unwrap().status.success());
    assert!(dir.join("vendor/portcullis/sdk/Cargo.toml").is_file());
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

/// Without any tool: what the tools do takes its time.
#[test]
fn a_mistake_in_the_schema_of_the_settings_is_told_before_anything_is_built() {
    let author = Author::new();
    let none = author.path("none");
    fs::create_dir(&none).unwrap();
    for language in ["js", "python"] {
        let dir = author.begins(&["--lang", language, &format!("in-{language}")]);
        edit(&dir.join("config.schema.json"), |schema| {
            schema.replace("\"type\": \"array\"", "\"type\": \"list\"")
        });
        let said = author.cannot_build(&dir, &none);
        let mistake = "config.schema.json cannot be used: it is not a JSON Schema";
        assert!(said.contains(mistake), "{said}");
    }
}

#[test]
fn a_hook_in_python_that_is_written_or_exported_alone_is_named_with_the_line_to_add() {
    let author = Author::new();
    let none = author.path("none");
    fs::create_dir(&none).unwrap();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let (code, world) = (dir.join("app.py"), dir.join("wit/world.wit"));
    let right = fs::read_to_string(&code).unwrap();
    edit(&code, |code| code + "\n\nclass Tick:\n    pass\n");
    let said = author.cannot_build(&dir, &none);
    let line = "wit/world.wit does not export tick, so that it would never be called; add there:  export portcullis:filter/tick@1.0.0;\n";
    assert!(said.contains("app.py has the class Tick"), "{said}");
    assert!(said.ends_with(line), "{said}");

    fs::write(&code, right).unwrap();
    edit(&world, |world| {
        world.replace(
            "// export portcullis:filter/tick@",
            "export portcullis:filter/tick@",
        )
    });
    let said = author.cannot_build(&dir, &none);
    assert!(said.contains("wit/world.wit exports tick"), "{said}");
    assert!(
        said.contains("add to app.py:  class Tick(exports.Tick):"),
        "{said}"
    );
}

/// Without any tool: what the tools do takes its time.
#[test]
fn what_a_filter_in_python_imports_and_its_world_does_not_is_named_with_the_line_to_add() {
    let author = Author::new();
    let none = author.path("none");
    fs::create_dir(&none).unwrap();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    edit(&dir.join("app.py"), |code| {
        code.replace("imports import log", "imports import log, clock")
    });
    let said = author.cannot_build(&dir, &none);
    let line = "wit/world.wit does not import clock, so the filter cannot be built; add there:  import portcullis:filter/clock@1.0.0;\n";
    assert!(said.contains("app.py imports clock"), "{said}");
    assert!(said.ends_with(line), "{said}");
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
fn another_componentize_py_than_the_one_that_is_pinned_is_not_used() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let pinned = fs::read_to_string(dir.join("requirements.txt")).unwrap();
    let (_, pinned) = pinned.trim().rsplit_once("==").unwrap();
    let tools = author.path("tools");
    fs::create_dir(&tools).unwrap();
    executable(&tools.join("python3"), "#!/bin/sh\nexit 1\n");
    let says = |version: &str| {
        let script = format!("#!/bin/sh\necho componentize-py {version}\n");
        executable(&tools.join("componentize-py"), &script);
        author.cannot_build(&dir, &tools)
    };
    let said = says("0.1.0");
    let needed = format!("componentize-py 0.1.0, and requirements.txt asks for {pinned}");
    for part in [
        &*needed,
        &format!("pip install componentize-py=={pinned}"),
        "python3 -m venv",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // This one is used. It writes nothing.
    let said = says(pinned);
    assert!(
        said.contains("componentize-py has written no component"),
        "{said}"
    );
    assert!(!said.contains("python3"), "{said}");
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

/// Builds when an earlier install was interrupted, when nothing has changed since, and after
/// `needs` has. The tools write a line into `installs` for each install.
#[cfg(unix)]
fn assert_installs_what_is_needed(author: &Author, dir: &Path, needs: &str) {
    use std::time::{Duration, SystemTime};
    let installs = || {
        fs::read_to_string(dir.join("installs"))
            .unwrap()
            .lines()
            .count()
    };
    for expected in [1, 1] {
        author.cannot_build(dir, &author.path("tools"));
        assert_eq!(installs(), expected);
    }
    let needs = fs::File::options().append(true).open(dir.join(needs));
    let later = SystemTime::now() + Duration::from_secs(60);
    needs.unwrap().set_modified(later).unwrap();
    author.cannot_build(dir, &author.path("tools"));
    assert_eq!(installs(), 2);
}

#[cfg(unix)]
#[test]
fn npm_installs_what_an_interrupted_install_has_left_and_what_was_added_since() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "no-ads"]);
    fs::create_dir(author.path("tools")).unwrap();
    executable(&author.path("tools/node"), "#!/bin/sh\n");
    let npm = "#!/bin/sh\n[ $1 = install ] || exit 1\necho >>installs\n: >node_modules/.package-lock.json\n";
    executable(&author.path("tools/npm"), npm);
    fs::create_dir(dir.join("node_modules")).unwrap();
    assert_installs_what_is_needed(&author, &dir, "package.json");
}

#[cfg(unix)]
#[test]
fn pip_installs_what_an_interrupted_install_has_left_and_what_was_added_since() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    fs::create_dir(author.path("tools")).unwrap();
    fs::create_dir_all(dir.join(".venv/bin")).unwrap();
    let python = "#!/bin/sh\n[ $3 != install ] || echo >>installs\n";
    executable(&dir.join(".venv/bin/python"), python);
    executable(
        &dir.join(".venv/bin/componentize-py"),
        "#!/bin/sh\nexit 1\n",
    );
    assert_installs_what_is_needed(&author, &dir, "requirements.txt");
}

#[cfg(unix)]
#[test]
fn a_componentize_py_on_the_path_is_enough_until_the_filter_needs_more() {
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let tools = author.path("tools");
    fs::create_dir(&tools).unwrap();
    let requirements = fs::read_to_string(dir.join("requirements.txt")).unwrap();
    let (_, pinned) = requirements.rsplit_once("==").unwrap();
    let componentize = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo componentize-py {} && exit\n\
         echo componentized >&2\nexit 1\n",
        pinned.trim()
    );
    executable(&tools.join("componentize-py"), &componentize);
    let said = author.cannot_build(&dir, &tools);
    assert!(said.contains("componentized"), "{said}");
    edit(&dir.join("requirements.txt"), |text| text + "tomli\n");
    let said = author.cannot_build(&dir, &tools);
    assert!(said.contains("there is no python3"), "{said}");
}
