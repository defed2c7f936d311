//! Refuses requests without a token in a header field, and takes the field out of the others. What
//! goes through a tunnel cannot be seen, so tunnels are refused.

use portcullis_sdk::{
    Error, Exchange, Filter, HeaderName, Protocol, Request, Schema, Verdict, filter,
};

#[derive(serde::Deserialize, Schema)]
#[serde(deny_unknown_fields)]
struct RequiredToken {
    /// The field that carries it.
    field: HeaderName,
    token: String,
}

#[filter]
impl Filter for RequiredToken {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        config.field.check_change()?;
        Ok(config)
    }

    fn judge_host(&self, exchange: &Exchange) -> Result<Verdict, Error> {
        Ok(match exchange.protocol() {
            Protocol::Http => Verdict::next(),
            _ => Verdict::block("only plain requests carry the token"),
        })
    }

    fn judge_request(&self, _: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        let sent = request.headers().get(self.field.as_str());
        if sent.is_none_or(|sent| sent != *self.token) {
            return Ok(Verdict::block("the token is missing"));
        }
        // The origin need not know it.
        request.headers_mut().remove(self.field.as_str())?;
        Ok(Verdict::next())
    }
}

#[test]
fn all_cases_go_as_expected() {
    portcullis_sdk::testing::cases::<RequiredToken>("cases.toml");
}
