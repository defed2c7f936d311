//! What looks like a brand, and what becomes of it. It asks the proxy only for the registrable
//! domain of a host.

mod brand;
mod brands;
mod edits;
mod glyphs;

use brand::{Brand, Name};
use brands::Brands;
use portcullis_sdk::{Domains, Error, Host, Template, Verdict};

/// What phishers put beside the name of a brand; nothing that dealers or fans would.
const WORDS: [&str; 21] = [
    "account",
    "alert",
    "auth",
    "billing",
    "com",
    "confirm",
    "login",
    "logon",
    "password",
    "payment",
    "recovery",
    "secure",
    "signin",
    "support",
    "unlock",
    "update",
    "verification",
    "verify",
    "wallet",
    "webmail",
    "www",
];

/// The operator's settings.
#[derive(serde::Deserialize, portcullis_sdk::Schema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The domains to protect, as they are registered, such as `example.com`. They pass, with every
    /// name below them.
    brands: Vec<Host>,
    /// Domains that pass although they look like a brand's, with every name below them.
    #[serde(default)]
    allow: Domains,
    /// One letter that is added, left out, replaced, or swapped with the next makes a look-alike
    /// for every so many characters that a brand's name has; 0 for never.
    #[serde(default = "characters_per_edit")]
    characters_per_edit: u8,
    /// What makes a look-alike of a name that joins it to a brand's, as in `brand-login.example`.
    #[serde(default = "words")]
    words: Vec<String>,
    /// What the client is told; `{host}` and `{brand}` (its domain) are filled in.
    #[serde(default = "reason")]
    reason: String,
}

/// Fewer would catch too many words of the language.
fn characters_per_edit() -> u8 {
    6
}

fn words() -> Vec<String> {
    WORDS.map(String::from).into()
}

fn reason() -> String {
    "{host} looks like {brand}".into()
}

/// The settings, checked.
pub(crate) struct Policy {
    brands: Brands,
    own: Domains,
    allow: Domains,
    /// As they look.
    words: Vec<String>,
    reason: Template,
}

impl Policy {
    /// Checks the settings.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if config.brands.is_empty() {
            let error = "there is none; list the domains to protect, such as [\"example.com\"]";
            return Err(Error::new(error).at("brands"));
        }
        let brands = config.brands.iter().enumerate().map(|(at, domain)| {
            let brand = Brand::new(domain.clone(), config.characters_per_edit);
            brand.map_err(|error| error.at(format_args!("brands[{at}]")))
        });
        let words = config.words.iter().enumerate().map(|(at, word)| {
            word_look(word).map_err(|error| error.at(format_args!("words[{at}]")))
        });
        let reason = Template::parse(&config.reason, &["host", "brand"]);
        Ok(Self {
            brands: Brands::new(brands.collect::<Result<_, _>>()?),
            words: words.collect::<Result<_, _>>()?,
            own: config.brands.into_iter().collect(),
            allow: config.allow,
            reason: reason.map_err(|error| error.at("reason"))?,
        })
    }

    /// Blocks what looks like a brand.
    pub(crate) fn judge(&self, host: &Host) -> Verdict {
        match self.imitated(host) {
            Some(brand) => {
                let domain = brand.domain.as_str();
                let values = [("host", host.as_str()), ("brand", domain)];
                Verdict::block(self.reason.render(values))
            }
            None => Verdict::next(),
        }
    }

    fn imitated(&self, host: &Host) -> Option<&Brand> {
        if self.own.covers(host) || self.allow.covers(host) {
            return None;
        }
        self.brands.imitated(&Name::of(host)?, &self.words)
    }
}

fn word_look(word: &str) -> Result<String, Error> {
    let lower = word.to_ascii_lowercase();
    if lower.is_empty() || !lower.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::new(format_args!(
            "`{word}` is not a word of the letters a-z and digits"
        )));
    }
    Ok(glyphs::look(&lower))
}
