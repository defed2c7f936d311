//! The WASM engine, with the ticker that interrupts its guests. One engine serves all filters of a
//! process: `load` makes it. It knows nothing of filters.

use futures_util::FutureExt;
use wasmtime::{Instance, Module, Store};

use super::ticker::EpochTicker;
use crate::error::StartError;

/// What the proxy's functions may need on top of a filter's stack, in bytes.
const HOST_STACK: usize = 512 << 10;

/// wasmtime's engine, with a thread that advances its epoch while guests run.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    ticker: EpochTicker,
    stack: usize,
}

/// `(module (memory 1) (func) (start 0))`
const SMALLEST: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x08\x01\0\x0a\x04\x01\x02\0\x0b";

/// The settings that machine code depends on. They are the same for the engine that runs filters
/// and for the processes that compile them.
pub(super) fn config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    #[cfg(target_arch = "x86_64")]
    without_newest_instructions(&mut config);
    config
}

/// Filters gain nothing from these instructions. Valgrind does not know them, so that machine code
/// with them could not be measured, and would be another on each machine.
#[cfg(target_arch = "x86_64")]
fn without_newest_instructions(config: &mut wasmtime::Config) {
    const NEWEST: [&str; 7] = [
        "has_avx_vnni",
        "has_avx512bitalg",
        "has_avx512dq",
        "has_avx512f",
        "has_avx512vbmi",
        "has_avx512vl",
        "has_avx512vnni",
    ];
    for flag in NEWEST {
        #[expect(unsafe_code, reason = "there is no other way to say it")]
        // SAFETY: code that uses fewer instructions than the processor has runs on it.
        unsafe {
            config.cranelift_flag_set(flag, "false");
        }
    }
}

impl Engine {
    /// Starts the engine and its ticker. Each call of a filter has `stack` bytes of stack.
    pub(crate) fn new(stack: usize) -> Result<Self, StartError> {
        let mut config = config();
        config
            .max_wasm_stack(stack)
            .async_stack_size(stack + HOST_STACK);
        let engine =
            wasmtime::Engine::new(&config).map_err(|error| StartError::Engine(error.into()))?;
        let ticker = EpochTicker::start({
            let engine = engine.clone();
            move || engine.increment_epoch()
        })
        .map_err(|source| StartError::System {
            action: "start the thread that interrupts filters".into(),
            source,
        })?;
        Ok(Self {
            engine,
            ticker,
            stack,
        })
    }

    /// Fails where the system does not let any filter run, by running the smallest one.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let run = || -> wasmtime::Result<()> {
            // It is too small to be compiled by several threads, which would stay.
            let engine = wasmtime::Engine::new(config().parallel_compilation(false))?;
            let module = Module::from_binary(&engine, SMALLEST)?;
            let mut store = Store::new(&engine, ());
            // No ticker advances this engine's epoch.
            store.set_epoch_deadline(1);
            let started = Instance::new_async(&mut store, &module, &[]).now_or_never();
            started.ok_or_else(|| wasmtime::Error::msg("it waits for something"))??;
            Ok(())
        };
        run().map_err(|error| StartError::FiltersCannotRun(error.into()))
    }

    /// The engine itself.
    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// What a filter's call has, in bytes.
    pub(super) fn stack(&self) -> usize {
        self.stack
    }

    /// The ticker, which has to know when guests run.
    pub(super) fn ticker(&self) -> &EpochTicker {
        &self.ticker
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Trap, UpdateDeadline};

    use super::*;

    #[test]
    fn a_system_that_runs_filters_passes_the_check() {
        Engine::new(512 << 10).unwrap().check().unwrap();
    }

    /// `(module (func (export "f") (loop (br 0))))`
    const ENDLESS: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\
        \x07\x05\x01\x01f\0\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";

    #[test]
    fn a_guest_that_loops_is_met_by_one_tick_after_the_other() {
        let engine = Engine::new(512 << 10).unwrap();
        let mut store = Store::new(engine.wasmtime(), (engine.ticker().clone(), Vec::new()));
        store.epoch_deadline_callback(|mut context| {
            let (ticker, met) = context.data_mut();
            met.push(ticker.computing());
            Ok(match met.len() {
                1..5 => UpdateDeadline::Continue(1),
                _ => UpdateDeadline::Interrupt,
            })
        });
        let module = Module::from_binary(engine.wasmtime(), ENDLESS).unwrap();
        store.set_epoch_deadline(1);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let endless = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        engine.ticker().notify_running();
        let error = endless.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
        assert_eq!(store.data().1.len(), 5);
    }
}
