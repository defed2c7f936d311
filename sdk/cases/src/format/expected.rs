//! What a case expects.

use std::collections::BTreeMap;
use std::time::Duration;

use portcullis_contract::VerdictKind;

use super::raw::RawCase;
use crate::case::{Expected, Question, Word};
use crate::metric;
use crate::value::{ExpectedValues, FieldName, Parsed};

impl RawCase {
    /// What can never be is a mistake in the case, not in the filter.
    pub(super) fn check_expectations(&self, question: &Question) -> Result<(), String> {
        let verdict = self.expect.map(|Parsed(word)| word);
        if *question == Question::Tick {
            return self.check_tick(verdict);
        }
        let verdict = verdict.ok_or(
            "what is expected? Say `expect`: next, allow, block, redirect, replace, drop, ask or \
             error",
        )?;
        self.check_parts(verdict)?;
        if self.response_headers.is_some() && self.response.is_none() {
            return Err("`response_headers` are those that the response goes on with: give the case a `response`".into());
        }
        if self.pause.is_some() {
            return Err("`pause` goes with `tick = true`".into());
        }
        if self.cached_by.is_some() && self.cached.map(Option::<Duration>::from) == Some(None) {
            return Err("`cached_by` goes with an answer that may be used again, and `cached = false` is expected".into());
        }
        Ok(())
    }

    fn check_tick(&self, verdict: Option<Word>) -> Result<(), String> {
        let is_cached = self.cached.is_some() || self.cached_by.is_some();
        match verdict {
            Some(Word::Error) | None if !is_cached => {
                self.check_parts(verdict.unwrap_or(Word::Verdict(VerdictKind::Next)))
            }
            Some(Word::Error) | None => Err("no verdict comes of a tick, so none is cached".into()),
            Some(_) => {
                Err("no verdict comes of a tick: leave `expect` out, or expect an error".into())
            }
        }
    }

    /// Only some verdicts have a reason, and so on.
    fn check_parts(&self, verdict: Word) -> Result<(), String> {
        use VerdictKind::{Allow, Ask, Block, Drop, Next, Redirect, Replace};
        let answers: &[Word] = &[Block, Redirect, Replace].map(Word::Verdict);
        let decides: &[Word] = &[Allow, Block, Redirect, Replace, Drop, Ask].map(Word::Verdict);
        let passes: &[Word] = &[Next, Allow].map(Word::Verdict);
        let [block, redirect, replace, ask] =
            [Block, Redirect, Replace, Ask].map(|kind| [Word::Verdict(kind)]);
        let rules: [(&str, bool, &[Word]); 14] = [
            ("status", self.status.is_some(), answers),
            ("reason", self.reason.is_some(), &block),
            ("location", self.location.is_some(), &redirect),
            ("content_type", self.content_type.is_some(), &replace),
            ("body", self.body.is_some(), &replace),
            ("error", self.error.is_some(), &[Word::Error]),
            ("question", self.question.is_some(), &ask),
            ("otherwise", self.otherwise.is_some(), &ask),
            ("wait", self.wait.is_some(), &ask),
            ("retry_after", self.retry_after.is_some(), answers),
            ("fields", self.fields.is_some(), answers),
            ("matched", self.matched.is_some(), decides),
            ("request_headers", self.request_headers.is_some(), passes),
            ("response_headers", self.response_headers.is_some(), passes),
        ];
        for (key, is_expected, verdicts) in rules {
            if is_expected && !verdicts.contains(&verdict) {
                let verdicts: Vec<&str> = verdicts.iter().map(|word| word.name()).collect();
                let (verdict, verdicts) = (verdict.name(), verdicts.join(" or "));
                return Err(format!(
                    "`{key}` goes with the verdict {verdicts}, and {verdict} is expected"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn expected(self) -> Result<Expected, String> {
        let fields = |expected: Option<BTreeMap<FieldName, ExpectedValues>>| {
            let expected = expected.unwrap_or_default().into_iter();
            let fields = expected.map(|(FieldName(name), values)| (name, values.into()));
            fields.collect()
        };
        let state = self.state.into_iter();
        let metrics = self.metrics.into_iter();
        let metrics =
            metrics.map(|(name, number)| Ok::<_, String>((metric::parse(&name)?, number.into())));
        let notes = self.notes.unwrap_or_default().into_iter();
        let facts = |facts: Vec<_>| facts.into_iter().map(|Parsed(fact)| fact).collect();
        Ok(Expected {
            verdict: self.expect.map(|Parsed(word)| word),
            status: self.status,
            reason: self.reason,
            location: self.location,
            content_type: self.content_type,
            body: self.body,
            error: self.error,
            question: self.question,
            otherwise: self.otherwise.map(|Parsed(fallback)| fallback),
            wait: self.wait.map(|Parsed(time)| time),
            retry_after: self.retry_after.map(Option::from),
            fields: fields(self.fields),
            matched: self.matched.map(Option::from),
            cached: self.cached.map(Option::from),
            cached_by: self.cached_by.map(facts),
            pause: self.pause.map(Option::from),
            log: self.log,
            request_headers: fields(self.request_headers),
            response_headers: fields(self.response_headers),
            state: state.map(|(key, value)| (key, value.into())).collect(),
            metrics: metrics.collect::<Result<_, _>>()?,
            notes: notes.map(|(key, value)| (key, value.into())).collect(),
        })
    }
}
