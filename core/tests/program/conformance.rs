//! `portcullis plugin conformance`: what it prints, and how it ends.

use std::fs;

use tempfile::TempDir;

use super::plugin::{BLOCKLIST, json, plugin};
use super::{stderr, stdout};

/// The same filter, which says this of itself.
fn with_manifest(wasm: &[u8], manifest: &str) -> Vec<u8> {
    let name = "portcullis-manifest";
    let length = u8::try_from(1 + name.len() + manifest.len()).unwrap();
    assert!(length < 0x80, "it is one byte of a number");
    let head = [0, length, u8::try_from(name.len()).unwrap()];
    [wasm, &head, name.as_bytes(), manifest.as_bytes()].concat()
}

/// For a machine that is busy.
pub(super) const ROOMY: &str = "[grants]\nfeeds = ['*']\n[limits]\ncpu = '10s'\nwall = '20s'\n\
                     start_cpu = '20s'\nstart_wall = '60s'\n";

fn write_filter(dir: &TempDir, name: &str, wasm: &[u8], settings: &str) {
    fs::write(dir.path().join(format!("{name}.wasm")), wasm).unwrap();
    fs::write(dir.path().join(format!("{name}.toml")), settings).unwrap();
}

#[test]
fn conformance_ends_with_2_where_a_check_fails() {
    let dir = TempDir::new().unwrap();
    write_filter(&dir, "good", BLOCKLIST, ROOMY);
    let output = plugin(&dir, &["conformance", "good.wasm"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{said}{}", stderr(&output));
    let start =
        "good, built for portcullis:filter@1.0.0, battery 1.0\n\nS1  pass            it loads\n";
    assert!(said.starts_with(start), "{said}");
    assert!(said.ends_with("\n\nok: no check fails\n"), "{said}");

    let odd = with_manifest(BLOCKLIST, "{\"manifest\": 2}");
    write_filter(&dir, "odd", &odd, ROOMY);
    let output = plugin(&dir, &["conformance", "odd.wasm"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in [
        "\nS1  fail            it loads\n    its manifest cannot be used, ",
        "\nS5  fail            it describes its configuration by a JSON Schema that the proxy can use\n    \
         it has the form 2, and this proxy reads form 1\n    to do: build it again\n",
        "\nJ1  not applicable  a plain exchange is judged\n    it does not load, see S1\n",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(said.ends_with("\n\nrefused: 2 checks fail\n"), "{said}");
    let said = stderr(&output);
    assert!(
        said.starts_with("portcullis: this filter does not keep to the contract"),
        "{said}"
    );
    let report = json(&plugin(&dir, &["conformance", "odd.wasm", "--json"]));
    assert_eq!(
        (&report["ok"], &report["battery"]),
        (&false.into(), &"1.0".into())
    );
    assert_eq!(report["checks"][0]["finding"], "fail");
}

#[test]
fn conformance_ends_with_2_where_nothing_could_be_checked() {
    let dir = TempDir::new().unwrap();
    write_filter(&dir, "off", BLOCKLIST, "enabled = false");
    let output = plugin(&dir, &["conformance", "off.wasm"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let why = "\nS1  environment     it loads\n    its settings say: enabled = false\n    to do: enable it\n";
    assert!(said.contains(why), "{said}");
    let end = "\n\nnot judged: mend first what has `environment`\n";
    assert!(said.ends_with(end), "{said}");

    let output = plugin(&dir, &["conformance", "gone.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let start = "portcullis: cannot check gone.wasm: cannot read gone.wasm";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn a_battery_is_named_by_its_number() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(dir.path().join("plugins/blocklist.toml"), ROOMY).unwrap();
    let output = plugin(&dir, &["conformance", "blocklist", "--battery", "1.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains(", battery 1.0\n"), "{said}");
    for other in ["1.1", "1", ""] {
        let output = plugin(&dir, &["conformance", "blocklist", "--battery", other]);
        assert_eq!(output.status.code(), Some(2), "{other}");
        assert_eq!(stdout(&output), "", "{other}");
        let said = stderr(&output);
        assert!(said.contains("[possible values: 1.0]"), "{said}");
    }
}
