//! Verdicts that the operator withholds from a filter, and what they count as.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use portcullis_contract::VerdictKind;

use super::bindings::portcullis::filter::types::{self, Fallback, Refusal};
use crate::config::Grants;

/// The kinds of verdicts that a filter has tried to give and may not. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Withheld(Arc<AtomicU8>);

impl Withheld {
    /// Adds a kind, and says whether it is a new one.
    fn add(&self, kind: VerdictKind) -> bool {
        let bit = 1 << kind as u8;
        self.0.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = VerdictKind> {
        let bits = self.0.load(Ordering::Relaxed);
        let all = VerdictKind::ALL.iter().copied();
        all.filter(move |kind| bits & (1 << *kind as u8) != 0)
    }
}

/// A verdict that the filter may give.
pub(super) struct Granted(pub(super) types::Verdict);

impl Withheld {
    /// What a verdict counts as by what the operator has granted the filter.
    pub(super) fn granted(
        &self,
        verdict: types::Verdict,
        grants: &Grants,
        is_builtin: bool,
        filter: &str,
    ) -> Granted {
        let kind = kind(&verdict);
        if grants.has_verdict(kind, is_builtin) {
            return Granted(verdict);
        }
        if self.add(kind) {
            tracing::warn!(
                filter,
                verdict = kind.name(),
                consequence = consequence(kind),
                fix = format!(
                    "if it may give this verdict, {}",
                    grants.how_to_have(
                        &[grants.verdicts_line(&[kind], is_builtin)],
                        &format!("{filter}.toml")
                    )
                ),
                "the filter has given a verdict that it is not granted; further ones are not reported"
            );
        }
        Granted(withheld(verdict))
    }
}

fn kind(verdict: &types::Verdict) -> VerdictKind {
    match verdict {
        types::Verdict::Next => VerdictKind::Next,
        types::Verdict::Allow => VerdictKind::Allow,
        types::Verdict::Block(_) => VerdictKind::Block,
        types::Verdict::Redirect(_) => VerdictKind::Redirect,
        types::Verdict::Replace(_) => VerdictKind::Replace,
        types::Verdict::Drop => VerdictKind::Drop,
        types::Verdict::Ask(_) => VerdictKind::Ask,
    }
}

fn consequence(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Next | VerdictKind::Allow | VerdictKind::Block => {
            "it counts as no opinion: the next filter is asked"
        }
        VerdictKind::Redirect | VerdictKind::Replace | VerdictKind::Drop => {
            "the exchange is refused with 403"
        }
        VerdictKind::Ask => "what the filter wants without an answer happens at once",
    }
}

/// As the contract says of each. A refusal cannot be withheld.
fn withheld(verdict: types::Verdict) -> types::Verdict {
    let refusal = |reason: &str| {
        types::Verdict::Block(Refusal {
            status: 403,
            reason: reason.to_owned(),
        })
    };
    match verdict {
        types::Verdict::Next | types::Verdict::Allow => types::Verdict::Next,
        types::Verdict::Block(refusal) => types::Verdict::Block(refusal),
        types::Verdict::Redirect(to) => refusal(&format!("see {}", to.location)),
        types::Verdict::Replace(_) => refusal("a filter wanted to answer for this host"),
        types::Verdict::Drop => refusal("a filter has stopped this request"),
        types::Verdict::Ask(question) => match question.otherwise {
            Fallback::Next => types::Verdict::Next,
            Fallback::Block => refusal(&question.text),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::types::{Page, Question, Redirection, Verdict};
    use super::*;
    use crate::config::FilterSettings;

    /// One verdict of each kind, and what it counts as where it is withheld: a status, or none if
    /// the next filter is asked.
    fn verdicts() -> [(Verdict, Option<u16>); 8] {
        let refusal = Refusal {
            status: 451,
            reason: String::new(),
        };
        let redirection = Redirection {
            status: 302,
            location: "http://a.example/".into(),
        };
        let page = Page {
            status: 200,
            content_type: String::new(),
            body: Vec::new(),
        };
        let ask = |otherwise| {
            Verdict::Ask(Question {
                text: "May it?".into(),
                otherwise,
                wait: 1,
            })
        };
        [
            (Verdict::Next, None),
            (Verdict::Allow, None),
            (Verdict::Block(refusal), Some(451)),
            (Verdict::Redirect(redirection), Some(403)),
            (Verdict::Replace(page), Some(403)),
            (Verdict::Drop, Some(403)),
            (ask(Fallback::Block), Some(403)),
            (ask(Fallback::Next), None),
        ]
    }

    #[test]
    fn a_verdict_that_is_withheld_counts_as_the_contract_says() {
        let settings = FilterSettings::parse("grants.verdicts = []", Path::new("guard.toml"));
        let nothing = settings.expect("it is right").grants(true);
        for (verdict, status) in verdicts() {
            let name = kind(&verdict).name();
            let Granted(counts_as) = Withheld::default().granted(verdict, &nothing, true, "guard");
            let counts_as = match counts_as {
                Verdict::Next => None,
                Verdict::Block(refusal) => Some(refusal.status),
                other => panic!("{name} counts as {other:?}"),
            };
            assert_eq!(counts_as, status, "{name}");
        }
    }

    #[test]
    fn a_built_in_filter_may_give_every_verdict_unless_its_settings_say_which() {
        let grants = FilterSettings::default().grants(true);
        for (verdict, _) in verdicts() {
            let given = kind(&verdict);
            let withheld = Withheld::default();
            let Granted(counts_as) = withheld.granted(verdict, &grants, true, "guard");
            assert_eq!(kind(&counts_as), given);
            assert_eq!(withheld.kinds().count(), 0, "{}", given.name());
        }
    }
}
