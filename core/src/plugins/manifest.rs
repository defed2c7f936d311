//! What a filter's file says of itself, and whether the settings beside it are what it asks for.
//! Called by `load_task`. Both the file and what it says may be hostile, so this runs on blocking
//! threads.
//!
//! A filter whose manifest cannot be used is refused. It would get its settings as people write
//! them, with hosts in other spellings than those that are judged: a rule for `bücher.example`
//! would be off, and nothing would say so.

use std::error::Error;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{groups, hosts};
use crate::config::{ConfigError, Schema, located};
use crate::error::ErrorChain;
use crate::filter::Manifest;

/// The configuration that a filter gets, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct ConfigSource {
    /// A JSON object.
    pub(crate) config: String,
    /// The file with `[config]`. It need not exist.
    pub(crate) file: PathBuf,
    /// What the file says.
    pub(crate) text: Option<String>,
    /// The groups that it may name, if that matters.
    pub(crate) groups: Option<Arc<[Arc<str>]>>,
}

/// Why the manifest of a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "its manifest cannot be used, so that neither could [config] be checked nor hosts there be \
     spelled as they are judged: {0}; get the file again, update the proxy if the file is for a \
     newer one, or have its author mend what check S5 of `portcullis plugin conformance` says"
)]
pub(crate) struct UnusableManifest(String);

impl UnusableManifest {
    fn because(error: &(dyn Error + 'static)) -> Self {
        Self(ErrorChain(error).to_string())
    }
}

/// What a filter says of itself.
#[derive(Debug)]
pub(super) struct Described {
    manifest: Manifest,
    /// What its settings are compared with.
    schema: Option<Schema>,
}

impl Described {
    /// Reads it in a file. What a file without a manifest says is empty.
    pub(super) async fn read(wasm: Arc<[u8]>) -> Result<Self, UnusableManifest> {
        let read = spawn_blocking(move || Self::find(&wasm));
        read.await
            .unwrap_or_else(|panic| Err(UnusableManifest::because(&panic)))
    }

    fn find(wasm: &[u8]) -> Result<Self, UnusableManifest> {
        let found = Manifest::find(wasm).map_err(|error| UnusableManifest::because(&error))?;
        let manifest = found.unwrap_or_default();
        let schema = manifest.config.clone().map(Schema::new).transpose();
        let schema = schema.map_err(|error| UnusableManifest::because(&error))?;
        Ok(Self { manifest, schema })
    }

    /// The manifest, and the configuration as the filter is given it. Fails if the configuration is
    /// not what the manifest asks for.
    pub(super) async fn check(
        self,
        source: ConfigSource,
    ) -> Result<(Manifest, String), ConfigError> {
        let Self { manifest, schema } = self;
        let check = spawn_blocking(move || match schema {
            Some(schema) => given(&schema, source),
            None => Ok(source.config),
        });
        // It is the proxy's fault, and what loads the filter says so.
        let given = check
            .await
            .unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?;
        Ok((manifest, given))
    }
}

/// The configuration with its hosts as they are judged.
fn given(schema: &Schema, source: ConfigSource) -> Result<String, ConfigError> {
    let mut config = serde_json::from_str(&source.config).unwrap_or_default();
    schema.check(&config, &source.file, source.text.as_deref())?;
    check_names(&config, schema.source(), &source)?;
    if hosts::respell(&mut config, schema.source()) {
        Ok(config.to_string())
    } else {
        Ok(source.config)
    }
}

/// Whether the groups that it names are there, and its hosts are hosts.
fn check_names(config: &Value, schema: &Value, source: &ConfigSource) -> Result<(), ConfigError> {
    let known = source.groups.as_deref();
    let unknown = known.and_then(|known| groups::unknown(config, schema, known));
    match unknown.or_else(|| hosts::wrong(config, schema)) {
        None => Ok(()),
        Some(said) => {
            let text = source.text.as_deref().unwrap_or_default();
            let located = located(&said, &said, &source.file, text);
            Err(located.unwrap_or_else(|| ConfigError::File {
                path: source.file.clone(),
                line: 1,
                column: 1,
                problem: said,
            }))
        }
    }
}
