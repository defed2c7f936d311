//! A version of the contract that is later than all that are released, and whether filters link
//! with a proxy that speaks it. The tests of authors' tools, which have the filters in JavaScript
//! and Python as these tools build them, take this file as their own.

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OptLevel};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

/// The version that adds to 1.0.0.
const LATER: &str = "1.1.0";

/// The text of 1.0.0 with more: a type and a function in an interface that there is, an interface
/// that filters may import, and a hook.
pub fn grown(text: &str) -> String {
    let mut grown = text.to_owned();
    for (line, more) in [
        (
            "interface domains {\n",
            "  record halves { name: string, suffix: string }\n",
        ),
        (
            "  registrable: func(host: string) -> option<string>;\n",
            "  split: func(host: string) -> option<halves>;\n",
        ),
        ("  import domains;\n", "  import tls;\n"),
    ] {
        assert!(grown.contains(line), "it is the text of 1.0.0");
        grown = grown.replace(line, &format!("{line}{more}"));
    }
    grown
        + "interface tls { use types.{ip-address}; peer: func() -> option<ip-address>; }\n\
           interface judge-address { use types.{verdict, ip-address};\n\
           judge: func(address: ip-address) -> result<verdict, string>; }\n\
           world judge-address-hook { export judge-address; }\n"
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
    let offered = Component::from_binary(&engine, &imports_all(&grown(released), LATER))?;
    let offer = offered.component_type();
    let added = format!("portcullis:filter/tls@{LATER}");
    assert!(
        offer.imports(&engine).any(|(name, _)| name == added),
        "a proxy that speaks {LATER} offers what {LATER} adds"
    );
    linker.define_unknown_imports_as_traps(&offered)?;
    let filter = Component::from_binary(&engine, filter)?;
    linker.instantiate_pre(&filter)?;
    Ok(())
}
