//! Counts in the background, says so, and blocks every host with the count; fails at every odd
//! count if it is told to.

use std::time::Duration;

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, filter, info, state};

#[derive(serde::Deserialize, Schema)]
#[serde(default)]
struct Ticker {
    /// What it says.
    mark: String,
    pause_ms: u64,
    fails: bool,
}

impl Default for Ticker {
    fn default() -> Self {
        Self {
            mark: "ticks".into(),
            pause_ms: 1,
            fails: false,
        }
    }
}

#[filter]
impl Filter for Ticker {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, _: &Exchange) -> Result<Verdict, Error> {
        Ok(match state::text("ticks")? {
            Some(ticks) => Verdict::block(format!("tick {ticks}")),
            None => Verdict::next(),
        })
    }

    fn tick(&self) -> Result<Option<Duration>, Error> {
        let ticks = state::increment("ticks", 1, None)?;
        info!("{} {ticks}", self.mark);
        if self.fails && ticks % 2 == 1 {
            return Err(Error::new("an odd tick"));
        }
        Ok(Some(Duration::from_millis(self.pause_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn what_a_tick_learns_is_judged_by() {
        let ticker: Ticker = testing::init("").unwrap();
        let exchange = testing::exchange("a.example");
        assert_eq!(ticker.judge_host(&exchange), Ok(Verdict::next()));
        assert_eq!(ticker.tick(), Ok(Some(Duration::from_millis(1))));
        assert_eq!(ticker.judge_host(&exchange), Ok(Verdict::block("tick 1")));
    }
}
