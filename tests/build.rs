//! Builds the guests below `guests/`, the filters that the tests are made with, and the examples
//! for authors.
//!
//! `OUT_DIR` holds each guest twice afterwards: NAME.wasm is the component, NAME.module.wasm the
//! core module it was made of. The examples are in `examples/`, and examples.rs is the table of
//! them.

#[path = "../core/build/wasm.rs"]
mod wasm;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    wasm::report(write_guests(out).and_then(|()| write_examples(out)))
}

fn write_guests(out: &Path) -> Result<(), wasm::Error> {
    for guest in wasm::build(Path::new("guests"))? {
        fs::write(out.join(format!("{}.wasm", guest.name)), guest.component)?;
        fs::write(
            out.join(format!("{}.module.wasm", guest.name)),
            guest.module,
        )?;
    }
    Ok(())
}

fn write_examples(out: &Path) -> Result<(), wasm::Error> {
    let folder = out.join("examples");
    fs::create_dir_all(&folder)?;
    let mut table = String::from("&[\n");
    for example in wasm::build(Path::new("../plugins/examples"))? {
        let file = folder.join(format!("{}.wasm", example.name));
        fs::write(&file, example.component)?;
        writeln!(table, "    ({:?}, include_bytes!({file:?})),", example.name)?;
    }
    table.push_str("]\n");
    fs::write(out.join("examples.rs"), table)?;
    Ok(())
}
