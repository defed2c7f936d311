//! What became of one name in the folder.

use std::sync::Arc;

use tokio::time::Instant;

use super::Look;
use super::attempt::{Digest, Refusal};
use super::folder::Files;
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
    /// A name that is the same but for case, and that was there first.
    pub(super) rival: Option<Arc<str>>,
    pub(super) disabled: bool,
    /// A task reads and tries it at this moment.
    pub(super) is_loading: bool,
    /// When to read files again that could not be read to their end, and whether that is worth waiting for.
    pub(super) retry: Option<(Instant, Look)>,
    /// Since when there has been no file for the filter in use.
    pub(super) gone_since: Option<Instant>,
}

/// Whether files are tried once, or until it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempted {
    First,
    Again,
}

impl Plugin {
    /// Whether there is no filter, nor soon will be.
    pub(super) fn is_unused(&self) -> bool {
        self.member.is_none() && !self.is_loading
    }

    /// Says why the newest version is not used.
    pub(super) fn refuse(&mut self, name: &str, refusal: &Refusal, attempted: Attempted) {
        let reason = Causes(refusal).to_string();
        // That a file still cannot be read is no news.
        if attempted == Attempted::Again && self.refused.as_ref() == Some(&reason) {
            return;
        }
        let consequence = match &self.member {
            Some(_) => "the version in use goes on serving",
            None => "requests are not judged by it",
        };
        tracing::error!(plugin = name, reason, consequence, "refused");
        self.refused = Some(reason);
    }

    /// Whether the chain is another one now.
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
            say_farewell(before);
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
            // Of what could not be read to its end nothing is known yet.
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

/// What a filter would have done is known for as long as its files stay as they are: this is the last word.
pub(super) fn say_farewell(member: &Member) {
    if member.is_shadow() {
        let would_have = member.shadow.tally();
        tracing::info!(target: "shadow", filter = &*member.filter.name, "ends: {would_have}");
    }
}
