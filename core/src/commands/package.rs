//! One file that can be given away: `portcullis plugin package`. It is the filter with a manifest
//! that says what it asks for, written only if the filter keeps to the contract and to its own
//! cases. The same filter always makes the same bytes.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use data_encoding::HEXLOWER;
use portcullis_cases::{Cases, Report, Word};
use portcullis_contract::VerdictKind;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::NameError;
use super::author::sdk::{self, OutsideSdk};
use super::cases::{CASES, test_filter};
use super::conformance::{Check, Conformance, Finding, conformance_of};
use super::name::check_name;
use crate::config::Config;
use crate::config::file;
use crate::error::{ErrorChain, Escaped, PluginError};
use crate::filter::{self, Description, Manifest, interface};
use crate::plugins::FilterFile;

/// A package. As text it is a few lines; by serde, an object with the same fields.
#[derive(Debug, Serialize)]
pub struct Packaged {
    /// The filter's name.
    pub name: String,
    /// Its version, as its project says.
    pub version: String,
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// Its size.
    pub bytes: usize,
    /// The version of `portcullis:filter`, the contract, that a proxy must have.
    pub contract: String,
    /// Its hooks, by the contract's names.
    pub hooks: Vec<String>,
    /// The interfaces of the contract that it imports.
    pub imports: Vec<String>,
    /// The kinds of verdicts that its cases expect; none if there are no cases.
    pub verdicts: Option<Vec<String>>,
    /// The SDK, where the filter's Cargo.toml beside it has that from outside of the folder.
    pub sdk_outside: Option<PathBuf>,
    /// The checks that have not passed. None of them has failed.
    pub remarks: Vec<Check>,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The filter cannot be looked at.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// No proxy could install it.
    #[error(
        "{0}, so `plugin install` would refuse the package; give the filter another name in its Cargo.toml, package.json \
         or pyproject.toml and build it, or rename its file"
    )]
    Name(#[from] NameError),
    /// It breaks the contract.
    #[error(
        "{} does not keep to the contract, so there is no package:\n{}\n\nMend it, build it and package it again. \
         `portcullis plugin conformance` shows all checks",
        Escaped(filter),
        Listed(checks)
    )]
    Conformance {
        /// The filter's name.
        filter: String,
        /// What has failed.
        checks: Vec<Check>,
    },
    /// It does not run without settings that are not there, so nothing of it was seen.
    #[error(
        "{} does not start, so it could not be checked and there is no package:\n{}",
        Escaped(filter),
        Listed(std::slice::from_ref(check))
    )]
    Unchecked {
        /// The filter's name.
        filter: String,
        /// Whether it loads.
        check: Check,
    },
    /// It does not do what its cases expect.
    #[error("{report}\nso there is no package. Mend the filter or the cases, and package it again")]
    Cases {
        /// The cases that did not go as expected.
        report: Report,
    },
    /// Packages are told apart by versions.
    #[error(
        "{} does not say its version, so there is no package: packages are told apart by it. Write version = \"0.1.0\" \
         into its Cargo.toml, package.json or pyproject.toml, and build it with `portcullis plugin build`",
        Escaped(.0)
    )]
    NoVersion(String),
    /// A version becomes a part of the file's name.
    #[error(
        "`{}` cannot be a version of a package, as the file has it in its name; use letters, digits, `.`, `-` and `+`",
        Escaped(.0)
    )]
    Version(String),
    /// A module that is not made a component.
    #[error("it cannot be made a component, so there is no package: {0}")]
    Encode(String),
    /// The proxy would take the package for another filter.
    #[error(
        "{} is the plugin folder, and a proxy would take the package in it for one more filter; name another file with \
         --output",
        Escaped(.0.display())
    )]
    PluginFolder(PathBuf),
    /// It was not packaged, and a package of an earlier build could be taken for it.
    #[error(
        "{error}\n{} is there from an earlier packaging: it is not what was checked now",
        Escaped(file.display())
    )]
    Earlier {
        /// Why there is no new package.
        error: Box<Self>,
        /// The package that is there.
        file: PathBuf,
    },
}

impl PackageError {
    /// The error with a word on the package that is at `output` already, if there is one and the
    /// filter is what is wrong.
    fn beside(self, output: &Path) -> Self {
        if matches!(self, Self::Plugin(_)) || !output.is_file() {
            return self;
        }
        Self::Earlier {
            error: Box::new(self),
            file: output.to_owned(),
        }
    }
}

/// Checks the filter in `file` with the settings and the cases beside it, and writes it with a
/// manifest as one file: to `output`, or to `NAME-VERSION.wasm` in the working folder.
///
/// # Errors
///
/// If a check or a case fails, or the file cannot be written.
pub async fn package(
    config: Config,
    file: &Path,
    output: Option<&Path>,
) -> Result<Packaged, PackageError> {
    // Once: what is checked is what is written.
    let single = FilterFile::named(file, &config.plugins.dir)?.read()?;
    let (name, wasm) = (single.name().to_owned(), single.wasm()?);
    check_name(&name)?;
    let own = Manifest::find(&wasm).ok().flatten().unwrap_or_default();
    let version = own.version.clone();
    let output = match output {
        Some(output) => output.to_owned(),
        None => PathBuf::from(format!("{name}-{version}.wasm")),
    };
    let checked = check(&config, single, file).await;
    let (remarks, verdicts) = checked.map_err(|error| error.beside(&output))?;
    check_version(&name, &version)?;
    check_folder(&output, &config.plugins.dir)?;

    let component = filter::encode(&wasm).map_err(|error| {
        let error: Box<dyn std::error::Error> = error.into();
        PackageError::Encode(ErrorChain(&*error).to_string())
    })?;
    let description = Description::of(&component);
    let description = description.ok_or_else(|| PackageError::Encode("it is cut off".into()))?;
    let manifest = Manifest {
        name: name.clone(),
        api: description.contract().unwrap_or_default(),
        hooks: description.hooks(),
        imports: Some(imports(&description)),
        verdicts,
        ..own
    };
    let packaged = filter::append(&component, &manifest);
    let written = file::replace(&output, file::Kind::Shared, |file| {
        file.write_all(&packaged)
    });
    written.map_err(|source| PluginError::Write {
        file: output.clone(),
        source,
    })?;
    Ok(Packaged {
        name,
        version,
        file: output,
        sha256: sha256(&packaged),
        bytes: packaged.len(),
        contract: manifest.api,
        hooks: manifest.hooks,
        imports: manifest.imports.unwrap_or_default(),
        verdicts: manifest.verdicts,
        sdk_outside: sdk_outside(file),
        remarks,
    })
}

/// What an author should look at, and the verdicts that are expected, if the filter keeps to the
/// contract and to the cases beside `file`.
async fn check(
    config: &Config,
    single: FilterFile,
    file: &Path,
) -> Result<(Vec<Check>, Option<Vec<String>>), PackageError> {
    let found = conformance_of(config, single.clone()).await?;
    let remarks = passed(single.name(), found)?;
    let verdicts = verdicts(config, single, &file.with_file_name(CASES)).await?;
    Ok((remarks, verdicts))
}

fn sdk_outside(file: &Path) -> Option<PathBuf> {
    let file = std::path::absolute(file).ok()?;
    sdk::outside(file.parent()?)
}

/// The SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// What the filter asks the proxy for, without what only has types.
pub(super) fn imports(description: &Description) -> Vec<String> {
    let imports = description.imports.iter();
    let imports = imports.filter_map(|name| interface(name));
    let mut imports: Vec<String> = imports
        .filter(|name| *name != "types")
        .map(str::to_owned)
        .collect();
    imports.sort();
    imports
}

/// The checks that an author should look at, if all that can be checked has been and none has
/// failed.
fn passed(name: &str, found: Conformance) -> Result<Vec<Check>, PackageError> {
    let is_seen = |check: &Check| !matches!(check.finding, Finding::Pass | Finding::NotApplicable);
    let seen: Vec<Check> = found.checks.into_iter().filter(is_seen).collect();
    let failed = seen.iter().filter(|check| check.finding == Finding::Fail);
    let failed: Vec<Check> = failed.cloned().collect();
    if !failed.is_empty() {
        return Err(PackageError::Conformance {
            filter: name.to_owned(),
            checks: failed,
        });
    }
    // Without these, what follows has not been looked at.
    let is_in_the_way = |check: &&Check| {
        ["S1", "I1", "J1"].contains(&check.id) && check.finding == Finding::Environment
    };
    match seen.iter().find(is_in_the_way) {
        Some(check) => Err(PackageError::Unchecked {
            filter: name.to_owned(),
            check: check.clone(),
        }),
        None => Ok(seen),
    }
}

/// The kinds of verdicts that the cases in `file` expect, if it is there, and that the filter
/// gives.
async fn verdicts(
    config: &Config,
    single: FilterFile,
    file: &Path,
) -> Result<Option<Vec<String>>, PackageError> {
    if !file.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(file).map_err(|source| PluginError::Read {
        file: file.to_owned(),
        source,
    })?;
    let cases = Cases::parse(&text, &Escaped(file.display()).to_string());
    let cases = cases.map_err(PluginError::from)?;
    let report = test_filter(config, single, &cases, text).await?;
    if !report.is_ok() {
        let report = report.failures();
        return Err(PackageError::Cases { report });
    }
    let expected = |kind: VerdictKind| {
        let mut cases = cases.cases.iter();
        cases.any(|case| case.expected.verdict == Some(Word::Verdict(kind)))
    };
    let kinds = VerdictKind::ALL.iter().filter(|kind| expected(**kind));
    Ok(Some(kinds.map(|kind| kind.name().to_owned()).collect()))
}

fn check_version(name: &str, version: &str) -> Result<(), PackageError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    if version.is_empty() {
        return Err(PackageError::NoVersion(name.to_owned()));
    }
    if !version.chars().all(is_part) || version.len() > 64 {
        return Err(PackageError::Version(version.to_owned()));
    }
    Ok(())
}

fn check_folder(output: &Path, plugins: &Path) -> Result<(), PackageError> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), plugins.canonicalize()) {
        (Ok(folder), Ok(plugins)) if folder == plugins => Err(PackageError::PluginFolder(plugins)),
        _ => Ok(()),
    }
}

/// Checks as lines, each with what was seen and what to do.
struct Listed<'a>(&'a [Check]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in self.0 {
            write!(
                f,
                "\n{}  {}  {}",
                check.id,
                check.finding.name(),
                check.about
            )?;
            if let Some(seen) = &check.seen {
                write!(f, "\n    {}", Escaped(seen))?;
            }
            if let Some(fix) = &check.fix {
                write!(f, "\n    to do: {}", fix.replace('\n', "\n    "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Packaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |texts: &[String], none: &str| match texts {
            [] => none.to_owned(),
            texts => texts.join(", "),
        };
        let file = Escaped(self.file.display());
        writeln!(f, "{file}: {}", ByteSize(self.bytes as u64))?;
        writeln!(f, "contract: portcullis:filter@{}", self.contract)?;
        writeln!(f, "hooks: {}", or(&self.hooks, "none"))?;
        writeln!(f, "imports: {}", or(&self.imports, "nothing"))?;
        match &self.verdicts {
            Some(kinds) => writeln!(f, "verdicts in {CASES}: {}", or(kinds, "none"))?,
            None => writeln!(
                f,
                "verdicts: not known, as there is no {CASES} beside the filter"
            )?,
        }
        if let Some(sdk) = &self.sdk_outside {
            writeln!(f, "{}", OutsideSdk(sdk))?;
        }
        if !self.remarks.is_empty() {
            writeln!(f, "no check fails; look at these:{}", Listed(&self.remarks))?;
        }
        writeln!(f, "to install it:  portcullis plugin install {file}")?;
        write!(f, "its SHA-256:")
    }
}
