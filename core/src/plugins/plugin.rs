//! What became of one name in the folder: the files that were read, the filter that is in use, and
//! why the newest files are not. Kept by `plugins`, which decides what is loaded and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::folder::{Files, Scan};
use super::load_task::{Digest, LoadFailure};
use super::status::{Mode, Quarantine, Status};
use crate::chain::Member;
use crate::error::Causes;
use crate::filter::{Filter, Manifest};

/// One name: its files, the filter that they are used as, and why not.
#[derive(Debug, Default)]
pub(super) struct Plugin {
    /// The files when they were last read.
    pub(super) files: Files,
    /// What was last tried, used or refused: identical content is not tried again.
    pub(super) digest: Digest,
    pub(super) member: Option<Arc<Member>>,
    pub(super) refused: Option<String>,
    /// A name that is the same but for case and was there first. While there is one, this one is
    /// not used.
    pub(super) conflict: Option<Arc<str>>,
    pub(super) disabled: bool,
    /// Set while a task reads and tries it.
    pub(super) is_loading: bool,
    /// When to read files again that could not be read to their end, and whether a start waits for
    /// that.
    pub(super) retry_at: Option<(Instant, Scan)>,
    /// Since when there has been no file for the filter in use.
    pub(super) gone_since: Option<Instant>,
}

/// Whether files that could not be used are tried again by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    UntilItWorks,
}

impl Plugin {
    /// Whether there is no filter, nor soon will be.
    pub(super) fn is_unused(&self) -> bool {
        self.member.is_none() && !self.is_loading
    }

    /// Whether a filter whose file is gone is still used, as the file may come back at once.
    pub(super) fn is_in_grace(&mut self, is_gone: bool, grace: Duration) -> bool {
        if !is_gone || self.member.is_none() {
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
        let reason = Causes(failure).to_string();
        // That a file still cannot be read is not news.
        if retry == Retry::UntilItWorks && self.refused.as_ref() == Some(&reason) {
            return;
        }
        let consequence = match &self.member {
            Some(_) => "the version in use goes on serving",
            None => "requests are not judged by it",
        };
        tracing::error!(plugin = name, reason, consequence, "refused");
        self.refused = Some(reason);
    }

    /// Takes a filter into use, or none if the operator has disabled it. Returns whether that
    /// changes the chain.
    pub(super) fn accept(&mut self, name: &str, filter: Option<Arc<Filter>>) -> bool {
        self.disabled = filter.is_none();
        let member = filter.map(|filter| Arc::new(Member::new(filter)));
        let before = std::mem::replace(&mut self.member, member);
        let what = match (&before, &self.member, &self.refused) {
            (_, None, _) => "disabled",
            (_, Some(_), Some(_)) => "the built-in filter stands in",
            (None, Some(_), None) => "loaded",
            (Some(_), Some(_), None) => "replaced",
        };
        let mode = self.member.as_ref().map(|member| Mode::of(member).name());
        tracing::info!(plugin = name, mode, "{what}");
        if let Some(before) = &before {
            log_shadow_summary(before);
        }
        before.is_some() || self.member.is_some()
    }

    pub(super) fn status(&self, name: &str, builtin: bool) -> Status {
        let member = self.member.as_deref();
        let said = |text: fn(&Manifest) -> &String| {
            let text = text(&member?.filter.manifest);
            (!text.is_empty()).then(|| text.clone())
        };
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
            quarantine: member
                .and_then(|member| member.quarantine.tripped())
                .map(Quarantine::from),
            shadow: member
                .filter(|member| member.is_shadow())
                .map(|member| member.shadow.tally()),
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
