//! From a filter's folder to a file that a proxy takes: `portcullis plugin build`. What is special
//! about a language is in the module of that name.

use crate::error::Escaped;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use serde::Serialize;

use super::project::Component;
use super::sdk::{self, OutsideSdk};
use super::{BuildError, Language, javascript, python, rust};
use crate::config::file::{self, Kind};
use crate::config::{Config, Mode};
use crate::error::ErrorChain;
use crate::feeds::Feeds;
use crate::filter::{LoadError, Loader};
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{FilterFile, LoadFailure};

/// What was built. Its text is a few lines; by serde, an object with the same fields.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The filter's name.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// `NAME.wasm` in the filter's folder, a component.
    pub file: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// The hooks that a proxy will call, as the contract names them.
    pub hooks: Vec<String>,
    /// The interfaces of the contract that it asks for, without the package.
    pub imports: Vec<String>,
    /// Whether it would decide about requests; false in shadow mode.
    pub decides: bool,
    /// The SDK, where that is outside of the filter's folder.
    pub sdk_outside: Option<PathBuf>,
    /// Why a proxy would not use it, with the settings beside it. Then nothing is known of what
    /// stands above.
    pub refused: Option<String>,
    /// The lines below `[grants]` with which it would have what is missing: all that the settings
    /// should have there.
    pub missing_grants: Vec<String>,
}

/// Builds the filter in `dir` with the tools of its language, writes it there as `NAME.wasm`, and
/// checks it as a proxy would that finds it with the settings beside it. What the tools say goes to
/// standard error.
///
/// # Errors
///
/// If nothing was built. A filter that was built and that a proxy would refuse is a result.
pub async fn build_plugin(config: Config, dir: &Path) -> Result<Built, BuildError> {
    let dir = std::path::absolute(dir).map_err(|source| BuildError::Files {
        action: format!("find {}", Escaped(dir.display())),
        source,
    })?;
    let language = language_of(&dir)?;
    let Component { name, bytes } = match language {
        Language::Rust => rust::build(&dir).await?,
        Language::JavaScript => javascript::build(&dir).await?,
        Language::Python => python::build(&dir).await?,
    };
    let file = dir.join(format!("{name}.wasm"));
    let written = file::replace(&file, Kind::Shared, |file| file.write_all(&bytes));
    written.map_err(|source| BuildError::Files {
        action: format!("write {}", Escaped(file.display())),
        source,
    })?;
    let built = Built {
        name,
        language,
        bytes: bytes.len(),
        file,
        hooks: Vec::new(),
        imports: Vec::new(),
        decides: false,
        sdk_outside: match language {
            Language::Rust => sdk::outside(&dir),
            Language::JavaScript | Language::Python => None,
        },
        refused: None,
        missing_grants: Vec::new(),
    };
    built.checked(config).await
}

/// What the filter in a folder is written in.
pub(super) fn language_of(dir: &Path) -> Result<Language, BuildError> {
    let manifests = [
        (rust::MANIFEST, Language::Rust),
        (javascript::MANIFEST, Language::JavaScript),
        (python::MANIFEST, Language::Python),
    ];
    for (manifest, language) in manifests {
        let file = dir.join(manifest);
        match file.metadata() {
            Ok(found) if found.is_file() => return Ok(language),
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                return Err(BuildError::Files {
                    action: format!("look for {}", Escaped(file.display())),
                    source,
                });
            }
            Ok(_) | Err(_) => {}
        }
    }
    Err(BuildError::NoFilter(dir.to_owned()))
}

impl Built {
    /// With what is only known once it is loaded.
    async fn checked(mut self, config: Config) -> Result<Self, BuildError> {
        // It takes a second for Rust and half a minute for a language runtime.
        drop(writeln!(io::stderr(), "checking {}.wasm", self.name));
        let Some(single) = FilterFile::find(&self.file, &config.plugins.dir, BUILTINS) else {
            return Err(BuildError::Manifest {
                file: self.file,
                problem: "its name is not UTF-8".into(),
            });
        };
        let loader = Loader::new(&config, Feeds::open(&config.feeds, &config.cache.dir))?;
        match single.load(loader).await {
            Ok(Some(filter)) => {
                self.hooks = filter.hooks.names();
                self.imports = filter.imports.clone();
                self.decides = filter.settings.mode == Mode::Enforce;
            }
            Ok(None) => self.refused = Some("its settings say: enabled = false".into()),
            Err(refusal) => {
                self.refused = Some(self.explain(&refusal));
                if let LoadFailure::Load(LoadError::Grant { table, .. }) = refusal {
                    self.missing_grants = table;
                }
            }
        }
        Ok(self)
    }

    /// What the proxy's log would say, and how to get the right contract if this one was built with
    /// another.
    fn explain(&self, refusal: &LoadFailure) -> String {
        let said = ErrorChain(refusal).to_string();
        let LoadFailure::Load(
            LoadError::Version { .. }
            | LoadError::Later { .. }
            | LoadError::Contract(_)
            | LoadError::Hook(_),
        ) = refusal
        else {
            return said;
        };
        format!("{said}; to build it for this one:  portcullis plugin update-sdk")
    }

    /// Whether a proxy would use it.
    pub fn is_ok(&self) -> bool {
        self.refused.is_none()
    }
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {}",
            Escaped(self.file.display()),
            ByteSize(self.bytes as u64)
        )?;
        if let Some(sdk) = &self.sdk_outside {
            writeln!(f, "{}", OutsideSdk(sdk))?;
        }
        if let Some(reason) = &self.refused {
            return writeln!(f, "a proxy refuses it: {reason}");
        }
        let imports = if self.imports.is_empty() {
            "nothing".to_owned()
        } else {
            self.imports.join(", ")
        };
        writeln!(f, "hooks: {}", self.hooks.join(", "))?;
        writeln!(f, "imports: {imports}")?;
        let in_shadow = if self.decides {
            ""
        } else {
            ", in shadow mode: it decides nothing"
        };
        writeln!(f, "a proxy takes it{in_shadow}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_refused_comes_with_the_reason_and_one_way_to_mend_it() {
        let built = Built {
            name: "guard".into(),
            language: Language::Rust,
            file: "guard.wasm".into(),
            bytes: 1024,
            hooks: Vec::new(),
            imports: Vec::new(),
            decides: false,
            sdk_outside: None,
            refused: Some("it wants more; begin guard.toml with:  grants.state = true".into()),
            missing_grants: vec!["state = true".into()],
        };
        let reason = "it wants more; begin guard.toml with:  grants.state = true";
        let end = format!("\na proxy refuses it: {reason}\n");
        assert!(built.to_string().ends_with(&end), "{built}");
    }
}
