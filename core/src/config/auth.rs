//! The settings of logins. `users` reads the file that they name, and `downstream::auth` compares.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use smart_default::SmartDefault;

use super::value::{Failures, Parsed, Realm};

/// Logins. No client needs one unless `users` is written.
#[derive(Clone, Debug, PartialEq, Eq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
#[non_exhaustive]
pub struct Auth {
    /// A file with a line `NAME:HASH` for each user, as `portcullis password NAME` prints it. With
    /// it, every client has to log in. A change of the file holds at once.
    #[schemars(extend("format" = "path"))]
    pub users: Option<PathBuf>,
    /// What browsers show where they ask for a name and a password.
    #[default("portcullis")]
    #[serde(with = "Parsed::<Realm>")]
    pub realm: String,
    /// How many wrong logins of one client in a minute are verified, where IPv6 clients of one /64
    /// are one. Further ones are answered with 429.
    #[default(10)]
    #[serde(with = "Parsed::<Failures>")]
    pub failures: u32,
}

impl Auth {
    /// Whether clients have to log in.
    pub(crate) fn is_on(&self) -> bool {
        self.users.is_some()
    }
}
