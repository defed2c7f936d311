//! Refuses names that carry data, as DNS tunnels have them: long labels in which all letters are
//! about as frequent as each other. It needs no settings; try it in shadow mode first.

use portcullis_sdk::{Error, Exchange, Filter, Verdict, filter, metrics};

struct TunnelNames;

/// Bits for each letter.
fn entropy(label: &str) -> f64 {
    let length = label.len() as f64;
    let count = |letter: u8| label.bytes().filter(|other| *other == letter).count() as f64;
    let bits = label.bytes().map(|letter| -(count(letter) / length).log2());
    bits.sum::<f64>() / length
}

#[filter]
impl Filter for TunnelNames {
    type Config = ();

    fn new(_: ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let mut labels = exchange.host().as_str().split('.');
        let is_data = |label: &&str| label.len() >= 30 && entropy(label) > 3.8;
        let Some(label) = labels.find(is_data) else {
            return Ok(Verdict::next());
        };
        metrics::count("names_with_data", 1, &[]);
        Ok(Verdict::block("this name looks like data").matched(label))
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<TunnelNames>("cases.toml");
}
