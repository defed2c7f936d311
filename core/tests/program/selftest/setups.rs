//! The set-ups of SETUPS.md, done as they are written there. What is beyond loopback is in a
//! network namespace of the test's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::super::network::{in_background, in_network, shell};
use super::super::{started_by, there_is};
use super::{all_are, all_hold, json, results, stderr, stdout};

/// What is tried of a company's proxy by everything that knows logins.
const COMPANY: [&str; 9] = [
    "everything below lets pass",
    "a name that a decision",
    "the operator denies",
    "a port for no tunnel",
    "a listener of the proxy",
    "an address of this machine",
    "another address that is not public",
    "cloud metadata",
    "a tunnel, and in its",
];

/// The blocks of code under a heading of SETUPS.md, each with its language.
fn blocks(heading: &str) -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SETUPS.md");
    let text = fs::read_to_string(file).unwrap();
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut parts = section.split("```");
    parts.next();
    let mut blocks = Vec::new();
    while let Some(block) = parts.next() {
        let (language, code) = block.split_once('\n').unwrap();
        blocks.push((language.to_owned(), code.to_owned()));
        parts.next();
    }
    blocks
}

fn code<'a>(blocks: &'a [(String, String)], at: usize, language: &str) -> &'a str {
    let (is, code) = &blocks[at];
    assert_eq!(is, language, "{code}");
    code.trim_end()
}

#[test]
fn a_laptop_holds() {
    if !there_is("ip") {
        return;
    }
    let blocks = blocks("A laptop");
    assert_eq!(code(&blocks, 0, "sh"), "portcullis");
    assert_eq!(code(&blocks, 1, "sh"), "portcullis selftest");
    let dir = TempDir::new().unwrap();
    let script = [
        "trap 'kill $proxy' EXIT",
        &in_background("proxy", code(&blocks, 0, "sh")),
        &format!("{} --json", code(&blocks, 1, "sh")),
    ];
    // The port of the default may be taken elsewhere.
    let output = in_network(dir.path(), &[], &script.join("\n"));
    let said = format!("{} {}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report = json(&output);
    all_hold(
        &report,
        &[
            "everything below lets pass",
            "a name that a decision",
            "a listener of the proxy",
            "an address of this machine",
            "cloud metadata",
            "a tunnel, and in its",
        ],
    );
    // What the settings let pass was not sent to a network.
    all_are(&report, "another address that is not public", "untried");
    assert_eq!(report["broken"], 0);
}

#[test]
fn a_company_holds() {
    if !there_is("ip") {
        return;
    }
    let blocks = blocks("A company's way out");
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    let settings = dir.path().join("portcullis.toml");
    fs::write(settings, code(&blocks, 0, "toml")).unwrap();
    let allowlist = dir.path().join("plugins/allowlist.toml");
    fs::write(allowlist, code(&blocks, 1, "toml")).unwrap();
    // The wiki is another proxy, which is a server that answers.
    let wiki = "cd wiki && exec portcullis --clients 10.20.0.0/16 \
                --listen 10.20.0.5:443 --listen 10.20.0.5:80";
    fs::create_dir(dir.path().join("wiki")).unwrap();
    let parts = [
        "trap 'kill $proxy $server' EXIT\nPASSWORD=secret",
        &in_background("server", &format!("({wiki})")),
        code(&blocks, 2, "sh"),
        &in_background("proxy", code(&blocks, 3, "sh")),
        code(&blocks, 4, "sh"),
    ];
    let script = parts.join("\n");
    for command in ["portcullis check", "--user ada --allowed wiki.corp.example"] {
        assert!(script.contains(command), "{script}");
    }
    // What is read here is what the first self-test says.
    let script = script
        .replace("portcullis check", "portcullis check > check")
        .replace("--user bob", "--json --user bob")
        .replace(
            "--user ada --allowed wiki.corp.example",
            "--user ada --allowed wiki.corp.example > ada",
        );
    let output = in_network(dir.path(), &["10.20.0.1/16", "10.20.0.5/16"], &script);
    let ada = fs::read_to_string(dir.path().join("ada")).unwrap_or_default();
    let said = format!("{} {} {ada}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(ada.contains("by the filter allowlist"), "{ada}");
    let report = json(&output);
    all_hold(
        &report,
        &[
            "may not come in",
            "anything, without a login",
            "with a wrong login",
        ],
    );
    for asked in COMPANY {
        let others = results(&report, asked);
        let others = others.iter().filter(|(by, _)| by != "SOCKS 4a");
        let differing: Vec<_> = others.filter(|(_, result)| result != "held").collect();
        assert!(differing.is_empty(), "{asked} in {report:#}");
    }
    assert_eq!(report["listeners"][0]["client"], "10.20.0.1");
}

#[test]
fn a_job_in_ci_holds() {
    let blocks = blocks("A job in CI");
    let dir = TempDir::new().unwrap();
    let command = code(&blocks, 1, "sh");
    let run = code(&blocks, 0, "sh").split(" -- ").next().unwrap();
    assert_eq!(command, format!("{run} --selftest"));
    let output = shell(dir.path(), command).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{} {}",
        stdout(&output),
        stderr(&output)
    );
    let output = shell(dir.path(), &format!("{command} --json"))
        .output()
        .unwrap();
    let report = json(&output);
    all_hold(
        &report,
        &[
            "a name that a decision",
            "a listener of the proxy",
            "an address of this machine",
            "another address that is not public",
            "cloud metadata",
            "another network",
        ],
    );
    // Both hosts are in another network.
    all_are(&report, "everything below lets pass", "untried");
}

#[test]
fn a_job_that_may_reach_this_machine_is_tried_to_the_end() {
    let dir = TempDir::new().unwrap();
    let command = "portcullis exec --enforce --allow localhost --selftest --json";
    let output = shell(dir.path(), command).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{} {}",
        stdout(&output),
        stderr(&output)
    );
    let report = json(&output);
    all_are(&report, "everything below lets pass", "held");
    all_are(&report, "a tunnel, and in its", "held");

    // Without a boundary there are other networks, of which nothing is asked.
    let command = command.replace("--enforce ", "");
    let output = shell(dir.path(), &command).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    all_are(&json(&output), "another network", "untried");
}

#[test]
fn a_job_without_a_boundary_is_not_called_tested() {
    let dir = TempDir::new().unwrap();
    let script = "echo 0 > /proc/sys/user/max_user_namespaces\n\
                  portcullis exec --enforce --allow pypi.org --selftest";
    let mut within = Command::new("unshare");
    within.args(["--user", "--map-root-user"]);
    let output = started_by(within, &shell(dir.path(), script))
        .output()
        .unwrap();
    assert_eq!((output.status.code(), &*stdout(&output)), (Some(2), ""));
    assert!(
        stderr(&output).contains("there is no boundary"),
        "{}",
        stderr(&output)
    );
}
