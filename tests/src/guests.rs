//! The filters below `guests/`: crates, as the build script has compiled them, and WAT files, made
//! components when they are asked for.

use std::path::Path;

use wasm_encoder::{Component, ComponentSectionId, CustomSection, Module, RawSection, Section};

use crate::wat;

macro_rules! guest {
    ($(#[$doc:meta])* $name:ident = $file:literal) => {
        $(#[$doc])*
        pub fn $name() -> &'static [u8] {
            include_bytes!(concat!(env!("OUT_DIR"), "/", $file))
        }
    };
}

guest! {
    /// Asks for facts of exchanges with its `host`, each as the one before it was, and blocks with
    /// all that it was told.
    asks = "asks.wasm"
}
guest! {
    /// Blocks hosts that begin with `blocked.`; takes no configuration.
    bare = "bare.wasm"
}
guest! {
    /// [`bare`] as a core module.
    bare_module = "bare.module.wasm"
}
guest! {
    /// Lets each host have `limit` requests in all, or in each `window_ms`.
    counter = "counter.wasm"
}
guest! {
    /// Changes header fields (`request`, `response`, each with `set` and `remove`) and answers for
    /// origins (`replace`, `block`).
    editor = "editor.wasm"
}
guest! {
    /// Answers with what a filter can know of a request.
    facts = "facts.wasm"
}
guest! {
    /// Blocks by method, URL and header fields (`methods`, `urls`, `headers`).
    headers = "headers.wasm"
}
guest! {
    /// Traps where the proxy says no to what it asks for (`on`), or reports that (`reports`).
    insists = "insists.wasm"
}
guest! {
    /// Tells in every hook which facts it can know.
    knows = "knows.wasm"
}
guest! {
    /// Remembers `bytes` bytes for every host.
    hoarder = "hoarder.wasm"
}
guest! {
    /// Does what the first label of the host says; greets with `greeting`.
    obeys = "obeys.wasm"
}
guest! {
    /// [`obeys`] as a core module.
    obeys_module = "obeys.module.wasm"
}
guest! {
    /// Panics where the host contains "panic".
    panics = "panics.wasm"
}
guest! {
    /// Blocks every host with the number of times it was asked, a verdict that holds for `seconds`.
    remembers = "remembers.wasm"
}
guest! {
    /// Blocks the suffixes in `block`, without which it does not start.
    suffix = "suffix.wasm"
}
guest! {
    /// Blocks every host with a number that it counts up in the background, each `pause_ms`.
    ticker = "ticker.wasm"
}
guest! {
    /// Tells in every hook what the functions answer that are about no exchange.
    uses = "uses.wasm"
}
guest! {
    /// [`suffix`] as a core module.
    suffix_module = "suffix.module.wasm"
}

/// The examples for authors, each by the name of its folder.
pub const EXAMPLES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// The component made of a filter's text that is kept, built for a released text of the contract.
/// What a compiler has made says itself what it was built for, and a package is kept as it is.
pub fn kept(wat: &str, contract: &str) -> Vec<u8> {
    if wat.contains("\n(component binary") {
        return ::wat::parse_str(wat).expect("the bytes of the package");
    }
    if wat.contains("\"component-type:") {
        return wat::component_as_built(wat);
    }
    wat::component_for(&[contract], wat)
}

/// The component made of `guests/NAME.wat`, whose first line says what it does.
pub fn wat(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let text = std::fs::read_to_string(folder.join(format!("{name}.wat")));
    wat::component(&text.expect("the guest's text"))
}

/// A component that says this of itself, whatever it said before.
pub fn with_manifest(component: &[u8], manifest: &[u8]) -> Vec<u8> {
    let mut component = component.to_vec();
    let section = CustomSection {
        name: "portcullis-manifest".into(),
        data: manifest.into(),
    };
    section.append_to(&mut component);
    component
}

/// A module of the corpus of files that are fuzzed.
pub fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/component");
    let module = ::wat::parse_file(folder.join(format!("{name}.wat")));
    module.expect("the module's text")
}

/// A module that says in a section what it implements: `depth` types, one in the other.
pub fn nested_types(depth: usize) -> Vec<u8> {
    // One type; each is that of a component which declares one thing, a type; the last is empty.
    let types = [&[1], &[0x41, 1, 1].repeat(depth)[..], &[0x41, 0]].concat();
    let mut component = Component::new();
    component.section(&RawSection {
        id: ComponentSectionId::Type.into(),
        data: &types,
    });
    let mut module = Module::new();
    module.section(&CustomSection {
        name: "component-type:nested".into(),
        data: component.finish().into(),
    });
    module.finish()
}

/// A filter of a few kilobytes that keeps a compiler busy: `depth` loops, one in the other, around
/// a change of all `locals`.
pub fn nested_loops(depth: usize, locals: usize) -> Vec<u8> {
    let change = |local| format!("(local.set {local} (i32.add (local.get {local}) (i32.const 1)))");
    let changes: String = (0..locals).map(change).collect();
    let locals = "i32 ".repeat(locals);
    let opening = "(loop ".repeat(depth);
    let closing = "(br_if 0 (local.get 0)))".repeat(depth);
    next_with(&format!(
        "(func (local {locals}) {opening} {changes} {closing})"
    ))
}

/// A filter with a `switch` that changes one of the `locals` in each of its `cases` and falls
/// through: no loop, and long work for a compiler.
pub fn switch(cases: usize, locals: usize) -> Vec<u8> {
    let labels: String = (0..cases).map(|case| format!("{case} ")).collect();
    let change = |case: usize| {
        let local = case % locals;
        format!(") (local.set {local} (i32.add (local.get {local}) (local.get 0)))")
    };
    let (blocks, changes) = ("(block ".repeat(cases), (0..cases).map(change));
    let changes: String = changes.collect();
    let locals = "i32 ".repeat(locals);
    next_with(&format!(
        "(func (local {locals}) {blocks} (br_table {labels} (local.get 0)) {changes})"
    ))
}

/// A filter with `count` functions that do nothing.
pub fn functions(count: usize) -> Vec<u8> {
    next_with(&"(func)".repeat(count))
}

/// A filter that does `work` for hosts that begin with `x` in a straight line, without a loop or a
/// call of its own functions, and has no opinion on any. Its memory has 60 MB. `imports` are fields
/// of the module.
pub fn straight_line(imports: &str, work: &str) -> Vec<u8> {
    with_large_memory(
        imports,
        &format!(
            r#"(func (export "portcullis:filter/judge-host@1.0.0#judge")
              (param $host i32) (param i32 i32) (result i32)
              (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) (then {work}))
              (i32.const 0))"#
        ),
    )
}

/// The same for a filter that does `work` in `init`.
pub fn starting(imports: &str, work: &str) -> Vec<u8> {
    with_large_memory(
        imports,
        &format!(
            r#"(func (export "portcullis:filter/lifecycle@1.0.0#init")
              (param i32 i32) (result i32) {work} (i32.const 0))
            (func (export "portcullis:filter/judge-host@1.0.0#judge")
              (param i32 i32 i32) (result i32) (i32.const 0))"#
        ),
    )
}

/// The same for a filter that does `work` in the background, and judges nothing.
pub fn ticking(imports: &str, work: &str) -> Vec<u8> {
    with_large_memory(
        imports,
        &format!(
            r#"(func (export "portcullis:filter/tick@1.0.0#tick") (result i32)
              {work} (i32.const 0))"#
        ),
    )
}

/// A filter with these hooks. What begins at 0 in its memory is an answer without an opinion.
fn with_large_memory(imports: &str, hooks: &str) -> Vec<u8> {
    wat::component(&format!(
        r#"(module {imports}
          (memory (export "memory") 950)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          {hooks})"#
    ))
}

/// A filter with so many memories.
pub fn memories(count: usize) -> Vec<u8> {
    next_with(&"(memory 1)".repeat(count - 1))
}

/// A filter of about `bytes` bytes, in functions of ordinary size: what language runtimes are.
pub fn large(bytes: usize) -> Vec<u8> {
    /// As the statement below is encoded, with constants of five bytes.
    const STATEMENT: usize = 21;
    const STATEMENTS: usize = 80;
    let statement = |function: usize, line: usize| {
        let constant = 1_000_000_000 + function * STATEMENTS + line;
        format!(
            "(local.set 0 (i32.add (i32.const {constant}) (i32.mul (local.get 1)
               (i32.load offset={line} (i32.and (local.get 0) (i32.const 1023))))))\n"
        )
    };
    let function = |function| {
        let body: String = (0..STATEMENTS)
            .map(|line| statement(function, line))
            .collect();
        format!("(func (param i32 i32) (result i32) {body} (local.get 0))\n")
    };
    let functions: String = (0..bytes / STATEMENT / STATEMENTS).map(function).collect();
    next_with(&functions)
}

/// A filter that has no opinion, and more code beside.
fn next_with(functions: &str) -> Vec<u8> {
    wat::component(&format!(
        r#"(module
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
          (func (export "portcullis:filter/judge-host@1.0.0#judge")
            (param i32 i32 i32) (result i32) (i32.const 0))
          {functions})"#
    ))
}
