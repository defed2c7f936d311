//! Requests as a parent proxy takes them: with their whole URL (RFC 9112, section 3.2.2), and with
//! the login of this proxy. Used by `upstream` alone.

use http::header::PROXY_AUTHORIZATION;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri};

use super::parent::Login;
use super::request::RequestBody;
use crate::error::Error;
use crate::target::{HTTP_PORT, Target};

/// Hosts of URLs may have characters that requests cannot name.
pub(super) const UNWRITABLE: Error =
    Error::MalformedRequest("its host has a character that no request can name");

/// Has a request name its whole URL. Returns what it has named before.
pub(super) fn write(
    request: &mut Request<RequestBody>,
    target: &Target,
    login: Option<&Login>,
) -> Result<Uri, Error> {
    let authority = Authority::try_from(target.authority(HTTP_PORT));
    let before = request.uri().clone();
    let mut parts = before.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority.map_err(|_| UNWRITABLE)?);
    // OPTIONS about the whole server has no path there (RFC 9112, section 3.2.4), and a URL without
    // one cannot be made. `spelling` takes the asterisk out.
    let root = || PathAndQuery::from_static("/");
    parts.path_and_query.get_or_insert_with(root);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| UNWRITABLE)?;
    if let Some(login) = login {
        let headers = request.headers_mut();
        headers.insert(PROXY_AUTHORIZATION, login.basic.clone());
    }
    Ok(before)
}

/// Has it go straight to its origin after all.
pub(super) fn undo(request: &mut Request<RequestBody>, before: Uri) {
    *request.uri_mut() = before;
    request.headers_mut().remove(PROXY_AUTHORIZATION);
}
