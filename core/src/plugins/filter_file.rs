//! One filter by itself, without the life of a folder: what commands look at. Loaded as the
//! folder's filters are.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use super::folder::Files;
use super::load_task::{Digest, LoadFailure, LoadTask, MAX_SIDECAR_BYTES, Outcome};
use super::manifest::ConfigSource;
use crate::config::file;
use crate::config::file_version::FileVersion;
use crate::config::{ConfigError, FilterSettings, Grants};
use crate::error::PluginError;
use crate::filter::{CachedFailure, CompileError, Filter, LoadError, Loader, NotCompiled};
use crate::plugins::builtin::{BUILTINS, Builtin};

/// A file `NAME.wasm` with the settings beside it, or a built-in filter with those in the plugin
/// folder.
#[derive(Clone, Debug)]
pub(crate) struct FilterFile {
    dir: PathBuf,
    name: Arc<str>,
    builtin: Option<&'static [u8]>,
    /// Its content, once that was read for good.
    content: Option<Arc<[u8]>>,
    config: Option<ConfigSource>,
    grants: Option<Grants>,
}

impl FilterFile {
    /// `None` if `file` can be neither. A file need not exist.
    pub(crate) fn find(file: &Path, plugins: &Path, builtins: &'static [Builtin]) -> Option<Self> {
        let mut builtins = builtins.iter();
        if let Some(builtin) = builtins.find(|builtin| file == Path::new(builtin.name)) {
            return Some(Self {
                dir: plugins.to_owned(),
                name: builtin.name.into(),
                builtin: Some(builtin.component),
                content: None,
                config: None,
                grants: None,
            });
        }
        if file.extension()? != "wasm" {
            return None;
        }
        Some(Self {
            dir: file.parent()?.to_owned(),
            name: file.file_stem()?.to_str()?.into(),
            builtin: None,
            content: None,
            config: None,
            grants: None,
        })
    }

    /// The one that a command names.
    pub(crate) fn named(file: &Path, plugins: &Path) -> Result<Self, PluginError> {
        Self::find(file, plugins, BUILTINS).ok_or(PluginError::Name)
    }

    /// The same with what the file has now, whatever becomes of the file.
    pub(crate) fn read(mut self) -> Result<Self, PluginError> {
        if self.builtin.is_none() {
            self.content = Some(self.wasm()?.into());
        }
        Ok(self)
    }

    /// The same as if the file had this content.
    pub(crate) fn with_content(mut self, wasm: &[u8]) -> Self {
        self.content = Some(wasm.into());
        self
    }

    /// The same with that configuration, if there is one, in place of the one in its settings.
    pub(crate) fn with_config(mut self, config: Option<ConfigSource>) -> Self {
        self.config = config;
        self
    }

    /// The same with these grants in place of those in its settings.
    pub(crate) fn with_grants(mut self, grants: Grants) -> Self {
        self.grants = Some(grants);
        self
    }

    /// Under which the operator configures it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its content.
    pub(crate) fn wasm(&self) -> Result<Cow<'static, [u8]>, PluginError> {
        let file = self.path("wasm");
        match (self.builtin, &self.content) {
            (Some(component), _) => Ok(component.into()),
            (None, Some(content)) => Ok(content.to_vec().into()),
            (None, None) => match read(&file) {
                Ok(wasm) => Ok(wasm.into()),
                Err(source) => Err(PluginError::Read { file, source }),
            },
        }
    }

    /// What stands beside it.
    pub(crate) fn settings(&self) -> Result<FilterSettings, ConfigError> {
        let path = self.path("toml");
        match file::open(&path).and_then(|file| file::text_of(file, MAX_SIDECAR_BYTES)) {
            Ok(text) => FilterSettings::parse(&text, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FilterSettings::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// What it may have by these settings.
    pub(crate) fn grants(&self, settings: &FilterSettings) -> Grants {
        settings.grants(self.builtin.is_some())
    }

    /// Its size, 0 if there is no such file.
    pub(crate) fn bytes(&self) -> u64 {
        match self.builtin {
            Some(component) => component.len() as u64,
            None => fs::metadata(self.path("wasm")).map_or(0, |file| file.len()),
        }
    }

    /// Fails if the file is wrong, whatever its settings say: it is compiled and linked, and
    /// nothing of it runs.
    pub(crate) async fn check_file(self, loader: &Loader) -> Result<(), LoadFailure> {
        self.task().check_file(loader).await
    }

    /// Loads it the way the folder's filters are loaded; `None` if its settings disable it.
    pub(crate) async fn load(self, loader: Loader) -> Result<Option<Arc<Filter>>, LoadFailure> {
        let loaded = self.task().run(loader).await;
        match (loaded.failure, loaded.outcome) {
            (Some(LoadFailure::Read { file, source }), _) => {
                Err(LoadFailure::Unreadable { file, source })
            }
            (Some(failure), _) => Err(failure),
            (None, Outcome::Filter(filter)) => Ok(filter),
            // It may still grow, but a command does not wait for that.
            (None, Outcome::Unchanged | Outcome::Incomplete) => {
                let truncated = NotCompiled::File(CompileError::Truncated);
                Err(LoadError::Compile(truncated).into())
            }
        }
    }

    /// Loads it for a command that needs one.
    pub(crate) async fn filter(self, loader: Loader) -> Result<Arc<Filter>, PluginError> {
        let loaded = self.load(loader).await;
        let filter = loaded.map_err(|failure| PluginError::Refused(failure.into()))?;
        filter.ok_or(PluginError::Disabled)
    }

    fn task(self) -> LoadTask {
        let files = Files {
            wasm: FileVersion::of_file(&self.path("wasm")).filter(|_| self.builtin.is_none()),
            settings: FileVersion::of_file(&self.path("toml")),
        };
        LoadTask {
            dir: self.dir.into(),
            name: self.name,
            files,
            builtin: self.builtin,
            content: self.content,
            known: Digest::default(),
            standing: Arc::default(),
            cached_failure: CachedFailure::Ignore,
            fall_back: false,
            config: self.config,
            grants: self.grants,
        }
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.name))
    }
}

/// What is in a file, however long it is: that is a finding of those who look at it.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file::open(file)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::feeds::Feeds;
    use crate::plugins::MAX_WASM_BYTES;

    #[cfg(unix)]
    #[test]
    fn a_pipe_with_the_name_of_a_filter_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guard.wasm");
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.unwrap().success());
        let single = FilterFile::named(&file, dir.path()).unwrap();
        // Opened, it would wait for a writer.
        let Err(PluginError::Read { source, .. }) = single.read() else {
            panic!("it was read");
        };
        assert_eq!(source.to_string(), "it is not a regular file");
    }

    #[test]
    fn a_file_is_read_although_no_proxy_takes_one_of_that_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guard.wasm");
        let file = fs::File::create(&path).unwrap();
        file.set_len(MAX_WASM_BYTES + 1).unwrap();
        let single = FilterFile::named(&path, dir.path()).unwrap();
        // What is said of it begins with how large it is.
        assert_eq!(single.wasm().unwrap().len() as u64, MAX_WASM_BYTES + 1);
    }

    #[tokio::test]
    async fn a_file_that_was_read_is_what_it_was_whatever_becomes_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.compiler.cache_dir = dir.path().join("compiled");
        let loader = Loader::new(&config, Feeds::from_lists([])).unwrap();
        let file = dir.path().join("guard.wasm");
        let mut builtins = BUILTINS.iter();
        let blocklist = builtins.find(|builtin| builtin.name == "blocklist");
        let component = blocklist.unwrap().component;
        fs::write(&file, component).unwrap();
        let single = FilterFile::named(&file, dir.path()).unwrap();
        let read = single.clone().read().unwrap();
        fs::write(&file, "another").unwrap();
        assert_eq!(*read.wasm().unwrap(), *component);
        assert_eq!(*single.wasm().unwrap(), *b"another");
        fs::remove_file(&file).unwrap();
        read.clone().check_file(&loader).await.unwrap();
        // It is none of the built-in filters, which may have more.
        let refusal = read.load(loader).await.unwrap_err();
        let refused = matches!(refusal, LoadFailure::Load(LoadError::Grant { .. }));
        assert!(refused, "{refusal}");
    }
}
