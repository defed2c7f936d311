//! Changes the header fields of requests and responses as it is told, adds a line to `x-trace` each
//! time, and answers for the origin where the origin's status is `replace`.

use std::collections::BTreeMap;

use portcullis_sdk::{
    Error, Exchange, Filter, HeaderError, Headers, Request, Response, Schema, Verdict, filter,
};

#[derive(serde::Deserialize, Schema)]
#[serde(default)]
struct Editor {
    /// What it writes into `x-trace`.
    mark: String,
    request: Edits,
    response: Edits,
    /// How it hands all fields back before it does anything else.
    rewrite: Rewrite,
    /// A status of the origin in place of which there is a page.
    replace: u16,
    /// A status of the origin that leads to a refusal.
    block: u16,
    /// Panics after it has changed the request.
    panic: bool,
}

#[derive(Default, serde::Deserialize, Schema)]
#[serde(default)]
struct Edits {
    set: BTreeMap<String, String>,
    remove: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, Schema)]
#[serde(rename_all = "lowercase")]
enum Rewrite {
    /// Not at all.
    #[default]
    Not,
    /// As they came.
    Bytes,
    /// As text, which a value need not be.
    Text,
}

impl Rewrite {
    fn apply(self, headers: &mut Headers) -> Result<(), HeaderError> {
        let all = headers.all().into_iter();
        match self {
            Self::Not => Ok(()),
            Self::Bytes => {
                headers.set_all(all.map(|(name, value)| (name, value.as_bytes().to_vec())))
            }
            Self::Text => {
                headers.set_all(all.map(|(name, value)| (name, value.text().into_owned())))
            }
        }
    }
}

impl Edits {
    fn apply(&self, headers: &mut Headers) -> Result<(), HeaderError> {
        for (name, value) in &self.set {
            headers.set(name, value.as_str())?;
        }
        self.remove.iter().try_for_each(|name| headers.remove(name))
    }
}

impl Default for Editor {
    fn default() -> Self {
        Self {
            mark: "editor".into(),
            request: Edits::default(),
            response: Edits::default(),
            rewrite: Rewrite::Not,
            replace: 0,
            block: 0,
            panic: false,
        }
    }
}

#[filter]
impl Filter for Editor {
    type Config = Self;

    fn new(config: Self) -> Result<Self, Error> {
        Ok(config)
    }

    fn judge_request(&self, _: &Exchange, request: &mut Request) -> Result<Verdict, Error> {
        self.rewrite.apply(request.headers_mut())?;
        self.request.apply(request.headers_mut())?;
        request
            .headers_mut()
            .append("x-trace", self.mark.as_str())?;
        assert!(!self.panic, "after the change");
        Ok(Verdict::next())
    }

    fn judge_response(
        &self,
        _: &Exchange,
        request: &Request,
        response: &mut Response,
    ) -> Result<Verdict, Error> {
        if response.status() == self.replace {
            let body = format!("{} {}", request.method(), request.url());
            return Ok(Verdict::replace("text/x-mark", body));
        }
        if response.status() == self.block {
            return Ok(Verdict::block("the origin says so"));
        }
        self.rewrite.apply(response.headers_mut())?;
        self.response.apply(response.headers_mut())?;
        for trace in request.headers().get_all("x-trace") {
            response.headers_mut().append("x-trace", trace.as_bytes())?;
        }
        Ok(Verdict::next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_sdk::testing::{self, MockExchange};

    fn exchange() -> MockExchange {
        testing::exchange("a.example")
            .with_port(80)
            .with_protocol("http")
    }

    #[test]
    fn the_fields_of_a_request_are_changed() {
        let editor: Editor =
            testing::init(r#"{"mark": "m", "request": {"set": {"a": "1"}, "remove": ["cookie"]}}"#)
                .unwrap();
        let mut request = testing::request("GET", "http://a.example/").with_header("Cookie", "c");
        assert_eq!(
            editor.judge_request(&exchange(), &mut request),
            Ok(Verdict::next())
        );
        assert_eq!(request.headers().names(), ["a", "x-trace"]);
    }

    #[test]
    fn a_response_is_replaced_by_its_status() {
        let editor: Editor = testing::init(r#"{"replace": 404}"#).unwrap();
        let request = testing::request("GET", "http://a.example/");
        let judge =
            |status| editor.judge_response(&exchange(), &request, &mut testing::response(status));
        assert_eq!(judge(200), Ok(Verdict::next()));
        let page = Verdict::replace("text/x-mark", "GET http://a.example/");
        assert_eq!(judge(404), Ok(page));
    }
}
