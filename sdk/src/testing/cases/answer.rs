//! What the proxy makes of a verdict. Natively there is no proxy, so this checks that it can be
//! carried out.

use portcullis_cases::{Answer, Message};
use portcullis_contract::limits::{LOCATION_BYTES, QUESTION_BYTES, REASON_BYTES, RULE_BYTES};

use super::{Judged, reported, whole_milliseconds};
use crate::Verdict;
use crate::proxy::mock::{self, one_line};
use crate::verdict::Decision;

/// The error is what the proxy would count as a failure of the filter.
pub(super) fn answer(verdict: Verdict) -> Result<Judged, String> {
    let Verdict { decision, extras } = verdict;
    let mut fields = mock::Fields::default();
    for (name, value) in extras.fields {
        let added = fields.append(&name, value);
        added.map_err(|error| reported(error.about_added(&name)))?;
    }
    let answer = decided(decision)
        .map_err(|problem| format!("the filter's verdict cannot be carried out: {problem}"))?;
    let mut judged = Judged::from(answer);
    if judged.answer.takes_additions() {
        judged.retry_after = extras.retry_after.map(whole_milliseconds);
        judged.fields = Message(fields.all());
    }
    if judged.answer != Answer::Next {
        let named = extras.matched.map(|rule| one_line(&rule, RULE_BYTES));
        judged.matched = named.or_else(mock::last_found);
    }
    Ok(judged)
}

fn decided(decision: Decision) -> Result<Answer, &'static str> {
    match decision {
        Decision::Next => Ok(Answer::Next),
        Decision::Allow => Ok(Answer::Allow),
        Decision::Block { status, reason } => block(status, &reason),
        Decision::Redirect { status, location } => redirect(status, &location),
        Decision::Replace {
            status,
            content_type,
            body,
        } => replace(status, &content_type, &body),
        Decision::Drop => Ok(Answer::Drop),
        Decision::Ask {
            question,
            otherwise,
            wait,
        } => Ok(Answer::Ask {
            question: one_line(&question, QUESTION_BYTES),
            otherwise,
            wait: whole_milliseconds(wait),
        }),
    }
}

fn block(status: u16, reason: &str) -> Result<Answer, &'static str> {
    if !(400..=599).contains(&status) {
        return Err("a block needs a status from 400 to 599");
    }
    Ok(Answer::Block {
        status,
        reason: one_line(reason, REASON_BYTES),
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

#[cfg(test)]
mod tests {
    use portcullis_contract::limits::{ADDED_FIELDS_BYTES, FIELDS};

    use super::*;

    #[test]
    fn a_field_that_is_more_than_the_proxy_takes_is_named() {
        let many = |count: usize| {
            let add = |verdict: Verdict, n: usize| verdict.field(format!("X-{n}"), "");
            (0..count).fold(Verdict::block("no"), add)
        };
        let large = |bytes| Verdict::block("no").field("X-Large", vec![b'x'; bytes]);
        let most = ADDED_FIELDS_BYTES - "X-Large".len();
        for fits in [many(FIELDS), large(most)] {
            assert!(answer(fits.clone()).is_ok());
            let refused = answer(fits.field("X-Last", "")).err();
            let why = "is more than can be added to an answer: 1000 fields, and 64 KiB of names \
                       and values";
            let said = format!("the filter reports: the field X-Last {why}");
            assert_eq!(refused, Some(said));
        }
    }
}
