//! Logins that are about a connection. NTLM and Negotiate log a connection in, not a request (RFC
//! 4559, section 6): whatever travels over it later does so in that client's name. `link` looks for
//! them in what it sends and gets.

use http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

const SCHEMES: [&str; 3] = ["ntlm", "negotiate", "nego2"];

/// Whether a request logs its connection in.
pub(super) fn logs_in(headers: &HeaderMap) -> bool {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    credentials.any(|value| value.to_str().is_ok_and(names_scheme))
}

/// Whether a response invites its client to log the connection in.
pub(super) fn invites<B>(response: &Response<B>) -> bool {
    if response.status() != StatusCode::UNAUTHORIZED {
        return false;
    }
    let mut challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    challenges.any(|value| {
        let value = value.to_str().unwrap_or_default();
        value.split(',').any(names_scheme)
    })
}

fn names_scheme(value: &str) -> bool {
    let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
    SCHEMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_for_a_connection_is_told_from_one_for_a_request() {
        let logs_in = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            super::logs_in(&headers)
        };
        for value in ["NTLM TlRMTVNTUAAB", "negotiate YII=", "Negotiate"] {
            assert!(logs_in(value), "{value}");
        }
        for value in ["Basic bnRsbQ==", "Bearer ntlm", "NTLMX a", ""] {
            assert!(!logs_in(value), "{value}");
        }
    }

    #[test]
    fn an_invitation_may_stand_among_others() {
        let invites = |status: u16, challenges: &[&str]| {
            let mut response = Response::builder().status(status);
            for challenge in challenges {
                response = response.header(WWW_AUTHENTICATE, *challenge);
            }
            super::invites(&response.body(()).unwrap())
        };
        assert!(invites(401, &["NTLM"]));
        assert!(invites(401, &["Basic realm=\"a\"", "NTLM TlRMTVNTUAAC"]));
        assert!(invites(401, &["Basic realm=\"a\", negotiate"]));
        assert!(!invites(401, &["Basic realm=\"ntlm\""]));
        assert!(!invites(200, &["NTLM"]));
    }
}
