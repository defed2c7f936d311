//! Gets the body of a feed from a server or a file, and for `plugin install` that of a filter.
//! Names are resolved as those of origins are. `feeds` calls it. It knows nothing of what a body
//! means or where it is kept.

pub(crate) mod body;
mod genuine;
mod http;
mod prohibited;
mod through;
pub(crate) mod unpack;

use std::error::Error as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use minisign_verify::PublicKey;
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use url::Url;

use self::body::{Body, Room};
pub(crate) use self::genuine::Forged;
use self::genuine::{check_signature, check_sum, sum_in};
use self::http::{Answer, Ask};
use self::prohibited::Prohibited;
pub(crate) use self::unpack::UnpackError;
use self::unpack::unpack;
use super::blocking;
use super::origin::Origin;
use crate::config::{Checksum, Feed, SecretError, file};
use crate::error::ErrorChain;
use crate::upstream::policy::Policy;
use crate::upstream::resolve::Resolver;
use crate::upstream::{Parents, ParentsError};

/// What the operator can do where copies cannot be kept.
pub(crate) const UNKEPT_HINT: &str = "make [cache] dir a folder that can be written to, with room";

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
    /// Where servers may redirect to. Without one, anywhere.
    pub(crate) policy: Option<Arc<Policy>>,
    /// The parent proxies through which servers are asked.
    parents: Parents,
    /// Why they are not known. Nothing is fetched then.
    parents_error: Option<String>,
}

/// A checksum or a signature is not longer, in bytes.
const PROOF_LIMIT: u64 = 64 << 10;

impl Fetcher {
    /// A fetcher with the usual deadlines. `resolver` resolves names for it, and `policy` says
    /// where it may connect.
    pub(crate) fn new(
        resolver: Resolver,
        policy: Arc<Policy>,
        parents: Result<Parents, ParentsError>,
    ) -> Self {
        let (parents, parents_error) = match parents {
            Ok(parents) => (parents, None),
            Err(error) => (Parents::default(), Some(ErrorChain(&error).to_string())),
        };
        Self {
            deadlines: Deadlines::default(),
            resolver: Some(Arc::new(resolver)),
            policy: Some(policy),
            parents,
            parents_error,
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

/// What tells one body from the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) validators: Validators,
    /// Of the body when it is unpacked. Many servers send no validators, and files have none.
    pub(crate) sha256: Option<[u8; 32]>,
}

/// The answer to a fetch.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The body is still the one that is known.
    Unchanged(Version),
    Body {
        body: Body,
        version: Version,
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
    /// The server did not answer in full in time.
    #[error("the server took longer than {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    /// The server redirects to where it may not, or without an end.
    #[error("the server redirects {0}")]
    Redirect(&'static str),
    /// The settings do not let the proxy go there.
    #[error("its server is not asked: {0}")]
    Prohibited(String),
    /// It is not known through which parent proxy the server is to be asked.
    #[error("its server is not asked: {0}")]
    Upstream(String),
    /// The server answered neither 200 nor, where that was asked for, 304.
    #[error("the server answered {status}")]
    Status {
        status: StatusCode,
        /// How long the server wants to be left alone (RFC 9110, section 10.2.3).
        retry_after: Option<Duration>,
    },
    /// What the server is to be told is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret has a character that no field can have.
    #[error("the value of the header field {0} is not one")]
    Field(HeaderName),
    /// What has arrived cannot be kept until it is read.
    #[error("cannot keep it while it is read")]
    Keep(#[source] io::Error),
    /// The body is larger than the feed's `max_size`.
    #[error("it is larger than max_size, {max} bytes")]
    TooLarge {
        /// The limit in bytes, of the body as it came and as it is unpacked.
        max: u64,
    },
    /// It is packed, and not as it says.
    #[error(transparent)]
    Unpack(UnpackError),
    /// It is not the one that was published.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// The file of a `file:` URL is missing, unreadable or not a regular file.
    #[error("cannot read {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl FetchError {
    /// What the operator can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Tls(_) => "install the system's CA certificates (package ca-certificates)",
            Self::Timeout(_) => "is the server overloaded, or the feed's timeout too short?",
            Self::Http(error) if error.is_timeout() => {
                "is the server overloaded, or the network slow?"
            }
            Self::Redirect(_) | Self::Prohibited(_) => {
                "set the feed's url to where it redirects to, if that is right"
            }
            Self::Http(_) => "is the network up, and the feed's url right?",
            Self::Status { status, .. } => match *status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    "does the feed lack a key, in its headers or its url?"
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    "has the list moved? Check the feed's url"
                }
                StatusCode::TOO_MANY_REQUESTS => "set the feed's refresh to a longer time",
                _ => "is the server in trouble? Open the feed's url in a browser",
            },
            Self::Upstream(_) => "see [upstream], and what its credentials name",
            Self::Secret(_) | Self::Field(_) => {
                "see the feed's headers and post, and what they name"
            }
            Self::Forged(_) => {
                "was it published at this moment? If this goes on, ask who publishes the list"
            }
            Self::Unpack(error) => error.hint(),
            Self::Keep(_) => UNKEPT_HINT,
            Self::TooLarge { .. } => "raise the feed's max_size if the list is right",
            Self::File { .. } => "check the feed's url and the file's permissions",
        }
    }

    fn unpack(error: UnpackError, max: u64) -> Self {
        match error {
            UnpackError::TooLarge => Self::TooLarge { max },
            UnpackError::Keep(error) => Self::Keep(error),
            error => Self::Unpack(error),
        }
    }
}

impl From<StatusCode> for FetchError {
    fn from(status: StatusCode) -> Self {
        Self::Status {
            status,
            retry_after: None,
        }
    }
}

impl From<reqwest::Error> for FetchError {
    /// Removes the URL, which may hold a password or a key.
    fn from(error: reqwest::Error) -> Self {
        let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
        match causes.find_map(|cause| cause.downcast_ref::<Prohibited>()) {
            Some(Prohibited(why)) => Self::Prohibited(why.clone()),
            None => Self::Http(error.without_url()),
        }
    }
}

/// Gets the body of a list, unpacked, unless it is still the one that is `known`. A body that is
/// not the published one, as far as the feed's settings tell, is an error. A long one goes to
/// `room`.
pub(crate) async fn fetch(
    origin: &Origin,
    known: &Version,
    fetcher: &Fetcher,
    room: &Room,
) -> Result<Fetched, FetchError> {
    let begun = Instant::now();
    let answer = get(origin, &known.validators, fetcher, room).await?;
    let Answer::Body {
        mut body,
        validators,
    } = answer
    else {
        return Ok(Fetched::Unchanged(known.clone()));
    };
    // What shows that it is genuine is part of the fetch, wherever it comes from.
    let time = origin.settings.timeout;
    let left = time.saturating_sub(begun.elapsed());
    let proof = timeout(left, Proof::fetch(origin, fetcher)).await;
    let proof = proof.unwrap_or(Err(FetchError::Timeout(time)))?;
    let max = origin.max_size;
    let read = blocking(move || {
        proof.check(&mut body)?;
        let mut body = unpack(body, max).map_err(|error| FetchError::unpack(error, max))?;
        let sha256 = body.sha256().map_err(FetchError::Keep)?;
        Ok::<_, FetchError>((body, sha256))
    });
    let (body, sha256) = read.await?;
    let version = Version {
        validators,
        sha256: Some(sha256),
    };
    if known.sha256 == version.sha256 {
        return Ok(Fetched::Unchanged(version));
    }
    Ok(Fetched::Body { body, version })
}

/// Gets what is at the list's URL, as it is there.
async fn get(
    origin: &Origin,
    known: &Validators,
    fetcher: &Fetcher,
    room: &Room,
) -> Result<Answer, FetchError> {
    let (max, room) = (origin.max_size, room.clone());
    if let Some(path) = file_path(&origin.url) {
        return Ok(Answer::Body {
            body: blocking(move || read_file(&path, max, &room)).await?,
            validators: Validators::default(),
        });
    }
    let mut request = list_request(origin, known)?;
    request.room = room;
    match http::send(request, fetcher).await? {
        Answer::NotModified if *known == Validators::default() => {
            Err(StatusCode::NOT_MODIFIED.into())
        }
        answer => Ok(answer),
    }
}

/// What shows that a body is the published one.
#[derive(Debug, Default)]
struct Proof {
    sum: Option<[u8; 32]>,
    signature: Option<(PublicKey, Vec<u8>)>,
}

impl Proof {
    /// Gets what the feed's settings ask for. The list's key for its server goes with the request
    /// for a signature, which is beside it; what is posted for the list does not.
    async fn fetch(origin: &Origin, fetcher: &Fetcher) -> Result<Self, FetchError> {
        let sum = match &origin.settings.checksum {
            None => None,
            Some(Checksum::Sha256(sum)) => Some(*sum),
            Some(Checksum::At(url)) => {
                let text = download(url, PROOF_LIMIT, fetcher).await?;
                Some(sum_in(&text)?)
            }
        };
        let signature = match &origin.settings.minisign {
            None => None,
            Some(key) => {
                let key = PublicKey::from_base64(key).map_err(Forged::NoSignature)?;
                let signed = Origin {
                    url: signature_url(&origin.url),
                    max_size: PROOF_LIMIT,
                    settings: Feed {
                        post: None,
                        ..origin.settings.clone()
                    },
                    ..origin.clone()
                };
                let Answer::Body { body, .. } =
                    get(&signed, &Validators::default(), fetcher, &Room::default()).await?
                else {
                    return Err(StatusCode::NOT_MODIFIED.into());
                };
                Some((key, body.into_bytes().map_err(FetchError::Keep)?))
            }
        };
        Ok(Self { sum, signature })
    }

    fn check(&self, body: &mut Body) -> Result<(), FetchError> {
        if let Some(sum) = &self.sum {
            check_sum(body, sum)?;
        }
        match &self.signature {
            Some((key, signature)) => check_signature(body, signature, key),
            None => Ok(()),
        }
    }
}

fn signature_url(url: &Url) -> Url {
    let mut signature = url.clone();
    signature.set_path(&format!("{}.minisig", url.path()));
    signature
}

/// Gets what is at a URL, in at most `max` bytes, as lists are got.
pub(crate) async fn download(
    url: &Url,
    max: u64,
    fetcher: &Fetcher,
) -> Result<Vec<u8>, FetchError> {
    match http::send(Ask::new(url, max), fetcher).await? {
        Answer::Body { body, .. } => body.into_bytes().map_err(FetchError::Keep),
        Answer::NotModified => Err(StatusCode::NOT_MODIFIED.into()),
    }
}

/// What the server of a list is asked.
fn list_request(origin: &Origin, known: &Validators) -> Result<Ask, FetchError> {
    let mut request = Ask::new(&origin.url, origin.max_size);
    request.time = Some(origin.settings.timeout);
    let conditions = [
        (IF_NONE_MATCH, &known.etag),
        (IF_MODIFIED_SINCE, &known.last_modified),
    ];
    for (name, value) in conditions {
        if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
            request.conditions.insert(name, value);
        }
    }
    for field in &origin.settings.headers {
        let value = HeaderValue::from_str(&field.value.read()?);
        let mut value = value.map_err(|_| FetchError::Field(field.name.clone()))?;
        value.set_sensitive(true);
        request.secrets.append(field.name.clone(), value);
    }
    request.post = origin
        .settings
        .post
        .as_ref()
        .map(|body| body.read())
        .transpose()?;
    Ok(request)
}

/// The file of a `file:` URL.
pub(crate) fn file_path(url: &Url) -> Option<PathBuf> {
    match url.scheme() {
        "file" => url.to_file_path().ok(),
        _ => None,
    }
}

fn read_file(path: &Path, max: u64, room: &Room) -> Result<Body, FetchError> {
    let failed = |source| FetchError::File {
        path: path.to_owned(),
        source,
    };
    let mut body = room.body();
    let file = file::open(path).map_err(failed)?;
    io::copy(&mut file.take(max.saturating_add(1)), &mut body).map_err(failed)?;
    if body.len() > max {
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
