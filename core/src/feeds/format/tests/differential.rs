//! Lists as others read them. Each test gives a list to an implementation that shares no code with
//! this one, and compares. Where the two differ by decision, the test names the difference and its
//! reason, and fails when the difference is gone.
//!
//! The lists are generated, those of the fuzzer's corpus, and real ones if `PORTCULLIS_LISTS` names
//! a folder of them, as `make differential LISTS=FOLDER` has it.

mod adblock;
mod agtree;
mod rpz;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The lists that begin the fuzzer's work, some of them odd.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus/feed");

/// The lists in files that are in this format, or look like it, with the names of their files.
fn lists(format: FeedFormat) -> Vec<(String, String)> {
    let real = std::env::var_os("PORTCULLIS_LISTS").filter(|folder| !folder.is_empty());
    let folders = [Some(PathBuf::from(CORPUS)), real.map(PathBuf::from)];
    let files = folders.iter().flatten().flat_map(|folder| files(folder));
    let texts = files.filter_map(|file| {
        let text = fs::read_to_string(&file).ok()?;
        let is_it = detected(&text) == Some(format);
        is_it.then(|| (file.display().to_string(), text))
    });
    texts.collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let files = files.map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.is_file()).collect();
    files.sort();
    files
}

/// Many lists say how many entries they have.
#[test]
fn real_lists_have_as_many_names_as_they_say() {
    let all = detect::LINE_FORMATS.into_iter();
    let mut compared = 0;
    for (file, text) in all.flat_map(|(format, _)| lists(format)) {
        let head = text.lines().take(20);
        let mut said = head.filter_map(|line| line.split_once("Entries: "));
        let Some((_, said)) = said.next() else {
            continue;
        };
        let said = said.replace(',', "").trim().parse();
        let parsed = parse(&Format::default(), text.as_bytes()).unwrap();
        let left_out = &parsed.left_out;
        assert_eq!(Ok(parsed.snapshot.len()), said, "{file}: {left_out:?}");
        compared += 1;
    }
    assert!(compared > 0, "no list says how many names it has");
}

/// How a list is read whose rules for whole registries count, as they do with others.
fn applied(format: FeedFormat) -> Format {
    Format {
        reading: Reading {
            public_suffixes: PublicSuffixes::Apply,
            ..Reading::default()
        },
        ..format.into()
    }
}
