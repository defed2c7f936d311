//! The names that a filter can be given away and installed under: `plugin package` and `plugin
//! install` have one rule.

use std::fs;
use std::path::Path;

use crate::error::Escaped;
use crate::plugins::builtin::BUILTINS;

/// Longest name of a filter.
const NAME_BYTES: usize = 64;

/// Why a filter cannot have a name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It would become the name of a file.
    #[error(
        "`{}` cannot be a filter's name, which has up to 64 letters, digits, `-` and `_`, and begins with a letter or a \
         digit",
        Escaped(.0)
    )]
    Characters(String),
    /// The file would take the built-in filter's place.
    #[error("`{0}` is a built-in filter, and a file of that name would take its place")]
    Builtin(String),
    /// A proxy uses one of two such names.
    #[error(
        "`{}` differs from `{}` by case only, which is there already, and a proxy uses the one that was there first",
        Escaped(name),
        Escaped(other)
    )]
    Case {
        /// The name.
        name: String,
        /// The one that is there.
        other: String,
    },
}

/// Fails unless a filter can be installed under that name where there are only the built-in ones.
pub(super) fn check_name(name: &str) -> Result<(), NameError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_part)
        && name.len() <= NAME_BYTES;
    if !is_good {
        return Err(NameError::Characters(name.to_owned()));
    }
    let mut builtins = BUILTINS.iter().map(|builtin| builtin.name);
    match builtins.find(|builtin| builtin.eq_ignore_ascii_case(name)) {
        Some(builtin) if builtin == name => Err(NameError::Builtin(name.to_owned())),
        Some(builtin) => Err(differs_by_case(name, builtin)),
        None => Ok(()),
    }
}

/// Fails if the plugin folder has another spelling of that name, and not the name itself.
pub(super) fn check_spelling(name: &str, plugins: &Path) -> Result<(), NameError> {
    // A folder that cannot be read is an error when something is to be written there.
    let entries = fs::read_dir(plugins).into_iter().flatten().flatten();
    let there = entries.filter_map(|entry| {
        let file = entry.file_name();
        let (stem, extension) = file.to_str()?.rsplit_once('.')?;
        matches!(extension, "wasm" | "toml").then(|| stem.to_owned())
    });
    let mut same = there.filter(|there| there.eq_ignore_ascii_case(name));
    match same.try_fold(None, |_, there| (there != name).then_some(Some(there))) {
        Some(Some(other)) => Err(differs_by_case(name, &other)),
        _ => Ok(()),
    }
}

fn differs_by_case(name: &str, other: &str) -> NameError {
    NameError::Case {
        name: name.to_owned(),
        other: other.to_owned(),
    }
}
