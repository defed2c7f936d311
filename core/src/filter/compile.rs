//! Makes machine code of the bytes of a file. Hostile bytes can keep a compiler busy for ever, fill
//! the memory or crash it. A process of its own therefore does this: it reads WebAssembly from
//! standard input and writes machine code to standard output. `compiler` starts that process.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::confine::confine;
use super::engine;
use super::inspect::CompileError;
use super::packages;

/// The environment variable that makes a process compile. Its value says what the process may use.
pub(super) const REQUEST_VAR: &str = "PORTCULLIS_COMPILE";

/// Set by [`run_compiler_child`].
static CALLED: AtomicBool = AtomicBool::new(false);

/// What a compiling process writes before anything else. A program that starts otherwise does not
/// call [`run_compiler_child`].
pub(super) const GREETING: &[u8] = b"portcullis-compiler\n";

/// In place of the limits: only the greeting is wanted.
pub(super) const PROBE: &str = "probe";

/// The exit code of a compiling process that has written a [`CompileError`] as JSON instead of
/// machine code.
pub(super) const REFUSED: u8 = 3;

/// The exit code of one that the system did not give what it needs before it reads the file.
pub(super) const UNREADY: u8 = 4;

/// Compiles a component, or a core module that carries wit-bindgen's section.
pub(super) fn compile(engine: &wasmtime::Engine, wasm: &[u8]) -> Result<Vec<u8>, CompileError> {
    let component = encode(wasm)?;
    engine
        .precompile_component(&component)
        .map_err(|error| CompileError::Invalid(format!("{error:#}")))
}

/// Returns a component as it is, and makes one of a core module.
pub(crate) fn encode(wasm: &[u8]) -> Result<Cow<'_, [u8]>, CompileError> {
    if wasmparser::Parser::is_component(wasm) {
        return Ok(Cow::Borrowed(wasm));
    }
    packages::check(wasm)?;
    wit_component::ComponentEncoder::default()
        .module(wasm)
        .and_then(|encoder| encoder.validate(false).encode())
        .map(Cow::Owned)
        .map_err(|error| CompileError::Encode(format!("{error:#}")))
}

/// What a compiling process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In bytes.
    pub(super) memory: u64,
    /// Computing time of all its threads together, in seconds.
    pub(super) cpu: u64,
    /// The process that waits for it. When that ends, it ends too.
    pub(super) parent: u32,
}

impl Bounds {
    /// The value of [`REQUEST_VAR`].
    pub(super) fn to_env(self) -> String {
        format!("{} {} {}", self.memory, self.cpu, self.parent)
    }

    fn from_env(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        Some(Self {
            memory: words.next()?.parse().ok()?,
            cpu: words.next()?.parse().ok()?,
            parent: words.next()?.parse().ok()?,
        })
    }

    /// Bounds this process from now on. It also lowers its priority, as traffic comes first.
    #[cfg(unix)]
    fn apply_rlimits(self) -> io::Result<()> {
        use rustix::process::{Resource, Rlimit, nice, setrlimit};
        let limit_with = |resource, current, maximum| {
            let (current, maximum) = (Some(current), Some(maximum));
            setrlimit(resource, Rlimit { current, maximum })
        };
        let limit = |resource, bound| limit_with(resource, bound, bound);
        // The address space is not bounded: allocators reserve much more of it than they use.
        limit(Resource::Data, self.memory)?;
        // The maximum kills the process without saying why. The signal before it tells the reason.
        limit_with(Resource::Cpu, self.cpu, self.cpu.saturating_add(1))?;
        limit(Resource::Core, 0)?;
        limit(Resource::Fsize, 0)?;
        // The thread that has started this process may stand back already.
        nice((5 - nice(0)?).max(0))?;
        self.end_with_parent()
    }

    /// Has the system end this process with its parent: a proxy that is killed cannot do it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn end_with_parent(self) -> io::Result<()> {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        if parent == Some(self.parent) {
            return Ok(());
        }
        Err(io::Error::other("the process that asked for this is gone"))
    }

    /// Elsewhere only its limits end it.
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    fn end_with_parent(self) -> io::Result<()> {
        Ok(())
    }

    /// Elsewhere there are no such limits, but the parent still watches the time.
    #[cfg(not(unix))]
    fn apply_rlimits(self) -> io::Result<()> {
        Ok(())
    }
}

/// Compiles a filter if this process was started for that; the process must then end with the code
/// that is returned. A program that [`config::Compiler::program`](crate::config::Compiler) names
/// has to call this before anything else in its `main`, and before anything is written to standard
/// output: a proxy starts it again for each filter that it compiles, with `PORTCULLIS_COMPILE` in
/// the environment.
///
/// ```
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = portcullis::run_compiler_child() {
///         return code;
///     }
///     // The application itself.
///     ExitCode::SUCCESS
/// }
/// ```
#[must_use = "a process that has compiled a filter should end with this code"]
pub fn run_compiler_child() -> Option<ExitCode> {
    CALLED.store(true, Ordering::Relaxed);
    let request = std::env::var(REQUEST_VAR).ok()?;
    Some(match answer(&request) {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    })
}

/// Has the parent read the reason. There is no log here.
fn tell(error: &io::Error) {
    drop(writeln!(io::stderr(), "{error}"));
}

/// Whether this process has called [`run_compiler_child`]. Another process of the same program
/// would do so, too.
pub(super) fn is_entry_called() -> bool {
    CALLED.load(Ordering::Relaxed)
}

/// Whether this process was started to compile a filter.
pub(crate) fn is_compiler_child() -> bool {
    std::env::var_os(REQUEST_VAR).is_some()
}

fn answer(request: &str) -> io::Result<ExitCode> {
    io::stdout().write_all(GREETING)?;
    if request == PROBE {
        return Ok(ExitCode::SUCCESS);
    }
    let bounds = Bounds::from_env(request)
        .ok_or_else(|| io::Error::other(format!("{REQUEST_VAR} is for the proxy to set")))?;
    let engine = match prepare(bounds) {
        Ok(engine) => engine,
        Err(error) => {
            tell(&error);
            return Ok(ExitCode::from(UNREADY));
        }
    };
    let mut wasm = Vec::new();
    io::stdin().read_to_end(&mut wasm)?;
    let (code, output) = match compile(&engine, &wasm) {
        Ok(code) => (ExitCode::SUCCESS, code),
        Err(error) => (ExitCode::from(REFUSED), serde_json::to_vec(&error)?),
    };
    io::stdout().write_all(&output)?;
    Ok(code)
}

/// Bounds and confines this process, and makes what compiles.
fn prepare(bounds: Bounds) -> io::Result<wasmtime::Engine> {
    bounds.apply_rlimits()?;
    confine()?;
    wasmtime::Engine::new(&engine::config()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let bounds = Bounds {
            memory: 1 << 30,
            cpu: 60,
            parent: 1,
        };
        assert_eq!(Bounds::from_env(&bounds.to_env()), Some(bounds));
        assert_eq!(Bounds::from_env("1"), None);
    }
}
