//! The responses that the proxy gives itself: a judgement or an error becomes one. Called by the
//! connection; knows nothing of how they came about.

mod page;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use sfv::{ItemSerializer, StringRef, TokenRef, key_ref, string_ref, token_ref};

use self::page::Page;
pub(crate) use self::page::PageFormat;
use crate::error::{Error, ErrorChain};
use crate::flow::Protocol;
use crate::verdict::{self, Additions, Judgement, Verdict};

/// RFC 9209.
pub(crate) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

const METHODS: HeaderValue =
    HeaderValue::from_static("CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");

/// What a page is about.
struct Subject<'a> {
    host: &'a str,
    /// The command that lets it pass.
    way_out: Option<String>,
}

/// The response to a request that the filters have stopped. `way_out` is the command that lets its
/// host pass, for a person who may call it.
pub(crate) fn judgement(
    judgement: &Judgement,
    host: &str,
    protocol: Protocol,
    format: PageFormat,
    way_out: Option<String>,
) -> Response<Bytes> {
    let subject = Subject { host, way_out };
    let mut response = render(judgement, &subject, protocol, format);
    if let Some(besides) = &judgement.besides {
        add(&besides.additions, response.headers_mut());
    }
    response
}

/// Adds what a filter wants to say besides. What the answer has already stays as it is, but for how
/// long it may be kept.
fn add(additions: &Additions, headers: &mut HeaderMap) {
    if let Some(fields) = &additions.fields {
        let its_own: Vec<HeaderName> = headers.keys().cloned().collect();
        if fields.contains_key(CACHE_CONTROL) {
            headers.remove(CACHE_CONTROL);
        }
        for (name, value) in fields.iter() {
            if *name == CACHE_CONTROL || !its_own.contains(name) {
                headers.append(name, value.clone());
            }
        }
    }
    if let Some(seconds) = additions.retry_after_seconds() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
}

fn render(
    judgement: &Judgement,
    subject: &Subject<'_>,
    protocol: Protocol,
    format: PageFormat,
) -> Response<Bytes> {
    let forbidden =
        |reason: &str| blocked(StatusCode::FORBIDDEN, reason, judgement, subject, format);
    match (&judgement.verdict, protocol) {
        (Verdict::Block { reason, .. }, _) if judgement.failed => {
            failed_filter(judgement, reason, subject.host, format)
        }
        (Verdict::Block { status, reason }, _) => {
            blocked(*status, reason, judgement, subject, format)
        }
        (Verdict::Redirect { status, location }, Protocol::Http) => {
            match HeaderValue::from_str(location) {
                Ok(location) => redirected(judgement, *status, location),
                Err(_) => forbidden(&format!("see {location}")),
            }
        }
        // The client of a tunnel takes any answer but 200 for a failure and would not follow.
        (Verdict::Redirect { location, .. }, _) => forbidden(&format!("see {location}")),
        (Verdict::Replace(page), Protocol::Http) => replaced(judgement, page),
        // Nor would it show a page.
        (Verdict::Replace(_), _) => {
            forbidden("a filter answers for this host, which it cannot do in a tunnel")
        }
        // These have no page.
        (Verdict::Next | Verdict::Allow | Verdict::Drop | Verdict::Ask(_), _) => {
            forbidden("the filters have stopped this request")
        }
    }
}

fn blocked(
    status: StatusCode,
    reason: &str,
    judgement: &Judgement,
    subject: &Subject<'_>,
    format: PageFormat,
) -> Response<Bytes> {
    let mut page = Page {
        title: format!("{} is blocked", subject.host),
        facts: vec![("Reason", reason.into())],
    };
    if let Some(filter) = &judgement.filter {
        page.facts.push(("Filter", filter.to_string()));
    }
    let mut details = reason.to_owned();
    if let Some(matched) = &judgement.matched {
        let name = match &matched.feed {
            Some(feed) => {
                page.facts.push(("List", feed.to_string()));
                "Entry"
            }
            None => "Rule",
        };
        let list = matched.list().map(str::to_owned);
        page.facts.extend(list.map(|list| ("Source", list)));
        page.facts.push((name, matched.rule.to_string()));
        let line = matched.line.map(|line| line.to_string());
        page.facts.extend(line.map(|line| ("Line", line)));
        details = format!("{reason}; {matched}");
    }
    if let Some(command) = &subject.way_out {
        page.facts.push(("Let it pass", command.clone()));
    }
    let proxy_status = proxy_status(Some("http_request_denied"), &details);
    page.into_response(status, proxy_status, format)
}

fn failed_filter(
    judgement: &Judgement,
    reason: &str,
    host: &str,
    format: PageFormat,
) -> Response<Bytes> {
    let filter = judgement.filter.as_deref().unwrap_or("a filter");
    let page = Page {
        title: format!("{} cannot be judged", host),
        facts: vec![
            ("Filter", filter.to_owned()),
            ("Reason", reason.to_owned()),
            (
                "What to do",
                "the proxy's operator finds more in its log".into(),
            ),
        ],
    };
    let details = format!("filter {filter}: {reason}");
    page.into_response(
        StatusCode::SERVICE_UNAVAILABLE,
        proxy_status(Some("proxy_internal_error"), &details),
        format,
    )
}

fn redirected(judgement: &Judgement, status: StatusCode, location: HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(PROXY_STATUS, decided(judgement, "redirected"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn replaced(judgement: &Judgement, page: &verdict::Page) -> Response<Bytes> {
    let mut response = Response::new(page.body.clone());
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    if let Some(kind) = &page.content_type {
        headers.insert(CONTENT_TYPE, kind.clone());
    }
    headers.insert(PROXY_STATUS, decided(judgement, "replaced"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The Proxy-Status of an answer that a filter gives and that is not an error.
fn decided(judgement: &Judgement, what: &str) -> HeaderValue {
    let filter = judgement.filter.as_deref().unwrap_or("a filter");
    let mut details = format!("filter {filter}: {what}");
    if let Some(matched) = &judgement.matched {
        details = format!("{details}; {matched}");
    }
    proxy_status(None, &details)
}

/// The answer to a request that could not be served.
pub(crate) fn error(error: &Error, format: PageFormat) -> Response<Bytes> {
    let status = error.status();
    let details = ErrorChain(error).to_string();
    let page = Page {
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        facts: vec![("Reason", details.clone())],
    };
    let proxy_status = proxy_status(Some(error.proxy_status()), &details);
    let mut response = page.into_response(status, proxy_status, format);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, METHODS);
    }
    let is_of_request =
        status.is_client_error() || status == StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    if is_of_request && !error.is_in_order() {
        // What follows a request that was not understood is not understood either.
        close(&mut response);
    }
    let wait = match error {
        Error::NoRoom(_) => Some(1),
        Error::TooManyLogins(wait) => Some(*wait),
        _ => None,
    };
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, wait.into());
        close(&mut response);
    }
    response
}

/// The answer to OPTIONS about the proxy itself.
pub(crate) fn options() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    response.headers_mut().insert(ALLOW, METHODS);
    response
}

/// Makes a response the last one of its connection.
pub(crate) fn close<T>(response: &mut Response<T>) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
}

/// `portcullis; error=…; details="…"`, without `error` where the answer is not an error.
fn proxy_status(error: Option<&'static str>, details: &str) -> HeaderValue {
    let is_printable = |c: char| (' '..='~').contains(&c);
    // Nearly all of them are, and are not written twice then.
    let printable: Cow<'_, str> = if details.bytes().all(|byte| is_printable(byte.into())) {
        details.into()
    } else {
        let shown = details
            .chars()
            .map(|c| if is_printable(c) { c } else { '?' });
        shown.collect()
    };
    let details = StringRef::from_str(&printable).unwrap_or(string_ref(""));
    let mut item = ItemSerializer::new().bare_item(token_ref("portcullis"));
    if let Some(error) = error {
        let error = TokenRef::from_str(error).unwrap_or(token_ref("proxy_internal_error"));
        item = item.parameter(key_ref("error"), error);
    }
    let item = item.parameter(key_ref("details"), details).finish();
    HeaderValue::try_from(item).expect("a structured field is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Match;

    fn answer(judged: &Judgement, protocol: Protocol, format: PageFormat) -> Response<Bytes> {
        let subject = Subject {
            host: "bad.example",
            way_out: None,
        };
        render(judged, &subject, protocol, format)
    }

    fn judged(verdict: Verdict) -> Judgement {
        Judgement {
            verdict,
            filter: Some("blocklist".into()),
            matched: Some(Box::new(Match {
                feed: Some("malware".into()),
                source: Some("https://lists.example/malware".into()),
                line: Some(7),
                ..Match::rule("||bad.example^".into())
            })),
            ..Judgement::PASS
        }
    }

    fn block(reason: &str) -> Judgement {
        judged(Verdict::Block {
            status: StatusCode::FORBIDDEN,
            reason: reason.into(),
        })
    }

    #[test]
    fn a_block_page_says_who_what_and_why() {
        let answer = answer(&block("malware"), Protocol::Http, PageFormat::Text);
        assert_eq!(answer.status(), 403);
        assert_eq!(
            answer.headers()["proxy-status"],
            "portcullis;error=http_request_denied;details=\"malware; feed malware, rule ||bad.example^, line 7\""
        );
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(
            answer.into_body(),
            "bad.example is blocked\n\nReason: malware\nFilter: blocklist\nList: malware\nEntry: ||bad.example^\nLine: 7\n"
        );
    }

    #[test]
    fn of_a_feed_with_several_lists_the_list_is_named() {
        let mut of_several = block("malware");
        of_several.matched.as_mut().unwrap().has_others = true;
        let answer = answer(&of_several, Protocol::Http, PageFormat::Text);
        let status = answer.headers()["proxy-status"].to_str().unwrap();
        let told = "list https://lists.example/malware, rule ||bad.example^";
        assert!(status.contains(told), "{status}");
        let page = String::from_utf8(answer.into_body().to_vec()).unwrap();
        let told = "List: malware\nSource: https://lists.example/malware\nEntry: ||bad.example^\n";
        assert!(page.contains(told), "{page}");
    }

    #[test]
    fn a_reason_is_never_markup_nor_a_field() {
        let hostile = block("<script>\"\\\r\nSet-Cookie: a=b\u{1f600}");
        let answer = answer(&hostile, Protocol::Http, PageFormat::Html);
        assert_eq!(
            answer.headers()["proxy-status"],
            "portcullis;error=http_request_denied;details=\"<script>\\\"\\\\??Set-Cookie: a=b?; feed malware, rule ||bad.example^, line 7\""
        );
        let page = String::from_utf8(answer.into_body().to_vec()).unwrap();
        assert!(page.contains("&lt;script&gt;&quot;"));
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn a_filter_that_failed_is_named() {
        let failed = Judgement {
            failed: true,
            ..block("it ran for more than 50 ms")
        };
        let answer = answer(&failed, Protocol::Http, PageFormat::Text);
        assert_eq!(answer.status(), 503);
        assert!(
            answer
                .into_body()
                .starts_with(b"bad.example cannot be judged\n\nFilter: blocklist\n")
        );
    }

    #[test]
    fn a_tunnel_cannot_be_redirected() {
        let elsewhere = judged(Verdict::Redirect {
            status: StatusCode::FOUND,
            location: "https://example.com/".into(),
        });
        let answer = |protocol| answer(&elsewhere, protocol, PageFormat::Text);
        let http = answer(Protocol::Http);
        assert_eq!(http.status(), 302);
        assert_eq!(http.headers()["location"], "https://example.com/");
        assert_eq!(
            http.headers()["proxy-status"],
            "portcullis;details=\"filter blocklist: redirected; feed malware, rule ||bad.example^, line 7\""
        );
        assert_eq!(answer(Protocol::Connect).status(), 403);
    }

    #[test]
    fn a_page_is_answered_as_it_is_but_not_in_place_of_a_tunnel() {
        let page = judged(Verdict::replace(418, "text/x-tea", b"short".into()).unwrap());
        let http = answer(&page, Protocol::Http, PageFormat::Html);
        assert_eq!(http.status(), 418);
        assert_eq!(http.headers()["content-type"], "text/x-tea");
        assert_eq!(
            http.headers()["proxy-status"],
            "portcullis;details=\"filter blocklist: replaced; feed malware, rule ||bad.example^, line 7\""
        );
        assert_eq!(http.into_body(), "short");
        assert_eq!(
            answer(&page, Protocol::Connect, PageFormat::Text).status(),
            403
        );
    }
}
