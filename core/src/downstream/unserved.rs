//! Connections that have ended without an access line, because no request came or none was read:
//! how many, and why. Workers and the listener count them here, and `proxy` tells the log. Knows
//! nothing of what they were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

/// The shortest time between two lines.
const INTERVAL: Duration = Duration::from_secs(60);

/// Why a connection has no access line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// Its client has sent nothing within `[limits] request_head`.
    Unused,
    /// Its client has sent a part of a request, and closed the connection.
    BrokenOff,
    /// Its client has had its answers, and asked for nothing more within `[limits] keep_alive`.
    Idle,
    /// The same, and others needed its descriptor before.
    Spared,
    /// There were as many connections as there may be.
    NoRoom,
    /// Its client had as many as it may.
    NoRoomForClient,
    /// Its client may not use the proxy, and too many such clients were read already.
    NotAllowed,
    /// It came from no load balancer where only those may connect.
    Untrusted,
    /// A load balancer has not said who its client is.
    Unannounced,
}

/// How many there may be.
const REASONS: usize = Unserved::Unannounced as usize + 1;

/// How many connections of a proxy were not served since its start. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnservedCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: [AtomicU64; REASONS],
    /// What the log knows.
    told: Mutex<[u64; REASONS]>,
}

impl UnservedCounts {
    pub(crate) fn add(&self, why: Unserved) {
        self.0.all[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Tells the log while the counts grow, without end. Idle connections are closed all the time
    /// where all is well, so they alone are no news.
    pub(crate) async fn tell_now_and_then(&self) {
        let is_news = |why: usize| why != Unserved::Idle as usize;
        loop {
            sleep(INTERVAL).await;
            if let Some(counts) = self.grown(is_news) {
                tell(&counts);
            }
        }
    }

    /// Tells the log what it does not know yet. To be called when nothing is counted any more.
    pub(crate) fn tell_the_rest(&self) {
        if let Some(counts) = self.grown(|_| true) {
            tell(&counts);
        }
    }

    /// The counts, if one has grown that `is_news` names, and then the log knows them.
    fn grown(&self, is_news: impl Fn(usize) -> bool) -> Option<[u64; REASONS]> {
        let Counts { all, told } = &*self.0;
        let counts = std::array::from_fn(|why| all[why].load(Ordering::Relaxed));
        // It is replaced as a whole.
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let has_grown = (0..REASONS).any(|why| is_news(why) && counts[why] > told[why]);
        has_grown.then(|| {
            *told = counts;
            counts
        })
    }
}

fn tell(counts: &[u64; REASONS]) {
    let count = |why: Unserved| Some(counts[why as usize]).filter(|count| *count > 0);
    tracing::info!(
        unused = count(Unserved::Unused),
        broken_off = count(Unserved::BrokenOff),
        idle = count(Unserved::Idle),
        spared = count(Unserved::Spared),
        no_room = count(Unserved::NoRoom),
        no_room_for_client = count(Unserved::NoRoomForClient),
        not_allowed = count(Unserved::NotAllowed),
        untrusted = count(Unserved::Untrusted),
        unannounced = count(Unserved::Unannounced),
        "connections have ended without an access line since the start"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_grown_is_told_once() {
        let counts = UnservedCounts::default();
        assert_eq!(counts.grown(|_| true), None);
        counts.add(Unserved::Unannounced);
        counts.add(Unserved::Unused);
        counts.add(Unserved::Unused);
        let told = counts.grown(|_| true);
        assert_eq!(told, Some([2, 0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(counts.grown(|_| true), None);
        counts.add(Unserved::Idle);
        let is_news = |why| why != Unserved::Idle as usize;
        assert_eq!(counts.grown(is_news), None);
        counts.add(Unserved::NoRoom);
        let told = counts.grown(is_news);
        assert_eq!(told, Some([2, 0, 1, 0, 1, 0, 0, 0, 1]));
        assert_eq!(counts.grown(|_| true), None, "all was told");
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_is_told_again_and_again_and_not_too_often() {
        let counts = UnservedCounts::default();
        let telling = async {
            for _ in 0..3 {
                counts.add(Unserved::Unused);
                sleep(INTERVAL / 2).await;
                assert_ne!(counts.told(), counts.sum(), "it is not time");
                sleep(INTERVAL / 2 + Duration::from_millis(1)).await;
                assert_eq!(counts.told(), counts.sum());
            }
        };
        tokio::select! {
            () = telling => {}
            () = counts.tell_now_and_then() => {}
        }
    }

    impl UnservedCounts {
        fn told(&self) -> u64 {
            self.0.told.lock().unwrap().iter().sum()
        }

        fn sum(&self) -> u64 {
            let all = self.0.all.iter();
            all.map(|count| count.load(Ordering::Relaxed)).sum()
        }
    }
}
