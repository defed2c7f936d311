//! One access line. What somebody else has written into a line, a client or a filter, is never taken for the proxy's own words.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::flow::Protocol;
use crate::verdict::VerdictKind;

/// What an access line says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    timestamp: Cow<'a, str>,
    pub(crate) client: Option<IpAddr>,
    /// Canonical; empty if the request names none.
    pub(crate) host: Cow<'a, str>,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    /// None if nobody has judged it.
    pub(crate) verdict: Option<Word>,
    /// The filter that decided.
    pub(crate) filter: Option<Cow<'a, str>>,
}

/// The word for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    Next,
    Allow,
    Block,
    Redirect,
    Replace,
    /// Never in a log: there a failure has led to something else.
    Error,
}

impl From<VerdictKind> for Word {
    fn from(kind: VerdictKind) -> Self {
        match kind {
            VerdictKind::Next => Self::Next,
            VerdictKind::Allow => Self::Allow,
            VerdictKind::Block => Self::Block,
            VerdictKind::Redirect => Self::Redirect,
            VerdictKind::Replace => Self::Replace,
        }
    }
}

impl Word {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Redirect => "redirect",
            Self::Replace => "replace",
            Self::Error => "error",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let words = [
            Self::Next,
            Self::Allow,
            Self::Block,
            Self::Redirect,
            Self::Replace,
        ];
        words.into_iter().find(|word| word.as_str() == text)
    }

    /// Whether the request goes on.
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::Next | Self::Allow)
    }
}

impl<'a> Line<'a> {
    /// None if it is no access line.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        // Most lines of a log that is kept whole are others.
        if !text.contains("access") {
            return None;
        }
        if text.starts_with('{') {
            Json::parse(text)
        } else if text.contains('\x1b') {
            let plain = without_colours(text);
            Some(parse_text(&plain)?.into_owned())
        } else {
            parse_text(text)
        }
    }

    /// When the exchange ended.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.timestamp.parse().ok()
    }

    fn into_owned<'b>(self) -> Line<'b> {
        Line {
            timestamp: self.timestamp.into_owned().into(),
            host: self.host.into_owned().into(),
            filter: self.filter.map(|filter| filter.into_owned().into()),
            client: self.client,
            port: self.port,
            protocol: self.protocol,
            verdict: self.verdict,
        }
    }
}

/// Its fields by name, as text.
fn line<'a>(
    timestamp: Cow<'a, str>,
    fields: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
) -> Option<Line<'a>> {
    let mut line = Line {
        timestamp,
        client: None,
        host: "".into(),
        port: 0,
        protocol: Protocol::Http,
        verdict: None,
        filter: None,
    };
    let mut has_protocol = false;
    for (name, value) in fields {
        match name {
            "client" => line.client = value.parse().ok(),
            "client.addr" => line.client = value.parse().ok().map(|at: SocketAddr| at.ip()),
            "host" => line.host = value,
            "port" => line.port = value.parse().ok()?,
            "protocol" => {
                line.protocol = protocol(&value)?;
                has_protocol = true;
            }
            "verdict" => line.verdict = Word::parse(&value),
            "filter" => line.filter = Some(value),
            _ => {}
        }
    }
    line.client = line.client.map(|client| client.to_canonical());
    has_protocol.then_some(line)
}

fn protocol(word: &str) -> Option<Protocol> {
    let protocols = [Protocol::Http, Protocol::Connect];
    protocols
        .into_iter()
        .find(|protocol| protocol.name() == word)
}

/// As `tracing_subscriber` writes it: `TIME  INFO span{field=value}:span{…}: target: field=value …`. Something else may stand before it, as
/// the journal has it.
fn parse_text(text: &str) -> Option<Line<'_>> {
    let (timestamp, rest) = split_beginning(text)?;
    let rest = rest.strip_prefix("INFO ")?;
    let (spans, rest) = split_spans(rest);
    let fields = Fields(rest.strip_prefix("access: ")?);
    // Lines of earlier versions name the client in the connection's span only; where the line has one of its own, it comes later and holds.
    let connection = client_of(spans).map(|client| ("client.addr", client.into()));
    line(timestamp.into(), connection.into_iter().chain(fields))
}

/// The time and what follows it, from the level on. What a filter or a client says comes later, whatever the level: it cannot begin a line.
fn split_beginning(text: &str) -> Option<(&str, &str)> {
    const LEVELS: [&str; 5] = ["TRACE ", "DEBUG ", "INFO ", "WARN ", "ERROR "];
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(' ')?;
        let after = after.trim_start();
        let is_time = word.ends_with('Z') && word.starts_with(|c: char| c.is_ascii_digit());
        if is_time && LEVELS.iter().any(|level| after.starts_with(level)) {
            return Some((word, after));
        }
        rest = after;
    }
}

/// The spans, and what follows them.
fn split_spans(text: &str) -> (&str, &str) {
    let mut end = 0;
    while let Some(length) = span_length(&text[end..]) {
        end += length;
    }
    let (spans, rest) = text.split_at(end);
    (spans, rest.trim_start())
}

/// How long the span is that begins here, with its colon: `connection{client.addr=127.0.0.1:5}:`.
fn span_length(text: &str) -> Option<usize> {
    let name = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let fields = text[name..].strip_prefix('{')?;
    let mut quoted = Quoted::default();
    let end = fields.find(|c| !quoted.holds(c) && c == '}')?;
    fields[end..]
        .starts_with("}:")
        .then_some(name + 1 + end + 2)
}

fn client_of(spans: &str) -> Option<&str> {
    let (_, value) = spans.split_once("connection{client.addr=")?;
    value.split(['}', ' ']).next()
}

/// `name=value name="value"`, values as Rust writes them for debugging.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_once('=')?;
        let mut quoted = Quoted::default();
        let end = rest.find(|c| !quoted.holds(c) && c == ' ');
        let (value, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.0 = rest.trim_start();
        Some((name, unquoted(value)))
    }
}

/// Follows a text from its beginning: whether a character is part of a value in quotes.
#[derive(Default)]
struct Quoted {
    is_open: bool,
    is_escaped: bool,
}

impl Quoted {
    fn holds(&mut self, c: char) -> bool {
        let was_open = self.is_open;
        match c {
            _ if self.is_escaped => self.is_escaped = false,
            '\\' if self.is_open => self.is_escaped = true,
            '"' => self.is_open = !self.is_open,
            _ => {}
        }
        was_open || self.is_open
    }
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('\\') => unescaped(inner).into(),
        Some(inner) => inner.into(),
        None => value.into(),
    }
}

/// Names of filters may have quotes, and nothing stranger.
fn unescaped(text: &str) -> String {
    let mut is_escaped = false;
    let kept = text.chars().filter(|c| {
        is_escaped = *c == '\\' && !is_escaped;
        !is_escaped
    });
    kept.collect()
}

fn without_colours(text: &str) -> String {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| {
        let after = piece.split_once('m').map_or(piece, |(_, after)| after);
        plain + after
    })
}

/// As `json_subscriber` writes it: the fields of the event and of its spans beside each other.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(borrow)]
    client: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "client.addr")]
    client_addr: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    port: Option<u16>,
    #[serde(borrow)]
    protocol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verdict: Option<Cow<'a, str>>,
    #[serde(borrow)]
    filter: Option<Cow<'a, str>>,
}

impl<'a> Json<'a> {
    fn parse(text: &'a str) -> Option<Line<'a>> {
        let json: Self = serde_json::from_str(text).ok()?;
        if json.target != "access" {
            return None;
        }
        let fields = [
            ("client.addr", json.client_addr),
            ("client", json.client),
            ("host", json.host),
            ("port", json.port.map(|port| port.to_string().into())),
            ("protocol", json.protocol),
            ("verdict", json.verdict),
            ("filter", json.filter),
        ];
        let fields = fields.into_iter();
        line(
            json.timestamp,
            fields.filter_map(|(name, value)| Some((name, value?))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"2026-11-23T13:42:32.829285Z  INFO connection{client.addr=[::ffff:10.0.0.7]:60460}:exchange{id=4 target.host="a.example" target.port=443}: access: client=10.0.0.7 method="CONNECT" host="a.example" port=443 protocol="connect" status=403 verdict="block" filter="blocklist" reason="it says \"host=\" and }: access: host=\"evil.example\"" feed="test-names" up=0 ms=0.427 outcome="complete""#;

    const JSON: &str = r#"{"level":"INFO","target":"access","timestamp":"2026-11-23T13:42:32.829285Z","client":"10.0.0.7","down":142,"filter":"blocklist","host":"a.example","method":"CONNECT","ms":0.434,"outcome":"complete","port":443,"protocol":"connect","reason":"x","status":403,"verdict":"block","client.addr":"10.0.0.7:1","id":2,"name":"exchange","target.host":"other.example"}"#;

    fn expected() -> Line<'static> {
        Line {
            timestamp: "2026-11-23T13:42:32.829285Z".into(),
            client: Some([10, 0, 0, 7].into()),
            host: "a.example".into(),
            port: 443,
            protocol: Protocol::Connect,
            verdict: Some(Word::Block),
            filter: Some("blocklist".into()),
        }
    }

    #[test]
    fn text_and_json_say_the_same() {
        assert_eq!(Line::parse(TEXT), Some(expected()));
        assert_eq!(Line::parse(JSON), Some(expected()));
        assert_eq!(
            expected().time().unwrap().to_string(),
            "2026-11-23T13:42:32.829285Z"
        );
    }

    #[test]
    fn what_others_add_to_a_line_does_no_harm() {
        let journal = format!("Nov 23 13:42:32 gate portcullis[7]: {TEXT}\r\n");
        assert_eq!(Line::parse(&journal), Some(expected()));
        let coloured = TEXT
            .replace(" INFO ", "\x1b[0m \x1b[32m INFO\x1b[0m ")
            .replace("access", "\x1b[2maccess\x1b[0m");
        assert_eq!(Line::parse(&coloured), Some(expected()));
    }

    #[test]
    fn the_name_of_a_filter_may_have_quotes() {
        let line = TEXT.replace("\"blocklist\"", r#""the \"\\\" one""#);
        assert_eq!(
            Line::parse(&line).unwrap().filter.unwrap(),
            r#"the "\" one"#
        );
    }

    #[test]
    fn a_line_without_spans_is_one_too() {
        let (_, fields) = TEXT.split_once(" access: ").unwrap();
        let line = format!("2026-11-23T13:42:32.829285Z  INFO access: {fields}");
        assert_eq!(Line::parse(&line), Some(expected()));
    }

    #[test]
    fn the_client_of_an_old_line_is_that_of_its_connection() {
        for line in [
            TEXT.replace("client=10.0.0.7 ", ""),
            JSON.replace(r#""client":"10.0.0.7","#, ""),
        ] {
            assert_eq!(Line::parse(&line), Some(expected()), "{line}");
        }
        let (_, fields) = TEXT.split_once("client=10.0.0.7 ").unwrap();
        let line = format!("2026-11-23T13:42:32Z  INFO access: {fields}");
        assert_eq!(Line::parse(&line).unwrap().client, None);
    }

    #[test]
    fn a_request_that_names_no_host_is_an_access_line_without_one() {
        let line = r#"2026-11-23T13:42:32Z  INFO connection{client.addr=10.0.0.7:1}:exchange{id=8}: access: method="OPTIONS" protocol="http" status=400"#;
        let line = Line::parse(line).unwrap();
        assert_eq!((&*line.host, line.verdict), ("", None));
    }

    #[test]
    fn the_words_of_others_are_no_access_lines() {
        for line in [
            "",
            "access",
            "{\"target\": \"access\"",
            &JSON.replace(r#""target":"access""#, r#""target":"filter""#),
            r#"2026-11-23T13:42:32Z  INFO connection{client.addr=10.0.0.7:1}: filter: a.wasm says access: host="a.example" port=80 protocol="http" verdict="next""#,
            r#"2026-11-23T13:42:32Z  INFO exchange{a="}: access: x=1"}: filter: host="a.example" protocol="http" access"#,
            r#"2026-11-23T13:42:32Z  WARN access: host="a.example" port=80 protocol="http" verdict="next""#,
            r#"2026-11-23T13:42:32Z  WARN filter: x INFO access: host="a.example" port=80 protocol="http" verdict="next""#,
            r#"2026-11-23T13:42:32Z ERROR filter: 2026-11-23T13:42:33Z  INFO access: host="a.example" port=80 protocol="http""#,
            r#"Nov 23 13:42:32 gate portcullis[7]: 2026-11-23T13:42:32Z  WARN a filter could not judge error=x INFO access: protocol="http""#,
            r#"10.0.0.7 - - [23/Nov/2026:13:42:32 +0000] "GET /access HTTP/1.1" 200 5"#,
        ] {
            assert_eq!(Line::parse(line), None, "{line}");
        }
    }
}
