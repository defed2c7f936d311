//! What a filter's file says of itself, and whether the settings beside it are what it asks for. Both the file and what it says may be
//! hostile, so this runs on a thread of its own, and nothing that is wrong with a manifest keeps a filter from being used. Called by
//! `attempt`.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::config::{ConfigError, Schema};
use crate::error::Causes;
use crate::filter::Manifest;

/// What the operator says to the filter.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// A JSON object.
    pub(crate) config: String,
    /// Where it stands, as `[config]`. The file need not exist.
    pub(crate) file: PathBuf,
    pub(crate) text: Option<String>,
}

/// The manifest in `wasm`, if there is one that can be used. Fails if `told` is not what it asks for.
pub(super) async fn examine(
    name: Arc<str>,
    wasm: Arc<[u8]>,
    told: Told,
) -> Result<Manifest, ConfigError> {
    let examined = name.clone();
    let examination = tokio::task::spawn_blocking(move || {
        let manifest = find(&examined, &wasm);
        if let Some(source) = &manifest.config {
            compare(&examined, source.clone(), &told)?;
        }
        Ok(manifest)
    });
    examination.await.unwrap_or_else(|panic| {
        warn(&name, &panic);
        Ok(Manifest::default())
    })
}

fn find(name: &str, wasm: &[u8]) -> Manifest {
    match Manifest::find(wasm) {
        Ok(found) => found.unwrap_or_default(),
        Err(error) => {
            warn(name, &error);
            Manifest::default()
        }
    }
}

fn compare(name: &str, source: Value, told: &Told) -> Result<(), ConfigError> {
    let config = serde_json::from_str(&told.config).unwrap_or_default();
    match Schema::new(source) {
        Ok(schema) => schema.check(&config, &told.file, told.text.as_deref()),
        Err(error) => {
            warn(name, &error);
            Ok(())
        }
    }
}

fn warn(name: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(
        plugin = name,
        error = %Causes(error),
        "the filter's manifest cannot be used: whether its [config] is right, only the filter itself can tell"
    );
}
