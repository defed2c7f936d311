//! Logins that are about a connection. NTLM and Negotiate log a connection in, not a request (RFC
//! 4559, section 6): whatever travels over it later does so in that client's name. `connection`
//! looks for them in what it sends and gets.

use http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

const SCHEMES: [&str; 3] = ["ntlm", "negotiate", "nego2"];

/// Whether a request logs its connection in.
pub(super) fn logs_in(headers: &HeaderMap) -> bool {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    credentials.any(|value| names_scheme(value.as_bytes()))
}

/// Whether a response invites its client to log the connection in.
pub(super) fn invites<B>(response: &Response<B>) -> bool {
    if response.status() != StatusCode::UNAUTHORIZED {
        return false;
    }
    let mut challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    challenges.any(|value| {
        let mut challenges = value.as_bytes().split(|byte| *byte == b',');
        challenges.any(names_scheme)
    })
}

/// Whether a challenge or a credential begins with one of them. What follows need not be text.
fn names_scheme(value: &[u8]) -> bool {
    let mut words = value.trim_ascii().split(u8::is_ascii_whitespace);
    let scheme = words.next().unwrap_or_default();
    SCHEMES
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_login_for_a_connection_is_told_from_one_for_a_request() {
        let logs_in = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            super::logs_in(&headers)
        };
        for value in [
            &b"NTLM TlRMTVNTUAAB"[..],
            b"negotiate YII=",
            b"Negotiate",
            b"NTLM \xe4",
        ] {
            assert!(logs_in(value), "{}", value.escape_ascii());
        }
        for value in [&b"Basic bnRsbQ=="[..], b"Bearer ntlm", b"NTLMX a", b""] {
            assert!(!logs_in(value), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn an_invitation_may_stand_among_others() {
        let invites = |status: u16, challenges: &[&str]| {
            let mut response = Response::builder().status(status);
            for challenge in challenges {
                let challenge = HeaderValue::from_bytes(challenge.as_bytes());
                response = response.header(WWW_AUTHENTICATE, challenge.unwrap());
            }
            super::invites(&response.body(()).unwrap())
        };
        assert!(invites(401, &["NTLM"]));
        assert!(invites(401, &["Basic realm=\"a\"", "NTLM TlRMTVNTUAAC"]));
        assert!(invites(401, &["Basic realm=\"a\", negotiate"]));
        assert!(invites(401, &["Basic realm=\"\u{e4}\", NTLM"]));
        assert!(!invites(401, &["Basic realm=\"ntlm\""]));
        assert!(!invites(200, &["NTLM"]));
    }
}
