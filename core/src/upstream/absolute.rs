//! Requests as a parent proxy takes them: with their whole URL (RFC 9112, section 3.2.2), and with
//! the login of this proxy. Used by `upstream` alone.

use http::header::PROXY_AUTHORIZATION;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri};

use super::parent::Login;
use super::request::RequestBody;
use crate::target::{HTTP_PORT, Target};

/// Has a request name its whole URL. Returns what it has named before.
pub(super) fn write(
    request: &mut Request<RequestBody>,
    target: &Target,
    login: Option<&Login>,
) -> Option<Uri> {
    let authority = Authority::try_from(target.authority(HTTP_PORT));
    let before = request.uri().clone();
    let mut parts = before.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority.expect("a canonical host is an authority"));
    // OPTIONS about the whole server has no path there.
    if parts.path_and_query.as_ref().is_none_or(|path| path == "*") {
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
    }
    *request.uri_mut() = Uri::from_parts(parts).expect("it has all of its parts");
    if let Some(login) = login {
        let headers = request.headers_mut();
        headers.insert(PROXY_AUTHORIZATION, login.basic.clone());
    }
    Some(before)
}

/// Has it go straight to its origin after all.
pub(super) fn undo(request: &mut Request<RequestBody>, before: Option<Uri>) {
    if let Some(before) = before {
        *request.uri_mut() = before;
        request.headers_mut().remove(PROXY_AUTHORIZATION);
    }
}
