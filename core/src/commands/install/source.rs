//! Where a filter comes from: a file, or a URL with the checksum of what is there.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use url::Url;

use super::InstallError;
use crate::commands::feed::fetcher;
use crate::config::{Config, file};
use crate::error::Escaped;
use crate::feeds::{FetchError, download, shown};
use crate::plugins::MAX_WASM_BYTES;

/// What stands between a place and its checksum.
const MARK: &str = "#sha256=";

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// A place, and the checksum that its content must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    place: Place,
    sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Url(Url),
}

impl Source {
    /// From what stands on a command line.
    pub(super) fn parse(text: &str) -> Result<Self, InstallError> {
        // A URL is never a path, whatever lies in the folder.
        let is_file = !text.contains("://") && Path::new(text).exists();
        let (place, sha256) = match text.rsplit_once(MARK).filter(|_| !is_file) {
            Some((place, digits)) => (place, Some(checksum(digits)?)),
            None => (text, None),
        };
        if !place.contains("://") {
            let place = Place::File(place.into());
            return Ok(Self { place, sha256 });
        }
        let url: Url = place.parse().map_err(|error| InstallError::Url {
            url: place.to_owned(),
            problem: format!("it is not a URL: {error}"),
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(InstallError::Url {
                url: shown(&url).to_string(),
                problem: "filters come from https: or http: URLs, and from files".into(),
            });
        }
        if sha256.is_none() {
            return Err(no_checksum(&url));
        }
        let place = Place::Url(url);
        Ok(Self { place, sha256 })
    }

    /// The last part of the path, without what stands behind the dot.
    pub(super) fn stem(&self) -> Option<&str> {
        let file = match &self.place {
            Place::File(path) => path,
            Place::Url(url) => Path::new(url.path()),
        };
        file.file_stem()?.to_str()
    }

    /// Its content, which has the right checksum. `sha256` makes it.
    pub(super) async fn read(
        &self,
        config: &Config,
        sha256: impl FnOnce(&[u8]) -> String,
    ) -> Result<Vec<u8>, InstallError> {
        let bytes = match &self.place {
            Place::File(path) => read_file(path)?,
            Place::Url(url) => self.fetch(url, config).await?,
        };
        let found = sha256(&bytes);
        match &self.sha256 {
            Some(expected) if *expected != found => Err(InstallError::Checksum {
                place: self.to_string(),
                expected: expected.clone(),
                found,
            }),
            _ => Ok(bytes),
        }
    }

    /// As lists are fetched: by the same resolver, with the same deadlines and redirects.
    async fn fetch(&self, url: &Url, config: &Config) -> Result<Vec<u8>, InstallError> {
        let fetched = download(url, MAX_WASM_BYTES, &fetcher(config)).await;
        fetched.map_err(|error| match error {
            FetchError::TooLarge { .. } => self.too_large(),
            error => InstallError::Fetch {
                url: self.to_string(),
                advice: advice(&error),
                source: error.into(),
            },
        })
    }

    fn too_large(&self) -> InstallError {
        InstallError::TooLarge {
            place: self.to_string(),
            limit: MAX_WASM_BYTES,
        }
    }
}

/// As people may see it: a URL can hold a password or a key.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "{}", Escaped(path.display())),
            Place::Url(url) => f.write_str(&shown(url)),
        }
    }
}

/// What is not shown of a URL belongs to the command all the same.
fn no_checksum(url: &Url) -> InstallError {
    let shown = shown(url);
    let mut whole = url.clone();
    whole.set_fragment(None);
    let hint = if *shown == *whole.as_str() {
        format!(" {}#sha256=…", Escaped(&shown))
    } else {
        "#sha256=… at the end of that URL, all of which goes between quotation marks".to_owned()
    };
    InstallError::NoChecksum {
        url: shown.to_string(),
        hint,
    }
}

fn checksum(digits: &str) -> Result<String, InstallError> {
    let is_hex = |byte: u8| byte.is_ascii_hexdigit();
    if digits.len() != DIGITS || !digits.bytes().all(is_hex) {
        return Err(InstallError::InvalidChecksum(digits.to_owned()));
    }
    Ok(digits.to_ascii_lowercase())
}

fn read_file(path: &Path) -> Result<Vec<u8>, InstallError> {
    let failed = |source| InstallError::Read {
        file: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = file::open(path).map_err(failed)?;
    let mut file = file.take(MAX_WASM_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_WASM_BYTES {
        return Err(InstallError::TooLarge {
            place: Escaped(path.display()).to_string(),
            limit: MAX_WASM_BYTES,
        });
    }
    Ok(bytes)
}

/// What can be done about it.
fn advice(error: &FetchError) -> &'static str {
    match error {
        FetchError::Tls(_) => "install the system's CA certificates (package ca-certificates)",
        FetchError::Http(error) if error.is_timeout() => {
            "try again later, or download it in another way and install the file"
        }
        FetchError::Http(error) if error.is_redirect() => {
            "name the URL that it leads to, if that is right"
        }
        FetchError::Http(_) => "is the network up, and the URL right?",
        _ => "is the URL right? Open it in a browser",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn refusal(text: &str) -> String {
        Source::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_url_has_a_checksum_and_a_file_may_have_one() {
        let url = format!("https://user:pass@a.example/b/no-ads-1.wasm?key=1#sha256={SHA256}");
        let source = Source::parse(&url.replace("e3b0", "E3B0")).unwrap();
        assert_eq!(source.sha256.as_deref(), Some(SHA256));
        assert_eq!(source.to_string(), "https://a.example/b/no-ads-1.wasm");
        assert_eq!(source.stem(), Some("no-ads-1"));

        let file = Source::parse("dir/no-ads.wasm").unwrap();
        assert_eq!(file.place, Place::File("dir/no-ads.wasm".into()));
        let file = Source::parse(&format!("no-ads.wasm#sha256={SHA256}")).unwrap();
        assert_eq!(file.place, Place::File("no-ads.wasm".into()));
        assert!(file.sha256.is_some());
    }

    #[test]
    fn what_cannot_be_a_source_is_refused_with_what_can_be() {
        for (text, reason) in [
            ("https://a.example/b.wasm", "#sha256="),
            ("https://a.example/b.wasm#part", "#sha256="),
            ("http://a.example/b.wasm", "#sha256="),
            ("ftp://a.example/b.wasm#sha256=00", "64 hexadecimal digits"),
            ("https://a.example/b.wasm#sha256=", "64 hexadecimal digits"),
        ] {
            assert!(refusal(text).contains(reason), "{}", refusal(text));
        }
        for (url, reason) in [
            ("ftp://a.example/b.wasm", "come from https: or http: URLs"),
            ("https://", "it is not a URL"),
        ] {
            let said = refusal(&format!("{url}#sha256={SHA256}"));
            assert!(said.contains(reason), "{said}");
        }
        let zeros = "0".repeat(DIGITS - 1);
        let said = refusal(&format!("a.wasm#sha256={zeros}g"));
        assert!(said.contains("64 hexadecimal digits"), "{said}");
    }
}
