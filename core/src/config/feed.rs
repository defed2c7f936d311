//! The settings of one list: where it comes from, how it is read, and when.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::request::{
    Checksum, ChecksumText, Field, FieldText, Fields, MinisignKey, Secret, SecretText,
};
use super::value::{
    FeedSize, FeedUrl, FromText, Optional, Parsed, Pointer, Refresh, Time, Word, Words,
};

/// One list of domains.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Feed {
    /// Whether it is fetched and looked into. Filters may name one that is not: it lists nothing.
    #[serde(default = "Feed::default_enabled")]
    pub enabled: bool,
    /// An http:, https: or file: URL.
    #[serde(with = "Parsed::<FeedUrl>")]
    #[schemars(extend("examples" = ["https://lists.example/hosts"]))]
    pub url: Url,
    /// How the body is read.
    #[serde(with = "Parsed::<Word<FeedFormat>>", default)]
    pub format: FeedFormat,
    /// The column of CSV that has the names: its number, from 1, or what the first row calls it.
    #[serde(default, with = "Parsed::<Optional<Column>>")]
    pub column: Option<Column>,
    /// Where JSON has the names: a JSON pointer (RFC 6901) from each row, or from the root to an
    /// array of them.
    #[serde(default, with = "Parsed::<Optional<Pointer>>")]
    pub field: Option<String>,
    /// Whether a name covers the names below it. By default that is as the format has it.
    #[serde(default)]
    pub subdomains: Option<bool>,
    /// What happens to rules for everything below a suffix of a registry, such as `||com^`.
    #[serde(default, with = "Parsed::<Word<PublicSuffixes>>")]
    pub public_suffixes: PublicSuffixes,
    /// Time between two fetches.
    #[serde(with = "Parsed::<Refresh>", default = "Feed::default_refresh")]
    pub refresh: Duration,
    /// For all of a fetch, redirects included.
    #[serde(with = "Parsed::<Time>", default = "Feed::default_timeout")]
    pub timeout: Duration,
    /// Header fields of the request, such as `Auth-Key: env:ABUSE_CH_KEY`. They are sent to the
    /// url's server alone, and never shown. A value that is `env:NAME` stands in a variable, and
    /// one that is `file:PATH` in a file.
    #[serde(with = "Fields", default)]
    #[schemars(with = "Vec<Parsed<FieldText>>")]
    pub headers: Vec<Field>,
    /// What is posted to the url, as it stands or as `env:NAME` or `file:PATH`. Without it the list
    /// is got by GET.
    #[serde(with = "Parsed::<Optional<SecretText>>", default)]
    pub post: Option<Secret>,
    /// The SHA-256 of the list as it is published, or the url of a text that begins with it. Another
    /// list is refused.
    #[serde(with = "Parsed::<Optional<ChecksumText>>", default)]
    pub checksum: Option<Checksum>,
    /// The public key of minisign with which the list is signed. The signature is at the list's
    /// url with `.minisig` behind its path.
    #[serde(with = "Parsed::<Optional<MinisignKey>>", default)]
    pub minisign: Option<String>,
    /// A larger body is refused, in bytes, as it comes and as it is unpacked.
    #[serde(with = "Parsed::<FeedSize>", default = "Feed::default_max_size")]
    pub max_size: u64,
    /// What happens to requests until the list has arrived for the first time.
    #[serde(with = "Parsed::<Word<UntilFirst>>", default)]
    pub until_first: UntilFirst,
}

/// What happens to requests until a list has arrived for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UntilFirst {
    /// They pass, as far as this list goes.
    #[default]
    Pass,
    /// They are refused, all of them.
    Block,
}

impl Words for UntilFirst {
    const EXPECTED: &'static str = r#""pass" (names on the list pass until it has arrived) or "block" (all requests are refused until then)"#;
}

/// How a feed's body is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FeedFormat {
    /// As one of the others, which its first lines tell.
    #[default]
    Auto,
    /// `0.0.0.0 name [name…]` a line (hosts(5)).
    Hosts,
    /// One domain, address or network a line; `*.` before a domain says that the names below it
    /// are meant, too.
    Domains,
    /// Rules for hosts as AdBlock and AdGuard have them, such as `||example.org^`.
    Adblock,
    /// Options of dnsmasq(8), such as `local=/example.org/`.
    Dnsmasq,
    /// Zones and data of unbound.conf(5).
    Unbound,
    /// A response policy zone.
    Rpz,
    /// A JSON array of strings, or what `field` says.
    Json,
    /// Comma-separated values (RFC 4180), of which `column` has the names.
    Csv,
}

impl Words for FeedFormat {
    const EXPECTED: &'static str = r#"a format of lists: "auto", "hosts", "domains", "adblock", "dnsmasq", "unbound", "rpz", "json" or "csv""#;
}

/// What happens to rules for everything below a suffix of a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PublicSuffixes {
    /// They are not applied, and told: on a list of hosts they are most often mistakes.
    #[default]
    Hold,
    /// They mean what they say.
    Apply,
}

impl Words for PublicSuffixes {
    const EXPECTED: &'static str =
        r#""hold" (rules for all of `com` or `co.uk` are not applied, and told) or "apply""#;
}

/// A column of CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// Its place, from 1.
    Number(NonZeroUsize),
    /// What the first row calls it.
    Name(String),
}

impl Default for Column {
    fn default() -> Self {
        Self::Number(NonZeroUsize::MIN)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "`{name}`"),
        }
    }
}

impl FromText for Column {
    type Value = Self;

    const EXPECTED: &'static str = r#"a column: its number, from 1, or its name in the first row"#;

    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Number);
        }
        Some(Self::Name(text.to_owned()))
    }

    fn write(column: &Self) -> Value {
        match column {
            Self::Number(number) => number.get().into(),
            Self::Name(name) => name.as_str().into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
    }
}

impl Feed {
    /// The name of the feed that is there unless the operator disables it.
    pub(super) const DEFAULT: &str = "malware";

    /// A feed that is fetched and bounded as a file says that names nothing but these.
    pub fn new(url: Url, format: FeedFormat) -> Self {
        Self {
            enabled: Self::default_enabled(),
            url,
            format,
            column: None,
            field: None,
            subdomains: None,
            public_suffixes: PublicSuffixes::default(),
            refresh: Self::default_refresh(),
            timeout: Self::default_timeout(),
            headers: Vec::new(),
            post: None,
            checksum: None,
            minisign: None,
            max_size: Self::default_max_size(),
            until_first: UntilFirst::default(),
        }
    }

    /// A key that would change nothing, as it is not for the feed's format, and what is to be done
    /// about it.
    pub(super) fn idle_key(&self) -> Option<(&'static str, String)> {
        let keys = [
            ("column", self.column.is_some(), FeedFormat::Csv),
            ("field", self.field.is_some(), FeedFormat::Json),
        ];
        if keys.iter().all(|(_, is_set, _)| *is_set) && self.format == FeedFormat::Auto {
            let problem = "a column is for csv, a field is for json, and this feed has both; remove one of them";
            return Some(("column", problem.to_owned()));
        }
        let idle = |format| self.format != FeedFormat::Auto && self.format != format;
        let (key, _, wanted) = keys
            .into_iter()
            .find(|(_, is_set, of)| *is_set && idle(*of))?;
        let (format, wanted) = (Word::write(&self.format), Word::write(&wanted));
        Some((
            key,
            format!(
                "the format is {format}, and a {key} is only for {wanted}, so it would do nothing; write \
                 format = {wanted}, or remove {key}"
            ),
        ))
    }

    fn default_enabled() -> bool {
        true
    }

    /// URLhaus writes its list anew every five minutes and asks not to be asked more often; most
    /// hosts on it live for hours.
    fn default_refresh() -> Duration {
        Duration::from_mins(15)
    }

    /// Long lists take a while over a slow line.
    fn default_timeout() -> Duration {
        Duration::from_mins(5)
    }

    /// Far above the longest public lists.
    fn default_max_size() -> u64 {
        64 << 20
    }

    /// The URL host file of abuse.ch: domains that spread malware at this time.
    pub(super) fn malware() -> Self {
        let url = "https://urlhaus.abuse.ch/downloads/hostfile/";
        Self::new(
            url.parse().expect("the default URL is tested"),
            FeedFormat::Hosts,
        )
    }
}
