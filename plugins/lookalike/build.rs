//! Writes the table of what characters look like: `policy/glyphs.rs` includes it.
//!
//! It is the part of the skeletons of Unicode Technical Standard 39 that names of hosts need: which
//! characters look like ASCII letters and digits, and which are marks on others.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// Beyond are ideographs and what cannot stand in a host.
const LAST: char = '\u{1ffff}';

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut table = String::from("static GLYPHS: &[(char, &str)] = &[\n");
    for character in '\0'..=LAST {
        if let Some(ascii) = ascii_look(character) {
            let _ = writeln!(table, "    ({character:?}, {ascii:?}),");
        }
    }
    table.push_str("];\n\nstatic MARKS: &[(char, char)] = &[\n");
    for (first, last) in ranges(is_combining_mark) {
        let _ = writeln!(table, "    ({first:?}, {last:?}),");
    }
    table.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(PathBuf::from(out).join("glyphs.rs"), table)
}

/// The lower-case letters and digits that a character looks like, if they are others than itself.
/// Only for characters that can stand in a host: the rest would be replaced before a filter sees it
/// (RFC 5892, section 2.2).
fn ascii_look(character: char) -> Option<String> {
    let stable = character.nfkc().flat_map(char::to_lowercase).nfkc();
    if !stable.eq([character]) {
        return None;
    }
    let look: String = skeleton(character.encode_utf8(&mut [0; 4]))
        .filter(|character| !is_combining_mark(*character))
        .flat_map(char::to_lowercase)
        .collect();
    let is_ascii = !look.is_empty() && look.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_other = !look.chars().eq([character]);
    (is_ascii && is_other).then_some(look)
}

/// The ranges of characters that are so.
fn ranges(is_so: impl Fn(char) -> bool) -> Vec<(char, char)> {
    let mut ranges: Vec<(char, char)> = Vec::new();
    let mut before = None;
    for character in '\0'..=LAST {
        if is_so(character) {
            match ranges.last_mut() {
                Some((_, last)) if before == Some(*last) => *last = character,
                _ => ranges.push((character, character)),
            }
        }
        before = Some(character);
    }
    ranges
}
