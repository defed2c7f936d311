//! Builds the filters below `plugins/` and hands them to the crate: `builtin.rs` includes the table
//! that is written here. So do the modules of `author` with the files that `portcullis plugin new`
//! writes.

#[path = "build/embed.rs"]
mod embed;
// The tests' build script uses the same file.
#[path = "build/wasm.rs"]
mod wasm;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasm::Error;

fn main() -> ExitCode {
    if env::var_os("CARGO_FEATURE_FUZZING").is_some() {
        println!("cargo::rustc-cfg=fuzzing");
    }
    wasm::report(embed())
}

fn embed() -> Result<(), Error> {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    embed_plugins(out)?;
    embed::write_tables(out)
}

fn embed_plugins(out: &Path) -> Result<(), Error> {
    let mut table = String::from("&[\n");
    for filter in wasm::build(Path::new("../plugins"))? {
        let file = out.join(format!("{}.wasm", filter.name));
        fs::write(&file, &filter.component)?;
        writeln!(
            table,
            "    Builtin {{ name: {:?}, component: include_bytes!({file:?}), default: {} }},",
            filter.name, filter.default
        )?;
    }
    table.push_str("]\n");
    fs::write(out.join("builtin.rs"), table)?;
    Ok(())
}
