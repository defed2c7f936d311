//! The WASM engine and its clock. One engine serves all filters of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::error::StartError;

/// Time between two epochs: how often a running guest is looked at.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// The clock stops after so many ticks without a call, so that an idle proxy does not wake up a thousand times a second.
const TICKS_BEFORE_REST: u32 = 1000;

/// What the proxy's functions may need on top of a filter's stack, in bytes.
const HOST_STACK: usize = 512 << 10;

/// wasmtime's engine, with a thread that advances the epoch while guests run.
#[derive(Clone)]
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    clock: Arc<Clock>,
}

struct Clock {
    thread: thread::Thread,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    quiet_ticks: AtomicU32,
    resting: AtomicBool,
    stopped: AtomicBool,
}

/// What machine code depends on: the same for the engine that runs filters and for the processes that compile them.
pub(super) fn config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    config
}

impl Engine {
    /// Starts the engine and its clock. Calls of filters have so many bytes of `stack`.
    pub(crate) fn new(stack: usize) -> Result<Self, StartError> {
        let mut config = config();
        config
            .max_wasm_stack(stack)
            .async_stack_size(stack + HOST_STACK);
        let engine =
            wasmtime::Engine::new(&config).map_err(|error| StartError::Engine(error.into()))?;
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new()
            .name("portcullis-clock".into())
            .spawn({
                let (engine, shared) = (engine.clone(), shared.clone());
                move || tick(&engine, &shared)
            })
            .map_err(|source| StartError::System {
                action: "start the clock's thread".into(),
                source,
            })?
            .thread()
            .clone();
        Ok(Self {
            engine,
            clock: Arc::new(Clock { thread, shared }),
        })
    }

    /// The engine itself.
    pub(super) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Keeps the clock going: to be called when a guest is entered and at every tick while it runs.
    pub(super) fn keep_ticking(&self) {
        let shared = &self.clock.shared;
        shared.quiet_ticks.store(0, Ordering::Relaxed);
        // Sequentially consistent with `tick`: either this sees that the clock rests, or the clock sees the zero above.
        std::sync::atomic::fence(Ordering::SeqCst);
        if shared.resting.load(Ordering::Relaxed) {
            self.clock.thread.unpark();
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn tick(engine: &wasmtime::Engine, shared: &Shared) {
    while !shared.stopped.load(Ordering::Relaxed) {
        if shared.quiet_ticks.fetch_add(1, Ordering::Relaxed) < TICKS_BEFORE_REST {
            thread::sleep(TICK);
            engine.increment_epoch();
            continue;
        }
        shared.resting.store(true, Ordering::Relaxed);
        std::sync::atomic::fence(Ordering::SeqCst);
        if shared.quiet_ticks.load(Ordering::Relaxed) != 0
            && !shared.stopped.load(Ordering::Relaxed)
        {
            thread::park();
        }
        shared.resting.store(false, Ordering::Relaxed);
    }
}
