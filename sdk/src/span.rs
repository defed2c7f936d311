//! Spans of time as an operator writes them.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::Error;

/// A [`Duration`] that is written like those in the proxy's own settings: `500ms`, `90s`, `1h 30m`.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_sdk::{Error, TimeSpan};
///
/// let span: TimeSpan = "1h 30m".parse()?;
/// assert_eq!(span.as_secs(), 90 * 60);
/// let duration: Duration = span.into();
/// assert_eq!(duration, Duration::from_secs(90 * 60));
/// assert_eq!(TimeSpan::from(Duration::from_secs(60)).to_string(), "1m");
/// assert!("60".parse::<TimeSpan>().is_err());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(Duration);

impl Deref for TimeSpan {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        span.0
    }
}

impl From<Duration> for TimeSpan {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for TimeSpan {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let duration = humantime::parse_duration(text).map_err(|_| {
            Error::new(format_args!(
                "`{text}` is not a span of time; write it like 500ms, 90s or 1h 30m"
            ))
        })?;
        Ok(Self(duration))
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn a_span_is_read_as_the_proxy_reads_its_own() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("90s", 90_000),
            ("1m 30s", 90_000),
            ("2h", 7_200_000),
        ] {
            let span: TimeSpan = config::parse(&format!("{text:?}")).unwrap();
            assert_eq!(*span, Duration::from_millis(milliseconds));
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_examples() {
        for text in ["", "60", "soon", "-1s"] {
            let error = config::parse::<TimeSpan>(&format!("{text:?}")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{text}` is not a span of time; write it like 500ms, 90s or 1h 30m")
            );
        }
    }
}
