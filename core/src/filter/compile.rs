//! From the bytes of a file to machine code. Hostile bytes can keep a compiler busy for ever, fill the memory or make it crash, so this is
//! what a process of its own does: it reads WebAssembly from standard input and writes machine code to standard output.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use super::engine;
use super::inspect::CompileError;

/// In the environment of a compiling process: what it may use.
pub(super) const ORDER: &str = "PORTCULLIS_COMPILE";

/// How a compiling process ends that has written a [`CompileError`] as JSON instead of machine code.
pub(super) const REFUSED: u8 = 3;

/// Components are taken as they are; core modules that carry wit-bindgen's section are encoded.
pub(super) fn compile(engine: &wasmtime::Engine, wasm: &[u8]) -> Result<Vec<u8>, CompileError> {
    let component = encode(wasm)?;
    engine
        .precompile_component(&component)
        .map_err(|error| CompileError::Invalid(format!("{error:#}")))
}

/// The component itself, or the one that is made of a core module.
pub(crate) fn encode(wasm: &[u8]) -> Result<Cow<'_, [u8]>, CompileError> {
    if wasmparser::Parser::is_component(wasm) {
        return Ok(Cow::Borrowed(wasm));
    }
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
    /// Computing time of all threads together, in seconds.
    pub(super) cpu: u64,
    /// The process that waits for it: it ends with that.
    pub(super) parent: u32,
}

impl Bounds {
    pub(super) fn order(self) -> String {
        format!("{} {} {}", self.memory, self.cpu, self.parent)
    }

    fn of_order(order: &str) -> Option<Self> {
        let mut words = order.split(' ');
        Some(Self {
            memory: words.next()?.parse().ok()?,
            cpu: words.next()?.parse().ok()?,
            parent: words.next()?.parse().ok()?,
        })
    }

    /// For this process, from now on. It also gives way to whoever has traffic to serve.
    #[cfg(unix)]
    fn hold(self) -> io::Result<()> {
        use rustix::process::{Resource, Rlimit, nice, setrlimit};
        let limit_with = |resource, current, maximum| {
            let (current, maximum) = (Some(current), Some(maximum));
            setrlimit(resource, Rlimit { current, maximum })
        };
        let limit = |resource, bound| limit_with(resource, bound, bound);
        // Not the address space: allocators reserve much more of it than they use.
        limit(Resource::Data, self.memory)?;
        // Whoever reaches the maximum is killed without a word why; what comes before it is a signal that tells.
        limit_with(Resource::Cpu, self.cpu, self.cpu.saturating_add(1))?;
        limit(Resource::Core, 0)?;
        limit(Resource::Fsize, 0)?;
        nice(5)?;
        self.end_with_parent()
    }

    /// A proxy that is killed cannot end what it has started.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn end_with_parent(self) -> io::Result<()> {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
        if parent == Some(self.parent) {
            return Ok(());
        }
        Err(io::Error::other("whoever has asked is gone"))
    }

    /// Elsewhere its limits end it.
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    fn end_with_parent(self) -> io::Result<()> {
        Ok(())
    }

    /// There is nothing like it; the parent still watches the time.
    #[cfg(not(unix))]
    fn hold(self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether this process was started to compile a filter. If so, it has done that already, and should end with this code. To be called first
/// in the `main` of a program that [`config::Compiler::program`](crate::config::Compiler) names.
pub fn compile_if_asked() -> Option<ExitCode> {
    let order = std::env::var(ORDER).ok()?;
    Some(match answer(&order) {
        Ok(code) => code,
        Err(error) => {
            // The parent reads it; there is no log here.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    })
}

fn answer(order: &str) -> io::Result<ExitCode> {
    let bounds = Bounds::of_order(order)
        .ok_or_else(|| io::Error::other(format!("{ORDER} is for the proxy to set")))?;
    bounds.hold()?;
    let engine = wasmtime::Engine::new(&engine::config()).map_err(io::Error::other)?;
    let mut wasm = Vec::new();
    io::stdin().read_to_end(&mut wasm)?;
    let (code, output) = match compile(&engine, &wasm) {
        Ok(code) => (ExitCode::SUCCESS, code),
        Err(error) => (ExitCode::from(REFUSED), serde_json::to_vec(&error)?),
    };
    io::stdout().write_all(&output)?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_says_what_it_was_made_of() {
        let bounds = Bounds {
            memory: 1 << 30,
            cpu: 60,
            parent: 1,
        };
        assert_eq!(Bounds::of_order(&bounds.order()), Some(bounds));
        assert_eq!(Bounds::of_order("1"), None);
    }
}
