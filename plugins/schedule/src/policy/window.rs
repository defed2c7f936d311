//! Times of the week.

use portcullis_sdk::Error;
use portcullis_sdk::clock::LocalTime;

/// A time that comes back, every day or on some days of the week. The clocks on the wall count, so
/// when they are put back an hour comes twice.
#[derive(Debug, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Window {
    /// The days on which it begins.
    days: Vec<Day>,
    /// When it begins, such as `08:30`.
    from: TimeOfDay,
    /// When it ends, up to `24:00`; on the next day if that is not after `from`.
    to: TimeOfDay,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            days: Day::ALL.into(),
            from: TimeOfDay(0),
            to: TimeOfDay(TimeOfDay::MIDNIGHT),
        }
    }
}

impl Window {
    /// Whether it begins on no day.
    pub(crate) fn is_never(&self) -> bool {
        self.days.is_empty()
    }

    /// Whether it lasts at that time.
    pub(crate) fn contains(&self, time: LocalTime) -> bool {
        let today = Day::of(time);
        let now = TimeOfDay::of(time);
        let is_over_midnight = self.to <= self.from;
        let began_today = now >= self.from && (is_over_midnight || now < self.to);
        let began_yesterday = is_over_midnight && now < self.to;
        began_today && self.days.contains(&today)
            || began_yesterday && self.days.contains(&today.before())
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, portcullis_sdk::Schema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    pub(crate) fn of(time: LocalTime) -> Self {
        Self::at(usize::from(time.weekday) + 6)
    }

    fn before(self) -> Self {
        Self::at(self as usize + 6)
    }

    /// The day that is this many days after a Monday.
    fn at(days: usize) -> Self {
        Self::ALL[days % Self::ALL.len()]
    }

    /// As it is shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mon => "Mon",
            Self::Tue => "Tue",
            Self::Wed => "Wed",
            Self::Thu => "Thu",
            Self::Fri => "Fri",
            Self::Sat => "Sat",
            Self::Sun => "Sun",
        }
    }
}

/// In minutes after midnight.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, portcullis_sdk::Schema,
)]
#[serde(try_from = "String")]
struct TimeOfDay(u16);

impl TimeOfDay {
    const MIDNIGHT: u16 = 24 * 60;

    fn of(time: LocalTime) -> Self {
        Self(u16::from(time.hour) * 60 + u16::from(time.minute))
    }

    /// Reads two digits, a colon, and two digits.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| is_number)
        };
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (number(hour)?, number(minute)?);
        let time = hour * 60 + minute;
        (minute < 60 && time <= Self::MIDNIGHT).then_some(Self(time))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text).ok_or_else(|| {
            Error::new(format_args!(
                "`{text}` is not a time of the day; write it like 08:00, from 00:00 to 24:00"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Day], from: &str, to: &str) -> Window {
        let time = |text| TimeOfDay::parse(text).unwrap();
        Window {
            days: days.into(),
            from: time(from),
            to: time(to),
        }
    }

    /// In the week that begins on the first of the month.
    fn time(day: Day, hour: u8, minute: u8) -> LocalTime {
        let day = day as u8 + 1;
        LocalTime {
            year: 2026,
            month: 6,
            day,
            weekday: day,
            hour,
            minute,
            second: 59,
        }
    }

    #[test]
    fn without_times_a_window_lasts_all_day() {
        let window = Window::default();
        for day in Day::ALL {
            for (hour, minute) in [(0, 0), (12, 0), (23, 59)] {
                assert!(window.contains(time(day, hour, minute)), "{day:?} {hour}");
            }
        }
    }

    #[test]
    fn a_window_that_ends_when_it_begins_lasts_a_day() {
        let window = window(&[Day::Sun], "06:00", "06:00");
        for (day, hour, expected) in [
            (Day::Sun, 5, false),
            (Day::Sun, 6, true),
            (Day::Mon, 5, true),
            (Day::Mon, 6, false),
        ] {
            let found = window.contains(time(day, hour, 0));
            assert_eq!(found, expected, "{day:?} {hour}");
        }
    }

    #[test]
    fn a_window_from_midnight_on_is_not_over_midnight() {
        let window = window(&[Day::Mon], "00:00", "24:00");
        assert!(window.contains(time(Day::Mon, 0, 0)));
        assert!(!window.contains(time(Day::Tue, 0, 0)));
        assert!(!window.contains(time(Day::Sun, 23, 59)));
    }

    #[test]
    fn a_time_of_day_has_hours_and_minutes() {
        for (text, minutes) in [
            ("00:00", 0),
            ("08:30", 510),
            ("23:59", 1439),
            ("24:00", 1440),
        ] {
            assert_eq!(TimeOfDay::parse(text), Some(TimeOfDay(minutes)), "{text}");
        }
        for text in [
            "", "8:00", "08:0", "08:60", "24:01", "99:99", "+8:00", "08:00:00", "08.00",
        ] {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
    }
}
