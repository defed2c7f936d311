//! A filter from elsewhere goes into the plugin folder: `portcullis plugin install`. Nothing is
//! written before a person, or a script, has seen what the filter is and asks for.

mod error;
mod report;
mod source;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use portcullis_contract::VerdictKind;
use serde::Serialize;

pub use self::error::InstallError;
use self::source::Source;
use super::name::{check_name, check_spelling};
use super::package::{imports, sha256};
use crate::config::file::{self, Kind};
use crate::config::{Config, FilterSettings, Grants, Mode};
use crate::error::{ErrorChain, PluginError, StartError};
use crate::feeds::Feeds;
use crate::filter::{Description, Failure, Import, LoadError, Loader, Manifest, granting};
use crate::plugins::{FilterFile, LoadFailure};

/// A filter that is not installed yet. As text it says what an operator should know before; by
/// serde, it is an object with the same fields.
#[derive(Debug, Serialize)]
pub struct Candidate {
    /// Under which the operator will configure it.
    pub name: String,
    /// Its version, as it says.
    pub version: Option<String>,
    /// What it does, as it says.
    pub description: Option<String>,
    /// Where it will be.
    pub file: PathBuf,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// The version of `portcullis:filter`, the contract, that it was built for.
    pub contract: Option<String>,
    /// Its hooks, by the contract's names.
    pub hooks: Vec<String>,
    /// The interfaces of the contract that it imports.
    pub imports: Vec<String>,
    /// The imports that its settings do not grant.
    pub missing: Vec<String>,
    /// The kinds of verdicts that its cases expect, as it says. It may give others.
    pub verdicts: Option<Vec<String>>,
    /// The kinds of verdicts that its settings let it give.
    pub may_give: Vec<String>,
    /// The kinds of verdicts that its settings withhold.
    pub withheld: Vec<String>,
    /// The lines below `[grants]` with which it would have all that: all that its settings should
    /// have there.
    pub grants: Vec<String>,
    /// What is wrong with its settings, or lacks in them.
    pub settings: Option<String>,
    /// Whether it is asked; false if its settings disable it.
    pub enabled: bool,
    /// Whether it decides; false in shadow mode, and if it is not asked.
    pub decides: bool,
    /// What is there now under that name.
    pub replaces: Option<Installed>,
    #[serde(skip)]
    wasm: Wasm,
}

/// The content of a file, which `Debug` leaves out.
struct Wasm(Vec<u8>);

impl std::fmt::Debug for Wasm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A filter in the plugin folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// Its version, as it says.
    pub version: Option<String>,
    /// The SHA-256 of its file in hexadecimal digits.
    pub sha256: String,
    /// Its hooks, by the contract's names.
    pub hooks: Vec<String>,
}

/// Gets the filter from `source`, a file or a URL with the checksum behind it, and looks at it: it
/// runs in its sandbox, with nothing around it. It would be installed as `name`, or as it calls
/// itself.
///
/// # Errors
///
/// If it cannot be had, has another checksum, or is not what a proxy would use with the right
/// settings.
pub async fn find_filter(
    config: Config,
    source: &str,
    name: Option<&str>,
) -> Result<Candidate, InstallError> {
    let source = Source::parse(source)?;
    let wasm = source.read(&config, sha256).await?;
    let description = Description::of(&wasm).ok_or_else(|| InstallError::NoWasm {
        place: source.to_string(),
        begins: begins(&wasm),
    })?;
    // With one that cannot be read it is refused when it is tried out.
    let manifest = Manifest::find(&wasm).ok().flatten().unwrap_or_default();
    let name = choose_name(name, &manifest, &source)?;
    let dir = config.plugins.dir.clone();
    check_spelling(&name, &dir)?;
    let (settings, problem) = settings(&dir, &name);
    let problem = try_out(config, &dir, &name, &wasm).await?.or(problem);
    let granted = settings.grants(false);
    let if_any = |text: String| Some(text).filter(|text| !text.is_empty());
    let file = dir.join(format!("{name}.wasm"));
    let mut candidate = Candidate {
        version: if_any(manifest.version),
        description: if_any(manifest.description),
        replaces: installed(&file)?,
        file,
        name,
        sha256: sha256(&wasm),
        contract: description.contract(),
        hooks: description.hooks(),
        imports: imports(&description),
        missing: Vec::new(),
        verdicts: manifest.verdicts.map(known_verdicts),
        may_give: Vec::new(),
        withheld: Vec::new(),
        grants: Vec::new(),
        settings: problem,
        enabled: settings.enabled,
        decides: settings.enabled && settings.mode == Mode::Enforce,
        wasm: Wasm(wasm),
    };
    candidate.note_grants(&description, &granted);
    Ok(candidate)
}

impl Candidate {
    /// Whether the same file is there already.
    pub fn is_installed(&self) -> bool {
        let mut there = self.replaces.iter();
        there.any(|there| there.sha256 == self.sha256)
    }

    /// Puts it into the plugin folder. A proxy that watches the folder sees the whole file or what
    /// was there before.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or if something else is there now than this candidate says.
    pub fn install(self) -> Result<Self, InstallError> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        let failed = |source| InstallError::Write {
            file: self.file.clone(),
            source,
        };
        fs::create_dir_all(dir).map_err(failed)?;
        if installed(&self.file)? != self.replaces {
            return Err(InstallError::Changed(self.file));
        }
        let write = |file: &mut fs::File| file.write_all(&self.wasm.0);
        file::replace(&self.file, Kind::Shared, write).map_err(failed)?;
        Ok(self)
    }

    /// What it may do, what is not granted, and the lines that would.
    fn note_grants(&mut self, description: &Description, granted: &Grants) {
        let kinds = VerdictKind::ALL.iter();
        let may_give = kinds.filter(|kind| granted.has_verdict(**kind, false));
        self.may_give = may_give.map(|kind| kind.name().into()).collect();
        let missing = description.imports.iter().filter_map(|import| {
            let is_missing = matches!(Import::of(import, granted), Import::Missing(_));
            let interface = crate::filter::interface(import).unwrap_or(import);
            is_missing.then(|| interface.to_owned())
        });
        self.missing = missing.collect();
        let wanted = granting(&description.imports, granted);
        let expected = self.verdicts.iter().flatten();
        let expected = expected.filter_map(|name| VerdictKind::from_name(name));
        // These every filter may give.
        let grantable =
            expected.filter(|kind| !matches!(kind, VerdictKind::Next | VerdictKind::Block));
        let withheld = grantable.filter(|kind| !granted.has_verdict(*kind, false));
        let withheld: Vec<VerdictKind> = withheld.collect();
        if !withheld.is_empty() {
            self.grants = wanted.lines_with(&withheld, false);
        } else if !self.missing.is_empty() {
            self.grants = wanted.lines();
        }
        self.withheld = withheld.iter().map(|kind| kind.name().into()).collect();
    }
}

/// The name that was given or, checked as strictly, the one that the file has for itself.
fn choose_name(
    given: Option<&str>,
    manifest: &Manifest,
    source: &Source,
) -> Result<String, InstallError> {
    let own = Some(&*manifest.name).filter(|name| !name.is_empty());
    let name = given.or(own).or(source.stem()).unwrap_or_default();
    check_name(name)?;
    Ok(name.to_owned())
}

/// What stands in the settings that it would have, or the defaults and why they cannot be read.
fn settings(dir: &Path, name: &str) -> (FilterSettings, Option<String>) {
    let file = dir.join(format!("{name}.wasm"));
    let single = FilterFile::find(&file, dir, &[]);
    match single.map(|single| single.settings()) {
        Some(Ok(settings)) => (settings, None),
        Some(Err(error)) => (
            FilterSettings::default(),
            Some(ErrorChain(&error).to_string()),
        ),
        None => (FilterSettings::default(), None),
    }
}

/// Of what a file says, the kinds that there are: the rest would only be words on a terminal.
fn known_verdicts(said: Vec<String>) -> Vec<String> {
    let is_known = |kind: &String| VerdictKind::from_name(kind).is_some();
    said.into_iter().filter(is_known).collect()
}

/// Loads it as a proxy would from its place, with the settings that it would have there and with
/// everything granted. Gives what is wrong with the settings; what is wrong with the file is an
/// error, and is looked for first. Nothing of this stays on disk.
async fn try_out(
    mut config: Config,
    dir: &Path,
    name: &str,
    wasm: &[u8],
) -> Result<Option<String>, InstallError> {
    let aside = tempfile::tempdir().map_err(InstallError::Aside)?;
    let file = dir.join(format!("{name}.wasm"));
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    config.compiler.cache_dir = aside.path().join("compiled");
    let loader = Loader::new(&config, feeds)?;
    let single = FilterFile::find(&file, dir, &[]).ok_or(PluginError::Name)?;
    let single = single.with_content(wasm).with_grants(Grants::ALL);
    let refused = |failure| InstallError::Refused(ErrorChain(&failure).to_string());
    single.clone().check_file(&loader).await.map_err(refused)?;
    match single.load(loader).await {
        Ok(_) => Ok(None),
        Err(
            // The filter was read before, so what cannot be read is its settings.
            failure @ (LoadFailure::Settings(_)
            | LoadFailure::Unreadable { .. }
            | LoadFailure::NotAFile(_)
            | LoadFailure::Size { .. }
            | LoadFailure::Load(LoadError::Trial(Failure::Init(_)))),
        ) => Ok(Some(ErrorChain(&failure).to_string())),
        Err(failure) => Err(refused(failure)),
    }
}

/// What is there; none if nothing is.
fn installed(file: &Path) -> Result<Option<Installed>, InstallError> {
    let wasm = match fs::read(file) {
        Ok(wasm) => wasm,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(InstallError::Read {
                file: file.to_owned(),
                source,
            });
        }
    };
    let manifest = Manifest::find(&wasm).ok().flatten().unwrap_or_default();
    let description = Description::of(&wasm);
    Ok(Some(Installed {
        version: Some(manifest.version).filter(|version| !version.is_empty()),
        sha256: sha256(&wasm),
        hooks: description.map(|found| found.hooks()).unwrap_or_default(),
    }))
}

/// The beginning of what is no WebAssembly, which may be a page that says why.
fn begins(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<StartError> for InstallError {
    fn from(error: StartError) -> Self {
        Self::Plugin(error.into())
    }
}
