//! Whether a filter fits into the limits that hold before it is asked anything: of the file, of
//! what compiling it takes, and of the memory that it begins with.

use std::sync::Arc;

use bytesize::ByteSize;

use super::report::Checks;
use crate::config::Compiler;
use crate::error::ErrorChain;
use crate::filter::{CompileError, CompilerError, Failure, Filter, LoadError, NotCompiled};
use crate::plugins::{LoadFailure, MAX_WASM_BYTES};

pub(super) fn check(
    checks: &mut Checks,
    wasm: &[u8],
    compiler: &Compiler,
    loaded: Result<&Option<Arc<Filter>>, &LoadFailure>,
) {
    let bytes = wasm.len() as u64;
    if bytes > MAX_WASM_BYTES {
        let seen = format!(
            "it has {}, and a proxy takes {}",
            ByteSize(bytes),
            ByteSize(MAX_WASM_BYTES)
        );
        return checks.fail("S6", seen, "make it smaller");
    }
    match loaded {
        Ok(Some(filter)) => check_time(checks, filter, compiler),
        Ok(None) => {}
        Err(failure) => {
            if let Some(fix) = fix(failure) {
                checks.fail("S6", ErrorChain(failure).to_string(), fix);
            }
        }
    }
}

/// A slower machine takes twice as long as this one.
fn check_time(checks: &mut Checks, filter: &Filter, compiler: &Compiler) {
    match filter.compile_time {
        Some(time) if time > compiler.time / 2 => checks.warn(
            "S6",
            format!("compiling it takes {time:.1?}, of {:?}", compiler.time),
            "make it smaller, or have operators raise [compiler] time",
        ),
        _ => checks.pass("S6"),
    }
}

/// What to do about a failure that has to do with size; none about another.
fn fix(failure: &LoadFailure) -> Option<&'static str> {
    let LoadFailure::Load(error) = failure else {
        return None;
    };
    match error {
        LoadError::Compile(NotCompiled::File(CompileError::TooComplex(_)))
        | LoadError::Compile(NotCompiled::Compiler(
            CompilerError::Slow(_) | CompilerError::Died { .. } | CompilerError::Large(_),
        )) => Some("make it smaller and its functions simpler"),
        LoadError::Trial(Failure::Memory(_) | Failure::Table(_)) => {
            Some("let it begin with less, or say in its documentation what it needs of [limits]")
        }
        _ => None,
    }
}
