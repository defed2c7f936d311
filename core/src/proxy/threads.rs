//! The threads of one proxy: named, watched for panics, and waited for at the end. `control` and
//! `workers` start theirs here.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How far threads stand back that carry no traffic, which leaves each a third of what a busy
/// worker has.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NICE: i32 = 5;

/// All threads that a proxy has started.
#[derive(Debug, Default)]
pub(super) struct Threads {
    running: TaskTracker,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts a thread. What can panic inside is supervised there; a panic that ends the whole
    /// thread is at least logged.
    pub(super) fn start(
        &mut self,
        name: String,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let token = self.running.token();
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            if let Err(_panic) = catch_unwind(AssertUnwindSafe(run)) {
                tracing::error!(
                    thread = name,
                    "a thread of the proxy has ended by a panic: restart the proxy"
                );
            }
            drop(token);
        })?;
        self.handles.push(thread);
        Ok(())
    }

    /// Waits until all threads have ended, and returns how many have not when `bound` is over.
    /// These threads are left behind.
    pub(super) async fn ended(self, bound: Duration) -> usize {
        self.running.close();
        if timeout(bound, self.running.wait()).await.is_err() {
            return self.running.len();
        }
        for thread in self.handles {
            // The last thing that each thread does is to drop its token, so this waits for almost
            // nothing.
            thread.join().expect("panics are caught inside");
        }
        0
    }
}

/// Lets workers have the processors first. Ten lists that are read at once, or logins that are
/// verified, would otherwise take them from traffic for as long as that lasts.
pub(super) fn yield_to_traffic() {
    // Elsewhere all threads of a process have one priority.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "a thread without traffic has the priority of workers");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn threads_that_do_not_end_in_time_are_counted() {
        let mut threads = Threads::default();
        let (end, wait) = mpsc::channel::<()>();
        threads.start("ends".into(), || ()).unwrap();
        threads
            .start("panics".into(), || panic!("at once"))
            .unwrap();
        threads
            .start("stays".into(), move || while wait.recv().is_ok() {})
            .unwrap();
        while threads.running.len() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(threads.ended(Duration::ZERO).await, 1);
        drop(end);
    }

    #[tokio::test]
    async fn a_thread_that_panics_counts_as_ended() {
        let mut threads = Threads::default();
        threads
            .start("panics".into(), || panic!("at once"))
            .unwrap();
        assert_eq!(threads.ended(Duration::from_secs(60)).await, 0);
    }
}
