//! How a name of one label is completed, as resolv.conf(5) has it. `servers` asks for one candidate
//! after the other. The library would go on with the next one, too, after a server that fails, and
//! take what is said of the last one for the answer.

use std::slice;

use hickory_resolver::config::{ResolverConfig, ResolverOpts};

/// The search list.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Each with its dot at the end.
    domains: Vec<String>,
    /// Whether the name is asked for as it is before it is completed.
    is_whole_first: bool,
}

impl Search {
    /// That of the machine.
    pub(super) fn of_machine(config: &ResolverConfig, options: &ResolverOpts) -> Self {
        // The domain that the machine itself is in counts where there is no list.
        let domains = match config.search() {
            [] => config.domain().map(slice::from_ref).unwrap_or_default(),
            search => search,
        };
        let domains = domains.iter().map(|domain| {
            let domain = domain.to_lowercase().to_ascii();
            format!("{}.", domain.trim_end_matches('.'))
        });
        Self {
            domains: domains.filter(|domain| domain != ".").collect(),
            // Names that have dots come with one at their end.
            is_whole_first: options.ndots == 0,
        }
    }

    /// The whole names that a name may stand for, in order.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let domains = self.domains.iter();
        let mut candidates: Vec<_> = domains.map(|domain| format!("{name}.{domain}")).collect();
        let place = if self.is_whole_first {
            0
        } else {
            candidates.len()
        };
        candidates.insert(place, format!("{name}."));
        candidates
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::Name;

    use super::*;

    fn candidates(domain: &str, search: &[&str], ndots: usize, name: &str) -> Vec<String> {
        let name_of = |text: &str| Name::from_ascii(text).unwrap();
        let search = search.iter().map(|domain| name_of(domain)).collect();
        let config = ResolverConfig::from_parts(Some(name_of(domain)), search, Vec::new());
        let mut options = ResolverOpts::default();
        options.ndots = ndots;
        Search::of_machine(&config, &options).candidates(name)
    }

    #[test]
    fn a_name_of_one_label_is_completed_by_the_list_or_else_by_the_domain() {
        let list = ["a.example", "B.example.", "."];
        let found = candidates("own.example", &list, 1, "wiki");
        assert_eq!(found, ["wiki.a.example.", "wiki.b.example.", "wiki."]);
        let found = candidates("own.example", &list[..1], 0, "wiki");
        assert_eq!(found, ["wiki.", "wiki.a.example."]);
        let found = candidates("own.example", &[], 1, "wiki");
        assert_eq!(found, ["wiki.own.example.", "wiki."]);
        let found = candidates("own.example", &list, 1, "www.example.");
        assert_eq!(found, ["www.example."]);
    }
}
