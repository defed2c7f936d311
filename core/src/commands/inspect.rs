//! Says what one filter is, needs and costs, and why it is refused if it is: `portcullis plugin
//! check`.

mod report;

use std::path::Path;

pub use self::report::{Cost, Inspection, Needed, Settings};
use super::bench::{round_to_tenth, start_time};
use crate::config::Config;
use crate::error::{ErrorChain, PluginError, StartError};
use crate::feeds::Feeds;
use crate::filter::{
    Description, Failure, Filter, Instance, Loader, Manifest, granting, interface,
};
use crate::plugins::FilterFile;

/// Looks at the filter in `file`, or at the built-in filter of that name, with the settings beside
/// it.
///
/// # Errors
///
/// If there is no such file. A filter that a proxy refuses is not an error: the inspection says
/// so.
pub async fn check_plugin(config: Config, file: &Path) -> Result<Inspection, PluginError> {
    let single = FilterFile::named(file, &config.plugins.dir)?;
    let wasm = single.wasm()?;
    let settings = single.settings();
    let grants = settings.as_ref().map(|settings| single.grants(settings));
    let grants = grants.unwrap_or_default();
    let filter = single.name().to_owned();
    let (cost, refused) = match cost(config, single).await? {
        Ok(cost) => (cost, None),
        Err(reason) => (None, Some(reason)),
    };
    let description = Description::of(&wasm);
    let imports = description.iter().flat_map(|found| &found.imports);
    // An import of types alone asks the proxy for nothing.
    let imports = imports.filter(|name| interface(name) != Some("types"));
    let imports: Vec<Needed> = imports.map(|name| Needed::new(name, &grants)).collect();
    let is_missing = |import: &Needed| import.grant.is_some() && !import.allowed;
    let wanted = description
        .as_ref()
        .filter(|_| imports.iter().any(is_missing));
    let wanted = wanted.map(|found| granting(&found.imports, &grants).lines());
    let hooks = description.as_ref().map(Description::hooks);
    let contract = description.as_ref().map(Description::contract);
    let manifest = Manifest::find(&wasm).ok().flatten().unwrap_or_default();
    let if_any = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Inspection {
        filter,
        ok: refused.is_none(),
        file_bytes: wasm.len(),
        imports,
        missing_grants: wanted.unwrap_or_default(),
        kind: description.map(|found| found.kind()),
        version: if_any(manifest.version),
        description: if_any(manifest.description),
        contract: contract.flatten(),
        hooks: hooks.unwrap_or_default(),
        config: manifest.config,
        settings: settings.ok().map(Settings::from),
        cost,
        refused,
    })
}

/// None if the filter is disabled; the inner error says why a proxy refuses it.
async fn cost(
    config: Config,
    single: FilterFile,
) -> Result<Result<Option<Cost>, String>, StartError> {
    let feeds = Feeds::open(&config.feeds, &config.cache.dir);
    let loader = Loader::new(&config, feeds)?;
    let filter = match single.load(loader).await {
        Ok(Some(filter)) => filter,
        Ok(None) => return Ok(Ok(None)),
        Err(refusal) => return Ok(Err(ErrorChain(&refusal).to_string())),
    };
    let cost = cost_of(&filter).await;
    Ok(cost
        .map(Some)
        .map_err(|failure| ErrorChain(&failure).to_string()))
}

async fn cost_of(filter: &Filter) -> Result<Cost, Failure> {
    let start = start_time(filter).await?;
    Ok(Cost {
        compile_ms: filter.compile_time.map(|time| round_to_tenth(time, 1e3)),
        start_us: round_to_tenth(start, 1e6),
        memory_bytes: Instance::start(filter).await?.memory(),
    })
}
