//! What a filter may import, and which of it the operator must grant. `load` refuses filters by it,
//! and the command `plugin check` shows it.

use crate::config::{FeedGrant, Grants};

const PACKAGE: &str = "portcullis:filter/";

/// What a filter may import, and whether the operator has to grant it.
static CAPABILITIES: [(&str, Granted); 16] = [
    ("types", Granted::Always),
    ("exchange", Granted::Always),
    ("client", Granted::Always),
    ("request", Granted::Always),
    ("outcome", Granted::Always),
    ("request-headers", Granted::Always),
    ("response-headers", Granted::Always),
    ("answer", Granted::Always),
    ("notes", Granted::Always),
    ("log", Granted::Always),
    ("metrics", Granted::Always),
    ("clock", Granted::Always),
    ("random", Granted::Always),
    ("domains", Granted::Always),
    (
        "feeds",
        Granted::By {
            has: |grants| !grants.feeds.is_empty(),
            line: "feeds = ['*']",
            grant: |grants| grants.feeds = FeedGrant::All,
        },
    ),
    (
        "state",
        Granted::By {
            has: |grants| grants.state,
            line: "state = true",
            grant: |grants| grants.state = true,
        },
    ),
];

/// When a filter may have a capability.
enum Granted {
    /// The capability reaches only what is being judged and what the operator sees of the filter.
    Always,
    /// The filter's settings must grant it.
    By {
        has: fn(&Grants) -> bool,
        /// The line that does.
        line: &'static str,
        grant: fn(&mut Grants),
    },
}

/// What an import means for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// Every filter may have it.
    Free,
    /// The settings must grant it, and this line of them does.
    Granted(&'static str),
    /// The settings must grant it, and lack this line.
    Missing(&'static str),
    /// The proxy does not offer it.
    Unknown,
}

impl Import {
    /// Looks up an import by its `name` in the file.
    pub(crate) fn of(name: &str, grants: &Grants) -> Self {
        let capability = interface(name).and_then(capability);
        match capability {
            None => Self::Unknown,
            Some(Granted::Always) => Self::Free,
            Some(Granted::By { has, line, .. }) if has(grants) => Self::Granted(line),
            Some(Granted::By { line, .. }) => Self::Missing(line),
        }
    }
}

/// `grants`, and what else a filter needs that has these imports.
pub(crate) fn granting(imports: &[String], grants: &Grants) -> Grants {
    let mut more = grants.clone();
    for capability in imports
        .iter()
        .filter_map(|name| capability(interface(name)?))
    {
        if let Granted::By { has, grant, .. } = capability
            && !has(&more)
        {
            grant(&mut more);
        }
    }
    more
}

/// The interface without package and version; none if it is not of the contract.
pub(crate) fn interface(name: &str) -> Option<&str> {
    parse_interface(name).map(|(interface, _)| interface)
}

/// When a filter may have that interface; none if the proxy does not offer it.
fn capability(interface: &str) -> Option<&'static Granted> {
    let mut known = CAPABILITIES.iter();
    let (_, granted) = known.find(|(capability, _)| *capability == interface)?;
    Some(granted)
}

/// Interface and version; none if the name is not of the contract.
pub(super) fn parse_interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

/// The newest version of the contract that any of these interfaces is of.
pub(super) fn newest_version<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let versions = names
        .filter_map(parse_interface)
        .map(|(_, version)| version);
    let newest = versions.max_by_key(|version| numbers(version));
    newest.map(str::to_owned)
}

/// A version as numbers, which can be compared.
pub(super) fn numbers(version: &str) -> Vec<u64> {
    let numbers = version.split('.').map(str::parse);
    numbers.map(Result::unwrap_or_default).collect()
}

/// All capabilities, as text for people.
pub(super) fn capability_names() -> String {
    let names: Vec<&str> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_built_for_the_newest_version_that_it_names() {
        let names = [
            "portcullis:filter/log@1.9.0",
            "wasi:cli/environment@2.0.0",
            "portcullis:filter/feeds@1.10.0",
        ];
        let newest = newest_version(names.into_iter());
        assert_eq!(newest.as_deref(), Some("1.10.0"));
        assert_eq!(newest_version(["env"].into_iter()), None);
    }

    #[test]
    fn an_import_is_free_granted_missing_or_unknown() {
        let none = Grants::default();
        let feeds = "portcullis:filter/feeds@1.0.0";
        let line = "feeds = ['*']";
        assert_eq!(
            Import::of("portcullis:filter/log@1.0.0", &none),
            Import::Free
        );
        assert_eq!(Import::of(feeds, &none), Import::Missing(line));
        assert_eq!(Import::of(feeds, &Grants::ALL), Import::Granted(line));
        for other in [
            "wasi:cli/environment@0.2.0",
            "portcullis:filter/http@1.0.0",
            "env",
        ] {
            assert_eq!(Import::of(other, &Grants::ALL), Import::Unknown, "{other}");
        }
    }
}
