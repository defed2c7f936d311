//! One look at the folder: what is new there is loaded, what is gone leaves the chain. Called by
//! `plugins` at the start and for as long as it runs; it never publishes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::Plugins;
use super::conflicts::{Seniority, case_conflicts};
use super::folder::{Files, Listing, Misnamed, Scan, Seen};
use super::load_task::{LoadFailure, LoadTask, MAX_SIDECAR_BYTES, Retry};
use super::plugin::{self, Plugin};
use crate::chain::Member;
use crate::config::Standing;
use crate::config::file;
use crate::error::Escaped;
use crate::filter::CachedFailure;

impl Plugins {
    /// Loads what has changed in the folder since it was last read, if it has not changed since the
    /// last scan.
    pub(super) fn scan(&mut self, seen: io::Result<Seen>) -> Scan {
        let mut scan = Scan::Settled;
        let listing = self.listing(seen);
        let names: BTreeSet<Arc<str>> = listing
            .keys()
            .chain(self.plugins.keys())
            .cloned()
            .chain(self.defaults().map(Into::into))
            .collect();
        let is_disabled = |name: &str| {
            let has_settings = listing
                .get(name)
                .is_some_and(|files| files.settings.is_some());
            has_settings && self.read_standing(name) == Standing::Disabled
        };
        let conflicts = case_conflicts(self.filters(&listing), is_disabled);
        for name in &names {
            let files = listing.get(name).cloned().unwrap_or_default();
            self.note_conflict(name, conflicts.get(name), &files);
            scan = scan.max(self.scan_name(name, files));
        }
        self.last_listing = listing;
        self.note_absent();
        scan
    }

    fn scan_name(&mut self, name: &Arc<str>, files: Files) -> Scan {
        let is_filter = self.is_filter(name, &files);
        let is_ordered = self.order.names.iter().any(|listed| **listed == **name);
        if let Some(plugin) = self.plugins.get_mut(name)
            && (plugin.is_loading || plugin.files == files && plugin.next_try.is_none())
        {
            let is_gone = files == Files::default() && !is_filter;
            // Only a name that the order had is refused without ever having had a file.
            let was_file = plugin.refused.is_none();
            if !is_gone || !plugin.is_unused() || is_ordered {
                plugin.gone_since = None;
            } else if was_file && plugin.is_in_grace(is_gone, self.deletion_grace) {
                // It was there at the start and was never read, and may be written anew.
                return Scan::Unsettled;
            } else {
                // It was gone before it was complete, or nothing names it any more.
                self.forget(name);
            }
            return Scan::Settled;
        }
        let known = self.plugins.get(name);
        let next_try = known.and_then(|plugin| plugin.next_try.as_ref());
        if let Some(meanwhile) = next_try.and_then(|next_try| next_try.rests(&files)) {
            return meanwhile;
        }
        let last_files = self.last_listing.get(name).cloned().unwrap_or_default();
        if last_files != files || self.is_in_grace(name, &files) {
            return Scan::Unsettled;
        }
        self.start_loading(name.clone(), files);
        Scan::Settled
    }

    /// Whether a file is gone, but not for so long that it must be meant. The settings count, too,
    /// as the defaults would hold without them.
    fn is_in_grace(&mut self, name: &str, files: &Files) -> bool {
        let is_filter = self.is_filter(name, files);
        let Some(plugin) = self.plugins.get_mut(name) else {
            return false;
        };
        let before = &plugin.files;
        let is_gone = !is_filter
            || files.wasm.is_none() && before.wasm.is_some()
            || files.settings.is_none() && before.settings.is_some();
        plugin.is_in_grace(is_gone, self.deletion_grace)
    }

    /// Every filter, also one whose file is gone for a moment.
    fn filters(&self, listing: &Listing) -> BTreeMap<Arc<str>, Seniority> {
        let seniority = |name: &str| match self.plugins.get(name) {
            _ if self.builtin(name).is_some() => Seniority::BuiltIn,
            Some(plugin) if plugin.member.is_some() || plugin.is_loading => Seniority::InUse,
            _ => Seniority::New,
        };
        let files = listing.iter();
        let files = files.filter(|(name, files)| self.is_filter(name, files));
        let serving = self.plugins.iter();
        let serving = serving.filter(|(_, plugin)| plugin.member.is_some());
        files
            .map(|(name, _)| name.clone())
            .chain(serving.map(|(name, _)| name.clone()))
            .chain(self.defaults().map(Into::into))
            .map(|name| (name.clone(), seniority(&name)))
            .collect()
    }

    fn note_conflict(&mut self, name: &Arc<str>, conflict: Option<&Arc<str>>, files: &Files) {
        let known = self.plugins.get(name);
        if known.and_then(|plugin| plugin.conflict.as_ref()) == conflict {
            return;
        }
        self.note_standing(name, files);
        let plugin = self.entry(name);
        plugin.set_conflict(name, conflict, files);
    }

    /// Nothing else reads the settings of a file that is not used because of its name.
    fn note_standing(&mut self, name: &Arc<str>, files: &Files) {
        let standing = match files.settings {
            Some(_) => self.read_standing(name),
            None => Standing::default(),
        };
        let plugin = self.entry(name);
        plugin.standing = Arc::new(standing.into());
        if plugin.is_held {
            // What becomes of requests may have changed with the settings.
            self.mark_dirty();
        }
    }

    /// What the settings of a filter say of its standing. They are short where they can be used.
    fn read_standing(&self, name: &str) -> Standing {
        let file = file::open(&self.dir.join(format!("{name}.toml")));
        let text = file.and_then(|file| file::text_of(file, MAX_SIDECAR_BYTES));
        // Settings that cannot be read say nothing.
        text.map_or_else(|_| Standing::default(), |text| Standing::read(&text))
    }

    /// Takes out what is gone, and has the rest read and tried aside.
    fn start_loading(&mut self, name: Arc<str>, files: Files) {
        if !self.is_filter(&name, &files) {
            let known = self.plugins.get(&name);
            let stood_alone =
                known.is_some_and(|plugin| plugin.member.is_none() && plugin.files.wasm.is_none());
            if files.settings.is_none() || !stood_alone {
                self.remove(&name);
            }
            if files.settings.is_none() {
                return;
            }
            // The settings say what their filter's absence means.
        }
        if self.entry(&name).conflict.is_some() {
            self.note_standing(&name, &files);
            self.entry(&name).files = files;
            return;
        }
        let plugin = self.entry(&name);
        if plugin.is_emptied(&files) {
            return plugin.refuse_emptied(&name, files);
        }
        let builtin = self.builtin(&name);
        let (dir, cached_failure) = (self.dir.clone(), self.cached_failure());
        let tried_with = self.loader.feeds().now().edition();
        let plugin = self.entry(&name);
        plugin.tried_with = tried_with;
        plugin.is_loading = true;
        // Until the new settings are read, the old ones hold.
        let standing = match plugin.standing.get() {
            Some(_) => Arc::default(),
            None => plugin.standing.clone(),
        };
        let task = LoadTask {
            dir,
            // The built-in filter with its defaults blocks no less than with settings. That is not
            // so of a file that takes its place.
            fall_back: builtin.is_some_and(|builtin| builtin.default)
                && files.wasm.is_none()
                && plugin.member.is_none(),
            name,
            files,
            content: None,
            builtin: builtin.map(|builtin| builtin.component),
            known: plugin.digest,
            standing,
            cached_failure,
            config: None,
            grants: None,
        };
        self.loading.spawn(task.run(self.loader.clone()));
    }

    fn cached_failure(&self) -> CachedFailure {
        if self.is_open {
            CachedFailure::Ignore
        } else {
            CachedFailure::Use
        }
    }

    /// What is known under a name. A place that is new at the start is held.
    fn entry(&mut self, name: &Arc<str>) -> &mut Plugin {
        let is_held = !self.is_open;
        let new = || Plugin {
            is_held,
            ..Plugin::default()
        };
        self.plugins.entry(name.clone()).or_insert_with(new)
    }

    /// Files that never stopped changing hold their places, too.
    pub(super) fn hold_what_is_unread(&mut self) {
        let names: Vec<Arc<str>> = self.last_listing.keys().cloned().collect();
        for name in &names {
            self.entry(name);
        }
    }

    fn remove(&mut self, name: &Arc<str>) {
        self.loader.forget(name);
        if let Some(member) = self.forget(name) {
            tracing::info!(plugin = &**name, "removed");
            plugin::log_shadow_summary(&member);
        }
    }

    fn forget(&mut self, name: &str) -> Option<Arc<Member>> {
        let plugin = self.plugins.remove(name)?;
        if plugin.member.is_some() || plugin.is_held {
            self.mark_dirty();
        }
        plugin.member
    }

    /// Refuses names in the order that are neither files nor built in.
    fn note_absent(&mut self) {
        for name in self.absent() {
            let failure = LoadFailure::Absent(name.clone());
            self.entry(&name).refuse(&name, &failure, Retry::Never);
        }
    }

    fn absent(&self) -> Vec<Arc<str>> {
        let names = self.order.names.iter().map(String::as_str);
        let is_known = |name: &str| {
            let is_there = self.last_listing.contains_key(name);
            is_there || self.plugins.contains_key(name) || self.is_filter(name, &Files::default())
        };
        let absent: BTreeSet<&str> = names.filter(|name| !is_known(name)).collect();
        absent.into_iter().map(Arc::from).collect()
    }

    /// What is in the folder, or was in it when it could be listed last.
    pub(super) fn listing(&mut self, seen: io::Result<Seen>) -> Listing {
        let fault = match seen {
            Ok(Seen {
                listing,
                misnamed,
                is_exposed,
            }) => {
                self.folder_fault = None;
                self.report_exposed(is_exposed);
                self.report_misnamed(misnamed);
                return listing;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.dir_must_exist => {
                self.folder_fault = None;
                return Listing::new();
            }
            Err(error) => format!("cannot list {}: {error}", self.dir.display()),
        };
        // It is looked at every second, and that nothing has changed is not news.
        if self.folder_fault.as_ref() != Some(&fault) {
            tracing::error!(
                reason = fault,
                consequence = if self.is_open {
                    "the filters in use stay as they are"
                } else {
                    "requests are refused with 503 until it can be listed"
                },
                "the plugin folder cannot be used"
            );
        }
        self.folder_fault = Some(fault);
        self.last_listing.clone()
    }

    /// Tells once for as long as it is so.
    fn report_exposed(&mut self, is_exposed: bool) {
        if is_exposed && !self.is_exposed {
            tracing::warn!(
                dir = %self.dir.display(),
                "others than its owner may write to the plugin folder, and so decide what passes; take the right away \
                 (chmod go-w)"
            );
        }
        self.is_exposed = is_exposed;
    }

    /// Tells of each file once for as long as it is there.
    fn report_misnamed(&mut self, misnamed: Misnamed) {
        for (file, mistake) in &misnamed {
            if !self.misnamed.contains_key(file) {
                tracing::warn!(
                    file = %Escaped(file.display()),
                    mistake,
                    consequence = "no filter is made of it, and requests are not judged by one",
                    "a file in the plugin folder looks like that of a filter and is not: rename it"
                );
            }
        }
        self.misnamed = misnamed;
    }
}
