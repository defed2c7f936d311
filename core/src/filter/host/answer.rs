//! What a filter says besides its verdict: about the answer that it will give, and in notes about
//! the exchange.

use std::time::Duration;

use portcullis_contract::Fact;
use portcullis_contract::limits::{
    ADDED_FIELDS_BYTES, NAME_BYTES, NOTE_BYTES, NOTES, RULE_BYTES, is_name,
};

use super::{Refused, Served, State};
use crate::filter::CachePolicy;
use crate::filter::bindings::portcullis::filter::{answer, notes, types};
use crate::filter::fields::{EditError, add, field};
use crate::verdict::{Additions, Match, Notes, one_line};

/// What the running call has said so far.
#[derive(Debug, Default)]
pub(in crate::filter) struct Said {
    keep: Option<Duration>,
    additions: Additions,
    /// How much of `additions` is header fields, in bytes.
    added: usize,
    rule: Option<Match>,
    /// The last entry that was found.
    pub(super) found: Option<Match>,
    /// What the filter has noted about the exchange before this call.
    noted_before: Option<Notes>,
    /// What this call notes. Only this is handed out: a verdict that is kept takes it along to
    /// other exchanges, about which other things were noted before.
    noted: Option<Notes>,
    /// [`Feeds::generation`](crate::feeds::Feeds::generation) when the call began.
    feeds: u64,
    /// Whether the hook gives an answer that clients see.
    is_judge: bool,
}

/// Why something is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::filter) enum Unnoted {
    #[error("its key has not 1 to {NAME_BYTES} of the characters a-z, 0-9 and _")]
    Key,
    #[error("its value has more than {NOTE_BYTES} bytes")]
    Value,
    #[error("the exchange has {NOTES} already")]
    Full,
}

impl Said {
    /// Begins a call of a hook, which judges or does not, with what the filter has noted before.
    pub(super) fn begin(&mut self, is_judge: bool, notes: Option<&Notes>, feeds: u64) {
        // One by one: most are empty already, and then nothing is to be dropped or copied.
        self.keep = None;
        self.additions = Additions::NONE;
        self.added = 0;
        self.rule = None;
        self.found = None;
        self.noted_before = notes.cloned();
        self.noted = None;
        self.feeds = feeds;
        self.is_judge = is_judge;
    }
}

impl State {
    /// Whether the call has said nothing besides its verdict, as nearly all do that say `next`.
    pub(in crate::filter) fn says_nothing(&self) -> bool {
        let Said {
            keep,
            rule,
            found,
            noted,
            ..
        } = &self.said;
        keep.is_none() && rule.is_none() && found.is_none() && noted.is_none()
    }

    /// The rule that has decided: what the filter says, or else the last entry that it has found.
    pub(in crate::filter) fn take_match(&mut self) -> Option<Box<Match>> {
        let found = self.said.found.take();
        self.said.rule.take().or(found).map(Box::new)
    }

    /// What the filter wants to add to its answer.
    pub(in crate::filter) fn take_additions(&mut self) -> Additions {
        std::mem::take(&mut self.said.additions)
    }

    /// What the call has noted.
    pub(in crate::filter) fn take_notes(&mut self) -> Option<Notes> {
        self.said.noted.take()
    }

    /// How the verdict of the call may be used again.
    pub(in crate::filter) fn take_cache_policy(&mut self) -> Option<CachePolicy> {
        Some(CachePolicy {
            time: self.said.keep.take()?,
            asked: self.facts.asked,
            feeds: self.said.feeds,
        })
    }

    fn add_field(&mut self, name: &str, value: &[u8]) -> Result<(), EditError> {
        if !self.said.is_judge {
            return Err(EditError::Immutable);
        }
        if self.host.refuses_fields {
            return Err(EditError::Forbidden);
        }
        let (name, value) = field(name, value)?;
        let added = self.said.added + name.as_str().len() + value.len();
        if added > ADDED_FIELDS_BYTES {
            return Err(EditError::TooLarge);
        }
        self.said.added = added;
        let fields = self
            .said
            .additions
            .fields
            .get_or_insert_with(Default::default);
        add(fields, name, value)
    }

    fn set_note(&mut self, key: String, value: String) -> Result<(), Unnoted> {
        // `init` and `tick` are about none. Conformance tells authors what they ask for there.
        if !self.has_exchange {
            return Ok(());
        }
        if !is_name(&key) {
            return Err(Unnoted::Key);
        }
        if value.len() > NOTE_BYTES {
            return Err(Unnoted::Value);
        }
        let mut noted = self.said.noted.clone().unwrap_or_default();
        noted.set(&key, &value);
        let before = self.said.noted_before.as_ref();
        if before.is_some_and(|before| !before.fit(&noted)) || !Notes::default().fit(&noted) {
            // Whether there is room is another matter in another exchange.
            self.facts.asked.add(Fact::Exchange);
            return Err(Unnoted::Full);
        }
        self.said.noted = Some(noted);
        Ok(())
    }
}

impl answer::Host for State {
    fn keep(&mut self, time: u64) -> Served<()> {
        self.serve_exchange("answer.keep", |state| {
            state.said.keep = Some(Duration::from_millis(time))
        })
    }

    fn add_field(
        &mut self,
        name: String,
        value: Vec<u8>,
    ) -> Served<Result<(), types::HeaderError>> {
        self.serve_exchange("answer.add-field", |state| {
            state.add_field(&name, &value).map_err(Into::into)
        })
    }

    fn retry_after(&mut self, time: u64) -> Served<()> {
        self.serve_exchange("answer.retry-after", |state| {
            state.said.additions.retry_after = Some(Duration::from_millis(time));
        })
    }

    fn matched(&mut self, rule: String) -> Served<()> {
        self.serve_exchange("answer.matched", |state| {
            state.said.rule = Some(Match::rule(one_line(&rule, RULE_BYTES)))
        })
    }
}

impl notes::Host for State {
    fn get(&mut self, key: String) -> Served<Option<String>> {
        self.serve_exchange("notes.get", |state| {
            // Another exchange has other notes.
            state.facts.asked.add(Fact::Exchange);
            if key.len() > NAME_BYTES {
                return None;
            }
            let Said {
                noted_before,
                noted,
                ..
            } = &state.said;
            let newest_first = [noted, noted_before].into_iter().flatten();
            let mut found = newest_first.filter_map(|notes| notes.get(&key));
            found.next().map(ToOwned::to_owned)
        })
    }

    fn set(&mut self, key: String, value: String) -> Served<()> {
        self.serve_exchange("notes.set", |state| {
            let noted = state.set_note(key, value);
            if let Err(reason) = noted {
                state.report_once(Refused::Note(reason), || reason.to_string());
            }
        })
    }
}
