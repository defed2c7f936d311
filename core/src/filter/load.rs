//! From bytes to a filter: recognise, encode, compile, link, see which hooks there are, and try one instance.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use super::bindings::Filter as World;
use super::bindings::exports::portcullis::filter::{judge_host, judge_request, lifecycle};
use super::engine::Engine;
use super::host::State;
use super::{Failure, Filter, Hooks, Instance, Settings};
use crate::error::StartError;
use crate::feeds::Feeds;

const LIFECYCLE: &str = "portcullis:filter/lifecycle@0.1.0";
const JUDGE_HOST: &str = "portcullis:filter/judge-host@0.1.0";
const JUDGE_REQUEST: &str = "portcullis:filter/judge-request@0.1.0";

/// What a filter may import.
const CAPABILITIES: [&str; 4] = ["types", "log", "feeds", "request-headers"];

/// A component that takes longer to compile is refused. The largest language runtimes take ten seconds.
const COMPILE_PATIENCE: Duration = Duration::from_secs(60);

/// Makes filters; one a process.
#[derive(Clone)]
pub(crate) struct Loader {
    engine: Engine,
    linker: Arc<Linker<State>>,
    feeds: Arc<Feeds>,
    /// As many compilations at a time as there are cores: each takes a lot of memory.
    places: Arc<Semaphore>,
}

/// Why a file is not a filter, or not one that can be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Neither a component nor a core module.
    #[error("this is no WebAssembly binary")]
    NotWasm,
    /// The file ends early, as one does that is still being copied.
    #[error("the file is incomplete")]
    Truncated,
    /// A core module without the section that says what it implements, or with a broken one.
    #[error("this module cannot be made a component; was it built with portcullis-sdk?")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not valid, or more than the engine can do.
    #[error("this component does not compile")]
    Compile(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It wants something that the proxy does not offer.
    #[error(
        "it imports `{0}`, which this proxy does not offer; it offers portcullis:filter@0.1.0 (log, feeds, request-headers)"
    )]
    Import(String),
    /// Its imports or hooks have other types than the contract's.
    #[error("it does not fit portcullis:filter@0.1.0; rebuild it with the SDK of this proxy")]
    Contract(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It would never be asked anything.
    #[error("it exports no hook of portcullis:filter@0.1.0 (judge-host, judge-request)")]
    NoHook,
    /// The trial instance failed or refused its configuration.
    #[error(transparent)]
    Trial(#[from] Failure),
    /// The compiler is still at it; it cannot be stopped.
    #[error("compiling it takes longer than {COMPILE_PATIENCE:?}; make it smaller, or simpler")]
    Slow,
    /// Reading it made the encoder or the compiler panic.
    #[error("this file breaks the encoder or the compiler: {0}")]
    Panic(String),
}

impl Loader {
    /// A loader whose filters look up hosts in `feeds`.
    pub(crate) fn new(feeds: Arc<Feeds>) -> Result<Self, StartError> {
        let engine = Engine::new()?;
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut linker = Linker::new(engine.wasmtime());
        World::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .map_err(|error| StartError::Engine(error.into()))?;
        Ok(Self {
            engine,
            linker: Arc::new(linker),
            feeds,
            places: Arc::new(Semaphore::new(cores)),
        })
    }

    /// Compiles `wasm` on a thread of its own and starts one instance to see that it works.
    pub(crate) async fn load(
        &self,
        name: Arc<str>,
        wasm: Arc<[u8]>,
        settings: Settings,
    ) -> Result<Arc<Filter>, LoadError> {
        let place = self.places.clone().acquire_owned().await;
        let loader = self.clone();
        let compiling = tokio::task::spawn_blocking(move || {
            let _place = place;
            loader.compile(&wasm)
        });
        let (component, hooks) = timeout(COMPILE_PATIENCE, compiling)
            .await
            .map_err(|_| LoadError::Slow)?
            .map_err(|error| LoadError::Panic(error.to_string()))??;
        let filter = Filter {
            name,
            settings,
            hooks,
            engine: self.engine.clone(),
            component,
            feeds: self.feeds.clone(),
        };
        Instance::start(&filter).await?;
        Ok(Arc::new(filter))
    }

    fn compile(&self, wasm: &[u8]) -> Result<(InstancePre<State>, Hooks), LoadError> {
        let bytes = as_component(wasm)?;
        let component = Component::from_binary(self.engine.wasmtime(), &bytes)
            .map_err(|error| LoadError::Compile(error.into()))?;
        self.check_imports(&component)?;
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Contract(error.into()))?;
        let hooks = hooks(&component, &instance, self.imports_headers(&component))?;
        Ok((instance, hooks))
    }

    /// A filter that does not import the fields of requests need not be handed any.
    fn imports_headers(&self, component: &Component) -> bool {
        let component = component.component_type();
        let mut imports = component.imports(self.engine.wasmtime());
        imports.any(|(name, _)| name.starts_with("portcullis:filter/request-headers@"))
    }

    /// Our own message comes before the linker's, which speaks of missing implementations.
    fn check_imports(&self, component: &Component) -> Result<(), LoadError> {
        for (name, item) in component.component_type().imports(self.engine.wasmtime()) {
            let offered = name
                .strip_prefix("portcullis:filter/")
                .and_then(|rest| rest.split_once('@'))
                .is_some_and(|(interface, version)| {
                    CAPABILITIES.contains(&interface) && version.starts_with("0.1.")
                });
            if !offered && !matches!(item.ty, ComponentItem::Type(_)) {
                return Err(LoadError::Import(name.to_owned()));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

/// Components are taken as they are; core modules that carry wit-bindgen's section are encoded.
fn as_component(wasm: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    if wasm.len() < 8 && b"\0asm".starts_with(&wasm[..wasm.len().min(4)]) {
        return Err(LoadError::Truncated);
    }
    if !wasm.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm);
    }
    check_sections(wasm)?;
    if wasmparser::Parser::is_component(wasm) {
        return Ok(Cow::Borrowed(wasm));
    }
    wit_component::ComponentEncoder::default()
        .module(wasm)
        .and_then(|encoder| encoder.validate(false).encode())
        .map(Cow::Owned)
        .map_err(|error| LoadError::Encode(error.into()))
}

/// Sections must lie within the file: the encoder takes that for granted and panics.
fn check_sections(wasm: &[u8]) -> Result<(), LoadError> {
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let Err(error) = payload {
            // The parser has no kind for an early end; only the message tells.
            return Err(match error.message().contains("unexpected end") {
                true => LoadError::Truncated,
                false => LoadError::Compile(error.into()),
            });
        }
    }
    Ok(())
}

fn hooks(
    component: &Component,
    instance: &InstancePre<State>,
    reads_headers: bool,
) -> Result<Hooks, LoadError> {
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
        reads_headers,
        lifecycle: exported(component, LIFECYCLE, || {
            lifecycle::GuestIndices::new(instance)
        })?,
        judge_host: exported(component, JUDGE_HOST, || {
            judge_host::GuestIndices::new(instance)
        })?,
        judge_request: exported(component, JUDGE_REQUEST, || {
            judge_request::GuestIndices::new(instance)
        })?,
    };
    if hooks.judges_hosts() || hooks.judges_requests() {
        Ok(hooks)
    } else {
        Err(LoadError::NoHook)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::BUILTINS;

    fn blocklist() -> &'static [u8] {
        BUILTINS
            .iter()
            .find(|builtin| builtin.name == "blocklist")
            .unwrap()
            .component
    }

    #[test]
    fn a_file_that_ends_early_is_incomplete_wherever_it_ends() {
        let whole = blocklist();
        assert!(as_component(whole).is_ok());
        for end in (0..8).chain((8..whole.len()).step_by(997)) {
            // What ends with a section is a smaller component.
            let result = as_component(&whole[..end]).map(drop);
            assert!(
                matches!(result, Err(LoadError::Truncated) | Ok(())),
                "{end} bytes: {result:?}"
            );
        }
        let last_byte_missing = as_component(&whole[..whole.len() - 1]);
        assert!(matches!(last_byte_missing, Err(LoadError::Truncated)));
    }

    #[test]
    fn what_is_not_wasm_is_told_from_what_is_incomplete() {
        for text in ["hello", "(module)", "\u{7f}ELF\u{2}\u{1}\u{1}"] {
            assert!(
                matches!(as_component(text.as_bytes()), Err(LoadError::NotWasm)),
                "{text}"
            );
        }
        let empty_module = b"\0asm\x01\0\0\0";
        assert!(matches!(
            as_component(empty_module),
            Err(LoadError::Encode(_)) | Ok(_)
        ));
    }
}
