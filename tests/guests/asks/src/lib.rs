//! Asks for a fact of each exchange with its host, and for another by what that one was. It blocks
//! with all that it was told and the number of the call, and lets the proxy use that again.

use std::time::{Duration, UNIX_EPOCH};

use portcullis_sdk::{Error, Exchange, Filter, Schema, Verdict, filter, state};

/// Longer than a test takes.
const HOUR: Duration = Duration::from_secs(3600);

#[derive(serde::Deserialize, Schema)]
struct Asks {
    host: String,
    /// A fact by the contract's name.
    first: String,
    /// The facts of which one is asked for next: by the sum of the bytes of the first, modulo their
    /// number. An empty name stands for none.
    then: Vec<String>,
}

#[filter]
impl Filter for Asks {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        if exchange.host().as_str() != self.host {
            return Ok(Verdict::next());
        }
        let call = state::increment("calls", 1, None)?;
        let first = value(exchange, &self.first);
        let mut told = format!("port:{},{}:{first}", exchange.port(), self.first);
        let sum: usize = first.bytes().map(usize::from).sum();
        let next = self.then.get(sum % self.then.len().max(1));
        if let Some(next) = next.filter(|next| !next.is_empty()) {
            told += &format!(",{next}:{}", value(exchange, next));
        }
        Ok(Verdict::block(format!("{told},call:{call}")).keep(HOUR))
    }
}

/// A fact as text; what is not known is empty.
fn value(exchange: &Exchange, fact: &str) -> String {
    let client = exchange.client();
    match fact {
        "exchange.id" => exchange.id().to_owned(),
        "exchange.protocol" => exchange.protocol().to_string(),
        "exchange.found-in" => exchange.found_in().to_string(),
        "exchange.server-name" => exchange.server_name().unwrap_or_default().to_owned(),
        "exchange.listener" => exchange.listener().to_owned(),
        "exchange.started" => {
            let since = exchange.started().duration_since(UNIX_EPOCH);
            since.unwrap_or_default().as_millis().to_string()
        }
        "client.address" => match client.address() {
            Some(address) => address.to_string(),
            None => String::new(),
        },
        "client.user" => client.user().unwrap_or_default().to_owned(),
        "client.groups" => client.groups().join("+"),
        other => format!("{other} is not a fact"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    #[test]
    fn what_is_asked_for_next_depends_on_what_the_first_was() {
        let config =
            r#"{"host": "a.example", "first": "client.user", "then": ["exchange.listener", ""]}"#;
        let asks: Asks = testing::init(config).unwrap();
        let judge = |user: &str| {
            let exchange = testing::exchange("a.example").with_user(user);
            let exchange = exchange.with_listener("lan");
            let verdict = asks.judge_host(&exchange).unwrap();
            (verdict.reason().map(str::to_owned), exchange.asked())
        };
        let (said, asked) = judge("b");
        let both = "port:443,client.user:b,exchange.listener:lan,call:1";
        assert_eq!(said.as_deref(), Some(both));
        assert_eq!(asked, ["exchange.listener", "client.user"]);
        let (said, asked) = judge("a");
        assert_eq!(said.as_deref(), Some("port:443,client.user:a,call:2"));
        assert_eq!(asked, ["client.user"]);
        let other = testing::exchange("b.example");
        assert_eq!(asks.judge_host(&other), Ok(Verdict::next()));
    }
}
