//! Which files stay that cannot be loaded.

use std::os::fd::AsRawFd;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::*;
use crate::filter::engine;

/// Of the WebAssembly that the code in the cache was made of.
const HASH: Hash = [7; 32];

/// A cache in a folder of its own.
struct Stage {
    cache: Cache,
    engine: Engine,
    _dir: TempDir,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(&engine::config()).unwrap();
        let settings = config::Compiler {
            cache_dir: dir.path().join("code"),
            ..config::Compiler::default()
        };
        Self {
            cache: Cache::open(&engine, &settings).unwrap(),
            engine,
            _dir: dir,
        }
    }

    /// Writes what is said to be code with this digest, and gives the name of the file.
    fn write(&self, code: &[u8], digest: &str) -> String {
        let name = format!("{}-{digest}{EXTENSION}", self.cache.stem(HASH));
        self.cache.write(&name, code).unwrap();
        name
    }

    fn finds(&self) -> bool {
        self.cache.find(&self.engine, HASH).is_some()
    }

    fn files(&self) -> Vec<String> {
        self.cache.folder.names().unwrap()
    }
}

/// The code of a small component.
fn code_by(engine: &Engine) -> Vec<u8> {
    let component = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
    engine.precompile_component(&component).unwrap()
}

fn digest_of(code: &[u8]) -> String {
    hex(Sha256::digest(code).into())
}

#[test]
fn a_file_that_is_damaged_is_deleted() {
    let stage = Stage::new();
    let code = code_by(&stage.engine);
    stage.write(&code[1..], &digest_of(&code));
    assert!(!stage.finds());
    assert_eq!(stage.files(), [""; 0]);
}

#[test]
fn a_file_that_another_engine_has_made_is_deleted() {
    let stage = Stage::new();
    let mut settings = engine::config();
    settings.consume_fuel(true);
    let code = code_by(&Engine::new(&settings).unwrap());
    stage.write(&code, &digest_of(&code));
    assert!(!stage.finds());
    assert_eq!(stage.files(), [""; 0]);
}

#[test]
fn a_lack_of_memory_or_descriptors_is_no_fault_of_the_file() {
    let errors = [
        wasmtime::Error::new(io::Error::from(rustix::io::Errno::MFILE)).context("cannot open it"),
        wasmtime::Error::new(rustix::io::Errno::NOMEM).context("cannot map it"),
    ];
    for error in errors.map(Unusable::Engine) {
        assert!(!error.is_of_file(), "{error}");
    }
    let read = Unusable::Read(rustix::io::Errno::NFILE.into());
    assert!(!read.is_of_file());
}

/// Set for the process that runs out of descriptors.
const SHORT: &str = "PORTCULLIS_TEST_SHORT_OF_DESCRIPTORS";

const DONE: &str = "found when there were descriptors again";

/// Runs twice: in the process of the tests, and in the one that it starts, as other tests need
/// descriptors.
#[test]
fn a_file_for_which_there_is_no_descriptor_is_kept() {
    if std::env::var_os(SHORT).is_some() {
        return run_short_of_descriptors();
    }
    let this = concat!(
        "filter::cache::tests::",
        "a_file_for_which_there_is_no_descriptor_is_kept"
    );
    let tried = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture"])
        .env(SHORT, "yes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout);
    let stderr = String::from_utf8_lossy(&tried.stderr);
    assert!(said.contains(DONE), "{said}{stderr}");
}

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn run_short_of_descriptors() {
    let stage = Stage::new();
    let code = code_by(&stage.engine);
    let digest = digest_of(&code);
    let name = stage.write(&code, &digest);
    let limit = getrlimit(Resource::Nofile);
    let lowest_free = File::open("/dev/null").unwrap().as_raw_fd();
    // There is one for reading the file. Mapping it takes another.
    let short = Rlimit {
        current: Some(u64::try_from(lowest_free).unwrap() + 1),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, short).unwrap();
    let loaded = stage.cache.load_file(&stage.engine, &name, &digest);
    let is_found = stage.finds();
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(matches!(loaded, Err(Unusable::Engine(_))));
    assert!(!is_found);
    assert!(stage.finds(), "{:?}", stage.files());
    println!("{DONE}");
}
