//! Builds the guests below `guests/`, the filters that the tests are made with.
//!
//! `OUT_DIR` holds each of them twice afterwards: NAME.wasm is the component, NAME.module.wasm the
//! core module it was made of.

#[path = "../core/build/wasm.rs"]
mod wasm;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    wasm::report(write_guests())
}

fn write_guests() -> Result<(), wasm::Error> {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    for guest in wasm::build(Path::new("guests"))? {
        fs::write(out.join(format!("{}.wasm", guest.name)), guest.component)?;
        fs::write(
            out.join(format!("{}.module.wasm", guest.name)),
            guest.module,
        )?;
    }
    Ok(())
}
