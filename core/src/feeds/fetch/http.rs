//! Asks a server over HTTP, follows its redirects, and undoes the content codings of its answer. It
//! is the only user of reqwest. `fetch` calls it. What is secret goes to the origin that it is
//! meant for and to no other, and nothing that was asked for over https: is got over http:.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, LOCATION,
    RETRY_AFTER,
};
use reqwest::redirect;
use reqwest::{Client, Proxy, Response, StatusCode};
use rustls::ClientConfig;
use url::Url;

use super::body::{Body, Room};
use super::prohibited::Prohibited;
use super::through::Through;
use super::unpack::{ACCEPTED, decode};
use super::{Deadlines, FetchError, Fetcher, Validators};
use crate::feeds::blocking;
use crate::flow::ClientKey;
use crate::target::Target;
use crate::upstream::Scheme;
use crate::upstream::policy::Policy;
use crate::upstream::resolve::Resolver;
use crate::upstream::tls;

const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// Lists are often reached through a short link or a CDN; more hops than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// Bytes that are written to a body at a time.
const PIECE: usize = 256 << 10;

/// What a server is asked.
#[derive(Debug)]
pub(super) struct Ask {
    url: Url,
    /// The most bytes that the body may have, as it comes and as it is.
    max: u64,
    /// Where a long body goes.
    pub(super) room: Room,
    /// For all of the answer.
    pub(super) time: Option<Duration>,
    /// Fields for any server.
    pub(super) conditions: HeaderMap,
    /// Fields for the origin of the URL.
    pub(super) secrets: HeaderMap,
    /// A body for the origin of the URL. With one it is a POST, otherwise a GET.
    pub(super) post: Option<String>,
}

/// What the server has said.
#[derive(Debug)]
pub(super) enum Answer {
    NotModified,
    Body { body: Body, validators: Validators },
}

impl Ask {
    pub(super) fn new(url: &Url, max: u64) -> Self {
        Self {
            url: url.clone(),
            max,
            room: Room::default(),
            time: None,
            conditions: HeaderMap::new(),
            secrets: HeaderMap::new(),
            post: None,
        }
    }
}

/// Asks the server, and those that it redirects to. A body that ends before its length, its last
/// chunk or the end of its coding is an error.
pub(super) async fn send(ask: Ask, fetcher: &Fetcher) -> Result<Answer, FetchError> {
    let total = ask.time.unwrap_or(fetcher.deadlines.total);
    let answer = tokio::time::timeout(total, follow(ask, fetcher)).await;
    answer.unwrap_or(Err(FetchError::Timeout(total)))
}

async fn follow(mut ask: Ask, fetcher: &Fetcher) -> Result<Answer, FetchError> {
    let mut url = ask.url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let response = request(&url, &ask, fetcher).await?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return answer(response, ask.max, &ask.room).await;
        }
        let next = next_url(&url, text(response.headers(), LOCATION).as_deref())?;
        let keeps_method = matches!(response.status().as_u16(), 307 | 308);
        if !keeps_method {
            ask.post = None;
        } else if ask.post.is_some() && next.origin() != ask.url.origin() {
            return Err(FetchError::Redirect(
                "what was posted to another server, which is not to have it",
            ));
        }
        url = next;
    }
    Err(FetchError::Redirect("more than five times"))
}

/// One request. Feeds are fetched minutes apart: a client for each keeps no connection and sees new
/// CA certificates.
async fn request(url: &Url, ask: &Ask, fetcher: &Fetcher) -> Result<Response, FetchError> {
    let (way, through) = way(url, ask, fetcher)?;
    // No name is resolved then.
    if let Some(ip) = way.as_ref().and_then(|way| way.target.ip()) {
        way.iter().try_for_each(|way| way.judge(ip))?;
    }
    let (for_client, deadlines) = (url.clone(), fetcher.deadlines);
    let resolver = fetcher
        .resolver
        .clone()
        .map(|resolver| ListServers { resolver, way });
    let proxy = through.as_ref().map(Through::proxy).transpose()?;
    let client = blocking(move || client(&for_client, deadlines, resolver, proxy)).await?;
    let mut request = match &ask.post {
        Some(body) => client.post(url.clone()).body(body.clone()),
        None => client.get(url.clone()),
    };
    request = request.header(ACCEPT_ENCODING, ACCEPTED);
    request = request.headers(ask.conditions.clone());
    if url.origin() == ask.url.origin() {
        request = request.headers(ask.secrets.clone());
    }
    let answer = request.send().await;
    if let Some(through) = through {
        through.record(&answer);
    }
    Ok(answer?)
}

/// The next step on the way to a server, and the parent proxy if it leads to one.
fn way(
    url: &Url,
    ask: &Ask,
    fetcher: &Fetcher,
) -> Result<(Option<Way>, Option<Through>), FetchError> {
    let Some(way) = Way::new(url, ask, fetcher) else {
        return Ok((None, None));
    };
    let Some(through) = Through::find(&way.target, fetcher)? else {
        return Ok((Some(way), None));
    };
    Through::judge(&way.target, way.is_named, fetcher)?;
    let proxy = Way {
        target: through.proxy.clone(),
        is_named: true,
        ..way
    };
    Ok((Some(proxy), Some(through)))
}

/// Where a `Location` at a URL leads.
fn next_url(url: &Url, location: Option<&str>) -> Result<Url, FetchError> {
    let next = location.and_then(|location| url.join(location).ok());
    let next = next.ok_or(FetchError::Redirect("to what is not a URL"))?;
    match (url.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(next),
        ("https", "http") => Err(FetchError::Redirect("from https: to http:")),
        _ => Err(FetchError::Redirect("to neither http: nor https:")),
    }
}

async fn answer(response: Response, max: u64, room: &Room) -> Result<Answer, FetchError> {
    match response.status() {
        StatusCode::OK => Ok(Answer::Body {
            validators: Validators {
                etag: text(response.headers(), ETAG),
                last_modified: text(response.headers(), LAST_MODIFIED),
            },
            body: body(response, max, room).await?,
        }),
        StatusCode::NOT_MODIFIED => Ok(Answer::NotModified),
        status => Err(FetchError::Status {
            status,
            retry_after: text(response.headers(), RETRY_AFTER).and_then(|text| wait(&text)),
        }),
    }
}

/// The body without its content codings.
async fn body(mut response: Response, max: u64, room: &Room) -> Result<Body, FetchError> {
    let too_large = FetchError::TooLarge { max };
    if response.content_length().is_some_and(|length| length > max) {
        return Err(too_large);
    }
    let codings = response.headers().get_all(CONTENT_ENCODING).iter();
    let codings: Vec<_> = codings
        .map(|coding| String::from_utf8_lossy(coding.as_bytes()).into_owned())
        .collect();
    let codings = codings.join(",");
    let mut body = room.body();
    let mut piece = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + piece.len() as u64 + chunk.len() as u64 > max {
            return Err(too_large);
        }
        piece.extend_from_slice(&chunk);
        if piece.len() >= PIECE {
            body = with(body, std::mem::take(&mut piece)).await?;
        }
    }
    let body = with(body, piece).await?;
    let body = blocking(move || decode(body, &codings, max)).await;
    body.map_err(|error| FetchError::unpack(error, max))
}

/// The body with more of it.
async fn with(mut body: Body, piece: Vec<u8>) -> Result<Body, FetchError> {
    let written = blocking(move || body.write_all(&piece).map(|()| body)).await;
    written.map_err(FetchError::Keep)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// How long a `Retry-After` says to wait: seconds, or until a date.
fn wait(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn client(
    url: &Url,
    deadlines: Deadlines,
    resolver: Option<ListServers>,
    proxy: Option<Proxy>,
) -> Result<Client, FetchError> {
    // The system's proxy is probably this very proxy.
    let mut client = Client::builder().no_proxy();
    if let Some(proxy) = proxy {
        client = client.proxy(proxy);
    }
    if let Some(resolver) = resolver {
        client = client.dns_resolver(Arc::new(resolver));
    }
    client
        .tls_backend_preconfigured(trust(url)?)
        .user_agent(USER_AGENT)
        // A URL may hold a key, which the server that it redirects to must not learn.
        .referer(false)
        .redirect(redirect::Policy::none())
        .connect_timeout(deadlines.connect)
        .read_timeout(deadlines.silence)
        .build()
        .map_err(|error| FetchError::Tls(error.into()))
}

fn trust(url: &Url) -> Result<ClientConfig, FetchError> {
    let config = match tls::client_config(None) {
        // In a container without CA certificates a feed over plain http: must still work.
        Err(_) if url.scheme() == "http" => tls::without_trust(),
        config => config,
    };
    config.map_err(|error| FetchError::Tls(error.into()))
}

/// The servers of lists, whose names the proxy's own resolver resolves.
struct ListServers {
    resolver: Arc<Resolver>,
    way: Option<Way>,
}

impl Resolve for ListServers {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, way) = (self.resolver.clone(), self.way.clone());
        Box::pin(async move {
            // The client replaces port 0 with the URL's own.
            let target = Target::new(name.as_str(), 0)?;
            let client = ClientKey::of(None);
            let found = resolver.addresses(&target, client).await?;
            let mut addresses = found.known.to_vec();
            // The client dials what it is given now, and no other client waits for it.
            if let Some(question) = &found.late {
                addresses.extend(resolver.late(question, client).await.iter());
            }
            if let Some(way) = way {
                addresses = way.permitted(addresses)?;
            }
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// One step on the way to a list, and which addresses it may lead to.
#[derive(Clone)]
struct Way {
    policy: Arc<Policy>,
    target: Target,
    /// A server that the settings name may be anywhere, but for the proxy itself.
    is_named: bool,
}

impl Way {
    fn new(url: &Url, ask: &Ask, fetcher: &Fetcher) -> Option<Self> {
        // What is none is refused by the client.
        let target = Target::new(url.host_str()?, url.port_or_known_default()?).ok()?;
        Some(Self {
            policy: fetcher.policy.clone()?,
            target,
            is_named: url.origin() == ask.url.origin(),
        })
    }

    /// The addresses of the server that may be dialled; an error if there are none.
    fn permitted(&self, mut addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Prohibited> {
        let refusal = addresses.iter().find_map(|ip| self.judge(*ip).err());
        addresses.retain(|ip| self.judge(*ip).is_ok());
        match refusal {
            Some(refusal) if addresses.is_empty() => Err(refusal),
            _ => Ok(addresses),
        }
    }

    fn judge(&self, ip: IpAddr) -> Result<(), Prohibited> {
        let judged = if self.is_named {
            self.policy
                .judge_named(SocketAddr::new(ip, self.target.port()))
        } else {
            self.policy.judge(&self.target, Scheme::Http, ip)
        };
        judged.map_err(|refusal| Prohibited(refusal.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_to_http_and_never_down_from_https() {
        let lead = |url: &str, location| next_url(&url.parse().unwrap(), location);
        for (url, location, next) in [
            ("http://a.example/b", "/c", "http://a.example/c"),
            (
                "http://a.example/",
                "http://b.example/",
                "http://b.example/",
            ),
            (
                "http://a.example/",
                "https://b.example/",
                "https://b.example/",
            ),
            ("https://a.example/b", "c?d", "https://a.example/c?d"),
        ] {
            assert_eq!(lead(url, Some(location)).unwrap().as_str(), next);
        }
        for (url, location) in [
            ("https://a.example/", Some("http://a.example/")),
            ("http://a.example/", Some("file:///etc/hosts")),
            ("http://a.example/", Some("ftp://a.example/")),
            ("http://a.example/", Some("http://[")),
            ("http://a.example/", None),
        ] {
            let error = lead(url, location).unwrap_err();
            assert!(matches!(error, FetchError::Redirect(_)), "{error:?}");
        }
    }

    #[test]
    fn a_wait_is_a_number_of_seconds_or_ends_at_a_date() {
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("0"), Some(Duration::ZERO));
        assert_eq!(wait("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
        let hour = Duration::from_secs(3600);
        let waited = wait(&httpdate::fmt_http_date(SystemTime::now() + hour));
        assert!(
            waited.is_some_and(|wait| wait <= hour && wait > hour / 2),
            "{waited:?}"
        );
        for text in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(wait(text), None, "{text}");
        }
    }
}
