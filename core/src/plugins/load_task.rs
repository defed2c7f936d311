//! One try to make a filter of a plugin's files: read once, parse, load. Runs in a task of its own,
//! which `plugins` starts; `plugins` decides what follows.

use std::io::{self, Read};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use sha2::{Digest as _, Sha256};

use super::folder::{Files, aside};
use super::manifest::{ConfigSource, Described, UnusableManifest};
use crate::config::file::open_regular;
use crate::config::file_version::FileVersion;
use crate::config::{self, Ceilings, ConfigError, FilterSettings, Grants, Standing};
use crate::error::{ErrorChain, Escaped, panic_message};
use crate::filter::{
    CachedFailure, CompileError, Failure, Filter, Hash, LoadError, LoadRequest, Loader, Manifest,
    NotCompiled,
};

/// A file that ends early may still be on its way for this long after it was last written to.
pub(super) const COPY_TIMEOUT: Duration = Duration::from_secs(3);

/// A larger file is not a filter: the largest language runtimes make 20 MB.
pub(crate) const MAX_WASM_BYTES: u64 = 256 << 20;

/// Settings are a page of text.
pub(super) const MAX_SIDECAR_BYTES: u64 = 1 << 20;

/// Identifies the contents of a plugin's files.
pub(super) type Digest = [u8; 32];

/// What to try.
#[derive(Debug)]
pub(super) struct LoadTask {
    pub(super) dir: Arc<Path>,
    pub(super) name: Arc<str>,
    pub(super) files: Files,
    /// The component that is built in under this name.
    pub(super) builtin: Option<&'static [u8]>,
    /// The content, if it was read before.
    pub(super) content: Option<Arc<[u8]>>,
    /// The contents that were tried last.
    pub(super) known: Digest,
    /// Filled in as soon as the settings are read.
    pub(super) standing: Arc<OnceLock<Standing>>,
    pub(super) cached_failure: CachedFailure,
    /// Whether the built-in filter stands in for settings that cannot be used.
    pub(super) fall_back: bool,
    /// The configuration that the filter gets in place of the one in its settings.
    pub(super) config: Option<ConfigSource>,
    /// What the filter is granted in place of what its settings grant.
    pub(super) grants: Option<Grants>,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) name: Arc<str>,
    /// The files that were tried.
    pub(super) files: Files,
    pub(super) retry: Retry,
    /// What was read of the settings.
    pub(super) standing: Arc<OnceLock<Standing>>,
    pub(super) digest: Digest,
    /// Why the files cannot be used.
    pub(super) failure: Option<LoadFailure>,
    pub(super) outcome: Outcome,
}

/// Whether the same files are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// Not before they change.
    Never,
    /// At once, as they seem to be on their way still.
    Soon,
    /// After a pause: what kept them from being used may pass without a trace in the folder.
    Later,
}

/// What there is to put into the chain.
#[derive(Debug)]
pub(super) enum Outcome {
    /// What was there before.
    Unchanged,
    /// The file seems to be on its way still.
    Incomplete,
    /// This, or nothing if the operator has disabled it.
    Filter(Option<Arc<Filter>>),
}

/// Why a plugin's files are not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadFailure {
    #[error("cannot read {}; it is tried again by itself", Escaped(file))]
    Read {
        file: String,
        #[source]
        source: io::Error,
    },
    /// The same in a command, which does not try again.
    #[error("cannot read {}", Escaped(file))]
    Unreadable {
        file: String,
        #[source]
        source: io::Error,
    },
    #[error("loading it failed, which is the proxy's fault; please report it: {0}")]
    Panic(String),
    #[error(
        "{} is a folder, a pipe or a device; put a file in its place, or rename it",
        Escaped(.0)
    )]
    NotAFile(String),
    #[error("{} is larger than {} MiB; make it smaller", Escaped(file), limit >> 20)]
    Size { file: String, limit: u64 },
    #[error(transparent)]
    Settings(#[from] ConfigError),
    #[error(transparent)]
    Manifest(#[from] UnusableManifest),
    #[error(
        "there are settings, but no {}.wasm beside them and no built-in filter of that name",
        Escaped(.0)
    )]
    NoFilter(Arc<str>),
    #[error(
        "[plugins] order names it, but there is neither {name}.wasm in the plugin folder nor, for a built-in filter, {name}.toml",
        name = Escaped(.0)
    )]
    Absent(Arc<str>),
    #[error(
        "its name differs from {name} by case only, and {name} was there first; rename one of them",
        name = Escaped(.0)
    )]
    NameConflict(Arc<str>),
    #[error("{}.toml is empty, and was not before", Escaped(.0))]
    Emptied(Arc<str>),
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl LoadFailure {
    /// Whether the same files may work a moment later, and are tried again by themselves.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Load(LoadError::Trial(failure)) => failure.is_overload(),
            Self::Load(LoadError::Compile(NotCompiled::Compiler(error))) => error.may_pass(),
            _ => false,
        }
    }

    /// Whether it may be that a filter names a feed which is not there.
    pub(super) fn may_want_feeds(&self) -> bool {
        // What a filter says of its settings has their place, if that is known.
        matches!(self, Self::Settings(_) | Self::Load(LoadError::Trial(_)))
    }
}

impl LoadTask {
    /// A panic is a failure to load, as the name would otherwise wait for ever.
    pub(super) async fn run(self, loader: Loader) -> Loaded {
        let failed = self.loaded(self.known, None, Outcome::Unchanged);
        let loaded = AssertUnwindSafe(self.try_to_load(loader)).catch_unwind();
        loaded.await.unwrap_or_else(|panic| Loaded {
            failure: Some(LoadFailure::Panic(panic_message(&*panic))),
            ..failed
        })
    }

    /// Fails if the file is wrong, whatever its settings say. Nothing of it runs.
    pub(super) async fn check_file(&self, loader: &Loader) -> Result<(), LoadFailure> {
        let source = match &self.content {
            Some(content) => Source::new(content.clone(), None),
            None => self.read().await?,
        };
        let settings = FilterSettings::without_file(loader.ceilings());
        let request = LoadRequest {
            grants: Grants::ALL,
            ..self.request(&source, settings, Manifest::default())
        };
        loader.link(&request).await?;
        Described::read(source.wasm.clone()).await?;
        Ok(())
    }

    async fn try_to_load(self, loader: Loader) -> Loaded {
        let source = match self.read().await {
            Ok(source) => source,
            Err(failure) => return self.failed(&loader, failure, self.known).await,
        };
        if source.digest == self.known {
            return self.loaded(source.digest, None, Outcome::Unchanged);
        }
        let settings = match self.settings(source.settings.as_deref(), loader.ceilings()) {
            Ok(settings) if !settings.enabled => {
                return self.loaded(source.digest, None, Outcome::Filter(None));
            }
            Ok(settings) => settings,
            Err(error) => return self.failed(&loader, error.into(), source.digest).await,
        };
        match self.load(&loader, &source, settings).await {
            Ok(filter) => self.loaded(source.digest, None, Outcome::Filter(Some(filter))),
            Err(LoadFailure::Load(LoadError::Compile(NotCompiled::File(
                CompileError::Truncated,
            )))) if self.may_be_growing() => Loaded {
                retry: Retry::Soon,
                ..self.loaded(self.known, None, Outcome::Incomplete)
            },
            Err(failure) => {
                // On a busy machine a good filter or its compiler may run out of time; its file
                // need only be touched to be tried again.
                let may_be_good = matches!(
                    failure,
                    LoadFailure::Load(
                        LoadError::Trial(
                            Failure::Cpu(..)
                                | Failure::Wall(..)
                                | Failure::Starved(..)
                                | Failure::Late(..)
                                | Failure::Start(_)
                        ) | LoadError::Compile(NotCompiled::Compiler(_))
                    )
                );
                let digest = if may_be_good {
                    Digest::default()
                } else {
                    source.digest
                };
                self.failed(&loader, failure, digest).await
            }
        }
    }

    async fn load(
        &self,
        loader: &Loader,
        source: &Source,
        settings: FilterSettings,
    ) -> Result<Arc<Filter>, LoadFailure> {
        let config = self.config.clone().unwrap_or_else(|| ConfigSource {
            config: settings.config.clone(),
            file: self.settings_file(),
            text: source.settings.clone(),
            groups: Some(loader.groups().clone()),
        });
        let described = Described::read(source.wasm.clone()).await?;
        let (manifest, given) = described.check(config.clone()).await?;
        let settings = FilterSettings {
            config: given,
            ..settings
        };
        let loaded = loader.load(self.request(source, settings, manifest)).await;
        loaded.map_err(|error| located(error, &config))
    }

    /// The files cannot be used: what served before goes on, or what is built in stands in.
    async fn failed(&self, loader: &Loader, failure: LoadFailure, digest: Digest) -> Loaded {
        let mut outcome = Outcome::Unchanged;
        let standing = self.standing.get().copied().unwrap_or_default();
        let is_required = matches!(standing, Standing::Required(_));
        if let Some(builtin) = self.builtin.filter(|_| self.fall_back && is_required) {
            let source = Source::new(builtin.into(), None);
            let manifest = Manifest::find(builtin).ok().flatten();
            let settings = FilterSettings::without_file(loader.ceilings());
            let request = LoadRequest {
                grants: Grants::OF_STAND_IN,
                ..self.request(&source, settings, manifest.unwrap_or_default())
            };
            match loader.load(request).await {
                Ok(filter) => outcome = Outcome::Filter(Some(filter)),
                Err(error) => {
                    tracing::error!(plugin = %self.name, error = %ErrorChain(&error), "the built-in filter does not load either");
                }
            }
        }
        let retry = if failure.may_pass() {
            Retry::Later
        } else {
            Retry::Never
        };
        Loaded {
            retry,
            ..self.loaded(digest, Some(failure), outcome)
        }
    }

    fn request(
        &self,
        source: &Source,
        settings: FilterSettings,
        manifest: Manifest,
    ) -> LoadRequest {
        let is_builtin = self.content.is_none() && self.files.wasm.is_none();
        LoadRequest {
            name: self.name.clone(),
            wasm: source.wasm.clone(),
            hash: source.hash,
            grants: self
                .grants
                .clone()
                .unwrap_or_else(|| settings.grants(is_builtin)),
            is_builtin,
            settings,
            manifest,
            cached_failure: self.cached_failure,
        }
    }

    fn loaded(&self, digest: Digest, failure: Option<LoadFailure>, outcome: Outcome) -> Loaded {
        Loaded {
            name: self.name.clone(),
            files: self.files.clone(),
            retry: Retry::Never,
            standing: self.standing.clone(),
            digest,
            failure,
            outcome,
        }
    }

    fn settings(
        &self,
        text: Option<&str>,
        ceilings: &Ceilings,
    ) -> Result<FilterSettings, ConfigError> {
        let mut settings = match text {
            Some(text) => FilterSettings::parse_within(text, &self.settings_file(), ceilings)?,
            None => FilterSettings::without_file(ceilings),
        };
        if let Some(source) = &self.config {
            settings.config.clone_from(&source.config);
        }
        Ok(settings)
    }

    fn settings_file(&self) -> PathBuf {
        self.dir.join(format!("{}.toml", self.name))
    }

    fn may_be_growing(&self) -> bool {
        self.files
            .wasm
            .as_ref()
            .is_some_and(|stamp| stamp.is_younger_than(COPY_TIMEOUT))
    }

    async fn read(&self) -> Result<Source, LoadFailure> {
        let settings = match &self.files.settings {
            Some(stamp) => {
                let bytes = self.read_file("toml", Some(stamp), MAX_SIDECAR_BYTES);
                let text = String::from_utf8(bytes.await?);
                Some(text.map_err(|error| self.unreadable("toml", io::Error::other(error)))?)
            }
            None => None,
        };
        let standing = Standing::read(settings.as_deref().unwrap_or_default());
        self.standing.get_or_init(|| standing);
        if let Some(content) = &self.content {
            return Ok(Source::new(content.clone(), settings));
        }
        let wasm = match (&self.files.wasm, self.builtin) {
            (None, Some(builtin)) => builtin.to_vec(),
            (None, None) if settings.is_some() => {
                return Err(LoadFailure::NoFilter(self.name.clone()));
            }
            (stamp, _) => {
                self.read_file("wasm", stamp.as_ref(), MAX_WASM_BYTES)
                    .await?
            }
        };
        Ok(Source::new(wasm.into(), settings))
    }

    async fn read_file(
        &self,
        extension: &str,
        stamp: Option<&FileVersion>,
        limit: u64,
    ) -> Result<Vec<u8>, LoadFailure> {
        let file = format!("{}.{extension}", self.name);
        if stamp.is_some_and(|stamp| stamp.len() > limit) {
            return Err(LoadFailure::Size { file, limit });
        }
        let path = self.dir.join(&file);
        let read = aside(move || -> io::Result<_> {
            let Some(opened) = open_regular(&path)? else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            // It may have grown since it was looked at.
            opened.take(limit + 1).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        });
        match read.await.flatten() {
            Ok(None) => Err(LoadFailure::NotAFile(file)),
            Ok(Some(bytes)) if bytes.len() as u64 > limit => Err(LoadFailure::Size { file, limit }),
            Ok(Some(bytes)) => Ok(bytes),
            Err(source) => Err(self.unreadable(extension, source)),
        }
    }

    fn unreadable(&self, extension: &str, source: io::Error) -> LoadFailure {
        let file = format!("{}.{extension}", self.name);
        LoadFailure::Read { file, source }
    }
}

/// Adds the place in the settings, if the filter names what it refuses.
fn located(error: LoadError, source: &ConfigSource) -> LoadFailure {
    let place = match (&error, &source.text) {
        (LoadError::Trial(Failure::Init(said)), Some(text)) => {
            config::located(said, &error.to_string(), &source.file, text)
        }
        _ => None,
    };
    place.map_or_else(|| error.into(), LoadFailure::from)
}

/// The contents of a plugin's files, read once.
struct Source {
    wasm: Arc<[u8]>,
    hash: Hash,
    settings: Option<String>,
    digest: Digest,
}

impl Source {
    fn new(wasm: Arc<[u8]>, settings: Option<String>) -> Self {
        let hash: Hash = Sha256::digest(&wasm).into();
        let mut digest = Sha256::new();
        digest.update(hash);
        digest.update([u8::from(settings.is_some())]);
        digest.update(settings.as_deref().unwrap_or_default());
        Self {
            wasm,
            hash,
            settings,
            digest: digest.finalize().into(),
        }
    }
}
