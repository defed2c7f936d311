//! Checks a file before it is compiled: whether it is WebAssembly, whether it is whole, and whether
//! a compiler can deal with its size. The check takes time in proportion to the file and runs
//! nothing of it. `compiler` calls it.

use serde::{Deserialize, Serialize};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// Most functions of all modules of a component. The largest language runtimes have a fifth of it.
const FUNCTIONS: u32 = 100_000;

/// Most local variables of a function, without parameters. Compilers track each through the whole
/// function. The largest function of a language runtime has some hundreds.
const LOCALS: u32 = 5_000;

/// Most loops within loops. People write five, and compilers that inline make some dozens of them.
/// Each doubles the work of the compiler.
const LOOPS: u32 = 100;

/// Most local variables times the loops around them, which is the work to find a register for each.
/// This many take half a second.
const LOOP_LOCALS: u32 = 50_000;

/// Most blocks within blocks. A `switch` becomes a block for each of its cases, which are thousands
/// in an interpreter.
const BLOCKS: usize = 20_000;

/// Why a file is not compiled, or does not compile. It is sent from process to process as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum CompileError {
    /// Neither a component nor a core module.
    #[error("not a WebAssembly binary")]
    NotWasm,
    /// WebAssembly in its text format.
    #[error("this is WebAssembly text; make a binary of it, with `wasm-tools parse` for example")]
    Text,
    /// Machine code that an engine has made of WebAssembly. It would run without any check.
    #[error(
        "this is machine code, not WebAssembly; drop in the .wasm that it was compiled from, the \
         proxy compiles it itself"
    )]
    Precompiled,
    /// The file ends early, as a file does that is still being copied.
    #[error("the file is incomplete; copy it again")]
    Truncated,
    /// It would keep a compiler busy for too long.
    #[error("{0}; a compiler would take too long, so make it simpler")]
    TooComplex(String),
    /// It is a core module without the section that says what it implements, or with a broken one.
    #[error("this module cannot be made a component; was it built with portcullis-sdk? {0}")]
    Encode(String),
    /// It is not valid, or needs more than the engine can do.
    #[error("this component does not compile: {0}")]
    Invalid(String),
}

/// Fails if the file cannot be compiled or would take a compiler too long.
pub(crate) fn inspect(wasm: &[u8]) -> Result<(), CompileError> {
    check_magic(wasm)?;
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(unreadable)? {
            // The section claims this count before its entries are read.
            Payload::CodeSectionStart { count, .. } => {
                functions = count.saturating_add(functions);
                at_most("functions", functions, FUNCTIONS)?;
            }
            Payload::CodeSectionEntry(body) => check_function(&body)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_magic(wasm: &[u8]) -> Result<(), CompileError> {
    let text = wasm.trim_ascii_start();
    if wasm.len() < 8 && b"\0asm".starts_with(&wasm[..wasm.len().min(4)]) {
        Err(CompileError::Truncated)
    } else if wasm.starts_with(b"\0asm") {
        Ok(())
    } else if wasm.starts_with(b"\x7fELF") {
        Err(CompileError::Precompiled)
    } else if text.starts_with(b"(module") || text.starts_with(b"(component") {
        Err(CompileError::Text)
    } else {
        Err(CompileError::NotWasm)
    }
}

fn check_function(body: &FunctionBody<'_>) -> Result<(), CompileError> {
    let mut locals = 0_u32;
    for group in body.get_locals_reader().map_err(unreadable)? {
        let (count, _) = group.map_err(unreadable)?;
        locals = locals.saturating_add(count);
    }
    at_most("local variables in a function", locals, LOCALS)?;

    // For each block that is open, `open` says whether it is a loop.
    let (mut open, mut loops) = (Vec::new(), 0_u32);
    for operator in body.get_operators_reader().map_err(unreadable)? {
        match operator.map_err(unreadable)? {
            Operator::Loop { .. } => {
                open.push(true);
                loops += 1;
                at_most("loops within each other", loops, LOOPS)?;
                let product = locals * loops;
                at_most("local variables times loops", product, LOOP_LOCALS)?;
            }
            Operator::Block { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => {
                open.push(false);
                at_most("blocks within each other", open.len(), BLOCKS)?;
            }
            Operator::End | Operator::Delegate { .. } if open.pop() == Some(true) => loops -= 1,
            _ => {}
        }
    }
    Ok(())
}

fn at_most<N: PartialOrd + std::fmt::Display>(
    what: &str,
    found: N,
    limit: N,
) -> Result<(), CompileError> {
    if found <= limit {
        return Ok(());
    }
    Err(CompileError::TooComplex(format!(
        "it has more than {limit} {what}"
    )))
}

fn unreadable(error: wasmparser::BinaryReaderError) -> CompileError {
    // wasmparser has no kind of error for an early end. Only the message tells. The second one is
    // of a core module that ends between the types of its functions and their code.
    let ends = ["unexpected end", "code section is absent"];
    if ends.iter().any(|end| error.message().contains(end)) {
        CompileError::Truncated
    } else {
        CompileError::Invalid(one_line(&error.to_string()))
    }
}

/// Some messages show bytes, one a line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plugins::builtin::BUILTINS;

    fn blocklist() -> &'static [u8] {
        BUILTINS
            .iter()
            .find(|builtin| builtin.name == "blocklist")
            .unwrap()
            .component
    }

    /// Where the header of a component ends, and each of its own sections.
    fn section_ends(component: &[u8]) -> BTreeSet<usize> {
        let mut ends = BTreeSet::from([8]);
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.unwrap();
            match payload {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                _ if depth == 1 => {
                    ends.extend(payload.as_section().map(|(_, section)| section.end));
                }
                _ => {}
            }
        }
        ends
    }

    #[test]
    fn a_file_that_ends_early_is_incomplete_wherever_it_ends() {
        let whole = blocklist();
        let ends = section_ends(whole);
        assert!(ends.contains(&whole.len()));
        let somewhere = (0..8).chain((8..whole.len()).step_by(997));
        for end in somewhere.chain(ends.iter().copied()) {
            let expected = if ends.contains(&end) {
                // It is a smaller component.
                Ok(())
            } else {
                Err(CompileError::Truncated)
            };
            assert_eq!(inspect(&whole[..end]), expected, "{end} bytes");
        }
    }

    #[test]
    fn a_core_module_that_ends_between_two_sections_is_incomplete_or_a_smaller_one() {
        let whole = module(1, &[]);
        let ends = section_ends(&whole);
        assert_eq!(ends.len(), 4);
        for end in ends {
            let expected = if whole[..end].ends_with(&[0x03, 0x02, 0x01, 0]) {
                // There are functions, and there is no code.
                Err(CompileError::Truncated)
            } else {
                Ok(())
            };
            assert_eq!(inspect(&whole[..end]), expected, "{end} bytes");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line() {
        // A component with a core module whose first bytes are wrong.
        let error = inspect(b"\0asm\x0d\0\x01\0\x01\x08\0as}\x01\0\0\0").unwrap_err();
        assert!(matches!(error, CompileError::Invalid(_)), "{error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    #[test]
    fn what_is_not_wasm_is_told_from_what_is_incomplete() {
        for (content, error) in [
            (&b"hello"[..], CompileError::NotWasm),
            (b"(module)", CompileError::Text),
            (b"\n  (component)", CompileError::Text),
            (b"\x7fELF\x02\x01\x01", CompileError::Precompiled),
            (b"", CompileError::Truncated),
            (b"\0as", CompileError::Truncated),
        ] {
            assert_eq!(inspect(content), Err(error));
        }
        assert_eq!(inspect(b"\0asm\x01\0\0\0"), Ok(()));
    }

    /// A module with one function that has this many locals, and this code before its last `end`.
    fn module(locals: u32, code: &[u8]) -> Vec<u8> {
        let mut body = vec![1];
        leb128(&mut body, locals);
        body.push(0x7f);
        body.extend(code);
        body.push(0x0b);
        let mut section = vec![1];
        leb128(&mut section, body.len() as u32);
        section.extend(body);
        let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a".to_vec();
        leb128(&mut module, section.len() as u32);
        module.extend(section);
        module
    }

    fn leb128(bytes: &mut Vec<u8>, mut number: u32) {
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }

    fn nested(open: u8, depth: usize) -> Vec<u8> {
        [[open, 0x40].repeat(depth), vec![0x0b; depth]].concat()
    }

    #[test]
    fn what_would_stall_a_compiler_is_refused_and_what_is_merely_large_is_not() {
        const BLOCK: u8 = 0x02;
        const LOOP: u8 = 0x03;
        for fine in [
            module(LOCALS, &[]),
            module(0, &nested(LOOP, LOOPS as usize)),
            module(1000, &nested(LOOP, 50)),
            module(0, &nested(BLOCK, BLOCKS)),
            // These loops follow each other.
            module(0, &nested(LOOP, 1).repeat(1000)),
        ] {
            assert_eq!(inspect(&fine), Ok(()));
        }
        for (bomb, expected) in [
            (module(LOCALS + 1, &[]), "more than 5000 local variables"),
            (
                module(0, &nested(LOOP, LOOPS as usize + 1)),
                "more than 100 loops",
            ),
            (
                module(1001, &nested(LOOP, 50)),
                "more than 50000 local variables times loops",
            ),
            (
                module(0, &nested(BLOCK, BLOCKS + 1)),
                "more than 20000 blocks",
            ),
        ] {
            let error = inspect(&bomb).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
