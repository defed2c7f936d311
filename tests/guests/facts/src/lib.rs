//! Answers with what it can know: who asks, for which registered domain, and what time it is.

use portcullis_sdk::{Error, Filter, Flow, Verdict, clock, filter};

struct Facts;

#[filter]
impl Filter for Facts {
    type Config = ();

    fn new(_: ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        let address = flow.client().address();
        let client = address.map_or("nobody".into(), |address| address.to_string());
        let registrable = flow.host().registrable_domain();
        let domain = registrable.unwrap_or_else(|| "no domain".into());
        let now = clock::local(Some("Etc/GMT-1"))?;
        let zone = clock::local(Some("Nowhere/City")).is_ok();
        let year = now.year;
        let body = format!("{client} asks for {domain} in {year}, {zone}");
        Ok(Verdict::replace("text/plain", body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::{Protocol, testing};

    #[test]
    fn what_is_known_natively() {
        let facts: Facts = testing::init("").unwrap();
        let flow = Flow::new("www.example.co.uk", 80, Protocol::Http);
        let flow = flow.with_client("10.0.0.7".parse().unwrap());
        let body = "10.0.0.7 asks for example.co.uk in 1970, false";
        assert_eq!(
            facts.judge_host(&flow),
            Ok(Verdict::replace("text/plain", body))
        );
    }
}
