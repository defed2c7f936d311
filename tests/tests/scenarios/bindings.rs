//! The SDK carries what wit-bindgen generates of its contract, so that building a filter does not
//! build wit-bindgen, which takes longer than all else together.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, Ownership, WithOption};
use wit_parser::Resolve;

/// Says that the files are to be written, not compared.
const UPDATE: &str = "PORTCULLIS_UPDATE_BINDINGS";

const TYPES: &str = "portcullis:filter/types@1.0.0";

/// As the contract names them, each with what the SDK needs of it.
fn worlds() -> impl Iterator<Item = (&'static str, Opts)> {
    let types = "crate::bindings::capabilities::portcullis::filter::types";
    let hook = move |with_types: bool| Opts {
        format: true,
        pub_export_macro: true,
        with: with_types
            .then(|| (TYPES.into(), WithOption::Path(types.into())))
            .into_iter()
            .collect(),
        ..Opts::default()
    };
    let capabilities = Opts {
        format: true,
        generate_unused_types: true,
        // What a filter hands to the proxy is borrowed from it.
        ownership: Ownership::Borrowing {
            duplicate_if_necessary: true,
        },
        ..Opts::default()
    };
    let hooks = [
        ("lifecycle-hook", hook(false)),
        ("judge-host-hook", hook(true)),
        ("judge-request-hook", hook(true)),
        ("judge-response-hook", hook(true)),
        ("exchange-ended-hook", hook(false)),
        ("tick-hook", hook(true)),
    ];
    [("capabilities", capabilities)].into_iter().chain(hooks)
}

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk")
}

fn generate(world: &str, opts: Opts) -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(sdk().join("wit"))
        .expect("the contract is valid");
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("the contract has the world");
    let mut files = Files::default();
    let mut generator = opts.build();
    generator
        .generate(&mut resolve, world, &mut files)
        .expect("wit-bindgen can do it");
    let (_, source) = files.iter().next().expect("it writes a file");
    String::from_utf8(source.to_vec()).expect("which is text")
}

#[test]
fn the_bindings_in_the_sdk_are_those_of_its_contract() {
    for (world, opts) in worlds() {
        let file = sdk()
            .join("src/bindings")
            .join(world.replace('-', "_") + ".rs");
        let generated = generate(world, opts);
        if env::var_os(UPDATE).is_some() {
            fs::write(&file, &generated).expect("the file can be written");
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == generated,
            "{} is out of date; to write it anew: {UPDATE}=1 cargo test -p portcullis-tests --test bindings",
            file.display()
        );
    }
}
