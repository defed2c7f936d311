//! What a list's server is told besides the URL, and what is checked of its answer. Header fields
//! and a body may be secret, so that they can stand in a variable or in a file of their own.

use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use data_encoding::HEXLOWER_PERMISSIVE;
use http::header::{HeaderName, HeaderValue};
use minisign_verify::PublicKey;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserializer, Serializer};
use serde_json::Value;
use url::Url;

use super::declaration::SECRET_FILE;
use super::value::{FromText, each, web_url};

/// A file with a secret is not longer, in bytes.
const LONGEST_FILE: u64 = 64 << 10;

/// Fields that the proxy sets itself, or that belong to a connection.
const OWN: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A text that may be secret: itself, or where it is. It is never shown.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// The text stands in the settings.
    Text(String),
    /// It is the value of an environment variable.
    Variable(String),
    /// It is the content of a file, without the end of its last line.
    File(PathBuf),
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable is not set, or its value is no text.
    #[error("the environment variable {0} is not set to a text")]
    Variable(String),
    /// The file is missing or unreadable, or its content is no text.
    #[error("cannot read the secret in {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Secret {
    const EXPECTED: &'static str =
        r#"a text, "env:NAME" for what is in a variable, or "file:PATH" for what is in a file"#;

    /// The text, as it is at this moment.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Variable(name) => env::var(name).map_err(|_| SecretError::Variable(name.clone())),
            Self::File(path) => read_file(path).map_err(|source| SecretError::File {
                path: path.clone(),
                source,
            }),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            let is_name = !name.is_empty() && !name.contains(['=', '\0', ' ']);
            return is_name.then(|| Self::Variable(name.to_owned()));
        }
        if let Some(path) = text.strip_prefix(SECRET_FILE) {
            return (!path.is_empty()).then(|| Self::File(path.into()));
        }
        Some(Self::Text(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Secret(…)",
            Self::Variable(_) => "Secret(env:…)",
            Self::File(_) => "Secret(file:…)",
        })
    }
}

/// The text as it is written in the settings.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "{SECRET_FILE}{}", path.display()),
        }
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    // Opening a named pipe would wait for its writer.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > LONGEST_FILE {
        return Err(io::Error::other(
            "it is not a regular file of at most 64 KiB",
        ));
    }
    let text = fs::read_to_string(path)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// How a text that may be secret is written.
pub(super) struct SecretText;

impl FromText for SecretText {
    type Value = Secret;

    const EXPECTED: &'static str = Secret::EXPECTED;

    fn parse(text: &str) -> Option<Secret> {
        Secret::parse(text)
    }

    fn write(secret: &Secret) -> Value {
        secret.to_string().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "secret"})
    }

    fn problem(_: &str) -> String {
        format!("it is not {}", Self::EXPECTED)
    }
}

/// A header field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: Secret,
}

/// How a header field is written: `Name: value`.
pub(super) struct FieldText;

impl FromText for FieldText {
    type Value = Field;

    const EXPECTED: &'static str = r#"a header field that the proxy does not set itself, such as "Auth-Key: env:ABUSE_CH_KEY""#;

    fn parse(text: &str) -> Option<Field> {
        let (name, value) = text.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        let value = Secret::parse(value.trim_matches([' ', '\t']))?;
        let is_value = match &value {
            Secret::Text(text) => HeaderValue::from_str(text).is_ok(),
            _ => true,
        };
        let is_free = !OWN.contains(&name.as_str());
        (is_value && is_free).then_some(Field { name, value })
    }

    fn write(field: &Field) -> Value {
        format!("{}: {}", field.name, field.value).into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "secret-field", "pattern": "^[^:]+:"})
    }

    // The value may be a key.
    fn problem(text: &str) -> String {
        match text.split_once(':') {
            Some((name, _)) => format!("`{name}: …` is not {}", Self::EXPECTED),
            None => format!("it is not {}", Self::EXPECTED),
        }
    }
}

/// Several header fields.
pub(super) struct Fields;

impl Fields {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Field>, D::Error> {
        each::<_, FieldText>(value).map_err(|error| {
            // It would show a text that stands without brackets, and a key in it.
            if error.to_string().contains("invalid type: string") {
                return D::Error::custom("expected a list of header fields, in brackets");
            }
            error
        })
    }

    pub(super) fn serialize<S: Serializer>(fields: &[Field], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(fields.iter().map(FieldText::write))
    }
}

/// What the SHA-256 of a list is, or where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// The checksum, of a list that never changes.
    Sha256([u8; 32]),
    /// What is there begins with the checksum of the list that is there now.
    At(Url),
}

/// How a checksum is written.
pub(super) struct ChecksumText;

impl FromText for ChecksumText {
    type Value = Checksum;

    const EXPECTED: &'static str = r#"a SHA-256 in hexadecimal, or the http: or https: URL of a text that begins with one, such as "https://lists.example/hosts.sha256""#;

    fn parse(text: &str) -> Option<Checksum> {
        if let Some(url) = web_url(text) {
            return Some(Checksum::At(url));
        }
        let sum = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        sum.try_into().ok().map(Checksum::Sha256)
    }

    fn write(checksum: &Checksum) -> Value {
        match checksum {
            Checksum::Sha256(sum) => HEXLOWER_PERMISSIVE.encode(sum).into(),
            Checksum::At(url) => url.as_str().into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// How the public key of minisign is written.
pub(super) struct MinisignKey;

impl FromText for MinisignKey {
    type Value = String;

    const EXPECTED: &'static str =
        r#"a public key of minisign: the second line of its file, which begins with "RW""#;

    fn parse(text: &str) -> Option<String> {
        PublicKey::from_base64(text).ok().map(|_| text.to_owned())
    }

    fn write(key: &String) -> Value {
        key.as_str().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^RW"})
    }
}
