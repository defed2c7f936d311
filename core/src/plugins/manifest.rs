//! What a filter's file says of itself, and whether the settings beside it are what it asks for.
//! Called by `load_task`. Both the file and what it says may be hostile, so this runs on a blocking
//! thread, and nothing that is wrong with a manifest keeps a filter from being used.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

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

/// The manifest in `wasm`, if there is one that can be used, and the configuration as the filter is
/// given it. Fails if the configuration is not what the manifest asks for.
pub(super) async fn check_config(
    name: Arc<str>,
    wasm: Arc<[u8]>,
    source: ConfigSource,
) -> Result<(Manifest, String), ConfigError> {
    let (checked, given) = (name.clone(), source.config.clone());
    let check = tokio::task::spawn_blocking(move || {
        let manifest = read_manifest(&checked, &wasm);
        let mut given = source.config.clone();
        if let Some(schema) = &manifest.config {
            check_against(&checked, schema.clone(), &source)?;
            let mut config = serde_json::from_str(&given).unwrap_or_default();
            check_names(&config, schema, &source)?;
            if hosts::respell(&mut config, schema) {
                given = config.to_string();
            }
        }
        Ok((manifest, given))
    });
    check.await.unwrap_or_else(|panic| {
        warn(&name, &panic);
        Ok((Manifest::default(), given))
    })
}

fn read_manifest(name: &str, wasm: &[u8]) -> Manifest {
    match Manifest::find(wasm) {
        Ok(found) => found.unwrap_or_default(),
        Err(error) => {
            warn(name, &error);
            Manifest::default()
        }
    }
}

fn check_against(name: &str, schema: Value, source: &ConfigSource) -> Result<(), ConfigError> {
    let config = serde_json::from_str(&source.config).unwrap_or_default();
    match Schema::new(schema) {
        Ok(schema) => schema.check(&config, &source.file, source.text.as_deref()),
        Err(error) => {
            warn(name, &error);
            Ok(())
        }
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

fn warn(name: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(
        plugin = name,
        error = %ErrorChain(error),
        "the filter's manifest cannot be used: whether its [config] is right, only the filter itself can tell"
    );
}
