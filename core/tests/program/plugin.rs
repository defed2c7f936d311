//! The commands that are about one filter. That of the built-in one is at hand.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::{portcullis, stderr, stdout};

pub(super) const BLOCKLIST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/blocklist.wasm"));

/// Runs `portcullis plugin …` in a folder.
pub(super) fn plugin(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir.path());
    command.arg("plugin").args(arguments).output().unwrap()
}

pub(super) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_cases_that_a_filter_has_natively_go_the_same_way_in_the_sandbox() {
    let dir = TempDir::new().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/blocklist/cases.toml");
    let cases = cases.to_str().unwrap();
    let output = plugin(&dir, &["test", "blocklist", cases]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(
        said.contains("  so is every name below it, on any port\n"),
        "{said}"
    );
    assert!(
        said.ends_with("blocklist: all 10 cases went as expected\n"),
        "{said}"
    );

    let output = plugin(&dir, &["test", "blocklist", cases, "--json"]);
    let report = json(&output);
    assert_eq!(
        (&report["passed"], &report["failed"]),
        (&10.into(), &0.into())
    );
    assert_eq!(report["cases"][0]["name"], "a listed name is blocked");
}

#[test]
fn a_case_that_does_not_go_as_expected_ends_with_1_and_says_what_is_different() {
    let dir = TempDir::new().unwrap();
    let cases = "[feeds]\nmalware = ['evil.example']\n
        [[case]]\nhost = 'www.evil.example'\nexpect = 'next'\n
        [[case]]\nhost = 'a.example'\nexpect = 'next'\n";
    fs::write(dir.path().join("cases.toml"), cases).unwrap();
    let output = plugin(&dir, &["test", "blocklist", "cases.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "\
FAIL  cases.toml:4  www.evil.example
        the verdict
          expected  next
          got       block with 403: evil.example is on the list malware
ok    cases.toml:8  a.example
blocklist: 1 of 2 cases did not go as expected
"
    );
    assert!(stderr(&output).contains("not every case went as expected"));
    let report = json(&plugin(
        &dir,
        &["test", "blocklist", "cases.toml", "--json"],
    ));
    assert_eq!(report["cases"][0]["differences"][0]["what"], "the verdict");
}

#[test]
fn cases_that_are_not_named_are_those_beside_the_filter() {
    let dir = TempDir::new().unwrap();
    let project = dir.path().join("mine");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("mine.wasm"), BLOCKLIST).unwrap();
    fs::write(project.join("mine.toml"), "[grants]\nfeeds = ['*']").unwrap();
    let output = plugin(&dir, &["test", "mine/mine.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let missing = "portcullis: cannot test mine/mine.wasm: no cases are named and there is no mine/cases.toml, so there is \
                   nothing to ask; write that file, or name another one:  portcullis plugin test FILE CASES.toml";
    assert!(said.starts_with(missing), "{said}");
    let cases = "[[case]]\nhost = 'a.example'\nexpect = 'next'\n";
    fs::write(project.join("cases.toml"), cases).unwrap();
    let output = plugin(&dir, &["test", "mine/mine.wasm"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(
        said.starts_with("ok    mine/cases.toml:1  a.example\n"),
        "{said}"
    );
}

#[test]
fn cases_that_make_no_sense_and_filters_that_cannot_be_used_end_a_test_with_2() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.wasm"), BLOCKLIST).unwrap();
    let good = "[[case]]\nhost = 'a.example'\nexpect = 'next'\n";
    fs::write(dir.path().join("good.toml"), good).unwrap();
    fs::write(
        dir.path().join("typo.toml"),
        "[[case]]\nhots = 'a.example'\n",
    )
    .unwrap();
    let mistaken = format!("{good}[config]\nsubdomain = true");
    fs::write(dir.path().join("mistaken.toml"), mistaken).unwrap();
    let refusing = format!("[config]\nstatus = 200\n{good}");
    fs::write(dir.path().join("refusing.toml"), refusing).unwrap();
    for (filter, cases, reason) in [
        (
            "blocklist",
            "typo.toml",
            "typo.toml:2:1: unknown key `hots`; did you mean `host`?",
        ),
        ("blocklist", "gone.toml", "cannot read gone.toml: "),
        (
            "blocklist",
            "mistaken.toml",
            "mistaken.toml:5:1: unknown key `subdomain` in [config]; did you mean `subdomains`?",
        ),
        (
            "blocklist",
            "refusing.toml",
            "refusing.toml:2:10: the filter refuses its configuration: status: 200",
        ),
        (
            "mine.wasm",
            "good.toml",
            "it wants `portcullis:filter/feeds",
        ),
        ("mine", "good.toml", "this is neither a file NAME.wasm nor"),
    ] {
        let output = plugin(&dir, &["test", filter, cases]);
        assert_eq!(output.status.code(), Some(2), "{filter} {cases}");
        let said = stderr(&output);
        let start = format!("portcullis: cannot test {filter}: {reason}");
        assert!(said.starts_with(&start), "{said}");
    }
    fs::write(dir.path().join("mine.toml"), "[grants]\nfeeds = ['*']").unwrap();
    let output = plugin(&dir, &["test", "mine.wasm", "good.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn filters_are_listed_in_the_order_in_which_they_are_asked() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::write(plugins.join("last.wasm"), BLOCKLIST).unwrap();
    fs::write(
        plugins.join("last.toml"),
        "mode = 'shadow'\n[grants]\nfeeds = ['*']",
    )
    .unwrap();
    fs::write(plugins.join("broken.wasm"), "text").unwrap();
    fs::write(plugins.join("blocklist.toml"), "enabled = false").unwrap();
    let order = "[plugins]\norder = ['last']";
    fs::write(dir.path().join("portcullis.toml"), order).unwrap();

    let output = plugin(&dir, &["list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    let (filters, available) = said.split_once("\nbuilt in, ").unwrap();
    assert_eq!(
        filters,
        "\
no proxy runs on 127.0.0.1:3000 (if yours has another address, name it with --listen or --config); as one would use them:

   name       origin    mode     state
 1 last       file      shadow   ok: judge-host
     is granted, in last.toml:

[grants]
feeds = ['*']

 2 blocklist  built in  -        disabled
 3 broken     file      -        refused: not a WebAssembly binary

not ready, as these cannot judge: the filter broken
"
    );
    assert!(
        available.starts_with("and used as soon as there is plugins/NAME.toml: allowlist, "),
        "{available}"
    );
    let list = json(&plugin(&dir, &["list", "--json"]));
    assert_eq!(list["running"], false);
    let last = serde_json::json!({
        "state": "ok", "name": "last", "builtin": false, "disabled": false, "mode": "shadow",
        "hooks": ["judge-host"], "version": env!("CARGO_PKG_VERSION"),
        "description": "The malicious-domain blocklist, a built-in Portcullis filter",
        "grants": ["feeds = ['*']"],
    });
    assert_eq!(list["plugins"][0], last);
    assert_eq!(list["plugins"][2]["state"], "refused");
}

#[test]
fn a_filter_that_is_refused_is_described_all_the_same() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.wasm"), BLOCKLIST).unwrap();
    let output = plugin(&dir, &["check", "mine.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stdout(&output);
    for part in [
        concat!("mine ", env!("CARGO_PKG_VERSION"), ": a component of "),
        "\nhooks     judge-host\n",
        "\nimports   client, answer, log\n",
        "\ncontract  portcullis:filter@1.0.0\n",
        "\n          feeds, not granted\n",
        "\nmode      enforce, on_error block\n",
        "\nlimits    cpu 5ms, wall 50ms, ",
        "\nrefused: it wants `portcullis:filter/feeds@1.0.0`, which is not granted; if it may have it, begin mine.toml beside the filter with:  grants.feeds = ['*']\n",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("\ncompiled"), "{said}");
    assert!(!said.contains("[grants]"), "one way is enough: {said}");
    let report = json(&plugin(&dir, &["check", "mine.wasm", "--json"]));
    assert_eq!(
        (&report["ok"], &report["cost"]),
        (&false.into(), &serde_json::Value::Null)
    );
    let feeds =
        serde_json::json!({"interface": "feeds", "grant": "feeds = ['*']", "allowed": false});
    assert!(
        report["imports"].as_array().unwrap().contains(&feeds),
        "{report}"
    );

    let settings = "[grants]\nfeeds = ['*']\n[limits]\ncpu = '2ms'\n[config]\nstatus = 200";
    fs::write(dir.path().join("mine.toml"), settings).unwrap();
    let said = stdout(&plugin(&dir, &["check", "mine.wasm"]));
    assert!(said.contains("feeds, granted (feeds = ['*'])"), "{said}");
    assert!(said.contains("\nlimits    cpu 2ms, "), "{said}");
    assert!(
        said.contains(
            "\nrefused: mine.toml:6:10: the filter refuses its configuration: status: 200"
        ),
        "{said}"
    );
}

#[test]
fn a_filter_that_is_used_comes_with_what_it_costs() {
    let dir = TempDir::new().unwrap();
    let output = plugin(&dir, &["check", "blocklist"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    for part in [
        "\ncompiled  in ",
        "\ninstance  starts in ",
        "\nok: a proxy uses it\n",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let report = json(&plugin(&dir, &["check", "blocklist", "--json"]));
    assert_eq!(
        (&report["kind"], &report["ok"]),
        (&"component".into(), &true.into())
    );
    assert_eq!(report["settings"]["limits"]["cpu"], "5ms");
    assert_eq!(report["cost"]["compile_ms"], serde_json::Value::Null);
    assert!(
        report["cost"]["memory_bytes"].as_u64().unwrap() >= 1 << 16,
        "{report}"
    );
}

#[test]
fn what_is_no_filter_is_checked_with_2() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("text.wasm"), "text").unwrap();
    let output = plugin(&dir, &["check", "text.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stdout(&output),
        "text: 4 B, but not whole WebAssembly\n\nrefused: not a WebAssembly binary\n"
    );
    fs::write(dir.path().join("text.toml"), "mod = 'shadow'").unwrap();
    let said = stdout(&plugin(&dir, &["check", "text.wasm"]));
    assert!(
        said.contains("\nrefused: text.toml:1:1: unknown key `mod`"),
        "{said}"
    );
    fs::write(dir.path().join("text.toml"), b"mode = '\xff'").unwrap();
    let said = stdout(&plugin(&dir, &["check", "text.wasm"]));
    assert!(
        said.contains("\nrefused: cannot read text.toml: invalid utf-8"),
        "{said}"
    );
    for (file, reason) in [
        ("gone.wasm", "cannot read gone.wasm"),
        ("gone", "this is neither a file NAME.wasm nor"),
    ] {
        let output = plugin(&dir, &["check", file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        let said = stderr(&output);
        assert!(
            said.contains(&format!("cannot check {file}: {reason}")),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn no_name_of_a_file_has_a_command_print_a_line_or_a_terminal_obey() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    let name = "plugins/x\nall is well\u{1b}[2J";
    let (wasm, log) = (format!("{name}.wasm"), format!("{name}.log"));
    fs::write(dir.path().join(&wasm), BLOCKLIST).unwrap();
    let access =
        "time=2026-11-28T04:52:07Z kind=access id=0 method=CONNECT host=a.example port=443\n";
    fs::write(dir.path().join(&log), access).unwrap();
    let gone = format!("{name}-gone.wasm");
    let forged: &[&[&str]] = &[
        &["explain", "a.example"],
        &["replay", &log, "--plugin", &wasm],
        &["replay", &wasm, "--plugin", &gone],
        &["check"],
        &["check", "--config", &log],
        &["plugin", "list"],
        &["plugin", "check", &wasm],
        &["plugin", "check", &gone],
        &["plugin", "conformance", &wasm],
        &["plugin", "conformance", &gone],
        &["plugin", "bench", &wasm],
        &["plugin", "bench", &gone],
        &["plugin", "test", &wasm, &log],
        &["plugin", "test", &wasm, &gone],
        &[
            "plugin",
            "test",
            &wasm,
            &format!("{name}.cases"),
            "--record",
            &log,
        ],
        &["plugin", "build", name],
    ];
    for arguments in forged {
        let output = portcullis(dir.path()).args(*arguments).output().unwrap();
        let said = stdout(&output) + &stderr(&output);
        assert!(
            said.contains("x\\nall is well\\u{1b}"),
            "{arguments:?} {said}"
        );
        assert!(!said.contains('\u{1b}'), "{arguments:?} {said:?}");
        let is_forged = |line: &str| line.starts_with("all is well");
        assert!(!said.lines().any(is_forged), "{arguments:?} {said}");
    }
}
