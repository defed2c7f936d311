//! The verdicts of one filter on one worker that may be used again, because the filter said so.
//! Called by `local`; a new version of the filter begins with an empty cache.
//!
//! A verdict is kept under the host, the port and the facts that the filter has asked for, so it is
//! never another than the filter would give: a filter that has asked for the client is asked again
//! for another client.

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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;
    use crate::flow::{Client, Inquiry, Protocol};
    use crate::target::Target;

    const MINUTE: Duration = Duration::from_secs(60);

    fn block(reason: &str) -> Judgement {
        Judgement {
            verdict: Verdict::block(403, reason).unwrap(),
            ..Judgement::PASS
        }
    }

    fn inquiry(client: Client) -> Inquiry {
        Inquiry::by(client, SystemTime::UNIX_EPOCH)
    }

    /// The client at an address, or none that is known.
    fn client_at(address: &str) -> Client {
        Client::at(address.parse::<IpAddr>().ok())
    }

    struct Scene {
        verdicts: VerdictCache,
        feeds: u64,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                verdicts: VerdictCache::new(1 << 20),
                feeds: 1,
            }
        }

        fn keep(&mut self, asked: &[Fact], time: Duration, host: &str, client: &str) {
            let target = Target::new(host, 443).unwrap();
            let policy = CachePolicy {
                asked: asked.iter().copied().collect(),
                time,
                feeds: self.feeds,
            };
            let inquiry = inquiry(client_at(client));
            let flow = Flow::asked(&target, Protocol::Connect.name(), &inquiry);
            self.verdicts.insert(&flow, policy, &block(host));
        }

        fn finds(&mut self, host: &str, client: &str) -> bool {
            let target = Target::new(host, 443).unwrap();
            let inquiry = inquiry(client_at(client));
            let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
            let found = self.verdicts.get(&flow, self.feeds);
            let found = found.map(|(judgement, _)| judgement);
            assert!(found.is_none() || found == Some(block(host)));
            found.is_some()
        }
    }

    #[test]
    fn a_verdict_about_a_host_holds_for_every_client() {
        let mut scene = Scene::new();
        scene.keep(&[], MINUTE, "a.example", "10.0.0.1");
        assert!(scene.finds("a.example", "10.0.0.2"));
        assert!(scene.finds("a.example", ""));
        assert!(!scene.finds("b.example", "10.0.0.1"));
    }

    #[test]
    fn a_verdict_about_a_client_is_not_anothers() {
        let mut scene = Scene::new();
        scene.keep(&[Fact::ClientAddress], MINUTE, "a.example", "10.0.0.1");
        assert!(scene.finds("a.example", "10.0.0.1"));
        assert!(!scene.finds("a.example", "10.0.0.2"));
        assert!(!scene.finds("a.example", ""));
    }

    #[test]
    fn what_is_different_each_time_is_not_kept() {
        let mut scene = Scene::new();
        for asked in [Fact::Exchange, Fact::Started] {
            scene.keep(&[asked], MINUTE, "a.example", "");
            assert!(!scene.finds("a.example", ""));
        }
        // The client's protocol is not the same.
        scene.keep(&[Fact::Protocol], MINUTE, "a.example", "");
        assert!(!scene.finds("a.example", ""));
    }

    #[test]
    fn a_verdict_is_used_until_its_time_is_over_or_a_feed_changes() {
        let mut scene = Scene::new();
        scene.keep(&[], Duration::ZERO, "a.example", "");
        assert!(!scene.finds("a.example", ""));
        scene.keep(&[], MINUTE, "a.example", "");
        scene.feeds += 1;
        assert!(!scene.finds("a.example", ""));
        // A time that no clock can tell.
        scene.keep(&[], Duration::MAX, "a.example", "");
        assert!(!scene.finds("a.example", ""));
    }

    #[test]
    fn the_lru_verdict_makes_room() {
        let mut scene = Scene::new();
        scene.verdicts = VerdictCache::new(50 * ENTRY_BYTES);
        scene.keep(&[], MINUTE, "first.example", "");
        for number in 0..100 {
            scene.keep(&[], MINUTE, &format!("{number}.example"), "");
            assert!(scene.finds("first.example", ""));
        }
        let table = scene.verdicts.table.unwrap();
        assert!(table.taken <= scene.verdicts.capacity);
        let sizes = table.entries.iter().map(|(_, entry)| entry.size);
        assert_eq!(sizes.sum::<usize>(), table.taken);
        assert!((20..50).contains(&table.entries.len()));
    }

    #[test]
    fn a_verdict_that_takes_much_of_the_room_is_not_kept() {
        let target = Target::new("a.example", 443).unwrap();
        let inquiry = inquiry(Client::default());
        let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
        let mut verdicts = VerdictCache::new(16 << 10);
        let large = Judgement {
            verdict: Verdict::Replace(Box::new(Page {
                status: StatusCode::OK,
                content_type: None,
                body: vec![0; 1 << 10].into(),
            })),
            ..Judgement::PASS
        };
        let policy = CachePolicy {
            asked: Facts::NONE,
            time: MINUTE,
            feeds: 0,
        };
        verdicts.insert(&flow, policy, &large);
        assert!(verdicts.get(&flow, 0).is_none());
        verdicts.insert(&flow, policy, &block("small"));
        assert!(verdicts.get(&flow, 0).is_some());
    }

    /// A filter that asks for one fact after the other, each as the one before it was.
    #[derive(Clone, Debug)]
    struct Asking {
        first: Fact,
        /// By what the first was, modulo their number.
        then: Vec<Option<Fact>>,
    }

    impl Asking {
        /// The answer, and what was asked for.
        fn judge(&self, flow: &Flow<'_>) -> (Judgement, Facts) {
            let mut asked = Facts::NONE;
            let mut seen = Vec::new();
            let mut value = |fact: Fact| {
                asked.add(fact);
                let mut key = Vec::new();
                flow.write_key(Facts::from_iter([fact]), &mut key);
                let sum = key.iter().map(|byte| usize::from(*byte)).sum::<usize>();
                seen.push(format!("{fact:?} {key:?}"));
                sum
            };
            let sum = value(self.first);
            if let Some(Some(next)) = self.then.get(sum % self.then.len().max(1)) {
                value(*next);
            }
            (block(&seen.join(", ")), asked)
        }
    }

    fn facts() -> impl Strategy<Value = Fact> {
        proptest::sample::select(Fact::ALL)
    }

    prop_compose! {
        fn filters()(
            first in facts(),
            then in proptest::collection::vec(proptest::option::of(facts()), 0..4),
        ) -> Asking {
            Asking { first, then }
        }
    }

    prop_compose! {
        fn inquiries()(
            address in proptest::option::of(0_u8..3),
            user in proptest::option::of("[ab]"),
            groups in proptest::collection::vec("[ab]{1,2}", 0..3),
            listener in "[ab]",
            started in 0_u64..2,
        ) -> Inquiry {
            Inquiry {
                client: Arc::new(Client {
                    address: address.map(|last| IpAddr::from([10, 0, 0, last])),
                    user: user.map(Into::into),
                    groups: groups.into_iter().map(Into::into).collect(),
                }),
                listener: listener.into(),
                now: SystemTime::UNIX_EPOCH + Duration::from_secs(started),
            }
        }
    }

    proptest! {
        #[test]
        fn a_kept_answer_is_never_another_than_a_fresh_one(
            filter in filters(),
            exchanges in proptest::collection::vec((0_u16..2, any::<bool>(), inquiries()), 1..40),
        ) {
            let mut verdicts = VerdictCache::new(1 << 20);
            for (number, (port, is_http, inquiry)) in exchanges.iter().enumerate() {
                let target = Target::new("a.example", 80 + port).unwrap();
                let protocol = if *is_http { Protocol::Http } else { Protocol::Connect };
                let mut flow = Flow::asked(&target, protocol.name(), inquiry);
                flow.exchange = number as u64;
                let (fresh, asked) = filter.judge(&flow);
                if let Some((kept, _)) = verdicts.get(&flow, 0) {
                    prop_assert_eq!(kept, fresh);
                    continue;
                }
                let policy = CachePolicy { asked, time: MINUTE, feeds: 0 };
                verdicts.insert(&flow, policy, &fresh);
            }
        }
    }
}
