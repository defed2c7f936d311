//! One access line, as far as commands look at it. What a client, a filter or another program has
//! written into a log is never taken for one: `log::access::logfmt` says why that can be decided.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;

use crate::flow::Protocol;
use crate::log::access::{KIND, logfmt};
use crate::verdict::VerdictKind;

/// What an access line says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// When the exchange ended.
    pub(crate) time: Timestamp,
    pub(crate) client: Option<IpAddr>,
    /// Who the client has logged in as.
    pub(crate) user: Option<Cow<'a, str>>,
    /// Canonical; empty if the request names none.
    pub(crate) host: Cow<'a, str>,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    /// None if no filter was asked.
    pub(crate) verdict: Option<VerdictKind>,
    /// The filter that decided.
    pub(crate) filter: Option<Cow<'a, str>>,
    /// Why it has refused the request.
    pub(crate) reason: Option<Cow<'a, str>>,
    /// Of a host that was asked for and another name that a tunnel's client has shown, the one that
    /// `host` is not, if the filters have let the name pass.
    pub(crate) shown_name: Option<Cow<'a, str>>,
    pub(crate) status: Option<u16>,
    /// Whether there was a connection to the host.
    pub(crate) is_reached: bool,
    /// What has gone wrong.
    pub(crate) error: Option<Cow<'a, str>>,
}

impl<'a> Entry<'a> {
    /// None if the line, with or without its end, is not an access line.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let line = without_prefix(line.trim_end_matches(['\r', '\n']));
        let fields = if line.starts_with('{') {
            serde_json::from_str(line).ok()?
        } else if line.starts_with(logfmt::BEGINNING) {
            Fields::from_logfmt(line)?
        } else {
            return None;
        };
        fields.into_entry()
    }
}

/// The fields of a line that commands look at.
#[derive(Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    client: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    port: Option<u16>,
    #[serde(borrow)]
    protocol: Cow<'a, str>,
    #[serde(borrow)]
    sni: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sni_verdict: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host_field: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host_field_verdict: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verdict: Option<Cow<'a, str>>,
    #[serde(borrow)]
    filter: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    peer: Option<Cow<'a, str>>,
    status: Option<u16>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    /// Among the last of a line: one that was cut off does not have it.
    #[serde(borrow)]
    outcome: Cow<'a, str>,
}

impl<'a> Fields<'a> {
    fn from_logfmt(line: &'a str) -> Option<Self> {
        let mut fields = Self::default();
        for (name, value) in logfmt::parse(line)? {
            match name {
                "time" => fields.time = value,
                "kind" => fields.kind = value,
                "client" => fields.client = Some(value),
                "user" => fields.user = Some(value),
                "host" => fields.host = Some(value),
                "port" => fields.port = Some(value.parse().ok()?),
                "protocol" => fields.protocol = value,
                "sni" => fields.sni = Some(value),
                "sni_verdict" => fields.sni_verdict = Some(value),
                "host_field" => fields.host_field = Some(value),
                "host_field_verdict" => fields.host_field_verdict = Some(value),
                "verdict" => fields.verdict = Some(value),
                "filter" => fields.filter = Some(value),
                "reason" => fields.reason = Some(value),
                "peer" => fields.peer = Some(value),
                "status" => fields.status = Some(value.parse().ok()?),
                "error" => fields.error = Some(value),
                "outcome" => fields.outcome = value,
                _ => {}
            }
        }
        Some(fields)
    }

    fn into_entry(self) -> Option<Entry<'a>> {
        if self.kind != KIND || self.outcome.is_empty() {
            return None;
        }
        let client = self.client.and_then(|client| client.parse().ok());
        let verdict = self.verdict.and_then(|word| VerdictKind::from_name(&word));
        // A client shows its name in one of the two.
        let shown = self.sni.or(self.host_field);
        let of_name = self.sni_verdict.or(self.host_field_verdict);
        let of_name = of_name.and_then(|word| VerdictKind::from_name(&word));
        // If the two agree, the verdict is about the name: with [tunnel] sni = "log" it stays the
        // one about the host.
        let decided = verdict.is_some_and(|kind| kind != VerdictKind::Next) && verdict == of_name;
        let passes =
            of_name.is_some_and(|kind| matches!(kind, VerdictKind::Next | VerdictKind::Allow));
        let (host, shown_name) = if decided {
            (shown, self.host)
        } else {
            (self.host, shown)
        };
        let shown_name = shown_name.filter(|_| passes);
        Some(Entry {
            time: self.time.parse().ok()?,
            client: client.map(|client: IpAddr| client.to_canonical()),
            user: self.user,
            host: host.unwrap_or_default(),
            port: self.port.unwrap_or_default(),
            protocol: Protocol::from_name(&self.protocol)?,
            verdict,
            filter: self.filter,
            reason: self.reason,
            shown_name,
            status: self.status,
            is_reached: self.peer.is_some(),
            error: self.error,
        })
    }
}

/// The line without what the journal, syslog or a container's log has put before it: a date, and
/// perhaps a host and a program with its number, as in `Nov 23 13:42:32 gate portcullis[7]: `.
/// Nothing else is passed over, because anything else could be a line of the program with a text of
/// others in it.
fn without_prefix(line: &str) -> &str {
    let Some(rest) = after_date(line) else {
        return line;
    };
    after_tag(rest).unwrap_or(rest)
}

/// What follows a date and one space.
fn after_date(line: &str) -> Option<&str> {
    // `Nov 23 ` and `Nov  3 `, or nothing if the date is one word as in RFC 3339.
    let day = line.get(..7).filter(|day| is_month_and_day(day.as_bytes()));
    let (time, rest) = line[day.map_or(0, str::len)..].split_once(' ')?;
    let is_time = time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':');
    is_time.then_some(rest)
}

fn is_month_and_day(text: &[u8]) -> bool {
    let (month, day) = text.split_at(3);
    month.iter().all(u8::is_ascii_alphabetic)
        && day[0] == b' '
        && (day[1] == b' ' || day[1].is_ascii_digit())
        && day[2].is_ascii_digit()
        && day[3] == b' '
}

/// What follows `HOST PROGRAM[NUMBER]: `. A line of the program itself has a level in the place of
/// the host, and never a number in brackets after the next word.
fn after_tag(text: &str) -> Option<&str> {
    let (_host, rest) = text.split_once(' ')?;
    let (tag, rest) = rest.split_once(' ')?;
    let (program, number) = tag.strip_suffix("]:")?.split_once('[')?;
    let is_program = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let is_tag =
        program.chars().all(is_program) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_tag.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGFMT: &str = r#"time=2026-11-23T13:42:32.829285Z kind=access id=4 client=10.0.0.7 method=CONNECT host=a.example port=443 protocol=connect status=403 verdict=block filter=blocklist reason="it says \"host=\" and\nkind=access host=evil.example" feed=test-names up=0 ms=0.427 outcome=complete"#;

    const JSON: &str = r#"{"time":"2026-11-23T13:42:32.829285Z","kind":"access","id":4,"client":"10.0.0.7","method":"CONNECT","host":"a.example","port":443,"protocol":"connect","status":403,"verdict":"block","filter":"blocklist","reason":"\"host\":\"evil.example\"","up":0,"ms":0.427,"outcome":"complete"}"#;

    fn expected() -> Entry<'static> {
        Entry {
            time: "2026-11-23T13:42:32.829285Z".parse().unwrap(),
            client: Some([10, 0, 0, 7].into()),
            user: None,
            host: "a.example".into(),
            port: 443,
            protocol: Protocol::Connect,
            verdict: Some(VerdictKind::Block),
            filter: Some("blocklist".into()),
            reason: None,
            shown_name: None,
            status: Some(403),
            is_reached: false,
            error: None,
        }
    }

    /// The two have different reasons.
    fn without_reason(line: &str) -> Option<Entry<'_>> {
        let entry = Entry::parse(line)?;
        let reason = entry.reason.as_deref();
        assert!(reason.is_some_and(|reason| reason.contains("evil.example")));
        Some(Entry {
            reason: None,
            ..entry
        })
    }

    #[test]
    fn logfmt_and_json_say_the_same() {
        assert_eq!(without_reason(LOGFMT), Some(expected()));
        assert_eq!(without_reason(JSON), Some(expected()));
    }

    #[test]
    fn a_host_is_reached_if_there_was_a_connection() {
        for line in [
            LOGFMT.replace(" status=403", " peer=192.0.2.1:443 status=403"),
            JSON.replace("\"status\"", "\"peer\":\"192.0.2.1:443\",\"status\""),
        ] {
            let entry = without_reason(&line).unwrap();
            assert!(entry.is_reached && entry.error.is_none(), "{entry:?}");
            let cut = line.replace("complete\"}", "failed\",\"error\":\"it broke\"}");
            let cut = cut.replace("outcome=complete", "outcome=failed error=\"it broke\"");
            assert_eq!(Entry::parse(&cut).unwrap().error.unwrap(), "it broke");
        }
    }

    #[test]
    fn the_host_is_the_name_in_the_handshake_if_that_has_decided() {
        let host = |sni: &str, verdict: &str| {
            let shown = format!(" sni=b.example sni_verdict={sni} status=200");
            let line = LOGFMT
                .replace(" status=403", &shown)
                .replace("verdict=block filter", &format!("verdict={verdict} filter"));
            Entry::parse(&line).unwrap().host.into_owned()
        };
        assert_eq!(host("block", "block"), "b.example");
        assert_eq!(host("allow", "allow"), "b.example");
        assert_eq!(host("next", "next"), "a.example");
        // [tunnel] sni = "log"
        assert_eq!(host("block", "next"), "a.example");
    }

    #[test]
    fn a_name_in_the_handshake_that_passed_is_told_beside_the_host() {
        let name = |sni: &str| {
            let shown = format!(" sni=b.example sni_verdict={sni} status=200");
            let line = LOGFMT
                .replace(" status=403", &shown)
                .replace("verdict=block filter", "verdict=next filter");
            Entry::parse(&line).unwrap().shown_name.map(Cow::into_owned)
        };
        assert_eq!(name("next").as_deref(), Some("b.example"));
        assert_eq!(name("block"), None);
        let decided = LOGFMT
            .replace(" status=403", " sni=b.example sni_verdict=allow status=200")
            .replace("verdict=block filter", "verdict=allow filter");
        for line in [&decided, &decided.replace("sni", "host_field")] {
            let entry = Entry::parse(line).unwrap();
            assert_eq!(entry.host, "b.example");
            assert_eq!(entry.shown_name.as_deref(), Some("a.example"));
        }
    }

    #[test]
    fn what_the_journal_adds_to_a_line_does_no_harm() {
        for prefix in [
            "Nov 23 13:42:32 gate portcullis[7]: ",
            "Nov  3 13:42:32.829285 gate portcullis[12345]: ",
            "2026-11-23T13:42:32+0000 gate egress-proxy.sh[7]: ",
            "2026-11-23T13:42:32.829285123Z ",
        ] {
            for line in [LOGFMT, JSON] {
                let line = format!("{prefix}{line}\r\n");
                assert_eq!(without_reason(&line), Some(expected()), "{line}");
            }
        }
    }

    #[test]
    fn the_name_of_a_filter_may_have_quotes() {
        for (line, name) in [
            (LOGFMT, r#"filter="the \"\\\" one""#),
            (JSON, r#""filter":"the \"\\\" one""#),
        ] {
            let line = line
                .replace("filter=blocklist", name)
                .replace(r#""filter":"blocklist""#, name);
            assert_eq!(
                Entry::parse(&line).unwrap().filter.unwrap(),
                r#"the "\" one"#
            );
        }
    }

    #[test]
    fn a_request_that_names_no_host_is_an_access_line_without_one() {
        let line = "time=2026-11-23T13:42:32Z kind=access id=8 method=OPTIONS protocol=http status=400 outcome=complete";
        let entry = Entry::parse(line).unwrap();
        assert_eq!((&*entry.host, entry.verdict), ("", None));
    }

    #[test]
    fn the_words_of_others_are_not_access_lines() {
        for line in [
            "",
            "access",
            "kind=access",
            "{\"kind\": \"access\"",
            &JSON.replace(r#""kind":"access""#, r#""kind":"filter""#),
            &JSON.replace(r#""kind":"access""#, r#""kind":"other","kind":"access""#),
            &LOGFMT.replace("kind=access", "kind=filter"),
            &LOGFMT.replace("protocol=connect", "protocol=gopher"),
            &LOGFMT.replace("port=443", "port=65536"),
            &LOGFMT.replace("time=2026", "time=never"),
            &LOGFMT.replace(" outcome=complete", ""),
            &JSON.replace(r#","outcome":"complete""#, ""),
            &format!(r#"{{"level":"WARN","target":"filter","message":{LOGFMT:?}}}"#),
            r#"10.0.0.7 - - [23/Nov/2026:13:42:32 +0000] "GET /kind=access HTTP/1.1" 200 5"#,
        ] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
        // Each could be the beginning of a line in which the program repeats what others say.
        for beginning in [
            " ",
            "x ",
            "2026-11-23T13:42:32Z  INFO filter: ",
            "2026-11-23T13:42:32Z  WARN filter: ",
            "2026-11-23T13:42:32Z ERROR filter: ",
            "2026-11-23T13:42:32Z ERROR filter[7]: x ",
            "2026-11-23T13:42:32Z ERROR connection{client.addr=[::1]:5}: filter: ",
            "2026-11-23T13:42:32Z ERROR connection{client.addr=[7]: ",
            "\u{1b}[2m2026-11-23T13:42:32Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m filter: ",
            "Nov 23 13:42:32 gate portcullis[7]: 2026-11-23T13:42:32Z ERROR filter: ",
            "Nov 23 13:42:32 gate portcullis[7]: Nov 23 13:42:32 gate portcullis[7]: ",
            "Nov 23 13:42:32 gate portcullis: ",
            "Nov 23 13:42:32 gate sshd[9]: Invalid user ",
            "thread 'portcullis-0' (7) panicked at x.rs:5:1: ",
        ] {
            for line in [LOGFMT, JSON] {
                let line = format!("{beginning}{line}");
                assert_eq!(Entry::parse(&line), None, "{line}");
            }
        }
    }
}
