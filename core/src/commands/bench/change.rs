//! Whether two answers to the same question are the same, in all that they say. Called by `bench`.

use crate::filter::FilterAnswer;
use crate::verdict::{Judgement, Verdict};

/// What an answer is, if it is not the one that was `first`.
pub(super) fn of_answer(first: &FilterAnswer, answer: &FilterAnswer) -> Option<String> {
    let is_same = first.additions == answer.additions
        && first.headers == answer.headers
        && first.matched == answer.matched
        && first.notes == answer.notes
        && kept(first) == kept(answer);
    change(&first.verdict, &answer.verdict, is_same)
}

/// For how long it may be kept, in milliseconds.
fn kept(answer: &FilterAnswer) -> Option<u128> {
    let policy = answer.cache.as_ref();
    policy.map(|policy| policy.time.as_millis())
}

/// The same for what a chain is told of it.
pub(super) fn of_judgement(first: &Judgement, judgement: &Judgement) -> Option<String> {
    let is_same = first.matched == judgement.matched && first.besides == judgement.besides;
    change(&first.verdict, &judgement.verdict, is_same)
}

fn change(first: &Verdict, verdict: &Verdict, is_same_besides: bool) -> Option<String> {
    let name = verdict.name();
    if first.name() != name {
        Some(name.to_owned())
    } else if first != verdict {
        Some(format!("{name} with another status or text"))
    } else if !is_same_besides {
        Some(format!("{name} with another rule, field or note"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::filter::CachePolicy;
    use crate::verdict::{Match, Notes};
    use portcullis_contract::Facts;

    #[test]
    fn everything_that_is_said_is_compared() {
        let first = || FilterAnswer::NONE;
        assert_eq!(of_answer(&first(), &first()), None);
        let with = |change: fn(&mut FilterAnswer)| {
            let mut answer = first();
            change(&mut answer);
            of_answer(&first(), &answer)
        };
        let drops: fn(&mut FilterAnswer) = |answer| answer.verdict = Verdict::Drop;
        assert_eq!(with(drops).as_deref(), Some("drop"));
        let changes: [fn(&mut FilterAnswer); 5] = [
            |answer| answer.additions.retry_after = Some(Duration::ZERO),
            |answer| answer.headers = Some(Box::default()),
            |answer| answer.matched = Some(Box::new(Match::rule("a".into()))),
            |answer| answer.notes = Some(Notes::default()),
            |answer| {
                answer.cache = Some(CachePolicy {
                    time: Duration::ZERO,
                    asked: Facts::NONE,
                    feeds: 0,
                });
            },
        ];
        for change in changes {
            let said = with(change);
            assert_eq!(
                said.as_deref(),
                Some("next with another rule, field or note")
            );
        }
        let blocks = |reason: &str| FilterAnswer {
            verdict: Verdict::block(403, reason).expect("it is valid"),
            ..first()
        };
        let said = of_answer(&blocks("1"), &blocks("2"));
        assert_eq!(said.as_deref(), Some("block with another status or text"));
    }
}
