//! Which setting an environment variable is for: `PORTCULLIS_`, the section, the key. The names
//! follow from the declaration. Called by `layers` and, for the name of the file, by `load`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use toml::de::DeTable;

use super::declaration::Declaration;
use super::document::{may_resemble, nearest};

const PREFIX: &str = "PORTCULLIS_";

/// The variable that names the configuration file.
const CONFIG: &str = "CONFIG";

/// Letters that may be wrong in the name of a variable that was likely meant.
const MOST_WRONG: usize = 2;

/// Stands for any name that an operator may give.
const ANY: &str = "*";

/// A setting that a variable may be for.
#[derive(Clone, Debug)]
pub(super) struct Setting<'a> {
    /// The variable's name without the prefix.
    pub(super) name: String,
    /// Where the setting stands in a file.
    pub(super) keys: Vec<String>,
    pub(super) declaration: Declaration<'a>,
}

/// The configuration file that the environment names.
pub(super) fn config_file(variables: &[(OsString, OsString)]) -> Option<PathBuf> {
    portcullis_vars(variables)
        .find(|(_, key, _)| *key == CONFIG)
        .map(|(_, _, value)| PathBuf::from(value))
}

/// Name, name without prefix, and value of the variables that are for the proxy. An empty variable
/// is as good as none.
pub(super) fn portcullis_vars(
    variables: &[(OsString, OsString)],
) -> impl Iterator<Item = (&str, &str, &OsStr)> {
    variables
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| {
            let name = name.to_str()?;
            Some((name, name.strip_prefix(PREFIX)?, value.as_os_str()))
        })
}

impl<'a> Setting<'a> {
    /// All settings of a declaration. Where names are the operator's, they are those in `table`,
    /// and `ANY` for those that are not there.
    pub(super) fn all(declaration: Declaration<'a>, table: &DeTable<'_>) -> Vec<Self> {
        let mut all = Vec::new();
        Self {
            name: String::new(),
            keys: Vec::new(),
            declaration,
        }
        .collect(Some(table), &mut all);
        all
    }

    fn collect(self, table: Option<&DeTable<'_>>, all: &mut Vec<Self>) {
        let below: Vec<(&str, Declaration<'_>)> = match self.declaration.each() {
            Some(each) => {
                let names = table
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| &**name.get_ref());
                names.chain([ANY]).map(|name| (name, each)).collect()
            }
            None => self.declaration.keys().collect(),
        };
        if below.is_empty() {
            all.push(self);
            return;
        }
        for (key, declaration) in below {
            let table = table.and_then(|table| table.get(key)?.get_ref().as_table());
            self.at(key, declaration).collect(table, all);
        }
    }

    fn at(&self, key: &str, declaration: Declaration<'a>) -> Self {
        let part = key.to_ascii_uppercase().replace('-', "_");
        let separator = if self.name.is_empty() { "" } else { "_" };
        Self {
            name: format!("{}{separator}{part}", self.name),
            keys: [self.keys.as_slice(), &[key.to_owned()]].concat(),
            declaration,
        }
    }

    /// The setting that a variable is for; `key` is its name without the prefix.
    /// `PORTCULLIS_FEEDS_MY_LIST_URL` is for the feed `my-list` if there is one, and for a new feed
    /// `my_list` if not.
    pub(super) fn of_variable(key: &str, all: &[Self]) -> Option<Self> {
        let known = all.iter().find(|setting| setting.name == key);
        let new = || {
            let named = all
                .iter()
                .filter_map(|setting| Some((setting, setting.given_name(key)?)));
            // `FEEDS_X_MAX_ENTRIES` says more of a feed `x` than of one `x_max`.
            let (setting, name) = named.min_by_key(|(_, name)| name.len())?;
            let mut setting = setting.clone();
            for key in setting.keys.iter_mut().filter(|key| *key == ANY) {
                *key = name.to_ascii_lowercase();
            }
            Some(setting)
        };
        known.cloned().or_else(new)
    }

    /// The name of the operator's in the name of a variable for this setting.
    fn given_name<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (before, after) = self.name.split_once(ANY)?;
        let name = key.strip_prefix(before)?.strip_suffix(after)?;
        Some(name).filter(|name| !name.is_empty())
    }

    /// The variable that was likely meant. Names that resemble none are left alone: Kubernetes sets
    /// `PORTCULLIS_PORT` and the like for a service of this name.
    pub(super) fn misspelt(key: &str, all: &[Self]) -> Option<String> {
        let named = all.iter().flat_map(|setting| setting.named_like(key));
        let names = all.iter().map(|setting| setting.name.clone());
        let names: Vec<_> = names
            .filter(|name| !name.contains(ANY))
            .chain(named)
            .filter(|name| may_resemble(key, name, MOST_WRONG))
            .collect();
        nearest(key, names.iter().map(String::as_str))
            .filter(|meant| strsim::damerau_levenshtein(key, meant) <= MOST_WRONG && key != CONFIG)
            .map(|meant| format!("{PREFIX}{meant}"))
    }

    /// What the variable would be called with a part of `key` as the name that the operator gives.
    fn named_like(&self, key: &str) -> Vec<String> {
        let parts = self.name.split_once(ANY);
        let Some((before, after)) = parts.filter(|(_, after)| !after.is_empty()) else {
            return Vec::new();
        };
        let Some(rest) = key.strip_prefix(before) else {
            return Vec::new();
        };
        rest.match_indices('_')
            .filter(|(at, _)| *at > 0)
            .map(|(at, _)| format!("{before}{}{after}", &rest[..at]))
            .collect()
    }

    /// Whether a variable has the name of a table whose keys are names that the operator gives.
    pub(super) fn is_of_names(key: &str, all: &[Self]) -> bool {
        all.iter().any(|setting| {
            let before = setting.name.split_once(ANY).map(|(before, _)| before);
            before.and_then(|before| before.strip_suffix('_')) == Some(key)
        })
    }
}
