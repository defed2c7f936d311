//! Answers with what it can know: who asks, for which registered domain, what time it is, and by
//! which listener.

use portcullis_sdk::{Error, Exchange, Filter, Verdict, clock, filter};

struct Facts;

#[filter]
impl Filter for Facts {
    type Config = ();

    fn new(_: ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        let address = exchange.client().address();
        let client = address.map_or("an unknown client".into(), |address| address.to_string());
        let registrable = exchange.host().registrable_domain();
        let domain = registrable.unwrap_or_else(|| "no domain".into());
        let now = clock::local(Some("Etc/GMT-1"))?;
        let zone = clock::local(Some("Nowhere/City")).is_ok();
        let year = now.year;
        let listener = exchange.listener();
        let body = format!("{client} asks for {domain} in {year}, {zone}, by {listener}");
        Ok(Verdict::replace("text/plain", body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn what_is_known_natively() {
        let facts: Facts = testing::init("").unwrap();
        let exchange = testing::exchange("www.example.co.uk").with_client("10.0.0.7");
        let exchange = exchange.with_listener("lan");
        let body = "10.0.0.7 asks for example.co.uk in 1970, false, by lan";
        assert_eq!(
            facts.judge_host(&exchange),
            Ok(Verdict::replace("text/plain", body))
        );
    }
}
