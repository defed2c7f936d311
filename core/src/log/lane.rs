//! Lines of one producer that wait for the writer's thread. A producer takes the lock for each line
//! and meets only the writer there, which takes it for a moment every few milliseconds to
//! swap the buffer for an empty one.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More bytes than this do not wait: further lines are lost until the writer has come by. Some
/// 13,000 access lines.
pub(super) const CAPACITY: usize = 4 << 20;

/// Whose lines are in a lane; losses are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Program,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) kind: Kind,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines.
    lines: Vec<u8>,
    lost: u64,
    /// The producer is gone.
    is_closed: bool,
}

impl Lane {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            waiting: Mutex::default(),
        }
    }

    /// `append` writes one whole line. It is not called when there is no room.
    pub(super) fn push(&self, append: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.lock();
        if waiting.lines.len() < CAPACITY {
            append(&mut waiting.lines);
        } else {
            waiting.lost += 1;
        }
    }

    /// Swaps what waits for `empty`, and says how many lines were lost before.
    pub(super) fn take(&self, empty: &mut Vec<u8>) -> u64 {
        let mut waiting = self.lock();
        mem::swap(&mut waiting.lines, empty);
        mem::take(&mut waiting.lost)
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.lines.is_empty() && waiting.lost == 0
    }

    /// Nothing will ever be in it again.
    pub(super) fn is_spent(&self) -> bool {
        let waiting = self.lock();
        waiting.is_closed && waiting.lines.is_empty() && waiting.lost == 0
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in a lane breaks when a thread panics that holds it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_have_no_room_are_counted_and_not_even_formatted() {
        let lane = Lane::new(Kind::Access);
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let fit = CAPACITY / line.len();
        for _ in 0..fit {
            lane.push(|lines| lines.extend_from_slice(&line));
        }
        for _ in 0..3 {
            lane.push(|_| unreachable!("there is no room"));
        }
        let mut taken = Vec::new();
        assert_eq!(lane.take(&mut taken), 3);
        assert_eq!(taken.len(), fit * line.len());
        assert!(lane.is_empty());
        lane.push(|lines| lines.extend_from_slice(b"again\n"));
        taken.clear();
        assert_eq!(lane.take(&mut taken), 0);
        assert_eq!(taken, b"again\n");
    }

    #[test]
    fn a_lane_is_kept_until_its_last_line_was_taken() {
        let lane = Lane::new(Kind::Access);
        lane.push(|lines| lines.push(b'\n'));
        lane.close();
        assert!(!lane.is_spent());
        lane.take(&mut Vec::new());
        assert!(lane.is_spent());
    }
}
