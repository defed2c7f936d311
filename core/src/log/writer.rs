//! The thread that writes lines to one place. Producers leave whole lines in lanes of their own and
//! wake it only when it sleeps; it then waits a moment for more, takes all there is, and writes
//! each lane's lines at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::lane::{Kind, Lane};
use super::output::Output;
use super::reports::Reports;

/// How long lines wait for company. Under load this is the time between two batches.
const GATHER: Duration = Duration::from_millis(5);

/// What a stalled terminal, pipe or disk may hold up the end of the process.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// A handle of the thread. When the last one is dropped, everything is written and the thread ends.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    lanes: Mutex<Vec<Arc<Lane>>>,
    /// The thread wants to be woken when a line comes.
    is_asleep: AtomicBool,
    flushes: Mutex<Flushes>,
    flushed: Condvar,
}

#[derive(Debug, Default)]
struct Flushes {
    /// Counts up.
    asked: u64,
    /// Orders before this one are done.
    done: u64,
    is_closed: bool,
    /// The output is to be opened again.
    is_reopened: bool,
}

impl Writer {
    pub(super) fn start(output: impl Output) -> io::Result<Arc<Self>> {
        let shared = Arc::new(Shared::default());
        let worker = Loop {
            shared: shared.clone(),
            lines: Vec::new(),
            reports: Reports::new(output.name()),
            output,
        };
        let thread = thread::Builder::new().name("portcullis-log".into());
        let thread = Some(thread.spawn(|| worker.run())?);
        Ok(Arc::new(Self { shared, thread }))
    }

    /// A lane of its own.
    pub(super) fn producer(self: &Arc<Self>, kind: Kind) -> Producer {
        let lane = Arc::new(Lane::new(kind));
        self.shared.lanes().push(lane.clone());
        Producer {
            lane,
            writer: self.clone(),
        }
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Waits until all lines that were handed over are written, and losses are told. False if that
    /// takes too long.
    pub(super) fn flush(&self) -> bool {
        let mut flushes = self.shared.flushes();
        flushes.asked += 1;
        let number = flushes.asked;
        self.wake();
        let waited = self
            .shared
            .flushed
            .wait_timeout_while(flushes, FLUSH_TIMEOUT, |flushes| flushes.done < number);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Writer {
    /// Has the output opened again, soon.
    pub(super) fn reopen(&self) {
        let mut flushes = self.shared.flushes();
        flushes.asked += 1;
        flushes.is_reopened = true;
        self.wake();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.flushes().is_closed = true;
        if self.flush()
            && let Some(thread) = self.thread.take()
        {
            // A thread that has panicked has nothing more to write, either.
            let _ = thread.join();
        }
    }
}

/// Where one worker, or the program, leaves its lines.
#[derive(Debug)]
pub(super) struct Producer {
    lane: Arc<Lane>,
    writer: Arc<Writer>,
}

impl Producer {
    /// `append` writes one whole line. It is not called when too much waits already.
    pub(super) fn push(&self, append: impl FnOnce(&mut Vec<u8>)) {
        self.lane.push(append);
        // The lane's lock orders this: either the thread sees the line before it sleeps, or this
        // sees that it sleeps.
        let is_asleep = &self.writer.shared.is_asleep;
        if is_asleep.load(Ordering::Relaxed) && is_asleep.swap(false, Ordering::Relaxed) {
            self.writer.wake();
        }
    }

    pub(super) fn flush(&self) -> bool {
        self.writer.flush()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.lane.close();
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Vec<Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flushes(&self) -> MutexGuard<'_, Flushes> {
        self.flushes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_flush_due(&self) -> bool {
        let flushes = self.flushes();
        flushes.done < flushes.asked
    }

    /// Says to those who wait for it that all lines before flush `number` are written.
    fn finish_flush(&self, number: u64) {
        self.flushes().done = number;
        self.flushed.notify_all();
    }
}

/// What the thread does.
struct Loop<O> {
    shared: Arc<Shared>,
    output: O,
    /// What is being written. A lane's lines are swapped for its empty room.
    lines: Vec<u8>,
    reports: Reports,
}

impl<O: Output> Loop<O> {
    fn run(mut self) {
        loop {
            let (asked, is_closed, is_reopened) = {
                let mut flushes = self.shared.flushes();
                let is_reopened = std::mem::take(&mut flushes.is_reopened);
                (flushes.asked, flushes.is_closed, is_reopened)
            };
            if is_reopened && let Err(error) = self.output.reopen() {
                self.reports.set_failure(error);
            }
            self.write_lanes();
            let is_told = self.reports.tell(self.shared.is_flush_due());
            if is_told {
                // The report may be among the lines that this thread writes.
                self.write_lanes();
            }
            self.shared.finish_flush(asked);
            if is_closed {
                return;
            }
            self.rest();
        }
    }

    fn write_lanes(&mut self) {
        let lanes = {
            let mut lanes = self.shared.lanes();
            lanes.retain(|lane| !lane.is_spent());
            lanes.clone()
        };
        for lane in lanes {
            let lost = lane.take(&mut self.lines);
            self.reports.add_losses(lane.kind, lost);
            if self.lines.is_empty() {
                continue;
            }
            if let Err(failure) = self.output.write_lines(&self.lines) {
                self.reports.add_losses(lane.kind, failure.lost);
                self.reports.set_failure(failure.source);
            }
            self.lines.clear();
            // Room for what usually comes between two batches; more was needed for a moment only.
            self.lines.shrink_to(256 << 10);
        }
    }

    /// Sleeps until there are lines, and a moment longer.
    fn rest(&self) {
        let shared = &self.shared;
        shared.is_asleep.store(true, Ordering::Relaxed);
        let is_idle = shared.lanes().iter().all(|lane| lane.is_empty());
        if is_idle && !shared.is_flush_due() {
            match self.reports.due_in() {
                Some(time) => thread::park_timeout(time),
                None => thread::park(),
            }
        }
        shared.is_asleep.store(false, Ordering::Relaxed);
        if !shared.is_flush_due() {
            thread::park_timeout(GATHER);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::log::lane::CAPACITY;
    use crate::log::output::Failure;

    /// Says when a batch has come, and takes it when it may.
    struct Gate {
        arrived: Sender<Vec<u8>>,
        opened: Receiver<()>,
    }

    impl Output for Gate {
        fn name(&self) -> String {
            "gate".into()
        }

        fn write_lines(&mut self, lines: &[u8]) -> Result<(), Failure> {
            // The other ends are gone when the test has ended.
            let _ = self.arrived.send(lines.to_owned());
            let _ = self.opened.recv();
            Ok(())
        }
    }

    fn gate() -> (Arc<Writer>, Receiver<Vec<u8>>, Sender<()>) {
        let (arrived, batches) = channel();
        let (open, opened) = channel();
        let writer = Writer::start(Gate { arrived, opened }).unwrap();
        (writer, batches, open)
    }

    fn push(producer: &Producer, line: &str) {
        producer.push(|lines| lines.extend_from_slice(line.as_bytes()));
    }

    /// The thread may be late.
    fn flush(writer: &Writer) {
        assert!((0..100).any(|_| writer.flush()));
    }

    #[test]
    fn lines_of_one_producer_stay_in_order_and_batches_are_whole_lines() {
        let (writer, batches, open) = gate();
        let (one, other) = (
            writer.producer(Kind::Access),
            writer.producer(Kind::Program),
        );
        for number in 0..100 {
            open.send(()).unwrap();
            open.send(()).unwrap();
            push(&one, &format!("one {number}\n"));
            push(&other, &format!("other {number}\n"));
        }
        flush(&writer);
        let written: Vec<Vec<u8>> = batches.try_iter().collect();
        assert!(written.iter().all(|batch| batch.ends_with(b"\n")));
        let text = String::from_utf8(written.concat()).unwrap();
        for name in ["one", "other"] {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name));
            assert!(
                lines.eq((0..100).map(|number| format!(" {number}"))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_stalled_output_holds_up_no_producer_and_takes_bounded_memory() {
        let (writer, batches, open) = gate();
        let producer = writer.producer(Kind::Access);
        push(&producer, "first\n");
        assert_eq!(batches.recv().unwrap(), b"first\n");
        let line = "x".repeat(4095) + "\n";
        for _ in 0..2 * CAPACITY / line.len() {
            push(&producer, &line);
        }
        assert!(!writer.flush(), "nothing moves");
        drop(open);
        flush(&writer);
        assert_eq!(batches.recv().unwrap().len(), CAPACITY);
    }

    #[test]
    fn the_last_handle_writes_what_is_left() {
        let (writer, batches, open) = gate();
        drop(open);
        let producer = writer.producer(Kind::Access);
        push(&producer, "last\n");
        drop(writer);
        drop(producer);
        let rest = iter::from_fn(|| batches.recv_timeout(Duration::from_secs(60)).ok());
        let rest: Vec<_> = rest.collect();
        assert_eq!(rest.concat(), b"last\n");
    }
}
