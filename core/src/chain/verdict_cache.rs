//! The verdicts of one filter on one worker that may be used again, because the filter said so.
//! Called by `local`; a new version of the filter begins with an empty cache.
//!
//! A verdict is kept under the host, the port and the facts that the filter has asked for, so it is
//! never another than the filter would give: a filter that has asked for the client is asked again
//! for another client.

#[cfg(test)]
mod tests;

use std::time::Instant;

use lru::LruCache;
use portcullis_contract::{Fact, Facts};

use crate::filter::CachePolicy;
use crate::flow::Flow;
use crate::verdict::{Additions, Besides, Judgement, Match, Notes, Page, Question, Verdict};

/// What an entry takes besides the texts in it, in bytes: itself, its place in the table, and what
/// the allocator adds.
const ENTRY_BYTES: usize = size_of::<Entry>() + 128;

/// The most sets of facts by which one filter's verdicts are kept. Most filters ask for the same
/// facts in each call, and each set is another look into the table.
const MOST_SETS: usize = 4;

/// LRU cache of verdicts, bounded in bytes.
#[derive(Debug)]
pub(super) struct VerdictCache {
    /// Most filters keep none: there is no table until the first.
    table: Option<Box<Table>>,
    /// In bytes.
    capacity: usize,
}

#[derive(Debug)]
struct Table {
    /// By the facts that were asked for and what they were; see [`Flow::write_key`].
    entries: LruCache<Box<[u8]>, Entry>,
    /// The sets of facts that filters have asked for. The one that was found last comes first.
    sets: Vec<Facts>,
    /// Where keys are written that are looked up.
    key: Vec<u8>,
    /// In bytes.
    taken: usize,
}

#[derive(Debug)]
struct Entry {
    judgement: Judgement,
    until: Instant,
    /// What the feeds were when the filter was asked.
    feeds: u64,
    /// In bytes.
    size: usize,
}

impl VerdictCache {
    /// An empty cache that holds up to `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            table: None,
            capacity,
        }
    }

    /// What the filter said, if it is still good and no feed has changed since, and the time at
    /// which that is so.
    pub(super) fn get(&mut self, flow: &Flow<'_>, feeds: u64) -> Option<(Judgement, Instant)> {
        let Table {
            entries, sets, key, ..
        } = &mut **self.table.as_mut()?;
        let now = Instant::now();
        for place in 0..sets.len() {
            flow.write_key(sets[place], key);
            if let Some(entry) = entries.get(&**key)
                && entry.feeds == feeds
                && now < entry.until
            {
                let judgement = entry.judgement.clone();
                sets.swap(0, place);
                return Some((judgement, now));
            }
        }
        None
    }

    /// Keeps a judgement as its filter has said, unless it is so large that many others would have
    /// to be evicted for it.
    pub(super) fn insert(&mut self, flow: &Flow<'_>, policy: CachePolicy, judgement: &Judgement) {
        // These are never the same again.
        if policy.asked.has(Fact::Exchange) || policy.asked.has(Fact::Started) {
            return;
        }
        let Some(until) = Instant::now().checked_add(policy.time) else {
            return;
        };
        let table = self.table.get_or_insert_with(Box::default);
        flow.write_key(policy.asked, &mut table.key);
        let size = ENTRY_BYTES + table.key.len() + texts(judgement);
        if size > self.capacity / 16 || !table.knows(policy.asked) {
            return;
        }
        let entry = Entry {
            judgement: judgement.clone(),
            until,
            feeds: policy.feeds,
            size,
        };
        table.taken += size;
        let before = table.entries.put(table.key.as_slice().into(), entry);
        table.taken -= before.map_or(0, |before| before.size);
        while table.taken > self.capacity && table.evict() {}
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            entries: LruCache::unbounded(),
            sets: Vec::new(),
            key: Vec::new(),
            taken: 0,
        }
    }
}

impl Table {
    /// Whether verdicts are kept by that set of facts.
    fn knows(&mut self, asked: Facts) -> bool {
        let is_known = self.sets.contains(&asked);
        if !is_known && self.sets.len() < MOST_SETS {
            self.sets.push(asked);
            return true;
        }
        is_known
    }

    /// Evicts the LRU entry.
    fn evict(&mut self) -> bool {
        let evicted = self.entries.pop_lru().map(|(_, entry)| entry.size);
        self.taken -= evicted.unwrap_or_default();
        evicted.is_some()
    }
}

/// What a judgement about a host holds besides itself, in bytes.
fn texts(judgement: &Judgement) -> usize {
    let verdict = match &judgement.verdict {
        Verdict::Next | Verdict::Allow | Verdict::Drop => 0,
        Verdict::Ask(question) => size_of::<Question>() + question.text.capacity(),
        Verdict::Block { reason, .. } => reason.len(),
        Verdict::Redirect { location, .. } => location.len(),
        Verdict::Replace(page) => {
            let content_type = page.content_type.as_ref();
            size_of::<Page>() + page.body.len() + content_type.map_or(0, |value| value.len())
        }
    };
    let matched = judgement.matched.as_ref();
    let rule = matched.map_or(0, |matched| size_of::<Match>() + matched.rule.len());
    let besides = judgement.besides.as_ref();
    verdict + rule + besides.map_or(0, |besides| said(besides))
}

fn said(besides: &Besides) -> usize {
    let notes = besides.notes.iter().map(|(_, notes)| noted(notes));
    size_of::<Besides>() + added(&besides.additions) + notes.sum::<usize>()
}

fn added(Additions { fields, .. }: &Additions) -> usize {
    let fields = fields.iter().flat_map(|fields| fields.iter());
    fields
        .map(|(name, value)| size_of::<http::HeaderValue>() + name.as_str().len() + value.len())
        .sum()
}

fn noted(notes: &Notes) -> usize {
    let sizes = notes
        .iter()
        .map(|(key, value)| 64 + key.len() + value.len());
    sizes.sum()
}
