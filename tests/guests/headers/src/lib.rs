//! Blocks requests by their method, a part of their URL or the values of header fields. Asks for a
//! header field only when it must.

use std::collections::BTreeMap;

use portcullis_sdk::{Error, Exchange, Filter, Request, Schema, Verdict, filter};

/// What is blocked; everything is optional.
#[derive(Default, serde::Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    /// Methods, case-sensitive.
    methods: Vec<String>,
    /// Parts of URLs.
    urls: Vec<String>,
    /// A part of a value, by the field's name.
    headers: BTreeMap<String, String>,
}

#[filter]
impl Filter for Rules {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_request(&self, _: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        let (method, url) = (request.method(), request.url());
        if self.methods.iter().any(|blocked| blocked == method) {
            return Ok(Verdict::block(format!("{method} is blocked here")).status(405));
        }
        if let Some(part) = self.urls.iter().find(|part| url.contains(*part)) {
            return Ok(Verdict::block(format!("URLs with {part} are blocked here")));
        }
        for (name, part) in &self.headers {
            let mut values = request.headers().get_all(name).into_iter();
            if values.any(|value| value.text().contains(part)) {
                return Ok(Verdict::block(format!("{name} contains {part}")));
            }
        }
        Ok(Verdict::next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing;

    fn judge(request: &mut Request) -> Verdict {
        let rules: Rules = testing::init(
            r#"{"methods": ["TRACE"], "urls": ["/ads/"], "headers": {"user-agent": "bad"}}"#,
        )
        .unwrap();
        let exchange = testing::exchange("a.example");
        rules.judge_request(&exchange, request).unwrap()
    }

    #[test]
    fn the_method_the_url_and_every_value_of_a_field_count() {
        let get = || testing::request("GET", "http://a.example/");
        for (mut request, verdict) in [
            (get(), Verdict::next()),
            (get().with_header("User-Agent", "good/1"), Verdict::next()),
            (
                get()
                    .with_header("User-Agent", "good/1")
                    .with_header("User-Agent", b"\xff bad/2".to_vec()),
                Verdict::block("user-agent contains bad"),
            ),
            (
                testing::request("GET", "http://a.example/ads/1.gif"),
                Verdict::block("URLs with /ads/ are blocked here"),
            ),
            (
                testing::request("TRACE", "http://a.example/"),
                Verdict::block("TRACE is blocked here").status(405),
            ),
        ] {
            assert_eq!(judge(&mut request), verdict, "{request:?}");
        }
    }
}
