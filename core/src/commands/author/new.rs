//! A folder to begin a filter with: `portcullis plugin new`.

use crate::error::Escaped;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Serialize;

use super::tree::{self, File};
use super::{Language, sdk};
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
    /// Where the SDK's crate lies that a Rust filter depends on, as its Cargo.toml says: in the
    /// folder, or on the way from there.
    pub sdk: Option<String>,
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
    /// Cargo.toml is UTF-8, and is read by others elsewhere.
    #[error(
        "{} cannot be written into Cargo.toml as a path from the filter's folder, as it is on another drive or not \
         UTF-8; leave --sdk out, and the filter has an SDK of its own",
        Escaped(.0.display())
    )]
    Path(PathBuf),
    /// Nothing in the folder of the filter could be written.
    #[error("cannot write the filter's folder")]
    Write(#[from] io::Error),
}

/// Writes the folder `name` into `parent`, with a filter that works and its tests. A filter in Rust
/// is built with the SDK's crate in the folder `sdk`; without one, this program's own is written
/// into the new folder.
///
/// # Errors
///
/// If `name` cannot be a filter's name, if a folder of that name has something in it, or if it
/// cannot be written.
pub fn new_plugin(
    parent: &Path,
    name: &str,
    language: Language,
    sdk: Option<&Path>,
) -> Result<Created, NewError> {
    check_name(name)?;
    let dir = std::path::absolute(parent.join(name))?;
    if fs::symlink_metadata(&dir).is_ok() && !is_empty(&dir) {
        return Err(NewError::Exists(dir));
    }
    let sdk = match (language, sdk) {
        (Language::Rust, None) => Some(sdk::CRATE.to_owned()),
        (Language::Rust, Some(folder)) => Some(path_of_sdk(parent, name, folder)?),
        (_, None) => None,
        (_, Some(_)) => return Err(NewError::NoSdk(language)),
    };
    let files = render(language, name, sdk.as_deref());
    tree::write(&dir, files.iter().map(|(path, text)| (&**path, &**text)))?;
    Ok(Created {
        name: name.to_owned(),
        language,
        dir,
        sdk,
    })
}

/// How the new folder's Cargo.toml names the SDK in `folder`: never as a path of this machine
/// alone.
fn path_of_sdk(parent: &Path, name: &str, folder: &Path) -> Result<String, NewError> {
    if !sdk::is_sdk(folder) {
        return Err(NewError::NotSdk(folder.to_owned()));
    }
    let here = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let dir = here.canonicalize()?.join(name);
    let path = sdk::relative(&dir, &folder.canonicalize()?);
    path.ok_or_else(|| NewError::Path(folder.to_owned()))
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
fn dependency(sdk: &str) -> String {
    format!("portcullis-sdk = {{ path = {} }}", toml::Value::from(sdk))
}

/// The files of the new folder, each by its path there. `sdk` is where a filter in Rust has its
/// SDK.
pub(super) fn render(
    language: Language,
    name: &str,
    sdk: Option<&str>,
) -> Vec<(String, Cow<'static, str>)> {
    let folder = match language {
        Language::Rust => "rust/",
        Language::JavaScript => "javascript/",
        Language::Python => "python/",
    };
    let dependency = dependency(sdk.unwrap_or_default());
    let fill = |text: &str| text.replace("@NAME@", name).replace("@SDK@", &dependency);
    let templates = TEMPLATES
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(folder)?, text)))
        // Under its own name it would hide files of ours.
        .map(|(path, text)| match path {
            "gitignore" => (".gitignore".to_owned(), fill(text).into()),
            "Cargo.lock" => (path.to_owned(), by_name(&fill(text)).into()),
            path => (fill(path), fill(text).into()),
        });
    let contract = sdk::file(sdk::CONTRACT).filter(|_| language != Language::Rust);
    let contract = contract.map(|text| {
        (
            "wit/deps/portcullis-filter/filter.wit".to_owned(),
            text.into(),
        )
    });
    let files = sdk::FILES.iter().filter(|_| sdk == Some(sdk::CRATE));
    let files = files.map(|(path, text)| (format!("{}/{path}", sdk::FOLDER), (*text).into()));
    templates.chain(contract).chain(files).collect()
}

/// A lock file with its packages in the order that cargo writes and wants them in.
fn by_name(lock: &str) -> String {
    const PACKAGE: &str = "[[package]]\n";
    let mut parts = lock.split(PACKAGE);
    let head = parts.next().unwrap_or_default();
    // The last one has no empty line behind it.
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    packages.sort_by_key(|package| package.lines().next());
    let packages: Vec<String> = packages
        .iter()
        .map(|package| format!("{PACKAGE}{package}\n"))
        .collect();
    head.to_owned() + &packages.join("\n")
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
            writeln!(f, "its SDK: {}", Escaped(sdk))?;
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
            let files = render(language, "no-ads", Some("../sdk"));
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
        let line = dependency("../sdk \"1\"");
        let read: toml::Table = line.parse().unwrap();
        let path = read["portcullis-sdk"]["path"].as_str();
        assert_eq!(path, Some("../sdk \"1\""));
    }
}
