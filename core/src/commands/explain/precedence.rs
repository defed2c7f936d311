//! What precedes what. README.md has the same lines, and there is a scenario for each.

use std::fmt;

use serde::Serialize;

/// What decides about a host: the first that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Decider {
    Clients,
    Person,
    Filter,
    AllowFeed,
    List,
    Egress,
    Nothing,
}

/// The same for people.
const PRECEDENCE: [(Decider, &str); 7] = [
    (
        Decider::Clients,
        "the client: one that `[clients] allow` does not name gets nothing, nor one that does not log in where `[auth]` wants it",
    ),
    (
        Decider::Person,
        "a decision of a person about the host: allow, deny or pause",
    ),
    (
        Decider::Filter,
        "the first filter, in their order, that gives a verdict for reasons of its own",
    ),
    (
        Decider::AllowFeed,
        "of the feeds that a filter asks, one of kind allow that lists the host: it is on no list then",
    ),
    (
        Decider::List,
        "another of these feeds that lists it: within one list its format decides, and an exception does not reach another list",
    ),
    (
        Decider::Egress,
        "`[egress]`, which also refuses what a person or a filter lets pass: where the proxy may not connect",
    ),
    (Decider::Nothing, "nothing: the request passes"),
];

/// The lines, with a mark at the one that has decided.
impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what precedes what (> has decided):")?;
        PRECEDENCE
            .iter()
            .zip(1..)
            .try_for_each(|((decider, line), number)| {
                let mark = if decider == self { '>' } else { ' ' };
                writeln!(f, "{mark} {number}  {line}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_same_lines() {
        let readme = include_str!("../../../../README.md");
        for ((_, line), number) in PRECEDENCE.iter().zip(1..) {
            let row = format!("| {number} | {line} |\n");
            assert!(readme.contains(&row), "{row}");
        }
    }

    #[test]
    fn the_line_that_has_decided_is_marked() {
        let told = Decider::List.to_string();
        let marked: Vec<_> = told.lines().filter(|line| line.starts_with('>')).collect();
        assert!(
            matches!(marked.as_slice(), [line] if line.starts_with("> 5  another")),
            "{told}"
        );
    }
}
