//! Advances the engine's epoch while guests run, so that a guest that computes for long is
//! interrupted. `engine` starts it, `instance` tells it of each call, `budget` of each call that
//! computes for long. It knows nothing of WebAssembly: a tick is a closure.
//!
//! Most calls end within microseconds, and the ticker must cost them next to nothing. A call
//! therefore reads one shared word and writes it only if it is the first since the last tick. The
//! ticker ticks every [`TICK`] while a call that an earlier tick has met still computes. Without
//! such a call it slows down to [`MAX_PAUSE`], and it parks once no call has begun between two
//! ticks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::thread::{self, Thread};
use std::time::Duration;

/// Time between two ticks while a guest computes: how often it gives way to other requests. A
/// request waits for a guest's slice several times, at most once for each step of its way.
const TICK: Duration = Duration::from_micros(500);

/// Time from a call to the first tick after a quiet time.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest time between two ticks under a load of short calls. It bounds how late the first
/// tick meets a call that computes for long, and so what a call may compute beyond its budget. A
/// tick costs about 20 us of a processor.
const MAX_PAUSE: Duration = Duration::from_millis(4);

/// The ticker waits until it is woken.
const PARKED: u8 = 0;

/// No call has begun since the last tick.
const QUIET: u8 = 1;

/// At least one call has begun since the last tick.
const CALLED: u8 = 2;

/// A handle to the thread. The thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(super) struct EpochTicker(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    thread: Thread,
    shared: Arc<Shared>,
}

/// What calls and the ticker share. It fills cache lines of its own (processors fetch two at a
/// time), so that nothing that is written often takes it away from the threads that read it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shared {
    /// [`PARKED`], [`QUIET`] or [`CALLED`].
    activity: AtomicU8,
    /// How many [`Computing`] there are.
    computing: AtomicUsize,
    /// How many ticks there have been.
    ticks: AtomicU64,
    stopped: AtomicBool,
    /// How often calls have written `activity`.
    #[cfg(test)]
    writes: AtomicUsize,
}

/// Keeps the ticker at one tick per [`TICK`] for as long as it exists.
#[derive(Debug)]
pub(super) struct Computing(Arc<Handle>);

impl EpochTicker {
    /// Starts the thread. It is parked until the first call.
    pub(super) fn start(tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        Self::start_with(tick, |pause| match pause {
            Some(pause) => thread::park_timeout(pause),
            None => thread::park(),
        })
    }

    /// `wait` waits for the given time or, if there is none, until the thread is unparked.
    fn start_with(
        tick: impl Fn() + Send + 'static,
        wait: impl Fn(Option<Duration>) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new()
            .name("portcullis-ticker".into())
            .spawn({
                let shared = shared.clone();
                move || run(&shared, tick, wait)
            })?
            .thread()
            .clone();
        Ok(Self(Arc::new(Handle { thread, shared })))
    }

    /// Tells that a guest is about to run. The call's epoch deadline must have been set before:
    /// only then is it certain that a tick meets the call, however the threads are scheduled.
    pub(super) fn notify_running(&self) {
        let Handle { thread, shared } = &*self.0;
        // Pairs with the fence in `run`. If the word below is read before the ticker lowers it, the
        // deadline was computed before the tick that follows the lowering.
        fence(Ordering::Acquire);
        if shared.activity.load(Ordering::Relaxed) == CALLED {
            return;
        }
        #[cfg(test)]
        shared.writes.fetch_add(1, Ordering::SeqCst);
        if shared.activity.swap(CALLED, Ordering::SeqCst) == PARKED {
            thread.unpark();
        }
    }

    /// How many ticks there have been.
    pub(super) fn ticks(&self) -> u64 {
        self.0.shared.ticks.load(Ordering::Relaxed)
    }

    /// Tells that a tick has met a call. Until the call ends it is met every [`TICK`].
    pub(super) fn computing(&self) -> Computing {
        let Handle { thread, shared } = &*self.0;
        if shared.computing.fetch_add(1, Ordering::SeqCst) == 0 {
            // The ticker may be parked or in a long pause.
            thread.unpark();
        }
        Computing(self.0.clone())
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        self.0.shared.computing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn run(shared: &Shared, tick: impl Fn(), wait: impl Fn(Option<Duration>)) {
    let mut pause = None;
    loop {
        wait(pause);
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        pause = match pause {
            // A call has just begun. Most are over before the first tick.
            None => Some(FIRST_PAUSE),
            Some(pause) => {
                let next = shared.next_pause(pause);
                // Also before the ticker parks: a call that has read the word before it was lowered
                // is met by this tick, and `computing` wakes the ticker again.
                fence(Ordering::SeqCst);
                shared.ticks.fetch_add(1, Ordering::Relaxed);
                tick();
                next
            }
        };
    }
}

impl Shared {
    /// How long to wait after the tick that comes now, if the pause before it was `pause`; none to
    /// park.
    fn next_pause(&self, pause: Duration) -> Option<Duration> {
        if self.computing.load(Ordering::SeqCst) > 0 {
            return Some(TICK);
        }
        let lower = |activity| match activity {
            CALLED => Some(QUIET),
            QUIET => Some(PARKED),
            _ => None,
        };
        let before = self
            .activity
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, lower);
        (before == Ok(CALLED)).then(|| (pause * 2).min(MAX_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A ticker whose time passes by hand.
    struct Stage {
        ticker: EpochTicker,
        /// What the ticker waits for, each time it begins to wait.
        waits: Receiver<Option<Duration>>,
        pass: Sender<()>,
        ticks: Arc<AtomicUsize>,
    }

    impl Stage {
        fn new() -> Self {
            let (waiting, waits) = channel();
            let (pass, passed) = channel();
            let ticks = Arc::new(AtomicUsize::new(0));
            let count = ticks.clone();
            let ticker = EpochTicker::start_with(
                move || {
                    count.fetch_add(1, Ordering::SeqCst);
                },
                move |pause| {
                    // Sending and receiving fail when the test is over and stops the ticker.
                    let _ = waiting.send(pause);
                    if pause.is_some() {
                        let _ = passed.recv();
                    } else {
                        thread::park();
                    }
                },
            );
            Self {
                ticker: ticker.unwrap(),
                waits,
                pass,
                ticks,
            }
        }

        /// What the ticker waits for now.
        fn wait(&self) -> Option<Duration> {
            self.waits.recv().unwrap()
        }

        /// Lets the pause pass, and gives the next one.
        fn pass(&self) -> Option<Duration> {
            self.pass.send(()).unwrap();
            self.wait()
        }

        fn ticks(&self) -> usize {
            self.ticks.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn it_is_parked_until_a_call_begins_and_again_when_none_has_begun() {
        let stage = Stage::new();
        assert_eq!(stage.wait(), None);
        for calls in 1..=2 {
            stage.ticker.notify_running();
            assert_eq!(stage.wait(), Some(MS));
            assert_eq!(stage.pass(), Some(2 * MS));
            assert_eq!(stage.pass(), None);
            // The last tick before it parks meets a call that it has not noticed.
            assert_eq!(stage.ticks(), 2 * calls);
        }
    }

    #[test]
    fn it_looks_less_often_while_calls_are_short() {
        let stage = Stage::new();
        assert_eq!(stage.wait(), None);
        stage.ticker.notify_running();
        assert_eq!(stage.wait(), Some(MS));
        let pauses = [0; 4].map(|_| {
            stage.ticker.notify_running();
            stage.pass().unwrap()
        });
        assert_eq!(pauses, [2 * MS, 4 * MS, 4 * MS, 4 * MS]);
    }

    /// All workers read that word at each call, and writing takes it away from the others.
    #[test]
    fn a_call_writes_nothing_unless_it_is_the_first_since_the_last_tick() {
        let stage = Stage::new();
        assert_eq!(stage.wait(), None);
        let writes = || stage.ticker.0.shared.writes.load(Ordering::SeqCst);
        for ticks in 1..=3 {
            for _ in 0..1000 {
                stage.ticker.notify_running();
            }
            assert_eq!(writes(), ticks);
            if ticks == 1 {
                assert_eq!(stage.wait(), Some(MS));
            }
            assert!(stage.pass().is_some());
        }
    }

    #[test]
    fn a_call_that_computes_is_met_at_every_tick_until_it_ends() {
        let stage = Stage::new();
        assert_eq!(stage.wait(), None);
        stage.ticker.notify_running();
        assert_eq!(stage.wait(), Some(MS));
        assert_eq!(stage.pass(), Some(2 * MS));
        let (one, other) = (stage.ticker.computing(), stage.ticker.computing());
        let before = stage.ticks();
        for _ in 0..10 {
            assert_eq!(stage.pass(), Some(TICK));
        }
        assert_eq!(stage.ticks(), before + 10);
        drop(one);
        assert_eq!(stage.pass(), Some(TICK));
        drop(other);
        assert_eq!(stage.pass(), None);
    }

    #[test]
    fn a_call_that_was_not_noticed_wakes_it_when_a_tick_meets_the_call() {
        let stage = Stage::new();
        assert_eq!(stage.wait(), None);
        let _computing = stage.ticker.computing();
        assert_eq!(stage.wait(), Some(MS));
        assert_eq!(stage.pass(), Some(TICK));
    }

    #[test]
    fn its_thread_ends_with_the_last_handle() {
        let (alive, ended) = channel::<()>();
        let tick = move || {
            let _ = alive.send(());
        };
        let ticker = EpochTicker::start(tick).unwrap();
        let clone = ticker.clone();
        drop(ticker);
        clone.notify_running();
        ended.recv().expect("it ticks for the handle that is left");
        drop(clone);
        while ended.recv().is_ok() {}
    }
}
