//! What stands in for the proxy in the native tests of filters in JavaScript and Python.

use std::fs;
use std::path::Path;

use wit_parser::Resolve;

use super::{Author, stderr};
use crate::languages::there_is;

/// The interfaces that a filter may import, each with its functions, as the contract names them.
fn contract() -> Vec<(String, Vec<String>)> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some("capabilities"));
    let imports = resolve.worlds[world.unwrap()].imports.values();
    let interfaces = imports.map(|item| match item {
        wit_parser::WorldItem::Interface { id, .. } => &resolve.interfaces[*id],
        item => panic!("{item:?} is no interface"),
    });
    let interfaces = interfaces.filter(|interface| !interface.functions.is_empty());
    interfaces
        .map(|interface| {
            let functions = interface.functions.keys().cloned();
            (interface.name.clone().unwrap(), functions.collect())
        })
        .collect()
}

/// `compare-and-set` is `compareAndSet`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| {
        name + &word[..1].to_ascii_uppercase() + &word[1..]
    })
}

#[test]
fn a_test_in_javascript_finds_all_that_the_proxy_offers() {
    if !there_is("node") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "no-ads"]);
    let contract = contract();
    assert!(contract.len() >= 15, "{contract:?}");
    let imports = contract.iter().map(|(interface, functions)| {
        let functions = functions
            .iter()
            .map(|name| format!("{} as {interface}_{name}", camel_case(name)).replace('-', "_"));
        let functions: Vec<_> = functions.collect();
        let functions = functions.join(", ");
        format!("import {{ {functions} }} from 'portcullis:filter/{interface}@1.0.0';\n")
    });
    fs::write(dir.join("all.js"), imports.collect::<String>()).unwrap();
    let mut node = author.command("node");
    let node = node.args(["--import", "./proxy/mock.js", "all.js"]);
    let output = node.current_dir(&dir).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_test_in_python_finds_all_that_the_proxy_offers() {
    if !there_is("python3") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    let imports = contract().into_iter().map(|(interface, functions)| {
        let functions = functions.join(", ");
        format!("from wit_world.imports.{interface} import {functions}\n").replace('-', "_")
    });
    let program = format!("import tests\n{}", imports.collect::<String>());
    let mut python = author.command("python3");
    let output = python.args(["-c", &program]).current_dir(&dir).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_filter_in_javascript_that_asks_for_much_is_tested_natively() {
    if !there_is("node") || !there_is("npm") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "no-ads"]);
    let filter = include_str!("mocks/filter.js");
    fs::write(dir.join("src/filter.js"), filter).unwrap();
    let tests = include_str!("mocks/filter.test.js");
    fs::write(dir.join("test/filter.test.js"), tests).unwrap();
    let test = author.command("npm").arg("test").current_dir(&dir).output();
    let test = test.unwrap();
    let said = String::from_utf8_lossy(&test.stdout);
    assert_eq!(test.status.code(), Some(0), "{said}");
    assert!(
        said.contains("a client may shop twice during working hours"),
        "{said}"
    );
}

#[test]
fn a_filter_in_python_that_asks_for_much_is_tested_natively() {
    if !there_is("python3") {
        return;
    }
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "no-ads"]);
    fs::write(dir.join("app.py"), include_str!("mocks/app.py")).unwrap();
    let tests = include_str!("mocks/test_app.py");
    fs::write(dir.join("tests/test_app.py"), tests).unwrap();
    let mut test = author.command("python3");
    let test = test.args(["-m", "unittest"]).current_dir(&dir).output();
    let test = test.unwrap();
    assert_eq!(test.status.code(), Some(0), "{}", stderr(&test));
    assert!(stderr(&test).contains("Ran 22 tests"), "{}", stderr(&test));
}
