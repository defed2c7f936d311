//! Whether a filter keeps to the contract where the compiler cannot see it: `portcullis plugin
//! conformance`. A battery of checks with ids that stay, run in the sandbox, with nothing of a
//! proxy around the filter. What is in a battery does not change; a stricter one has another
//! number.

mod finding;
mod judging;
mod messages;
mod question;
mod refusals;
mod report;
mod size;
mod start;
mod tally;
mod times;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub use self::finding::Finding;
use self::question::judges;
use self::report::Checks;
pub use self::report::{Check, Conformance};
use crate::config::{Config, Grants, Schema};
use crate::error::{ErrorChain, Escaped, PluginError};
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::{
    CompilerError, Description, Failure, Filter, Import, LoadError, Loader, Manifest, NotCompiled,
    granting, interface,
};
use crate::plugins::{FilterFile, LoadFailure};

/// The battery that is run.
pub const BATTERY: &str = "1.0";

/// When it is for filters under test.
pub(super) fn now() -> SystemTime {
    // Monday, 2 March 2026, 09:00 UTC.
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_772_442_000)
}

/// Runs the battery on the filter in `file`, or on the built-in filter of that name, with the
/// settings beside it. Everything is granted to it but for the check of grants.
///
/// # Errors
///
/// If there is no such file. Whatever is wrong with the filter is a finding.
pub async fn conformance(config: Config, file: &Path) -> Result<Conformance, PluginError> {
    let single = FilterFile::named(file, &config.plugins.dir)?.read()?;
    conformance_of(&config, single).await
}

/// The same of a filter that was read.
pub(super) async fn conformance_of(
    config: &Config,
    single: FilterFile,
) -> Result<Conformance, PluginError> {
    let wasm = single.wasm()?;
    let mut checks = Checks::default();
    let description = Description::of(&wasm);
    is_static(&mut checks, &single, &wasm, description.as_ref());
    let listed = vec![
        "listed.example".to_owned(),
        "@@ok.listed.example".to_owned(),
    ];
    // The filter's settings may name the feeds of the proxy.
    let empty = config.feeds.keys().map(|name| (name.clone(), Vec::new()));
    let mut lists: BTreeMap<_, _> = empty.collect();
    lists.insert("list".to_owned(), listed);
    let feeds: Vec<String> = lists.keys().cloned().collect();
    let loader = Loader::new(config, Feeds::from_lists(&lists))?;
    let filter = single.name().to_owned();
    let loaded = single
        .with_grants(Grants::all_of_a_file())
        .load(loader)
        .await;
    size::check(&mut checks, &wasm, &config.compiler, loaded.as_ref());
    loads(&mut checks, &filter, loaded.as_ref());
    if let Ok(Some(loaded)) = loaded {
        run(&mut checks, &loaded, &feeds).await;
    } else {
        checks.stop("it does not load, see S1");
    }
    Ok(Conformance::new(
        filter,
        description.and_then(|found| found.contract()),
        checks,
    ))
}

fn loads(checks: &mut Checks, filter: &str, loaded: Result<&Option<Arc<Filter>>, &LoadFailure>) {
    let failure = match loaded {
        Ok(Some(_)) => return checks.pass("S1"),
        Ok(None) => {
            return checks.environment("S1", "its settings say: enabled = false", "enable it");
        }
        Err(failure) => failure,
    };
    let why = ErrorChain(failure).to_string();
    match failure {
        LoadFailure::Settings(_) | LoadFailure::Load(LoadError::Trial(Failure::Init(_))) => {
            let fix = format!(
                "write what it asks for into {}.toml beside it, and a group or a feed into \
                 portcullis.toml",
                Escaped(filter)
            );
            checks.environment("S1", why, fix);
        }
        failure if failure.may_pass() && !has_ended_its_compiler(failure) => {
            checks.environment("S1", why, report::BUSY);
        }
        _ => checks.fail("S1", why, "see `portcullis plugin check`"),
    }
}

/// Whether the compiling process has ended on the file. A proxy tries such a file again; here one
/// try counts.
fn has_ended_its_compiler(failure: &LoadFailure) -> bool {
    let LoadFailure::Load(LoadError::Compile(NotCompiled::Compiler(error))) = failure else {
        return false;
    };
    matches!(error, CompilerError::Died { .. })
}

/// What the file itself shows.
fn is_static(
    checks: &mut Checks,
    single: &FilterFile,
    wasm: &[u8],
    description: Option<&Description>,
) {
    let Some(description) = description else {
        return checks.fail("S2", "it is not a whole WebAssembly file", "build it again");
    };
    if let Some(name) = description.unknown_hook() {
        checks.fail(
            "S2",
            format!("it exports {name}, which this proxy does not know and would never call"),
            "build it for the contract that this proxy speaks, or update the proxy",
        );
    } else if description.hooks().is_empty() {
        checks.fail(
            "S2",
            "it exports no hook",
            "export one of those that the contract has",
        );
    } else {
        checks.pass("S2");
    }
    let settings = single.settings().unwrap_or_default();
    let grants = single.grants(&settings);
    let is_unknown = |name: &&String| {
        interface(name) != Some("types") && Import::of(name, &grants) == Import::Unknown
    };
    match description.imports.iter().find(is_unknown) {
        Some(name) => checks.fail(
            "S4",
            format!("it imports {name}, which the contract does not have"),
            "build it without WASI, for the contract that this proxy speaks",
        ),
        None => checks.pass("S4"),
    }
    let wanted = granting(&description.imports, &grants);
    if wanted != grants {
        let lines = wanted.lines();
        let name = Escaped(single.name());
        let table = format!("have in {name}.toml:\n\n[grants]\n{}", lines.join("\n"));
        checks.environment("S3", "it imports what is not granted to it", table);
    } else {
        checks.pass("S3");
    }
    says_its_configuration(checks, wasm);
}

fn says_its_configuration(checks: &mut Checks, wasm: &[u8]) {
    match Manifest::find(wasm) {
        Ok(found) => match found.and_then(|manifest| manifest.config).map(Schema::new) {
            Some(Ok(schema)) => match schema.doubt() {
                Some(doubt) => checks.warn(
                    "S5",
                    format!("in the schema of its configuration, {doubt}"),
                    "write a format that the proxy knows; until then it does nothing for that setting",
                ),
                None => checks.pass("S5"),
            },
            Some(Err(error)) => checks.fail(
                "S5",
                format!("the schema of its configuration cannot be used: {error}"),
                "mend the schema; until then no proxy uses the filter",
            ),
            None => checks.warn(
                "S5",
                "it does not say what its configuration may be",
                "build it with `portcullis plugin build`",
            ),
        },
        Err(error) => checks.fail("S5", ErrorChain(&error).to_string(), "build it again"),
    }
}

/// The filter may look into the feeds of these names.
async fn run(checks: &mut Checks, filter: &Filter, feeds: &[String]) {
    let clock = Clock::manual(now());
    let filter: Arc<Filter> = filter.isolated(&clock);
    start::run(checks, &filter).await;
    if !checks.is_stopped() {
        judging::run(checks, &filter).await;
    }
    // What nothing waits for does not need an answer to the plain question.
    times::run_background(checks, &filter).await;
    if checks.is_stopped() {
        return;
    }
    messages::run(checks, &filter).await;
    refusals::run(checks, &filter, feeds).await;
    times::run(checks, &filter).await;
    if judges(&filter).next().is_some() {
        checks.check_verdicts();
    }
}
