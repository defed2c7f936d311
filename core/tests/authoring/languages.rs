//! The whole way, in each language.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Author, edit, json, stderr};

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
        said.contains("4 passed; 0 failed"),
        "{said} {}",
        stderr(&test)
    );
    assert!(!stderr(&test).contains("warning"), "{}", stderr(&test));

    let built = author.builds(&dir);
    let file = dir.join("no-ads.wasm");
    assert_eq!(built["file"].as_str(), file.to_str());
    assert!(built["bytes"].as_u64().unwrap() < 100_000, "{built}");
    blocks_what_its_settings_list(&author, &built, &["log"]);

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

/// Judges what all templates are alike in.
fn blocks_what_its_settings_list(author: &Author, built: &Value, imports: &[&str]) {
    let name = &built["name"];
    assert_eq!(built["refused"], Value::Null, "{built}");
    assert_eq!(built["decides"], false, "{built}");
    assert_eq!(built["hooks"], serde_json::json!(["judge-host"]));
    assert_eq!(built["imports"], serde_json::json!(imports));

    // The cases of the template are beside it.
    let wasm = built["file"].as_str().unwrap();
    let mut test = author.portcullis(&["plugin", "test", "--json", wasm]);
    let tested = json(&test.output().unwrap());
    assert_eq!(tested["cases"].as_array().unwrap().len(), 2, "{tested}");

    author.keeps_to_the_contract(built);

    author.drops_in(built);
    let verdict = author.is_judged("www.blocked.example");
    assert_eq!(verdict["verdict"], "block", "{verdict}");
    assert_eq!(&verdict["filter"], name, "{verdict}");
    assert_eq!(verdict["reason"], "blocked.example is blocked here");
    let verdict = author.is_judged("notblocked.example");
    assert_eq!(verdict["verdict"], "next", "{verdict}");

    let settings = format!("plugins/{}.toml", name.as_str().unwrap());
    edit(&author.path(&settings), |settings| {
        settings.replace("[\"blocked.example\"]", "[\"Bücher.example\"]")
    });
    let verdict = author.is_judged("www.xn--bcher-kva.example");
    assert_eq!(verdict["verdict"], "block", "{verdict}");
}

/// Whether a program is there. If not, the test's output says so. In CI, where everything has to be
/// there, it is a failure.
#[expect(
    clippy::print_stderr,
    reason = "what is not tested must not pass in silence"
)]
pub(crate) fn there_is(program: &str) -> bool {
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

/// The packages of the lock file in that folder with their versions.
fn locked(dir: &Path) -> Vec<(String, Value)> {
    let lock = fs::read(dir.join("package-lock.json")).unwrap();
    let mut lock: Value = serde_json::from_slice(&lock).unwrap();
    let packages = lock["packages"].as_object_mut().unwrap().iter_mut();
    let versions = packages.map(|(path, package)| (path.clone(), package["version"].take()));
    versions.collect()
}

/// A filter in JavaScript whose hooks are not those of its world.
fn has_the_hooks_that_the_world_has(author: &Author) {
    // componentize says nothing of it, and it would never be called.
    names_the_mistake(
        author,
        (
            "src/filter.js",
            "export const judgeHost",
            "export const tick = {};\nexport const judgeHost",
        ),
        [
            "src/filter.js exports tick",
            "add there:  export portcullis:filter/tick@1.0.0;",
            "portcullis: npm run build failed, see above",
        ],
    );
    names_the_mistake(
        author,
        (
            "wit/world.wit",
            "// export portcullis:filter/judge-request@",
            "export portcullis:filter/judge-request@",
        ),
        [
            "wit/world.wit exports judge-request, and src/filter.js does not have its object",
            "add to src/filter.js:  export const judgeRequest = { … };",
            "portcullis: npm run build failed, see above",
        ],
    );
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

    edit(&dir.join("src/filter.js"), |source| {
        let judge = "judge: judge((host, port) => {";
        let looks = "if (host === 'clock.example') Date.now();";
        source.replace(judge, &format!("{judge} {looks}"))
    });
    let versions = locked(&dir);
    let built = author.builds(&dir);
    blocks_what_its_settings_list(&author, &built, &["answer", "log"]);
    // npm has installed just these.
    assert_eq!(locked(&dir), versions);

    is_told_what_is_missing(&author);
    wants_its_settings_right(&author);
    cannot_import_what_the_world_lacks(
        &author,
        (
            "src/filter.js",
            "import { now } from 'portcullis:filter/clock@1.0.0';",
        ),
        "wit/world.wit does not; add there:  import portcullis:filter/clock@1.0.0;",
    );
    has_the_hooks_that_the_world_has(&author);
    // npm installs again, and leaves what the build needs.
    edit(&dir.join("package.json"), |manifest| {
        manifest.replace("0.1.0", "0.1.1")
    });
    names_the_mistake(
        &author,
        ("src/filter.js", "return next", "return = next"),
        [
            "src/filter.js:",
            "SyntaxError",
            "portcullis: npm run build failed, see above",
        ],
    );
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
    assert!(stderr(&test).contains("Ran 14 tests"), "{}", stderr(&test));

    edit(&dir.join("app.py"), |source| {
        let begins = "        for domain in config.domains:";
        let looks = "        if host == 'clock.example': __import__('time').time()";
        source.replace(begins, &format!("{looks}\n{begins}"))
    });
    let built = author.builds(&dir);
    blocks_what_its_settings_list(&author, &built, &["answer", "log"]);

    is_told_what_is_missing(&author);
    wants_its_settings_right(&author);
    cannot_import_what_the_world_lacks(
        &author,
        ("app.py", "from wit_world.imports import clock"),
        "wit/world.wit does not import clock, so the filter cannot be built; add there:  import portcullis:filter/clock@1.0.0;",
    );
    names_the_mistake(
        &author,
        ("app.py", "def judge(", "def judge_host("),
        [
            "app.py",
            "the method of JudgeHost is judge, and judge_host would never be called",
            "portcullis: componentize-py failed, see above",
        ],
    );
    names_the_mistake(
        &author,
        ("app.py", "return NEXT", "return = NEXT"),
        [
            "app.py",
            "SyntaxError",
            "portcullis: componentize-py failed, see above",
        ],
    );
}

/// A clock would stand still in JavaScript, and end in a trap in Python.
fn is_told_what_is_missing(author: &Author) {
    let mut explain = author.portcullis(&["explain", "--json", "clock.example"]);
    let explained = json(&explain.output().unwrap()).to_string();
    assert!(
        explained.contains("a filter has no clock of its own"),
        "{explained}"
    );
}

/// What would be a trap without a word.
fn wants_its_settings_right(author: &Author) {
    edit(&author.path("plugins/no-ads.toml"), |settings| {
        settings.replace("domains =", "domain =")
    });
    let mut bench = author.portcullis(&["plugin", "bench", "plugins/no-ads.wasm"]);
    let said = stderr(&bench.output().unwrap());
    let hint = "no-ads.toml:7:1: unknown key `domain` in [config]; did you mean `domains`?";
    assert!(said.contains(hint), "{said}");
}

/// It is said with the line to add. The file is whole again afterwards.
fn cannot_import_what_the_world_lacks(author: &Author, (file, line): (&str, &str), part: &str) {
    let file = author.path("no-ads").join(file);
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{line}\n{right}")).unwrap();
    let mut build = author.portcullis(&["plugin", "build", "no-ads"]);
    let output = build.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(part), "{part} in {said}");
    fs::write(&file, right).unwrap();
}

/// After `(file, right, wrong)` has made it.
fn names_the_mistake(author: &Author, (file, right, wrong): (&str, &str, &str), parts: [&str; 3]) {
    edit(&author.path("no-ads").join(file), |source| {
        source.replace(right, wrong)
    });
    let mut build = author.portcullis(&["plugin", "build", "no-ads"]);
    let said = stderr(&build.output().unwrap());
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
}
