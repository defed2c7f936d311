//! Asks the proxy for one thing when it judges a request, and cannot do without: it traps, or
//! reports what an operator could take for a trap.

use portcullis_sdk::{Error, Exchange, Filter, Request, Schema, Verdict, feeds, filter, state};

#[derive(serde::Deserialize, Schema)]
struct Insists {
    on: Thing,
    /// Whether it reports an error, as a filter should.
    #[serde(default)]
    reports: bool,
}

#[derive(serde::Deserialize, Schema)]
#[serde(rename_all = "lowercase")]
enum Thing {
    Nothing,
    State,
    Feeds,
    Fields,
    Notes,
}

#[filter]
impl Filter for Insists {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_request(&self, exchange: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        let is_there = match self.on {
            Thing::Nothing => true,
            Thing::State => state::set("seen", "yes", None).is_ok(),
            Thing::Feeds => feeds::find_in(&["list"], "listed.example").is_ok(),
            Thing::Fields => request.headers_mut().set("x-seen", "yes").is_ok(),
            Thing::Notes => {
                exchange.notes().set("seen", "yes");
                exchange.notes().get("seen").is_some()
            }
        };
        if self.reports && !is_there {
            return Err(Error::new("the filter trapped"));
        }
        assert!(is_there, "the proxy has said no");
        Ok(Verdict::next())
    }
}
