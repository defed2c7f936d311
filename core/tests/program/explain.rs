//! What is said of a host without any traffic.

use std::fs;

use tempfile::TempDir;

use super::{portcullis, stderr, stdout};

/// A folder with the settings of built-in filters.
fn folder(settings: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    for (name, settings) in settings {
        fs::write(dir.path().join("plugins").join(name), settings).unwrap();
    }
    dir
}

fn explain(dir: &TempDir, arguments: &[&str]) -> String {
    let mut command = portcullis(dir.path());
    let output = command.arg("explain").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_filter_that_looks_at_clients_is_asked_as_one() {
    let vendors = "[config]\nclients = [{networks = ['10.1.0.0/16'], hosts = ['vendor.example']}]";
    let dir = folder(&[("allowlist.toml", vendors)]);
    let note = "note: allowlist asked who the client is; name one with --client\n";

    let said = explain(&dir, &["vendor.example"]);
    assert!(said.contains("block by allowlist"), "{said}");
    assert!(said.contains(note), "{said}");

    let said = explain(&dir, &["vendor.example", "--client", "::ffff:10.1.2.3"]);
    assert!(
        said.starts_with("vendor.example port 443 by connect for 10.1.2.3\n"),
        "{said}"
    );
    assert!(said.contains("passes: no filter objects"), "{said}");
    assert!(!said.contains(note), "{said}");

    let asked = ["vendor.example", "--client", "10.2.0.1", "--json"];
    let json: serde_json::Value = serde_json::from_str(&explain(&dir, &asked)).unwrap();
    assert_eq!(json["client"], "10.2.0.1");
    assert_eq!(json["final"]["filter"], "allowlist");
}

#[test]
fn the_table_of_filters_says_what_stands_in_it() {
    let dir = folder(&[("allowlist.toml", "[config]\nhosts = ['a.example']")]);
    let said = explain(&dir, &["b.example"]);
    let mut lines = said.lines().skip_while(|line| !line.is_empty());
    let head = lines.nth(1).unwrap();
    let row = lines.find(|line| line.contains("allowlist")).unwrap();
    let at = |column: &str| head.find(column).unwrap();
    for (column, begins) in [
        ("filter", "allowlist "),
        ("hook", "judge-host "),
        ("verdict", "block "),
        ("why", "b.example is not on the allowlist"),
    ] {
        assert!(row[at(column)..].starts_with(begins), "{column}: {said}");
    }
    assert!(row[..at("time") + "time".len()].ends_with(" us"), "{said}");
    // No proxy runs of which there would be something to say.
    assert!(!said.contains("note: what follows"), "{said}");
    let json = explain(&dir, &["b.example", "--json"]);
    assert!(!json.contains("age_s"), "{json}");
}

#[test]
fn a_filter_that_remembers_was_asked_with_nothing_remembered() {
    let limits = "[config]\nlimits = [{requests = 5, per = '1m'}]";
    let hosts = "[config]\nhosts = ['a.example']";
    let dir = folder(&[("ratelimit.toml", limits), ("allowlist.toml", hosts)]);
    let said = explain(&dir, &["a.example", "--client", "10.0.0.7"]);
    let note = "note: ratelimit remembers things, and was asked here with nothing remembered\n";
    assert!(said.contains(note), "{said}");
    assert_eq!(said.matches(" remembers things").count(), 1, "{said}");
}

#[test]
fn what_a_shadow_filter_would_do_comes_with_its_reason() {
    let dir = folder(&[(
        "allowlist.toml",
        "mode = 'shadow'\n[config]\nhosts = ['a.example']",
    )]);
    let said = explain(&dir, &["b.example", "--client", "10.0.0.7"]);
    assert!(
        said.contains(" us  (shadow: decides nothing)  b.example is not on the allowlist\n"),
        "{said}"
    );
    assert!(said.contains("\npasses: no filter objects\n"), "{said}");
    let json = explain(&dir, &["b.example", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["filters"][0]["reason"],
        "b.example is not on the allowlist"
    );
}

#[test]
fn a_user_is_asked_about_as_one_who_has_logged_in() {
    let dir = folder(&[]);
    let config = "[state]\ndir = 'state'\n[auth]\nusers = 'users'\n\
                  [groups.children]\nnetworks = ['10.9.0.0/16']\nusers = ['ada']\n";
    let users = "ada:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw\n";
    for (file, text) in [("portcullis.toml", config), ("users", users)] {
        fs::write(dir.path().join(file), text).unwrap();
    }
    let mut deny = portcullis(dir.path());
    deny.args(["deny", "games.example", "--group", "children"]);
    assert_eq!(deny.status().unwrap().code(), Some(0));
    let said = explain(&dir, &["games.example"]);
    assert!(said.contains("passes: no filter objects"), "{said}");
    let said = explain(
        &dir,
        &["games.example", "--client", "10.0.0.7", "--user", "ada"],
    );
    let begins = "games.example port 443 by connect for 10.0.0.7 as ada\n";
    assert!(said.starts_with(begins), "{said}");
    assert!(said.contains("\nblock by "), "{said}");
    let json = explain(&dir, &["games.example", "--user", "eve", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["user"], &json["final"]["verdict"]),
        (&"eve".into(), &"next".into())
    );
}
