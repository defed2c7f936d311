//! Components made of WAT: for guests that no compiler would write. A guest's text says by its
//! imports and exports what it implements, so there is no world to choose.

use std::collections::BTreeSet;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What this proxy speaks.
const CONTRACT: &str = include_str!("../../sdk/wit/filter.wit");

/// What it never offers.
const WASI: &str = "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; }";

/// What a later proxy may have.
const LATER: &str = "package portcullis:filter@1.1.0;
    interface judge-address { judge: func(address: u32) -> bool; }
    interface tls { version: func() -> u16; }
    interface clock { later: func() -> u64; }";

/// Makes a component of a core module in WAT, which may also be for filter API 2.0, have what a
/// later proxy may know, or want a clock of WASI's.
pub(crate) fn component(wat: &str) -> Vec<u8> {
    let next_contract = CONTRACT.replace("1.0.0", "2.0.0");
    component_for(&[CONTRACT, &next_contract, LATER, WASI], wat)
}

/// Makes a component of a core module in WAT, for these packages.
pub(crate) fn component_for(packages: &[&str], wat: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).expect("the guest is valid WAT");
    let mut wit = Resolve::default();
    for package in packages {
        wit.push_str("guest.wit", package).expect("valid WIT");
    }
    let package = wit.push_str("world.wit", &world(wat));
    let package = package.expect("the guest's imports and exports exist");
    let world = wit.select_world(&[package], None).expect("there is one");
    embed_component_metadata(&mut module, &wit, world, StringEncoding::UTF8)
        .expect("a module takes another section");
    let encoder = ComponentEncoder::default().module(&module);
    let mut encoder = encoder.expect("the world is embedded");
    let component = encoder.encode();
    component.expect("the guest's functions have the contract's types")
}

/// Makes a component of a core module in WAT that has the section in which bindings say what it
/// implements.
pub(crate) fn component_as_built(wat: &str) -> Vec<u8> {
    let module = wat::parse_str(wat).expect("the guest is valid WAT");
    let encoder = ComponentEncoder::default().module(&module);
    let mut encoder = encoder.expect("it says what it implements");
    let component = encoder.encode();
    component.expect("the guest's functions have the contract's types")
}

/// A world of the interfaces whose names stand in the guest's text.
fn world(wat: &str) -> String {
    let quoted = |before| {
        wat.split(before)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
    };
    let imports = quoted("(import \"").map(|interface| format!("import {interface};"));
    // What is no function of an interface, such as the memory, is no export of the component.
    let hooks = quoted("(export \"").filter_map(|name| name.split_once('#'));
    let exports = hooks.map(|(interface, _)| format!("export {interface};"));
    // Each interface once, however many of its functions there are.
    let items: BTreeSet<String> = imports.chain(exports).collect();
    let items = String::from_iter(items);
    format!("package portcullis:guests; world guest {{ {items} }}")
}
