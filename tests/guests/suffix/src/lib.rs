//! Blocks hosts by suffix, which must be configured.

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, filter};

#[derive(serde::Deserialize, Schema)]
struct Suffixes {
    block: Vec<String>,
}

#[filter]
impl Filter for Suffixes {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let listed = self
            .block
            .iter()
            .find(|suffix| exchange.host().is_within(suffix));
        Ok(listed.map_or(Verdict::next(), |suffix| {
            Verdict::block(format!("{suffix} is blocked here"))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn names_below_a_suffix_are_blocked_and_others_pass() {
        let filter: Suffixes = testing::init(r#"{"block": ["evil.example"]}"#).unwrap();
        let judge = |host| filter.judge_host(&testing::exchange(host));

        let block = Verdict::block("evil.example is blocked here");
        assert_eq!(judge("evil.example"), Ok(block.clone()));
        assert_eq!(judge("www.evil.example"), Ok(block));
        assert_eq!(judge("notevil.example"), Ok(Verdict::next()));
    }
}
