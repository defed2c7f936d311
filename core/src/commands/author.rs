//! What a filter's author needs besides an editor: `portcullis plugin new` writes a folder to begin
//! with, `portcullis plugin build` makes a filter of such a folder and checks it as the proxy
//! would. Called by the program; knows nothing of traffic.

mod build;
mod error;
mod javascript;
mod new;
mod project;
mod python;
mod rust;
pub(super) mod sdk;
mod tool;
mod tree;
mod update;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use build::{Built, build_plugin};
pub use error::BuildError;
pub use new::{Created, NewError, new_plugin};
pub use update::{Updated, update_sdk};

/// What a filter is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum Language {
    /// With `portcullis-sdk`.
    Rust,
    /// With componentize-js.
    JavaScript,
    /// With componentize-py.
    Python,
}

impl Language {
    /// How each is called, in the order of their declaration.
    pub const NAMES: [&'static str; 3] = ["rust", "js", "python"];

    const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// One of [`NAMES`](Self::NAMES).
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// From one of [`Language::NAMES`].
impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        let mut all = Self::ALL.into_iter();
        all.find(|language| language.name() == name)
            .ok_or(UnknownLanguage)
    }
}

/// There is no template for it.
#[derive(Debug, thiserror::Error)]
#[error("a filter can be written in {}", Language::NAMES.join(", "))]
#[non_exhaustive]
pub struct UnknownLanguage;

impl From<Language> for &'static str {
    fn from(language: Language) -> Self {
        language.name()
    }
}

/// As the language calls itself.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
        })
    }
}
