//! A version of the contract that is later than all that are released, and whether filters link
//! with a proxy that speaks it. `make later` shows what such a proxy answers. The tests of authors'
//! tools include this file, too: they build the filters in JavaScript and Python.

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OptLevel};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

/// A version that adds to 1.0.0: a type and a function in an interface that there is, an interface
/// that filters may import, and a hook. `make later` makes a proxy of it.
const LATER: &str = include_str!("../later/1.1.toml");

/// The part of `LATER` that is about the contract.
#[derive(serde::Deserialize)]
struct Later {
    version: String,
    change: Vec<Change>,
}

/// In the file, one text stands in the place of another.
#[derive(serde::Deserialize)]
struct Change {
    file: String,
    find: String,
    replace: String,
}

fn later() -> Later {
    toml::from_str(LATER).expect("the changes are valid")
}

/// The text of 1.0.0 with what the later version adds.
pub fn grown(text: &str) -> String {
    let later = later();
    let mut grown = as_version(text, &later.version);
    let changes = later.change.iter();
    for change in changes.filter(|change| change.file == "sdk/wit/filter.wit") {
        assert!(grown.contains(&change.find), "it is the text of 1.0.0");
        grown = grown.replace(&change.find, &change.replace);
    }
    grown
}

/// The text as version `version`.
pub fn as_version(text: &str, version: &str) -> String {
    let (before, rest) = text
        .split_once("package portcullis:filter@")
        .expect("a package");
    let (_, after) = rest.split_once(';').expect("its end");
    format!("{before}package portcullis:filter@{version};{after}")
}

/// A component that imports all that a proxy offers which speaks that version.
pub fn imports_all(text: &str, version: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let contract = as_version(text, version);
    resolve
        .push_str("filter.wit", &contract)
        .expect("it is valid");
    let world = format!(
        "package author:filter; world all {{ include portcullis:filter/capabilities@{version}; }}"
    );
    let package = resolve.push_str("world.wit", &world).expect("it is valid");
    let world = resolve
        .select_world(&[package], None)
        .expect("there is one");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("a module takes another section");
    let encoder = ComponentEncoder::default().module(&module);
    let mut encoder = encoder.expect("the world is embedded");
    encoder.encode().expect("it has the world's types")
}

/// Fails if a proxy that speaks the version after `released` could not link the filter.
pub fn link(filter: &[u8], released: &str) -> wasmtime::Result<()> {
    let mut config = Config::new();
    // Nothing runs.
    config.cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config)?;
    let mut linker = Linker::<()>::new(&engine);
    let version = later().version;
    let offered = Component::from_binary(&engine, &imports_all(&grown(released), &version))?;
    let offer = offered.component_type();
    let added = format!("portcullis:filter/tls@{version}");
    assert!(
        offer.imports(&engine).any(|(name, _)| name == added),
        "a proxy that speaks {version} offers what {version} adds"
    );
    linker.define_unknown_imports_as_traps(&offered)?;
    let filter = Component::from_binary(&engine, filter)?;
    linker.instantiate_pre(&filter)?;
    Ok(())
}
