//! The SDK in a filter's folder, in place of an older one: `portcullis plugin update-sdk`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::build::language_of;
use super::new::render;
use super::{BuildError, Language, sdk, tree};
use crate::error::Escaped;

/// The files of a filter in JavaScript that are the SDK's: folders end with a slash.
const JAVASCRIPT: &[&str] = &[
    "proxy/",
    "src/portcullis.js",
    "test/portcullis.test.js",
    "wit/deps/",
];

/// The same of one in Python.
const PYTHON: &[&str] = &[
    "portcullis.py",
    "tests/__init__.py",
    "tests/proxy/",
    "tests/test_portcullis.py",
    "wit/deps/",
];

/// What has become of a filter's SDK. As text it is a line for each file; by serde, an object with
/// the same fields.
#[derive(Debug, Serialize)]
pub struct Updated {
    /// The filter's folder.
    pub dir: PathBuf,
    /// What it is written in.
    pub language: Language,
    /// The version of this program and its SDK.
    pub version: &'static str,
    /// The files that were written, as paths in the folder: those that were not there or were
    /// different.
    pub written: Vec<String>,
    /// The files that are no longer part of the SDK and were deleted.
    pub removed: Vec<String>,
}

/// Puts this program's SDK into the filter's folder `dir`, where `plugin new` would put it. The
/// files of the filter itself stay as they are.
///
/// # Errors
///
/// If there is no filter in `dir`, or its files cannot be written.
pub fn update_sdk(dir: &Path) -> Result<Updated, BuildError> {
    let failed = |action: &str, file: &Path, source| BuildError::Files {
        action: format!("{action} {}", Escaped(file.display())),
        source,
    };
    let dir = std::path::absolute(dir).map_err(|source| failed("find", dir, source))?;
    let language = language_of(&dir)?;
    let (written, removed) = match language {
        Language::Rust => {
            let vendored = dir.join(sdk::FOLDER);
            update_crates(&dir).map_err(|source| failed("write", &vendored, source))?
        }
        Language::JavaScript | Language::Python => {
            let written = update_files(&dir, language);
            (
                written.map_err(|source| failed("write to", &dir, source))?,
                Vec::new(),
            )
        }
    };
    Ok(Updated {
        dir,
        language,
        version: env!("CARGO_PKG_VERSION"),
        written,
        removed,
    })
}

/// The crates, all at once. Gives what was written and what is gone.
fn update_crates(dir: &Path) -> io::Result<(Vec<String>, Vec<String>)> {
    let vendored = dir.join(sdk::FOLDER);
    let there = paths_below(&vendored)?;
    let in_folder = |path: &str| format!("{}/{path}", sdk::FOLDER);
    let is_ours = |path: &String| sdk::file(path).is_some();
    let removed = there.iter().filter(|path| !is_ours(path));
    let removed: Vec<String> = removed.map(|path| in_folder(path)).collect();
    let changed = sdk::FILES.iter().filter(|(path, text)| {
        let old = fs::read(vendored.join(path));
        old.ok().as_deref() != Some(text.as_bytes())
    });
    let written: Vec<String> = changed.map(|(path, _)| in_folder(path)).collect();
    let files = sdk::FILES.iter().copied();
    if there.is_empty() {
        tree::write(&vendored, files)?;
    } else if !written.is_empty() || !removed.is_empty() {
        tree::replace(&vendored, files)?;
    }
    Ok((written, removed))
}

/// The paths of all files below `dir`, with slashes. There are none if there is no such folder.
fn paths_below(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let below = paths_below(&entry.path())?;
            paths.extend(below.iter().map(|path| format!("{name}/{path}")));
        } else {
            paths.push(name);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The files that a filter in another language has of the SDK, one by one.
fn update_files(dir: &Path, language: Language) -> io::Result<Vec<String>> {
    let ours = ours(language);
    let mut written = Vec::new();
    // The filter's name stands in none of them.
    for (path, text) in render(language, "", None) {
        let is_of_sdk = ours
            .iter()
            .any(|&part| path == part || part.ends_with('/') && path.starts_with(part));
        let file = dir.join(&path);
        if !is_of_sdk || fs::read(&file).ok().as_deref() == Some(text.as_bytes()) {
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(dir))?;
        fs::write(file, &*text)?;
        written.push(path);
    }
    Ok(written)
}

fn ours(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &[],
        Language::JavaScript => JAVASCRIPT,
        Language::Python => PYTHON,
    }
}

impl fmt::Display for Updated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dir, version) = (Escaped(self.dir.display()), self.version);
        if self.written.is_empty() && self.removed.is_empty() {
            return writeln!(f, "{dir} has the SDK of portcullis {version} already");
        }
        writeln!(f, "{dir} has the SDK of portcullis {version} now:")?;
        for path in &self.written {
            writeln!(f, "  written  {path}")?;
        }
        for path in &self.removed {
            writeln!(f, "  removed  {}", Escaped(path))?;
        }
        writeln!(f, "\nTest the filter, and commit these files with it.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sdk_has_in_other_languages_is_there_and_names_no_filter() {
        for language in [Language::JavaScript, Language::Python] {
            let here = render(language, "here", None);
            let there = render(language, "there", None);
            for part in ours(language) {
                let is_it = |(path, _): &&(String, _)| path.starts_with(part);
                let ours: Vec<_> = here.iter().filter(is_it).collect();
                assert!(!ours.is_empty(), "{part}");
                assert_eq!(ours, there.iter().filter(is_it).collect::<Vec<_>>());
            }
        }
    }
}
