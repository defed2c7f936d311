//! The time of a line as text. Lines come many in a second, so the second is formatted once and
//! kept.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// `2026-11-23T13:42:32.829285Z`
const LENGTH: usize = 27;

/// Where the fraction of a second begins and ends.
const FRACTION: std::ops::Range<usize> = 20..26;

/// Formats times in UTC, with microseconds.
#[derive(Debug)]
pub(super) struct Stamp {
    second: u64,
    text: [u8; LENGTH],
}

impl Stamp {
    pub(super) fn new() -> Self {
        Self {
            second: 0,
            text: *b"1970-01-01T00:00:00.000000Z",
        }
    }

    /// A clock that is wrong by more than people count years in four digits shows its beginning,
    /// 1970.
    pub(super) fn format(&mut self, time: SystemTime) -> &str {
        let elapsed = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        if elapsed.as_secs() != self.second {
            self.set_second(elapsed.as_secs());
        }
        let mut micros = elapsed.subsec_micros();
        for digit in self.text[FRACTION].iter_mut().rev() {
            // A remainder of a division by ten fits.
            *digit = b'0' + (micros % 10) as u8;
            micros /= 10;
        }
        str::from_utf8(&self.text).expect("only ASCII is written here")
    }

    fn set_second(&mut self, second: u64) {
        let epoch = Timestamp::UNIX_EPOCH;
        let whole = i64::try_from(second).map(Timestamp::from_second);
        let text = whole.ok().and_then(Result::ok).unwrap_or(epoch).to_string();
        // The length has been that of four-digit years since before there were computers.
        if let Some(date_and_time) = text.as_bytes().get(..FRACTION.start - 1) {
            self.text[..FRACTION.start - 1].copy_from_slice(date_and_time);
        }
        self.second = second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_microsecond_whatever_came_before() {
        let mut stamp = Stamp::new();
        let second = Duration::from_secs(1_795_441_352);
        for (since_epoch, text) in [
            (
                second + Duration::from_nanos(829_285_999),
                "2026-11-23T13:42:32.829285Z",
            ),
            (
                second + Duration::from_micros(7),
                "2026-11-23T13:42:32.000007Z",
            ),
            (
                second + Duration::from_secs(1),
                "2026-11-23T13:42:33.000000Z",
            ),
            (second, "2026-11-23T13:42:32.000000Z"),
            (Duration::ZERO, "1970-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(stamp.format(SystemTime::UNIX_EPOCH + since_epoch), text);
        }
    }

    #[test]
    fn a_clock_far_from_the_truth_still_makes_a_time() {
        let mut stamp = Stamp::new();
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(5);
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
        for time in [before, far] {
            assert_eq!(&stamp.format(time)[..20], "1970-01-01T00:00:00.");
        }
    }
}
