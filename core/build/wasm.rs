//! Builds filter crates for wasm32-unknown-unknown and makes components of them.
//!
//! Called by the build scripts of `core` (the built-in filters) and of `tests` (its guests). It
//! knows nothing of what a filter does; `toolchain` finds the compiler.

#[path = "toolchain.rs"]
mod toolchain;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fmt, fs};

use toml::{Table, Value};
use toolchain::{Missing, ROUTE, RUSTC, TARGET, variable};

/// The profile in the workspace's Cargo.toml that filters are built with.
const PROFILE: &str = "filter";

pub(crate) type Error = Box<dyn std::error::Error>;

/// One filter, built.
pub(crate) struct Filter {
    /// The name of its folder.
    pub(crate) name: String,
    /// Whether its manifest says that it runs without being asked for.
    #[allow(dead_code, reason = "only the proxy's build script reads it")]
    pub(crate) default: bool,
    /// The core module as the compiler wrote it.
    #[allow(dead_code, reason = "only the tests' build script reads it")]
    pub(crate) module: Vec<u8>,
    /// The module, encoded as a component.
    pub(crate) component: Vec<u8>,
}

/// Builds every crate that is a direct subfolder of `dir`, sorted by name.
pub(crate) fn build(dir: &Path) -> Result<Vec<Filter>, Error> {
    let crates = crates(dir)?;
    rerun_if_changed(&crates);
    let rustc = rustc()?;
    let build = |one| encode(one, &compile(one, &rustc)?);
    crates.iter().map(build).collect()
}

/// Tells cargo how the build script ended, in lines that it shows as errors.
pub(crate) fn report(outcome: Result<(), Error>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    for line in error.to_string().lines() {
        println!("cargo::error={line}");
    }
    ExitCode::FAILURE
}

struct Crate {
    dir: PathBuf,
    folder: String,
    package: String,
    default: bool,
}

fn crates(dir: &Path) -> Result<Vec<Crate>, Error> {
    let mut crates = Vec::new();
    let entries =
        fs::read_dir(dir).map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
    for entry in entries {
        let dir = entry?.path();
        let file = dir.join("Cargo.toml");
        let Ok(manifest) = fs::read_to_string(&file) else {
            continue;
        };
        let unusable = |problem: &dyn fmt::Display| format!("{}: {problem}", file.display());
        let manifest: Table = manifest.parse().map_err(|error| unusable(&error))?;
        let name = at(&manifest, &["package", "name"]).and_then(Value::as_str);
        let package = name.ok_or_else(|| unusable(&"there is no package.name"))?;
        let default = at(&manifest, &["package", "metadata", "portcullis", "default"]);
        let folder = dir.file_name().unwrap_or_default().to_string_lossy();
        crates.push(Crate {
            folder: folder.into_owned(),
            package: package.to_owned(),
            default: default.and_then(Value::as_bool).unwrap_or_default(),
            dir,
        });
    }
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(crates)
}

/// The value that the keys lead to.
fn at<'a>(manifest: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    let value = manifest.get(*first)?;
    rest.iter().try_fold(value, |value, key| value.get(key))
}

fn workspace() -> PathBuf {
    let manifest_dir =
        PathBuf::from(variable("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    manifest_dir.join("..")
}

fn rerun_if_changed(crates: &[Crate]) {
    // The crates one by one, because `plugins/` is also where an operator drops .wasm files. A new
    // crate changes Cargo.lock.
    for one in crates {
        println!("cargo::rerun-if-changed={}", one.dir.display());
    }
    let root = workspace();
    for path in [
        "Cargo.toml",
        "Cargo.lock",
        "sdk/Cargo.toml",
        "sdk/contract",
        "sdk/macros",
        "sdk/src",
        "sdk/wit",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    for variable in [RUSTC, ROUTE] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
}

fn rustc() -> Result<PathBuf, Error> {
    let own = variable("RUSTC").map(PathBuf::from);
    toolchain::rustc(own.as_deref(), &workspace()).map_err(|missing| match missing {
        Missing::Named(rustc) => format!(
            "{RUSTC} is {}, which cannot compile for {TARGET}, so the filters that belong into the proxy cannot be built.\n\
             Name one that can, or unset it and run `make setup`, which gets one",
            rustc.display()
        )
        .into(),
        Missing::Route(route) => format!(
            "no compiler for {TARGET} was found, so the filters that belong into the proxy cannot be built.\n\
             Run `make setup`, which gets one, or, with rustup: rustup target add {TARGET}\n\
             ({ROUTE} is {}; {RUSTC} can name a rustc that has the target)",
            route.as_deref().unwrap_or("not set")
        )
        .into(),
    })
}

/// Compiles one crate and gives the file with its module.
fn compile(one: &Crate, rustc: &Path) -> Result<PathBuf, Error> {
    let target_dir = target_dir();
    let mut cargo = inner_cargo(rustc);
    // Cargo.lock is right, or the outer cargo would not have come this far.
    cargo.args(["rustc", "--lib", "--locked", "--package", &one.package]);
    // A crate that is a library for its own tests too would go without link-time optimisation, and
    // be half as large again.
    cargo.args(["--crate-type", "cdylib"]);
    cargo.args(["--target", TARGET, "--profile", PROFILE]);
    cargo.arg("--target-dir").arg(&target_dir);
    let status = cargo
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!(
            "building {} with {} failed, see above ({status})",
            one.package,
            rustc.display()
        )
        .into());
    }
    let file = one.package.replace('-', "_") + ".wasm";
    Ok(target_dir.join(TARGET).join(PROFILE).join(file))
}

/// Cargo in the environment of the user, not of the build that runs this script.
fn inner_cargo(rustc: &Path) -> Command {
    let mut cargo = Command::new(variable("CARGO").expect("cargo sets CARGO"));
    let names = env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| belongs_to_outer_build(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    // Flags are for the proxy; set to nothing, they also overrule those of a configuration file.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "");
    cargo.env("RUSTC", rustc).current_dir(workspace());
    cargo
}

/// One target folder for the filters of all profiles and both build scripts. It is not the outer
/// cargo's own, whose lock is held while this runs.
fn target_dir() -> PathBuf {
    let out = PathBuf::from(variable("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = out
        .ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").exists())
        .unwrap_or(&out);
    target.join("filters")
}

/// Whether a variable speaks of the build that runs this script: its features, profiles, flags,
/// wrappers (clippy, coverage). What says where cargo keeps things, how it reaches the network and
/// how many jobs it may run holds for both.
fn belongs_to_outer_build(name: &str) -> bool {
    const SHARED: [&str; 6] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_TERM_",
    ];
    const OUTER: [&str; 6] = [
        "CARGO",
        "CLIPPY",
        "LLVM_PROFILE_FILE",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
    ];
    let starts = |prefix: &&str| name.trim_start_matches('_').starts_with(prefix);
    OUTER.iter().any(starts) && !SHARED.iter().any(starts)
}

fn encode(one: &Crate, file: &Path) -> Result<Filter, Error> {
    let module =
        fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{} does not keep to sdk/wit: {error:#}", one.package))?;
    Ok(Filter {
        name: one.folder.clone(),
        default: one.default,
        module,
        component,
    })
}
