//! What became of one name in the folder: the files that were read, the filter that is in use, and
//! why the newest files are not. Kept by `plugins`, which decides what is loaded and when.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portcullis_contract::VerdictKind;
use tokio::time::Instant;

use super::folder::{Files, Scan};
use super::load_task::{Digest, LoadFailure, Retry};
use super::status::{Mode, Quarantine, Status};
use super::{POLL, SETTLE};
use crate::chain::{Member, Missing, Place};
use crate::config::{OnError, Standing};
use crate::error::ErrorChain;
use crate::filter::{Filter, LoadError, Manifest};

/// One name: its files, the filter that they are used as, and why not.
#[derive(Debug, Default)]
pub(super) struct Plugin {
    /// The files when they were last read.
    pub(super) files: Files,
    /// What was last tried, used or refused: identical content is not tried again.
    pub(super) digest: Digest,
    /// The contents that are in use.
    pub(super) in_use: Digest,
    pub(super) member: Option<Arc<Member>>,
    /// Whether there is anything in the settings of the filter in use.
    pub(super) is_set_up: bool,
    pub(super) refused: Option<String>,
    /// The lines below `[grants]` without which it is refused.
    pub(super) missing_grants: Vec<String>,
    /// Whether it may have been refused because there is no such feed as it names.
    pub(super) may_want_feeds: bool,
    /// The edition of the feeds when it was tried last.
    pub(super) tried_with: u64,
    /// Whether it is tried again because that has changed.
    pub(super) tried_for_feeds: bool,
    /// A name that is the same but for case and was there first. While there is one, this one is
    /// not used.
    pub(super) conflict: Option<Arc<str>>,
    pub(super) disabled: bool,
    /// Whether its place in the chain is kept although there is no filter: it was configured at the
    /// start, and has never been usable since.
    pub(super) is_held: bool,
    /// What its settings say about that. The task that loads the filter reads it first.
    pub(super) standing: Arc<OnceLock<Standing>>,
    /// Set while a task reads and tries it.
    pub(super) is_loading: bool,
    pub(super) next_try: Option<NextTry>,
    /// Since when there has been no file for the filter in use.
    pub(super) gone_since: Option<Instant>,
}

/// Files that could not be used and are tried again.
#[derive(Clone, Debug)]
pub(super) struct NextTry {
    files: Files,
    at: Instant,
    /// Whether a start waits for that.
    meanwhile: Scan,
    tries: u32,
}

impl NextTry {
    /// When to try `files` again, which could not be used now; none if only a change of them helps.
    pub(super) fn after(last: Option<Self>, files: &Files, retry: Retry) -> Option<Self> {
        let same = last.filter(|last| last.files == *files);
        let tries = same.map_or(0, |last| last.tries) + 1;
        let (pause, meanwhile) = match retry {
            Retry::Never => return None,
            Retry::Soon => (SETTLE, Scan::Unsettled),
            Retry::Later => (POLL * 2_u32.pow(tries.min(6) - 1), Scan::Settled),
        };
        Some(Self {
            files: files.clone(),
            at: Instant::now() + pause,
            meanwhile,
            tries,
        })
    }

    /// Whether these are the files.
    pub(super) fn is_of(&self, files: &Files) -> bool {
        self.files == *files
    }

    /// Has it be now.
    pub(super) fn hurry(&mut self) {
        self.at = Instant::now();
    }

    /// What to do with `files` until then, unless it is time or they are others.
    pub(super) fn rests(&self, files: &Files) -> Option<Scan> {
        (self.files == *files && Instant::now() < self.at).then_some(self.meanwhile)
    }
}

impl Plugin {
    /// Has the same files tried again, if other feeds may help.
    pub(super) fn try_with_other_feeds(&mut self) {
        let is_refused = self.refused.is_some() && self.conflict.is_none();
        if is_refused && self.may_want_feeds && !self.is_loading {
            self.digest = Digest::default();
            self.tried_for_feeds = true;
            self.next_try = NextTry::after(None, &self.files, Retry::Soon);
        }
    }

    /// Has the filter in use asked again, if it may have failed for want of a feed.
    pub(super) fn ask_with_other_feeds(&self, name: &str) {
        if let Some(member) = &self.member
            && member.filter.uses("feeds")
            && member.quarantine.release()
        {
            tracing::info!(
                filter = name,
                "out of quarantine: the feeds have changed, so the filter is asked again at once"
            );
        }
    }

    /// Whether there is no filter, nor soon will be.
    pub(super) fn is_unused(&self) -> bool {
        self.member.is_none() && !self.is_loading
    }

    /// Why there is no filter although the operator counts on one.
    pub(super) fn fault(&self) -> Option<String> {
        let is_required = matches!(self.standing(), Standing::Required(_));
        if self.member.is_some() || self.disabled || !is_required {
            return None;
        }
        let loading = || "it is not loaded yet".to_owned();
        Some(self.refused.clone().unwrap_or_else(loading))
    }

    /// Settings that cannot be read leave nothing out.
    fn standing(&self) -> Standing {
        self.standing.get().copied().unwrap_or_default()
    }

    /// What stands in the chain under the name, if anything.
    pub(super) fn place(&self, name: &Arc<str>) -> Option<Place> {
        if let Some(member) = &self.member {
            return Some(Place::Filter(member.clone()));
        }
        let Standing::Required(on_error) = self.standing() else {
            return None;
        };
        let reason = self.fault().filter(|_| self.is_held)?;
        Some(Place::Missing(Missing {
            name: name.clone(),
            on_error,
            reason: reason.into(),
        }))
    }

    /// Whether a filter whose file is gone is still used, or its place still held, as the file may
    /// come back at once.
    pub(super) fn is_in_grace(&mut self, is_gone: bool, grace: Duration) -> bool {
        if !is_gone || self.member.is_none() && !self.is_held {
            self.gone_since = None;
            return false;
        }
        let gone_since = *self.gone_since.get_or_insert_with(Instant::now);
        gone_since.elapsed() < grace
    }

    /// Notes who has the name, or that it is free and the files can be tried.
    pub(super) fn set_conflict(&mut self, name: &str, first: Option<&Arc<str>>, files: &Files) {
        self.conflict = first.cloned();
        match first {
            Some(first) => {
                self.files = files.clone();
                let failure = LoadFailure::NameConflict(first.clone());
                self.refuse(name, &failure, Retry::Never);
            }
            None => {
                self.files = Files::default();
                self.refused = None;
            }
        }
    }

    /// Logs and keeps why the newest version is not used.
    pub(super) fn refuse(&mut self, name: &str, failure: &LoadFailure, retry: Retry) {
        self.refuse_with(name, failure, retry, self.consequence());
    }

    /// Whether these files are those of the filter in use without what its settings said. Some
    /// editors empty a file before they write it, and a full disk can leave it so.
    pub(super) fn is_emptied(&self, files: &Files) -> bool {
        let is_empty = files.settings.is_some() && !files.say_something();
        is_empty && self.is_set_up && self.member.is_some()
    }

    /// Leaves the filter in use as it is, whose settings would be the defaults.
    pub(super) fn refuse_emptied(&mut self, name: &Arc<str>, files: Files) {
        self.files = files;
        self.next_try = None;
        let consequence = "the version in use goes on serving; the next start would have the defaults: write the settings again, or a comment if the defaults are meant";
        let failure = LoadFailure::Emptied(name.clone());
        self.refuse_with(name, &failure, Retry::Never, consequence);
    }

    /// The same with another consequence.
    pub(super) fn refuse_with(
        &mut self,
        name: &str,
        failure: &LoadFailure,
        retry: Retry,
        consequence: &'static str,
    ) {
        let reason = ErrorChain(failure).to_string();
        // That it still cannot be used is not news.
        if retry != Retry::Never && self.refused.as_ref() == Some(&reason) {
            return;
        }
        tracing::error!(plugin = name, reason, consequence, "refused");
        self.refused = Some(reason);
        self.missing_grants = match failure {
            LoadFailure::Load(LoadError::Grant { table, .. }) => table.clone(),
            _ => Vec::new(),
        };
    }

    /// What it leads to that the newest files are not used.
    fn consequence(&self) -> &'static str {
        match (&self.member, self.standing()) {
            (Some(_), Standing::Required(OnError::Block)) => {
                "the version in use goes on serving; after a restart requests would be refused with 503: mend or remove it"
            }
            (Some(_), _) => "the version in use goes on serving; a restart would be without it",
            (None, Standing::LeftOut) => "requests are not judged by it, as it is not required",
            (None, Standing::Shadow) => {
                "none for requests, as it is in shadow mode and refuses nothing; what it would do is not seen: mend or remove it"
            }
            (None, Standing::Disabled) => "requests are not judged by it, as it is disabled",
            (None, Standing::Required(OnError::Skip)) => {
                "requests are not judged by it (on_error = 'skip')"
            }
            (None, Standing::Required(OnError::Block)) if self.is_held => {
                "requests are refused with 503 (on_error = 'block'): mend or remove it"
            }
            (None, Standing::Required(OnError::Block)) => {
                "requests are not judged by it; after a restart they would be refused with 503: mend or remove it"
            }
        }
    }

    /// Takes a filter into use, or none if the operator has disabled it. Returns whether that
    /// changes the chain.
    pub(super) fn accept(&mut self, name: &str, filter: Option<Arc<Filter>>) -> bool {
        self.disabled = filter.is_none();
        let was_held = std::mem::take(&mut self.is_held);
        let member = filter.map(|filter| Arc::new(Member::new(filter)));
        let before = std::mem::replace(&mut self.member, member);
        let what = match (&before, &self.member, &self.refused) {
            (_, None, _) => "disabled",
            (_, Some(_), Some(_)) => "the built-in filter stands in",
            (None, Some(_), None) => "loaded",
            (Some(_), Some(_), None) => "replaced",
        };
        let mode = self.member.as_ref().map(|member| Mode::of(member).name());
        let filter = self.member.as_ref().map(|member| &member.filter);
        let contract = filter.map(|filter| &*filter.contract);
        tracing::info!(plugin = name, mode, contract, "{what}");
        if let Some(before) = &before {
            log_shadow_summary(before);
        }
        before.is_some() || self.member.is_some() || was_held
    }

    pub(super) fn status(&self, name: &str, builtin: bool) -> Status {
        let member = self.member.as_deref();
        let said = |text: fn(&Manifest) -> &String| {
            let text = text(&member?.filter.manifest);
            (!text.is_empty()).then(|| text.clone())
        };
        // Read once: a worker may withhold another kind meanwhile.
        let withheld = member.map(|member| member.filter.withheld().collect());
        let withheld: Vec<VerdictKind> = withheld.unwrap_or_default();
        Status {
            name: name.to_owned(),
            version: said(|manifest| &manifest.version),
            description: said(|manifest| &manifest.description),
            builtin,
            disabled: self.disabled,
            // A file that could not be read to its end is still being loaded, too.
            loading: self.is_loading
                || self.is_unused() && self.refused.is_none() && !self.disabled,
            mode: member.map(Mode::of),
            hooks: member.map(|member| member.filter.hooks.names()),
            refused: self.refused.clone(),
            grants: member
                .map(|member| member.filter.grants())
                .unwrap_or_default(),
            missing_grants: match (&self.refused, member) {
                (Some(_), _) => self.missing_grants.clone(),
                (None, Some(member)) => member.filter.missing_grants(&withheld),
                (None, None) => Vec::new(),
            },
            quarantine: member
                .and_then(|member| member.quarantine.tripped())
                .map(Quarantine::from),
            shadow: member
                .filter(|member| member.is_shadow())
                .map(|member| member.shadow.tally()),
            withheld: withheld.iter().map(|kind| kind.name().to_owned()).collect(),
            ends_lost: member.map_or(0, |member| member.ended.lost()),
            metrics: member
                .map(|member| member.filter.metrics())
                .unwrap_or_default(),
        }
    }
}

/// Logs what a shadow filter would have done in all. Nothing else knows it once the filter is gone.
pub(super) fn log_shadow_summary(member: &Member) {
    if member.is_shadow() {
        let would_have = member.shadow.tally();
        tracing::info!(target: "shadow", filter = &*member.filter.name, "ends: {would_have}");
    }
}
