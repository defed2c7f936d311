//! Makes a filter that can be asked of a file's content: compiles it, compares its imports with
//! what is offered and granted, links it and tries one instance. `plugins` and `commands` call it.
//! It knows nothing of folders.

mod interfaces;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use self::interfaces::{check_grants, check_import, check_version, unlinked};
use super::bindings::Filter as World;
use super::bindings::exports::portcullis::filter::{
    exchange_ended, judge_host, judge_request, judge_response, lifecycle, tick,
};
use super::cache::Hash;
use super::capability::{capability_names, interface, newest_version};
use super::compiler::{CachedFailure, Compiled, Compiler, NotCompiled, SLOW_AFTER};
use super::engine::Engine;
use super::grants::Withheld;
use super::host::{Host, State};
use super::log_budget::LogBudget;
use super::random::Random;
use super::suspicion::Suspicion;
use super::{Description, Failure, Filter, Hooks, Instance, Manifest, Uses};
use crate::config::{self, Ceilings, FilterSettings, Grants};
use crate::error::StartError;
use crate::feeds::Feeds;
use crate::filter::clock::Clock;
use crate::filter::metrics::{Metrics, Registry};
use crate::filter::state::Stores;

/// The version of the contract that this proxy speaks.
pub(crate) const API: &str = "1.0.0";

const LIFECYCLE: &str = "portcullis:filter/lifecycle@1.0.0";
const JUDGE_HOST: &str = "portcullis:filter/judge-host@1.0.0";
const JUDGE_REQUEST: &str = "portcullis:filter/judge-request@1.0.0";
const JUDGE_RESPONSE: &str = "portcullis:filter/judge-response@1.0.0";
const EXCHANGE_ENDED: &str = "portcullis:filter/exchange-ended@1.0.0";
const TICK: &str = "portcullis:filter/tick@1.0.0";

/// Makes filters. A process has one.
#[derive(Clone)]
pub(crate) struct Loader {
    engine: Engine,
    linker: Arc<Linker<State>>,
    compiler: Arc<Compiler>,
    feeds: Arc<Feeds>,
    ceilings: Arc<Ceilings>,
    groups: Arc<[Arc<str>]>,
    states: Arc<Stores>,
    metrics: Arc<Registry>,
}

/// What a filter is to be made of.
#[derive(Clone, Debug)]
pub(crate) struct LoadRequest {
    pub(crate) name: Arc<str>,
    pub(crate) wasm: Arc<[u8]>,
    /// The hash of `wasm`.
    pub(crate) hash: Hash,
    pub(crate) settings: FilterSettings,
    pub(crate) grants: Grants,
    /// Whether it came with the proxy.
    pub(crate) is_builtin: bool,
    /// What `wasm` says of itself.
    pub(crate) manifest: Manifest,
    pub(crate) cached_failure: CachedFailure,
}

/// Why a file is not a filter, or not a filter that can be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// There is no machine code.
    #[error(transparent)]
    Compile(#[from] NotCompiled),
    /// It was made for another version of the contract.
    #[error(
        "it needs {interface}, version {version} of the filter API, and this proxy speaks {API}; \
         build it with the SDK of this proxy, or update the proxy"
    )]
    Version {
        /// The interface, as the file names it.
        interface: String,
        /// The version that the file asks for.
        version: String,
    },
    /// It uses what a later version of the contract has added.
    #[error(
        "it was built for portcullis:filter@{contract}, and this proxy speaks {API}, which does not \
         have {lacks}; update the proxy, or build the filter with the SDK of this proxy"
    )]
    Later {
        /// The version that it asks for.
        contract: String,
        /// What this proxy does not have, as text for people.
        lacks: String,
    },
    /// It wants WASI, which would give it ambient access to the machine.
    #[error(
        "it imports `{0}`, but a filter reaches files, clocks and networks through the proxy or \
         not at all; build it for wasm32-unknown-unknown, or with what its language offers to \
         stub WASI out"
    )]
    Wasi(String),
    /// It wants something that the proxy does not offer.
    #[error(
        "it imports `{0}`, which this proxy does not offer; there are {offered} of \
         portcullis:filter@{API}",
        offered = capability_names()
    )]
    Import(String),
    /// The operator has not granted it an import.
    #[error(
        "it wants {}, which {} not granted; if it may have {}, {how}",
        quoted(capabilities),
        if capabilities.len() == 1 { "is" } else { "are" },
        if capabilities.len() == 1 { "it" } else { "them" }
    )]
    Grant {
        /// The interfaces that it imports.
        capabilities: Vec<String>,
        /// What to do in its settings.
        how: String,
        /// The whole table with these lines in it.
        table: Vec<String>,
    },
    /// Its imports or hooks have other types than the contract's.
    #[error("it does not fit portcullis:filter@{API}; build it with the SDK of this proxy")]
    Contract(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It has a hook that nothing would call: it judges what this proxy would pass unjudged.
    #[error(
        "it exports `{0}`, which this proxy does not know and would never call; update the proxy, or build the filter \
         for portcullis:filter@{API}"
    )]
    Hook(String),
    /// It has no hook, so that it would never be asked anything.
    #[error(
        "it exports no hook of portcullis:filter@{API} (judge-host, judge-request, judge-response, \
         exchange-ended, tick); was it built with portcullis-sdk, with #[filter] above its impl?"
    )]
    NoHook,
    /// The trial instance failed or refused its configuration.
    #[error(transparent)]
    Trial(#[from] Failure),
}

/// A component that fits the contract, before anything of it has run.
pub(crate) struct Linked {
    component: InstancePre<State>,
    /// The interfaces of the contract that it imports for more than their types.
    imports: Vec<String>,
    hooks: Hooks,
    /// The newest version of the contract that it names.
    contract: String,
    compile_time: Option<Duration>,
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}

impl Loader {
    /// A loader whose filters look up hosts in `feeds`.
    pub(crate) fn new(config: &config::Config, feeds: Arc<Feeds>) -> Result<Self, StartError> {
        let engine = Engine::new(config.plugins.stack)?;
        engine.check()?;
        let mut linker = Linker::new(engine.wasmtime());
        World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .map_err(|error| StartError::Engine(error.into()))?;
        Ok(Self {
            compiler: Arc::new(Compiler::new(engine.wasmtime(), config.compiler.clone())),
            engine,
            linker: Arc::new(linker),
            feeds,
            ceilings: Arc::new(config.plugins.ceilings.clone()),
            groups: config
                .groups
                .keys()
                .map(|name| name.as_str().into())
                .collect(),
            states: Arc::default(),
            metrics: Arc::default(),
        })
    }

    /// Compiles `request.wasm` unless its machine code is on disk, and starts one instance to see
    /// that it works.
    pub(crate) async fn load(&self, request: LoadRequest) -> Result<Arc<Filter>, LoadError> {
        let Linked {
            component,
            imports,
            hooks,
            contract,
            compile_time,
        } = self.link(&request).await?;
        let uses = hooks.uses;
        let limits = request.settings.limits;
        let host = Host {
            name: request.name.clone(),
            feeds: self.feeds.clone(),
            grants: request.grants,
            is_builtin: request.is_builtin,
            uses,
            // The trial has a state of its own: the version in use must not find what `init`
            // writes.
            state: Stores::default().open(&request.name, limits.state),
            metrics: Metrics::default(),
            log: Arc::new(LogBudget::new(limits.log)),
            clock: Clock::System,
            random: Random::System,
            withheld: Withheld::default(),
            refused: Arc::default(),
            asked_for_missing_client: Arc::default(),
            suspicion: Suspicion::default(),
            refuses_fields: false,
        };
        let mut filter = Filter {
            host,
            name: request.name,
            settings: request.settings,
            manifest: request.manifest,
            hooks,
            imports,
            contract,
            engine: self.engine.clone(),
            component,
            compile_time,
        };
        Instance::start(&filter).await?;
        filter.host.state = self.states.open(&filter.name, limits.state);
        filter.host.metrics = self.metrics.open(&filter.name);
        Ok(Arc::new(filter))
    }

    /// Compiles `request.wasm` unless its machine code is on disk, and links it. Nothing of it
    /// runs.
    pub(crate) async fn link(&self, request: &LoadRequest) -> Result<Linked, LoadError> {
        let compiler = &self.compiler;
        let compiling =
            compiler.component(request.wasm.clone(), request.hash, request.cached_failure);
        let Compiled { component, time } = log_if_slow(&request.name, compiling).await?;
        self.check_interfaces(&component, request)?;
        let description = Description::of(&request.wasm).ok_or(LoadError::NoHook)?;
        if let Some(name) = description.unknown_hook() {
            return Err(LoadError::Hook(name.to_owned()));
        }
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| unlinked(self.contract(&component), error))?;
        let imports = self.imports(&component);
        let wants = |interface| imports.iter().any(|import| import == interface);
        let uses = Uses {
            exchange: wants("exchange"),
            client: wants("client"),
            request: wants("request"),
            request_headers: wants("request-headers"),
            response_headers: wants("response-headers"),
        };
        Ok(Linked {
            hooks: Hooks {
                uses,
                ..hooks(&component, &instance)?
            },
            contract: self.contract(&component),
            component: instance,
            imports,
            compile_time: time,
        })
    }

    /// Fails if the program that should compile filters does not know how.
    pub(crate) async fn check_compiler(&self) -> Result<(), StartError> {
        let checked = self.compiler.check_program().await;
        checked.map_err(|error| StartError::Compiler(error.into()))
    }

    /// The most that a filter's own settings may grant it.
    pub(crate) fn ceilings(&self) -> &Ceilings {
        &self.ceilings
    }

    /// The names of the groups that a client can be in.
    pub(crate) fn groups(&self) -> &Arc<[Arc<str>]> {
        &self.groups
    }

    /// What the filters look hosts up in.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// What compiling one file may compute, which is also how long a start waits for it.
    pub(crate) fn compile_time_limit(&self) -> Duration {
        self.compiler.time_limit()
    }

    /// Drops the state and the metrics of the filter `name`, which has been removed.
    pub(crate) fn forget(&self, name: &str) {
        self.states.forget(name);
        self.metrics.forget(name);
    }

    /// The newest version of the contract among the component's imports and exports.
    fn contract(&self, component: &Component) -> String {
        let engine = self.engine.wasmtime();
        let component = component.component_type();
        let imports = component.imports(engine).map(|(name, _)| name.to_owned());
        let exports = component.exports(engine).map(|(name, _)| name.to_owned());
        let names: Vec<String> = imports.chain(exports).collect();
        newest_version(names.iter().map(String::as_str)).unwrap_or_default()
    }

    /// The interfaces of the contract that the component imports for more than their types.
    fn imports(&self, component: &Component) -> Vec<String> {
        let component = component.component_type();
        let imports = component.imports(self.engine.wasmtime());
        let interfaces = imports.filter_map(|(name, _)| interface(name));
        let interfaces = interfaces.filter(|interface| *interface != "types");
        interfaces.map(str::to_owned).collect()
    }

    /// Fails with a message for the operator where the linker would speak of missing
    /// implementations.
    fn check_interfaces(
        &self,
        component: &Component,
        request: &LoadRequest,
    ) -> Result<(), LoadError> {
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
        check_grants(&imports, request)
    }
}

/// Logs that compiling takes long: the operator who has dropped a file wants to know why it is not
/// used yet.
async fn log_if_slow<T>(name: &str, compiling: impl Future<Output = T>) -> T {
    let mut compiling = pin!(compiling);
    if let Ok(compiled) = timeout(SLOW_AFTER, &mut compiling).await {
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
        uses: Uses::default(),
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
        exchange_ended: exported(component, EXCHANGE_ENDED, || {
            exchange_ended::GuestIndices::new(instance)
        })?,
        tick: exported(component, TICK, || tick::GuestIndices::new(instance))?,
    };
    if hooks.names().is_empty() {
        return Err(LoadError::NoHook);
    }
    Ok(hooks)
}
