//! What a filter may import, and what of that the operator must grant. `load` refuses by it, and `examine` tells of it.

use crate::config::Grants;

const PACKAGE: &str = "portcullis:filter/";

/// What a filter may import, and whether the operator has to grant it.
static CAPABILITIES: [(&str, Granted); 11] = [
    ("types", Granted::Always),
    ("log", Granted::Always),
    ("metrics", Granted::Always),
    ("clock", Granted::Always),
    ("domains", Granted::Always),
    ("client", Granted::Always),
    ("verdict-cache", Granted::Always),
    ("request-headers", Granted::Always),
    ("response-headers", Granted::Always),
    (
        "feeds",
        Granted::By(|grants| !grants.feeds.is_empty(), "feeds = [\"*\"]"),
    ),
    ("state", Granted::By(|grants| grants.state, "state = true")),
];

/// When a filter may have a capability.
enum Granted {
    /// It reaches nothing but what is being judged, and what the operator sees of the filter.
    Always,
    /// The sidecar says so; the line that would say it.
    By(fn(&Grants) -> bool, &'static str),
}

/// What an import means for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// Every filter may have it.
    Free,
    /// The settings must allow it, and do; the line that does.
    Granted(&'static str),
    /// The settings must allow it, and do not; the line that would.
    Missing(&'static str),
    /// The proxy does not offer it.
    Unknown,
}

impl Import {
    /// `name` as the file has it.
    pub(crate) fn of(name: &str, grants: &Grants) -> Self {
        let capability = interface(name).and_then(capability);
        match capability {
            None => Self::Unknown,
            Some(Granted::Always) => Self::Free,
            Some(Granted::By(is_granted, line)) if is_granted(grants) => Self::Granted(line),
            Some(Granted::By(_, line)) => Self::Missing(line),
        }
    }
}

/// Without the package and the version, if it is one of the contract's.
pub(crate) fn interface(name: &str) -> Option<&str> {
    ours(name).map(|(interface, _)| interface)
}

/// When a filter may have what that interface offers; none if the proxy does not offer it.
fn capability(interface: &str) -> Option<&'static Granted> {
    let mut known = CAPABILITIES.iter();
    let (_, granted) = known.find(|(capability, _)| *capability == interface)?;
    Some(granted)
}

/// Interface and version, if the name is one of our contract.
pub(super) fn ours(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

/// Everything, for people.
pub(super) fn offered() -> String {
    let names: Vec<&str> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_free_granted_missing_or_unknown() {
        let none = Grants::default();
        let feeds = "portcullis:filter/feeds@0.1.0";
        let line = "feeds = [\"*\"]";
        assert_eq!(
            Import::of("portcullis:filter/log@0.1.0", &none),
            Import::Free
        );
        assert_eq!(Import::of(feeds, &none), Import::Missing(line));
        assert_eq!(Import::of(feeds, &Grants::ALL), Import::Granted(line));
        for other in [
            "wasi:cli/environment@0.2.0",
            "portcullis:filter/http@0.1.0",
            "env",
        ] {
            assert_eq!(Import::of(other, &Grants::ALL), Import::Unknown, "{other}");
        }
    }
}
