//! When each list is fetched: at once, then at its interval, after a failure sooner, and when its
//! file changes. The result is logged. The control thread runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::bounds::OutOfBounds;
use super::fetch::{UNKEPT_HINT, file_path};
use super::origin::Origin;
use super::source::Source;
use super::{FeedError, Feeds, Outcome, blocking};
use crate::config::file_version::FileVersion;
use crate::error::ErrorChain;

/// The first wait after a failure. Each further failure doubles it, up to the feed's interval.
const RETRY: Duration = Duration::from_secs(2);

/// The longest that a server can have the proxy wait.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// How often the file of a `file:` feed is checked for changes.
const FILE_CHECK: Duration = Duration::from_secs(2);

/// None if there is no such file.
type Stamp = Option<FileVersion>;

impl Feeds {
    /// Keeps all lists fresh, and what is counted of them, until `shutdown`, or until this future
    /// is dropped.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let keep = join(self.keep_all_fresh(), self.keep_hits());
        shutdown.run_until_cancelled(keep).await;
    }

    /// Those that change with the settings, too.
    async fn keep_all_fresh(&self) {
        let mut known: Vec<Arc<Source>> = Vec::new();
        let mut tasks = FuturesUnordered::new();
        let is_retired = |source: &Arc<Source>| source.retired().is_cancelled();
        loop {
            known.retain(|source| !is_retired(source));
            for source in self.fetched() {
                let is_known = known.iter().any(|known| Arc::ptr_eq(known, &source));
                // A retired one has its place until those are open that take it over.
                if !is_known && !is_retired(&source) {
                    known.push(source.clone());
                    tasks.push(self.keep_until_retired(source));
                }
            }
            tokio::select! {
                () = self.rescheduled.notified() => {}
                // Its source is retired.
                Some(()) = tasks.next() => {}
            }
        }
    }

    async fn keep_until_retired(&self, source: Arc<Source>) {
        let keep = async {
            if let Some(origin) = &source.origin {
                self.keep_fresh(&source, origin).await;
            }
        };
        source.retired().run_until_cancelled(keep).await;
    }

    async fn keep_fresh(&self, source: &Arc<Source>, origin: &Origin) {
        let file = file_path(&origin.url);
        let mut failures = 0;
        loop {
            // This comes before the file is read, so that a change meanwhile is seen afterwards.
            let read = stamp_of(file.clone()).await;
            let started = Instant::now();
            let outcome = self.refresh(source).await;
            let pause = match outcome {
                Ok(outcome) => {
                    failures = 0;
                    source.log_success(outcome, started.elapsed());
                    jittered(origin.refresh)
                }
                Err(error) => {
                    // A list that is being written anew has its time to become whole.
                    let pause = if error.is_held() {
                        jittered(origin.refresh)
                    } else {
                        retry_in(failures, origin.refresh, error.retry_after())
                    };
                    failures += 1;
                    source.log_failure(&error, pause, self.names_of(source));
                    pause
                }
            };
            self.rest(source, origin, pause, (file.as_deref(), read))
                .await;
        }
    }

    /// Waits until a list is to be fetched again: when the time is up, or when its file is no
    /// longer the version that was read. A copy that another process has written meanwhile serves
    /// at once, and the time begins anew.
    async fn rest(
        &self,
        source: &Arc<Source>,
        origin: &Origin,
        mut pause: Duration,
        (file, read): (Option<&Path>, Stamp),
    ) {
        let copy = self.cache.snapshot(&origin.copy);
        let (_, mut known) = stamps_of(file, &copy).await;
        let mut began = Instant::now();
        loop {
            let left = pause.saturating_sub(began.elapsed());
            sleep(left.min(FILE_CHECK)).await;
            let (now, copied) = stamps_of(file, &copy).await;
            if now != read {
                // What was held is another list by now, or more of one that is still being written.
                source.state().held = None;
                return;
            }
            if left <= FILE_CHECK {
                return;
            }
            if copied != known {
                known = copied;
                if self.take_up(source).await {
                    (pause, began) = (jittered(origin.refresh), Instant::now());
                }
            }
        }
    }
}

impl Source {
    fn log_success(&self, outcome: Outcome, elapsed: Duration) {
        let Outcome::Updated {
            names,
            left_out,
            bytes,
            ..
        } = outcome
        else {
            return debug!(
                feed = &*self.feed,
                source = &*self.shown,
                ?elapsed,
                "feed unchanged"
            );
        };
        info!(
            feed = &*self.feed,
            source = &*self.shown,
            names,
            bytes,
            wrong = %left_out.wrong,
            other = %left_out.other,
            held = %left_out.held,
            ?elapsed,
            "feed updated"
        );
    }

    pub(super) fn log_not_taken_up(&self, error: &(dyn std::error::Error + 'static)) {
        let hint = error.downcast_ref::<OutOfBounds>().map_or(
            "run `portcullis feed refresh` as the user of the proxy",
            |error| error.hint(),
        );
        warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error = %ErrorChain(error),
            hint,
            "a copy that another process has fetched is not used"
        );
    }

    pub(super) fn log_not_confirmed(&self, error: &dyn std::error::Error) {
        warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error = %ErrorChain(error),
            consequence = "it counts as older than it is after a restart, and may be fetched again",
            hint = UNKEPT_HINT,
            "the copy of a list that is current cannot be marked as such"
        );
    }

    pub(super) fn log_taken_up(&self, names: usize) {
        info!(
            feed = &*self.feed,
            source = &*self.shown,
            names,
            "feed updated from a copy that another process has fetched"
        );
    }

    fn log_failure(&self, error: &FeedError, pause: Duration, names: usize) {
        let serving = match (names, self.state().fetched_at) {
            (names @ 1.., Some(time)) => {
                let time = humantime::format_rfc3339_seconds(time);
                format!("its {names} names from {time} keep serving")
            }
            _ => "it has no data yet".to_owned(),
        };
        warn!(
            feed = &*self.feed,
            source = &*self.shown,
            error = %ErrorChain(error),
            hint = error.hint(),
            retry_in = ?Duration::from_secs(pause.as_secs()),
            "feed not refreshed: {serving}"
        );
    }
}

/// How long to wait after a failure that `failures` others came before. A server that says how long
/// it wants to be left alone is asked no sooner, and within a day.
fn retry_in(failures: u32, refresh: Duration, wanted: Option<Duration>) -> Duration {
    let usual = RETRY.saturating_mul(2_u32.saturating_pow(failures));
    let usual = jittered(usual.min(refresh));
    usual.max(wanted.unwrap_or_default().min(LONGEST_WAIT))
}

/// Varies a pause by up to a tenth, so that proxies that were started together do not ask together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

async fn stamp_of(file: Option<PathBuf>) -> Stamp {
    let file = file?;
    blocking(move || FileVersion::of_file(&file)).await
}

/// That of the file of a `file:` feed, and that of its copy, by one errand.
async fn stamps_of(file: Option<&Path>, copy: &Path) -> (Stamp, Stamp) {
    let (file, copy) = (file.map(Path::to_owned), copy.to_owned());
    let version = FileVersion::of_file;
    blocking(move || (file.and_then(|file| version(&file)), version(&copy))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_wait_longer_and_never_longer_than_the_interval() {
        let hour = Duration::from_secs(3600);
        for (failures, usual) in [
            (0, 2),
            (1, 4),
            (6, 128),
            (7, 256),
            (31, 3600),
            (u32::MAX, 3600),
        ] {
            let wait = retry_in(failures, hour, None).as_secs_f64();
            let usual = f64::from(usual);
            assert!(
                (0.9 * usual..=1.1 * usual).contains(&wait),
                "{failures}: {wait}"
            );
        }
        assert!(retry_in(3, Duration::from_secs(10), None).as_secs() <= 11);
    }

    #[test]
    fn a_server_that_asks_for_time_has_up_to_a_day() {
        let wait = |wanted| {
            retry_in(
                0,
                Duration::from_mins(15),
                Some(Duration::from_secs(wanted)),
            )
        };
        assert!(wait(0).as_secs_f64() >= 1.8);
        assert_eq!(wait(7200).as_secs(), 7200);
        assert_eq!(wait(u64::MAX), LONGEST_WAIT);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        for _ in 0..1000 {
            let pause = jittered(Duration::from_secs(100)).as_secs_f64();
            assert!((90.0..=110.0).contains(&pause), "{pause}");
        }
    }
}
