//! A folder to begin a filter with: `portcullis plugin new`.

use crate::error::Escaped;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Serialize;

use super::tree::{self, File};
use super::{Language, Sdk, sdk};
use crate::plugins::builtin::BUILTINS;

/// The files below `core/templates`, by path. Written by the build script.
const TEMPLATES: &[File<'_>] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What was written. Its text says how to go on; by serde, an object with the same fields.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The filter's name.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// The folder.
    pub dir: PathBuf,
    /// Where the SDK's crate lies that a Rust filter depends on; none if it comes from a registry.
    pub sdk: Option<PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewError {
    /// It cannot be the name of a file and a crate.
    #[error(
        "`{0}` cannot be a filter's name, as its files and its crate have the same name. It begins with a letter and \
         goes on with letters, digits and -, all in lower case{suggestion}",
        suggestion = suggestion(.0)
    )]
    Name(String),
    /// The proxy would take the one for the other.
    #[error(
        "`{0}` is a built-in filter, and a file of that name would take its place in the proxy; try `my-{0}`"
    )]
    Builtin(String),
    /// There is something already.
    #[error(
        "{} is there already, and nothing in it is overwritten; choose another name, or move it away",
        Escaped(.0.display())
    )]
    Exists(PathBuf),
    /// The other languages have no SDK.
    #[error(
        "--sdk is for filters in Rust: one in {0} has the contract in its folder wit and needs no SDK; leave it out"
    )]
    NoSdk(Language),
    /// A path that leads elsewhere.
    #[error(
        "{} is not the folder of portcullis-sdk; name the one whose Cargo.toml says name = \"portcullis-sdk\"",
        Escaped(.0.display())
    )]
    NotSdk(PathBuf),
    /// Cargo.toml is UTF-8.
    #[error("{} cannot be written into Cargo.toml, as it is not UTF-8; use another folder", Escaped(.0.display()))]
    Path(PathBuf),
    /// The SDK has no place.
    #[error(transparent)]
    Unpack(io::Error),
    /// Nothing in the folder of the filter could be written.
    #[error("cannot write the filter's folder")]
    Write(#[from] io::Error),
}

/// Writes the folder `name` into `parent`, with a filter that works and its tests.
///
/// # Errors
///
/// If `name` cannot be a filter's name, if a folder of that name has something in it, or if it
/// cannot be written.
pub fn new_plugin(
    parent: &Path,
    name: &str,
    language: Language,
    sdk: Sdk,
) -> Result<Created, NewError> {
    check_name(name)?;
    let dir = std::path::absolute(parent.join(name))?;
    if fs::symlink_metadata(&dir).is_ok() && !is_empty(&dir) {
        return Err(NewError::Exists(dir));
    }
    let sdk = match (language, sdk) {
        (Language::Rust, Sdk::Bundled) => Some(sdk::unpack().map_err(NewError::Unpack)?),
        (Language::Rust, Sdk::Folder(folder)) if sdk::is_sdk(&folder) => {
            Some(std::path::absolute(folder)?)
        }
        (Language::Rust, Sdk::Folder(folder)) => return Err(NewError::NotSdk(folder)),
        (Language::Rust, Sdk::Registry) | (_, Sdk::Bundled) => None,
        (_, Sdk::Registry | Sdk::Folder(_)) => return Err(NewError::NoSdk(language)),
    };
    let files = render(language, name, &dependency(sdk.as_deref())?);
    tree::write(&dir, files.iter().map(|(path, text)| (&**path, &**text)))?;
    Ok(Created {
        name: name.to_owned(),
        language,
        dir,
        sdk,
    })
}

/// The shape alone: whether a crate can have the name is for cargo to say.
fn check_name(name: &str) -> Result<(), NewError> {
    let allowed = |c| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        return Err(NewError::Name(name.to_owned()));
    }
    if BUILTINS.iter().any(|builtin| builtin.name == name) {
        return Err(NewError::Builtin(name.to_owned()));
    }
    Ok(())
}

/// The nearest name that is allowed, as the end of a message.
fn suggestion(name: &str) -> String {
    if !name.is_ascii() {
        return String::new();
    }
    let parts: Vec<&str> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let meant = parts.join("-").to_ascii_lowercase();
    match check_name(&meant) {
        Ok(()) => format!("; for example `{meant}`"),
        Err(_) => String::new(),
    }
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

/// The line for Cargo.toml.
fn dependency(sdk: Option<&Path>) -> Result<String, NewError> {
    let Some(path) = sdk else {
        return Ok(format!(
            "portcullis-sdk = \"{}\"",
            env!("CARGO_PKG_VERSION")
        ));
    };
    let text = path.to_str().ok_or_else(|| NewError::Path(path.into()))?;
    Ok(format!(
        "# Of this machine; `portcullis plugin new` has put it there.\nportcullis-sdk = {{ path = {} }}",
        toml::Value::from(text)
    ))
}

/// The files of the template, each by its path in the new folder.
fn render(language: Language, name: &str, sdk: &str) -> Vec<(String, String)> {
    let folder = match language {
        Language::Rust => "rust/",
        Language::JavaScript => "javascript/",
        Language::Python => "python/",
    };
    let fill = |text: &str| text.replace("@NAME@", name).replace("@SDK@", sdk);
    let mut files: Vec<(String, String)> = TEMPLATES
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(folder)?, text)))
        // Under its own name it would hide files of ours.
        .map(|(path, text)| match path {
            "gitignore" => (".gitignore".to_owned(), fill(text)),
            path => (fill(path), fill(text)),
        })
        .collect();
    if language != Language::Rust
        && let Some(contract) = sdk::file(sdk::CONTRACT)
    {
        let path = "wit/deps/portcullis-filter/filter.wit";
        files.push((path.to_owned(), contract.to_owned()));
    }
    files
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, language, .. } = self;
        let test = match language {
            Language::Rust => "cargo test",
            Language::JavaScript => "npm test",
            Language::Python => "python3 -m unittest",
        };
        writeln!(
            f,
            "{name}: a filter in {language}, in {}",
            Escaped(self.dir.display())
        )?;
        if let Some(sdk) = &self.sdk {
            writeln!(f, "its SDK: {}", Escaped(sdk.display()))?;
        }
        writeln!(f, "\nGo on with:")?;
        writeln!(f, "  cd {name}")?;
        writeln!(f, "  {test:23}  try it, without WASM and without a proxy")?;
        writeln!(
            f,
            "  {:23}  make {name}.wasm, and see whether a proxy would take it",
            "portcullis plugin build"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_good_for_files_and_crates() {
        for name in ["a", "no-ads", "no-ads2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "", "2fast", "No-Ads", "no ads", "../ads", "ads/", ".ads", "-ads", "no_ads", "größe",
        ] {
            let said = check_name(name).unwrap_err().to_string();
            assert!(said.contains("begins with a letter"), "{said}");
        }
    }

    #[test]
    fn the_name_that_was_likely_meant_is_offered() {
        for (name, meant) in [
            ("No Ads!", "no-ads"),
            ("a/b.wasm", "a-b-wasm"),
            ("Ads_2", "ads-2"),
        ] {
            let said = NewError::Name(name.to_owned()).to_string();
            assert!(
                said.ends_with(&format!("; for example `{meant}`")),
                "{said}"
            );
        }
        for name in ["2fast", "größe", ""] {
            assert_eq!(suggestion(name), "", "{name}");
        }
    }

    #[test]
    fn every_placeholder_is_replaced_in_names_and_contents() {
        for language in Language::ALL {
            let files = render(language, "no-ads", &dependency(None).unwrap());
            assert!(files.iter().any(|(path, _)| path == "no-ads.toml"));
            assert!(files.iter().any(|(path, _)| path == ".gitignore"));
            for (path, text) in files {
                assert!(!path.contains('@'), "{path}");
                for placeholder in ["@NAME@", "@SDK@"] {
                    assert!(!text.contains(placeholder), "{placeholder} in {path}");
                }
            }
        }
    }

    #[test]
    fn a_path_is_written_as_toml_reads_it() {
        let line = dependency(Some(Path::new("C:\\sdk \"1\""))).unwrap();
        let read: toml::Table = line.parse().unwrap();
        let path = read["portcullis-sdk"]["path"].as_str();
        assert_eq!(path, Some("C:\\sdk \"1\""));
    }
}
