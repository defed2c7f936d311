//! From a file's content to a filter that can be asked: compile, compare what it wants with what there is and what is granted, link, and
//! try one instance.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use super::bindings::Filter as World;
use super::bindings::exports::portcullis::filter::{
    judge_host, judge_request, judge_response, lifecycle, tick,
};
use super::cache::Hash;
use super::capability::{Import, interface, offered, ours};
use super::compiler::{Compiled, Compiler, Memory, NotCompiled, QUICK};
use super::engine::Engine;
use super::host::{Host, LogBudget, State};
use super::{Failure, Filter, Hooks, Instance, Manifest};
use crate::config::{self, Grants, Sidecar};
use crate::error::StartError;
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::metrics::{Metrics, Registry};
use crate::filter::state::Stores;

/// The contract that this proxy speaks.
pub(crate) const API: &str = "0.1.0";

const LIFECYCLE: &str = "portcullis:filter/lifecycle@0.1.0";
const JUDGE_HOST: &str = "portcullis:filter/judge-host@0.1.0";
const JUDGE_REQUEST: &str = "portcullis:filter/judge-request@0.1.0";
const JUDGE_RESPONSE: &str = "portcullis:filter/judge-response@0.1.0";
const TICK: &str = "portcullis:filter/tick@0.1.0";

/// Makes filters; one a process.
#[derive(Clone)]
pub(crate) struct Loader {
    engine: Engine,
    linker: Arc<Linker<State>>,
    compiler: Arc<Compiler>,
    feeds: Arc<Feeds>,
    states: Arc<Stores>,
    metrics: Arc<Registry>,
}

/// What a filter is made of.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: Arc<str>,
    pub(crate) wasm: Arc<[u8]>,
    /// Of `wasm`.
    pub(crate) hash: Hash,
    pub(crate) settings: Sidecar,
    pub(crate) grants: Grants,
    /// What `wasm` says of itself.
    pub(crate) manifest: Manifest,
    pub(crate) memory: Memory,
}

/// Why a file is not a filter, or not one that can be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// There is no machine code.
    #[error(transparent)]
    Compile(#[from] NotCompiled),
    /// Made for another version of the contract.
    #[error(
        "it needs {interface}, version {version} of the filter API, and this proxy speaks {API}; build it with the SDK of this proxy, or update the proxy"
    )]
    Version {
        /// The interface, as the file names it.
        interface: String,
        /// What it asks for.
        version: String,
    },
    /// WASI has no ambient counterpart here.
    #[error(
        "it imports `{0}`, but a filter reaches files, clocks and networks through the proxy or not at all; build it for wasm32-unknown-unknown, or with what its language offers to stub WASI out"
    )]
    Wasi(String),
    /// It wants something that the proxy does not offer.
    #[error("it imports `{0}`, which this proxy does not offer; there are {offered} of portcullis:filter@{API}", offered = offered())]
    Import(String),
    /// The operator has not said that it may.
    #[error(
        "it wants {}, which {name}.toml does not grant; if it may have {}, add there:  [grants]  {}",
        quoted(capabilities), if lines.len() == 1 { "it" } else { "them" }, lines.join("  ")
    )]
    Grant {
        /// The filter.
        name: Arc<str>,
        /// The interfaces that it imports.
        capabilities: Vec<String>,
        /// What to write below `[grants]`.
        lines: Vec<&'static str>,
    },
    /// Its imports or hooks have other types than the contract's.
    #[error("it does not fit portcullis:filter@{API}; build it with the SDK of this proxy")]
    Contract(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It would never be asked anything.
    #[error(
        "it exports no hook of portcullis:filter@{API} (judge-host, judge-request, judge-response, tick); was it built with portcullis-sdk?"
    )]
    NoHook,
    /// The trial instance failed or refused its configuration.
    #[error(transparent)]
    Trial(#[from] Failure),
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

impl Loader {
    /// A loader whose filters look up hosts in `feeds`.
    pub(crate) fn new(config: &config::Config, feeds: Arc<Feeds>) -> Result<Self, StartError> {
        let engine = Engine::new(config.plugins.stack)?;
        let mut linker = Linker::new(engine.wasmtime());
        World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .map_err(|error| StartError::Engine(error.into()))?;
        Ok(Self {
            compiler: Arc::new(Compiler::new(engine.wasmtime(), config.compiler.clone())),
            engine,
            linker: Arc::new(linker),
            feeds,
            states: Arc::default(),
            metrics: Arc::default(),
        })
    }

    /// Compiles `draft.wasm` unless that was done before, and starts one instance to see that it works.
    pub(crate) async fn load(&self, draft: Draft) -> Result<Arc<Filter>, LoadError> {
        let compiler = &self.compiler;
        let compiling = compiler.component(draft.wasm.clone(), draft.hash, draft.memory);
        let Compiled { component, time } = tell_if_slow(&draft.name, compiling).await?;
        self.check_interfaces(&component, &draft)?;
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Contract(error.into()))?;
        let imports = self.imports(&component);
        let wants = |interface| imports.iter().any(|import| import == interface);
        let hooks = Hooks {
            uses_request_headers: wants("request-headers"),
            uses_response_headers: wants("response-headers"),
            ..hooks(&component, &instance)?
        };
        let limits = draft.settings.limits;
        let host = Host {
            name: draft.name.clone(),
            feeds: self.feeds.clone(),
            grants: draft.grants,
            // The trial's `init` may write what the version in use would then find.
            state: Stores::default().open(&draft.name, limits.state),
            metrics: Metrics::default(),
            log: Arc::new(LogBudget::new(limits.log)),
            clock: Clock::System,
            asked_for_missing_client: Arc::default(),
        };
        let mut filter = Filter {
            host,
            name: draft.name,
            settings: draft.settings,
            manifest: draft.manifest,
            hooks,
            imports,
            engine: self.engine.clone(),
            component: instance,
            compile_time: time,
        };
        Instance::start(&filter).await?;
        filter.host.state = self.states.open(&filter.name, limits.state);
        filter.host.metrics = self.metrics.open(&filter.name);
        Ok(Arc::new(filter))
    }

    /// How long a file may take to compile.
    pub(crate) fn patience(&self) -> Duration {
        self.compiler.patience()
    }

    /// Drops what the filter `name` has remembered and counted: it is gone for good.
    pub(crate) fn forget(&self, name: &str) {
        self.states.forget(name);
        self.metrics.forget(name);
    }

    /// The interfaces of ours that it imports for more than their types.
    fn imports(&self, component: &Component) -> Vec<String> {
        let component = component.component_type();
        let imports = component.imports(self.engine.wasmtime());
        let interfaces = imports.filter_map(|(name, _)| interface(name));
        let interfaces = interfaces.filter(|interface| *interface != "types");
        interfaces.map(str::to_owned).collect()
    }

    /// Our own message comes before the linker's, which speaks of missing implementations.
    fn check_interfaces(&self, component: &Component, draft: &Draft) -> Result<(), LoadError> {
        let engine = self.engine.wasmtime();
        let component = component.component_type();
        let exports = component.exports(engine).map(|(name, _)| name.to_owned());
        let imports = component
            .imports(engine)
            .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)))
            .map(|(name, _)| name.to_owned());
        let imports: Vec<String> = imports.collect();
        for name in imports.iter().cloned().chain(exports) {
            check_version(&name)?;
        }
        imports.iter().try_for_each(|name| check_import(name))?;
        check_grants(&imports, draft)
    }
}

/// Whoever has dropped a file wants to know why it is not used yet.
async fn tell_if_slow<T>(name: &str, compiling: impl Future<Output = T>) -> T {
    let mut compiling = pin!(compiling);
    if let Ok(compiled) = timeout(QUICK, &mut compiling).await {
        return compiled;
    }
    tracing::info!(
        plugin = name,
        "compiling it takes long; it is used as soon as that is done"
    );
    compiling.await
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

/// Versions that share major and minor number fit; whether all that is asked for is there is another matter.
fn check_version(name: &str) -> Result<(), LoadError> {
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    match ours(name) {
        Some((_, version)) if line(version) != line(API) => Err(LoadError::Version {
            interface: name.to_owned(),
            version: version.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_import(name: &str) -> Result<(), LoadError> {
    if name.starts_with("wasi:") {
        return Err(LoadError::Wasi(name.to_owned()));
    }
    match Import::of(name, &Grants::ALL) {
        Import::Unknown => Err(LoadError::Import(name.to_owned())),
        _ => Ok(()),
    }
}

/// All that is missing is told at once.
fn check_grants(imports: &[String], draft: &Draft) -> Result<(), LoadError> {
    let missing = imports
        .iter()
        .filter_map(|name| match Import::of(name, &draft.grants) {
            Import::Missing(line) => Some((name.clone(), line)),
            _ => None,
        });
    let (capabilities, lines): (Vec<String>, Vec<&'static str>) = missing.unzip();
    if capabilities.is_empty() {
        return Ok(());
    }
    Err(LoadError::Grant {
        name: draft.name.clone(),
        capabilities,
        lines,
    })
}

fn hooks(component: &Component, instance: &InstancePre<State>) -> Result<Hooks, LoadError> {
    fn exported<T>(
        component: &Component,
        hook: &str,
        indices: impl FnOnce() -> wasmtime::Result<T>,
    ) -> Result<Option<T>, LoadError> {
        component
            .get_export_index(None, hook)
            .map(|_| indices())
            .transpose()
            .map_err(|error| LoadError::Contract(error.into()))
    }
    let hooks = Hooks {
        uses_request_headers: false,
        uses_response_headers: false,
        lifecycle: exported(component, LIFECYCLE, || {
            lifecycle::GuestIndices::new(instance)
        })?,
        judge_host: exported(component, JUDGE_HOST, || {
            judge_host::GuestIndices::new(instance)
        })?,
        judge_request: exported(component, JUDGE_REQUEST, || {
            judge_request::GuestIndices::new(instance)
        })?,
        judge_response: exported(component, JUDGE_RESPONSE, || {
            judge_response::GuestIndices::new(instance)
        })?,
        tick: exported(component, TICK, || tick::GuestIndices::new(instance))?,
    };
    match hooks.names().is_empty() {
        true => Err(LoadError::NoHook),
        false => Ok(hooks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(grants: Grants) -> Draft {
        Draft {
            name: "guard".into(),
            wasm: [].into(),
            hash: [0; 32],
            settings: Sidecar::default(),
            grants,
            manifest: Manifest::default(),
            memory: Memory::Trusted,
        }
    }

    #[test]
    fn another_version_is_named_beside_ours() {
        assert!(check_version("portcullis:filter/judge-host@0.1.7").is_ok());
        assert!(check_version("wasi:cli/environment@0.2.0").is_ok());
        for version in ["0.2.0", "1.1.0", "0.10.0"] {
            let error = check_version(&format!("portcullis:filter/judge-host@{version}"));
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains(&format!("version {version} of the filter API")),
                "{error}"
            );
            assert!(error.contains("this proxy speaks 0.1.0"), "{error}");
        }
    }

    #[test]
    fn an_import_must_be_offered_and_granted() {
        let refusal = |import| check_import(import).unwrap_err().to_string();
        assert!(check_import("portcullis:filter/log@0.1.3").is_ok());
        assert!(
            refusal("wasi:clocks/wall-clock@0.2.0").contains("through the proxy or not at all")
        );
        assert!(
            refusal("portcullis:filter/http@0.1.0")
                .contains("there are types, log, metrics, clock, domains, client,")
        );
        let imports = ["log", "feeds", "state"];
        let imports = imports.map(|interface| format!("portcullis:filter/{interface}@0.1.0"));
        let granted = |imports, grants| {
            let granted = check_grants(imports, &draft(grants));
            granted.map_err(|error| error.to_string())
        };
        assert_eq!(
            granted(&imports[..2], Grants::default()).unwrap_err(),
            "it wants `portcullis:filter/feeds@0.1.0`, which guard.toml does not grant; if it may have it, add there:  [grants]  feeds = [\"*\"]"
        );
        assert_eq!(
            granted(&imports, Grants::default()).unwrap_err(),
            "it wants `portcullis:filter/feeds@0.1.0` and `portcullis:filter/state@0.1.0`, which guard.toml does not grant; if it may have them, \
             add there:  [grants]  feeds = [\"*\"]  state = true"
        );
        assert_eq!(granted(&imports, Grants::ALL), Ok(()));
    }
}
