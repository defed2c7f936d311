//! What the proxy makes of a verdict. Natively there is no proxy, so this checks that it can be
//! carried out.

use portcullis_cases::Answer;
use portcullis_contract::limits::{LOCATION_BYTES, REASON_BYTES};

use crate::{Decision, Verdict};

/// The error is what the proxy would count as a failure of the filter.
pub(super) fn answer(verdict: &Verdict) -> Result<Answer, String> {
    let answer = match verdict.decision() {
        Decision::Next => Ok(Answer::Next),
        Decision::Allow => Ok(Answer::Allow),
        Decision::Block { status, reason } => block(*status, reason),
        Decision::Redirect { status, location } => redirect(*status, location),
        Decision::Replace {
            status,
            content_type,
            body,
        } => replace(*status, content_type, body),
    };
    answer.map_err(|problem| format!("the filter's verdict cannot be carried out: {problem}"))
}

fn block(status: u16, reason: &str) -> Result<Answer, &'static str> {
    if !(400..=599).contains(&status) {
        return Err("a block needs a status from 400 to 599");
    }
    let reason = &reason[..reason.floor_char_boundary(REASON_BYTES)];
    Ok(Answer::Block {
        status,
        reason: reason.replace(char::is_control, " "),
    })
}

fn redirect(status: u16, location: &str) -> Result<Answer, &'static str> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Err("a redirect needs the status 301, 302, 303, 307 or 308");
    }
    if location.len() > LOCATION_BYTES {
        return Err("a redirect's URL is at most 8192 bytes long");
    }
    let (scheme, rest) = location.split_once("://").unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_web || rest.is_empty() {
        return Err("a redirect needs an absolute http or https URL");
    }
    Ok(Answer::Redirect {
        status,
        location: location.to_owned(),
    })
}

fn replace(status: u16, content_type: &str, body: &[u8]) -> Result<Answer, &'static str> {
    if !(200..=599).contains(&status) {
        return Err("a page needs a status from 200 to 599");
    }
    if matches!(status, 204 | 205 | 304) && !body.is_empty() {
        return Err("a page with the status 204, 205 or 304 has no body");
    }
    if content_type.contains(char::is_control) {
        return Err("the content type of a page is not the value of a header field");
    }
    Ok(Answer::Replace {
        status,
        content_type: content_type.to_owned(),
        body: body.to_owned(),
    })
}
