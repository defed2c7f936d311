//! What one filter is, needs and costs, and why it is refused if it is: `portcullis plugin check`.

mod report;

use std::path::Path;

pub use self::report::{Cost, Examination, Needed, Settings};
use crate::bench::{start_time, tenths};
use crate::config::{Config, Grants};
use crate::error::{Causes, PluginError};
use crate::feeds::Feeds;
use crate::filter::{Description, Failure, Filter, Instance, Loader, Manifest, interface};
use crate::plugins::Single;

/// Looks at the filter in `file`, or at the built-in filter of that name, with the settings beside it.
///
/// # Errors
///
/// If there is no such file. A filter that a proxy refuses is no error: the examination says so.
pub async fn check_plugin(config: Config, file: &Path) -> Result<Examination, PluginError> {
    let single = Single::named(file, &config.plugins.dir)?;
    let wasm = single.wasm()?;
    let settings = single.settings();
    let grants = match &settings {
        Ok(settings) => single.grants(settings),
        Err(_) => Grants::default(),
    };
    let description = Description::of(&wasm);
    let manifest = Manifest::find(&wasm).ok().flatten().unwrap_or_default();
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    let feeds = Feeds::open(&config.feeds, &config.cache_dir);
    let loader = Loader::new(&config, feeds)?;
    let filter = single.name().to_owned();
    let (cost, refused) = match single.load(loader).await {
        Ok(None) => (None, None),
        Ok(Some(filter)) => match cost(&filter).await {
            Ok(cost) => (Some(cost), None),
            Err(failure) => (None, Some(Causes(&failure).to_string())),
        },
        Err(refusal) => (None, Some(Causes(&refusal).to_string())),
    };
    let kind = description.as_ref().map(|found| match found.is_component {
        true => "component",
        false => "core module",
    });
    let imports = description.iter().flat_map(|found| &found.imports);
    // Types alone ask for nothing.
    let imports = imports.filter(|name| interface(name) != Some("types"));
    Ok(Examination {
        filter,
        ok: refused.is_none(),
        file_bytes: wasm.len(),
        kind,
        version: told(manifest.version),
        description: told(manifest.description),
        hooks: description
            .as_ref()
            .map(Description::hooks)
            .unwrap_or_default(),
        imports: imports.map(|name| Needed::new(name, &grants)).collect(),
        config: manifest.config,
        settings: settings.ok().map(Settings::from),
        cost,
        refused,
    })
}

async fn cost(filter: &Filter) -> Result<Cost, Failure> {
    let start = start_time(filter).await?;
    Ok(Cost {
        compile_ms: filter.compile_time.map(|time| tenths(time, 1e3)),
        start_us: tenths(start, 1e6),
        memory_bytes: Instance::start(filter).await?.memory(),
    })
}
