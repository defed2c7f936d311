//! Builds the filters below `plugins/` and hands them to the crate: `builtin.rs` includes the table that is written here.

// The tests' build script uses the same file.
#[path = "build/wasm.rs"]
mod wasm;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    wasm::report(embed_plugins())
}

fn embed_plugins() -> Result<(), wasm::Error> {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
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
