//! Header fields set and removed, and referrers trimmed, in plain HTTP. What becomes of which field
//! is decided in `policy`; this file only carries it out.

mod policy;

use policy::{Config, Policy, Trimmed};
use portcullis_sdk::{Error, Exchange, Filter, Request, Response, Verdict, filter};

struct Headers(Policy);

#[filter]
impl Filter for Headers {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self(Policy::new(config)?))
    }

    fn judge_request(&self, exchange: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        for rule in self.0.rules_for(exchange.host()) {
            rule.request.apply(request.headers_mut())?;
            let Some(full) = request.headers().get(REFERER) else {
                continue;
            };
            match rule.trim(&full, exchange.host(), request.url()) {
                Trimmed::Not => {}
                Trimmed::To(origin) => request.headers_mut().set(REFERER, origin)?,
                Trimmed::Away => request.headers_mut().remove(REFERER)?,
            }
        }
        Ok(Verdict::next())
    }

    fn judge_response(
        &self,
        exchange: &Exchange,
        _: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        for rule in self.0.rules_for(exchange.host()) {
            rule.response.apply(response.headers_mut())?;
        }
        Ok(Verdict::next())
    }
}

/// Its name is misspelled in the standard (RFC 9110, section 10.1.3).
const REFERER: &str = "referer";

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing::{self, MockExchange};

    fn exchange(host: &str) -> MockExchange {
        testing::exchange(host).with_port(80).with_protocol("http")
    }

    /// The names and values of a request to that host after the filter has seen it.
    fn request(config: &str, host: &str, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let filter: Headers = testing::init(config).unwrap();
        let mut request = testing::request("GET", format!("http://{host}/page"));
        for (name, value) in fields {
            request = request.with_header(name, *value);
        }
        let verdict = filter.judge_request(&exchange(host), &mut request);
        assert_eq!(verdict, Ok(Verdict::next()));
        let names = request.headers().names().into_iter();
        let field = |name: String| {
            let values = request.headers().get_all(&name);
            let texts: Vec<_> = values.iter().map(|value| value.text()).collect();
            (name, texts.join(", "))
        };
        names.map(field).collect()
    }

    fn referrer(setting: &str, from: &str, host: &str) -> Option<String> {
        let config = format!(r#"{{"rules": [{{"referrer": "{setting}"}}]}}"#);
        let fields = request(&config, host, &[("Referer", from)]);
        fields.into_iter().next().map(|(_, value)| value)
    }

    fn refusal(config: &str) -> String {
        let filter: Result<Headers, Error> = testing::init(config);
        filter.err().unwrap().to_string()
    }

    #[test]
    fn fields_of_requests_are_removed_and_set() {
        let config = r#"{"rules": [{"request": {
            "remove": ["X-Client-Data", "sec-ch-ua*"],
            "set": {"Sec-GPC": "1", "User-Agent": "browser"}
        }}]}"#;
        let fields = request(
            config,
            "www.example",
            &[
                ("X-Client-Data", "abc"),
                ("Sec-CH-UA", "x"),
                ("Sec-CH-UA-Mobile", "?0"),
                ("Sec-Fetch-Mode", "cors"),
                ("user-agent", "secret/1"),
            ],
        );
        let expected = [
            ("sec-fetch-mode", "cors"),
            ("sec-gpc", "1"),
            ("user-agent", "browser"),
        ];
        assert_eq!(
            fields,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
    }

    #[test]
    fn fields_of_responses_are_removed_and_set() {
        let config = r#"{"rules": [{"response": {"remove": ["server", "x-powered-*"], "set": {"Referrer-Policy": "no-referrer"}}}]}"#;
        let filter: Headers = testing::init(config).unwrap();
        let mut response = testing::response(200)
            .with_header("Server", "secret/1")
            .with_header("X-Powered-By", "secret/2")
            .with_header("Content-Length", "3");
        let request = testing::request("GET", "http://www.example/");
        let verdict = filter.judge_response(&exchange("www.example"), &request, &mut response);
        assert_eq!(verdict, Ok(Verdict::next()));
        assert_eq!(
            response.headers().names(),
            ["content-length", "referrer-policy"]
        );
    }

    #[test]
    fn a_rule_is_for_its_hosts_and_later_rules_have_the_last_word() {
        let config = r#"{"rules": [
            {"request": {"set": {"A": "all", "B": "all"}}},
            {"hosts": ["corp.example"], "request": {"set": {"A": "corp"}, "remove": ["B"]}}
        ]}"#;
        for (host, expected) in [
            ("www.example", vec![("a", "all"), ("b", "all")]),
            ("www.corp.example", vec![("a", "corp")]),
        ] {
            let fields = request(config, host, &[]);
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(fields, expected, "{host}");
        }
    }

    #[test]
    fn what_the_proxy_answers_for_is_left_alone_by_a_pattern() {
        let config = r#"{"rules": [{"request": {"remove": ["co*"]}}]}"#;
        let fields = request(
            config,
            "www.example",
            &[("Connection", "close"), ("Cookie", "a=1")],
        );
        assert_eq!(fields, [("connection".into(), "close".into())]);
    }

    #[test]
    fn a_referrer_is_trimmed_for_other_sites_only() {
        let from = "http://user:pw@intranet.corp.example:8080/secret/page?q=1#top";
        let origin = Some("http://intranet.corp.example:8080/".to_owned());
        for (setting, host, expected) in [
            ("origin", "www.other.example", origin),
            ("origin", "static.corp.example", Some(from.to_owned())),
            ("no-referrer", "www.other.example", None),
            ("no-referrer", "corp.example", Some(from.to_owned())),
        ] {
            assert_eq!(referrer(setting, from, host), expected, "{setting} {host}");
        }
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused_with_a_hint() {
        for (config, message) in [
            ("", "missing field `rules`"),
            (r#"{"rules": []}"#, "rules: there is none"),
            (r#"{"rules": [{}]}"#, "rules[0]: it changes nothing"),
            (
                r#"{"rules": [{"hosts": [], "referrer": "origin"}]}"#,
                "rules[0].hosts: it is empty",
            ),
            (
                r#"{"rules": [{"referrer": "unsafe-url"}]}"#,
                "rules[0].referrer: unknown variant `unsafe-url`, expected one of `no-referrer`, `origin`, `strict-origin`",
            ),
            (
                r#"{"rules": [{"request": {"remove": ["X-A", "Host"]}}]}"#,
                "rules[0].request.remove[1]: the field host belongs to the proxy and cannot be changed",
            ),
            (
                r#"{"rules": [{"response": {"set": {"Transfer-Encoding": "x"}}}]}"#,
                "rules[0].response.set: the field transfer-encoding belongs to the proxy",
            ),
            (
                r#"{"rules": [{"request": {"remove": ["*"]}}]}"#,
                "rules[0].request.remove[0]: `*` would remove everything",
            ),
            (
                r#"{"rules": [{"request": {"remove": ["X Y"]}}]}"#,
                "rules[0].request.remove[0]: `X Y` cannot be the name of a header field",
            ),
            (
                "{\"rules\": [{\"request\": {\"set\": {\"X\": \"a\\r\\nb\"}}}]}",
                "rules[0].request.set.X: it has control characters",
            ),
        ] {
            let refusal = refusal(config);
            assert!(refusal.starts_with(message), "{refusal}");
        }
    }
}
