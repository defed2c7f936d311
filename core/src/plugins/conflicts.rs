//! Which filters must not be used because of their names. `plugins` asks at each scan.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Who has a name, in the order in which names that differ only by case are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seniority {
    BuiltIn,
    InUse,
    New,
}

/// Names that differ only by case would be one file on other systems, and look like one filter to a
/// careless reader. Maps each name that must not be used for that reason to the one that was there
/// first. What is disabled is in the way of no other; that is asked only where names are alike.
pub(super) fn case_conflicts(
    filters: BTreeMap<Arc<str>, Seniority>,
    is_disabled: impl Fn(&str) -> bool,
) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut same: BTreeMap<String, Vec<(Seniority, Arc<str>)>> = BTreeMap::new();
    for (name, seniority) in filters {
        let names = same.entry(name.to_lowercase()).or_default();
        names.push((seniority, name));
    }
    let mut conflicts = BTreeMap::new();
    for mut names in same.into_values().filter(|names| names.len() > 1) {
        names.retain(|(_, name)| !is_disabled(name));
        names.sort();
        let mut names = names.into_iter().map(|(_, name)| name);
        if let Some(first) = names.next() {
            conflicts.extend(names.map(|name| (name, first.clone())));
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_there_first_is_used() {
        let filters = [
            ("Blocklist", Seniority::InUse),
            ("GUARD", Seniority::New),
            ("Guard", Seniority::InUse),
            ("Lone", Seniority::New),
            ("Other", Seniority::New),
            ("oTHER", Seniority::InUse),
            ("blocklist", Seniority::BuiltIn),
            ("guard", Seniority::New),
        ];
        let filters = filters.map(|(name, seniority)| (name.into(), seniority));
        let is_disabled = |name: &str| name == "oTHER" || name == "Lone";
        let conflicts = case_conflicts(filters.into(), is_disabled);
        let conflicts: Vec<(&str, &str)> = conflicts
            .iter()
            .map(|(name, first)| (&**name, &**first))
            .collect();
        assert_eq!(
            conflicts,
            [
                ("Blocklist", "blocklist"),
                ("GUARD", "Guard"),
                ("guard", "Guard"),
            ]
        );
    }
}
