//! Names of groups in a filter's settings.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// The name of a group of clients in a filter's settings. A proxy that has no group of this name
/// refuses the settings, so that a misspelt name leaves no client out. A filter compares it with
/// [`Client::groups`](crate::Client::groups).
///
/// ```
/// use std::collections::BTreeMap;
///
/// use portcullis_sdk::Group;
///
/// #[derive(serde::Deserialize, portcullis_sdk::Schema)]
/// struct Config {
///     hours: BTreeMap<Group, String>,
/// }
///
/// let config: Config = serde_json::from_str(r#"{"hours": {"children": "8-18"}}"#)?;
/// assert_eq!(config.hours["children"], "8-18");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(transparent)]
pub struct Group(String);

impl Deref for Group {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Group {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Group {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
