//! Tables of the text files that `portcullis plugin new` writes: the templates, and the SDK in a
//! workspace of its own. Called by the build script of `core`; `author` includes the tables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::{Table, Value};

use crate::Error;

/// Writes the tables `templates.rs` and `sdk.rs` into `out`. Each is an array of paths with slashes
/// and contents, sorted by path.
pub(crate) fn write_tables(out: &Path) -> Result<(), Error> {
    let core = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let templates = core.join("templates");
    let root = core.join("..");
    write_table(
        &files_below(&templates, &templates)?,
        &out.join("templates.rs"),
    )?;

    let mut sdk = files_below(&root.join("sdk"), &root)?;
    let manifest = out.join("sdk-workspace.toml");
    fs::write(&manifest, workspace_of_sdk(&root, &sdk)?)?;
    sdk.push(("Cargo.toml".into(), manifest));
    // `sdk/toolchain.sh` reads in one of them which Rust to install.
    for file in ["rust-toolchain.toml", "LICENSE-APACHE", "LICENSE-MIT"] {
        sdk.push((file.into(), root.join(file)));
    }
    sdk.sort();
    write_table(&sdk, &out.join("sdk.rs"))
}

type Files = Vec<(String, PathBuf)>;

/// Every file below `dir` by its path from `root`, without what is hidden, was built, or tests the
/// SDK itself.
fn files_below(dir: &Path, root: &Path) -> Result<Files, Error> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files = Files::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_of_sources = !name.starts_with('.') && name != "target";
        let is_ours = ["sdk/tests", "sdk/wit/released"].map(|folder| root.join(folder));
        if !is_of_sources || is_ours.contains(&path) {
            continue;
        }
        if path.is_dir() {
            files.extend(files_below(&path, root)?);
        } else {
            let below_root = path.strip_prefix(root)?.iter();
            let parts: Vec<_> = below_root.map(|part| part.to_string_lossy()).collect();
            files.push((parts.join("/"), path));
        }
    }
    files.sort();
    Ok(files)
}

/// The top Cargo.toml with nothing but what the SDK's crates take from it.
fn workspace_of_sdk(root: &Path, sdk: &Files) -> Result<String, Error> {
    let file = root.join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    let mut manifest: Table = fs::read_to_string(file)?.parse()?;
    let mut members = Vec::new();
    let mut inherited = Vec::new();
    for (path, file) in sdk {
        if let Some(folder) = path.strip_suffix("/Cargo.toml") {
            members.push(Value::from(folder));
            inherited.extend(inherited_dependencies(&fs::read_to_string(file)?.parse()?));
        }
    }
    let workspace = table(&mut manifest, "workspace")?;
    workspace.retain(|key, _| matches!(key, "resolver" | "package" | "dependencies" | "lints"));
    table(workspace, "dependencies")?.retain(|name, _| inherited.iter().any(|used| used == name));
    workspace.insert("members".into(), members.into());
    manifest.retain(|key, _| key == "workspace");
    Ok(toml::to_string(&manifest)?)
}

fn table<'a>(parent: &'a mut Table, key: &str) -> Result<&'a mut Table, Error> {
    let table = parent.get_mut(key).and_then(Value::as_table_mut);
    table.ok_or_else(|| format!("the top Cargo.toml has no table `{key}`").into())
}

/// The names of all dependencies that say `workspace = true`, wherever in the manifest.
fn inherited_dependencies(manifest: &Table) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in manifest {
        let Value::Table(inner) = value else {
            continue;
        };
        match inner.get("workspace") {
            Some(Value::Boolean(true)) => names.push(name.clone()),
            _ => names.extend(inherited_dependencies(inner)),
        }
    }
    names
}

fn write_table(files: &Files, to: &Path) -> Result<(), Error> {
    let mut table = String::from("&[\n");
    for (path, file) in files {
        writeln!(table, "    ({path:?}, include_str!({file:?})),")?;
    }
    table.push_str("]\n");
    fs::write(to, table)?;
    Ok(())
}
