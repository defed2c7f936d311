//! Gets the body of a feed from a server or a file, and for `plugin install` that of a filter. It
//! is the only user of reqwest, and names are resolved as those of origins are. `feeds` calls it.
//! It knows nothing of what a body means or where it is kept.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use serde::{Deserialize, Serialize};
use url::Url;

use super::blocking;
use crate::config::Feed;
use crate::flow::ClientKey;
use crate::target::Target;
use crate::upstream::resolve::Resolver;

const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// Lists are often reached through a short link or a CDN; more hops than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// How long a server may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// To connect, name resolution and TLS included.
    pub(crate) connect: Duration,
    /// Between two pieces of its answer.
    pub(crate) silence: Duration,
    /// For all of it.
    pub(crate) total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            total: Duration::from_secs(300),
        }
    }
}

/// How lists are fetched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fetcher {
    pub(crate) deadlines: Deadlines,
    /// Without one the system resolves names.
    pub(crate) resolver: Option<Arc<Resolver>>,
}

impl Fetcher {
    /// A fetcher with the usual deadlines, for which `resolver` resolves names.
    pub(crate) fn new(resolver: Resolver) -> Self {
        Self {
            deadlines: Deadlines::default(),
            resolver: Some(Arc::new(resolver)),
        }
    }
}

/// What the server said about the version of a body (RFC 9110, section 8.8). It is sent back to the
/// server when the body is asked for again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// The answer to a fetch.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The body with these validators is still current.
    NotModified,
    Body {
        body: Vec<u8>,
        validators: Validators,
    },
}

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The system has no certificate store, or the HTTP client refuses its settings.
    #[error("cannot set up a TLS client")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server was not reached, closed the connection early or did not answer in time.
    #[error("the server was not reached or broke off")]
    Http(#[source] reqwest::Error),
    /// The server answered neither 200 nor, where that was asked for, 304.
    #[error("the server answered {0}")]
    Status(StatusCode),
    /// The body is larger than the feed's `max_size`.
    #[error("it is larger than max_size, {max} bytes")]
    TooLarge {
        /// The limit in bytes, of the decompressed body.
        max: u64,
    },
    /// The file of a `file:` URL is missing, unreadable or not a regular file.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl FetchError {
    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Tls(_) => "install the system's CA certificates (package ca-certificates)",
            Self::Http(error) if error.is_timeout() => {
                "is the server overloaded, or the network slow?"
            }
            Self::Http(error) if error.is_redirect() => {
                "set the feed's url to where it redirects to, if that is right"
            }
            Self::Http(_) => "is the network up, and the feed's url right?",
            Self::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                "does the feed's url lack a key or user:password?"
            }
            Self::Status(StatusCode::NOT_FOUND | StatusCode::GONE) => {
                "has the list moved? Check the feed's url"
            }
            Self::Status(StatusCode::TOO_MANY_REQUESTS) => {
                "set the feed's refresh to a longer time"
            }
            Self::Status(_) => "is the server in trouble? Open the feed's url in a browser",
            Self::TooLarge { .. } => "raise the feed's max_size if the list is right",
            Self::File { .. } => "check the feed's url and the file's permissions",
        }
    }
}

impl From<reqwest::Error> for FetchError {
    /// Removes the URL, which may hold a password or a key.
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// Gets the body of `feed`, unless its validators are still those that are `known`.
pub(crate) async fn fetch(
    feed: &Feed,
    known: &Validators,
    fetcher: &Fetcher,
) -> Result<Fetched, FetchError> {
    let Some(path) = file_path(&feed.url) else {
        return fetch_url(feed, known, fetcher).await;
    };
    let max = feed.max_size;
    let body = blocking(move || read_file(&path, max)).await?;
    Ok(Fetched::Body {
        body,
        validators: Validators::default(),
    })
}

/// Gets what is at a URL, in at most `max` bytes, as lists are got.
pub(crate) async fn download(
    url: &Url,
    max: u64,
    fetcher: &Fetcher,
) -> Result<Vec<u8>, FetchError> {
    let response = request(url, fetcher).await?.send().await?;
    match response.status() {
        StatusCode::OK => body(response, max).await,
        status => Err(FetchError::Status(status)),
    }
}

/// The file of a `file:` URL.
pub(crate) fn file_path(url: &Url) -> Option<PathBuf> {
    match url.scheme() {
        "file" => url.to_file_path().ok(),
        _ => None,
    }
}

async fn fetch_url(
    feed: &Feed,
    known: &Validators,
    fetcher: &Fetcher,
) -> Result<Fetched, FetchError> {
    let mut request = request(&feed.url, fetcher).await?;
    let conditions = [
        (IF_NONE_MATCH, &known.etag),
        (IF_MODIFIED_SINCE, &known.last_modified),
    ];
    for (name, value) in conditions {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let response = request.send().await?;
    match response.status() {
        StatusCode::OK => Ok(Fetched::Body {
            validators: Validators {
                etag: text(response.headers(), ETAG),
                last_modified: text(response.headers(), LAST_MODIFIED),
            },
            body: body(response, feed.max_size).await?,
        }),
        StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(Fetched::NotModified),
        status => Err(FetchError::Status(status)),
    }
}

/// A GET. Feeds are fetched minutes apart: a client for each fetch keeps no connection and sees new
/// CA certificates.
async fn request(url: &Url, fetcher: &Fetcher) -> Result<RequestBuilder, FetchError> {
    let (for_client, fetcher) = (url.clone(), fetcher.clone());
    let client = blocking(move || client(&for_client, fetcher)).await?;
    Ok(client.get(url.clone()))
}

/// The decompressed body. A body that ends before its length, its last chunk or the end of its gzip
/// stream is an error.
async fn body(mut response: Response, max: u64) -> Result<Vec<u8>, FetchError> {
    let too_large = FetchError::TooLarge { max };
    if response.content_length().is_some_and(|length| length > max) {
        return Err(too_large);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() as u64 + chunk.len() as u64 > max {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn client(url: &Url, fetcher: Fetcher) -> Result<Client, FetchError> {
    let Fetcher {
        deadlines,
        resolver,
    } = fetcher;
    let mut client = Client::builder();
    if let Some(resolver) = resolver {
        client = client.dns_resolver(Arc::new(ListServers(resolver)));
    }
    client
        .tls_backend_preconfigured(tls(url)?)
        .user_agent(USER_AGENT)
        // The system's proxy is probably this very proxy.
        .no_proxy()
        // A URL may hold a key, which the server that it redirects to must not learn.
        .referer(false)
        .redirect(Policy::custom(redirect))
        .connect_timeout(deadlines.connect)
        .read_timeout(deadlines.silence)
        .timeout(deadlines.total)
        .build()
        .map_err(|error| FetchError::Tls(error.into()))
}

/// Trusts what the system trusts. The default provider of the process is not set: it belongs to the
/// application that embeds the proxy.
fn tls(url: &Url) -> Result<ClientConfig, FetchError> {
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| FetchError::Tls(error.into()))
    };
    let config = match builder()?.with_platform_verifier() {
        Ok(config) => config,
        // In a container without CA certificates a feed over plain http: must still work.
        Err(_) if url.scheme() == "http" => {
            builder()?.with_root_certificates(RootCertStore::empty())
        }
        Err(error) => return Err(FetchError::Tls(error.into())),
    };
    Ok(config.with_no_client_auth())
}

/// Follows a redirect, but never from https: to http:.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from_https = attempt.previous().iter().any(|url| url.scheme() == "https");
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else if from_https && attempt.url().scheme() != "https" {
        attempt.error("redirected from https: to http:")
    } else {
        attempt.follow()
    }
}

/// The servers of lists, whose names the proxy's own resolver resolves.
struct ListServers(Arc<Resolver>);

impl Resolve for ListServers {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.0.clone();
        Box::pin(async move {
            // The client replaces port 0 with the URL's own.
            let target = Target::new(name.as_str(), 0)?;
            let addresses = resolver.addresses(&target, ClientKey::of(None)).await?;
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, FetchError> {
    let failed = |source| FetchError::File {
        path: path.to_owned(),
        source,
    };
    // Opening a named pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let mut body = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max.saturating_add(1)).read_to_end(&mut body))
        .map_err(failed)?;
    if body.len() as u64 > max {
        return Err(FetchError::TooLarge { max });
    }
    Ok(body)
}

/// A URL as people may see it: the user, the password and the query may be secret.
pub(crate) fn shown(url: &Url) -> Arc<str> {
    let mut url = url.clone();
    // A URL without a host has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    String::from(url).into()
}
