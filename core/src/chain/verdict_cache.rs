//! The verdicts of one filter on one worker that may be used again, because the filter said so.
//! Called by `local`; a new version of the filter begins with an empty cache.

use std::hash::Hash;
use std::net::IpAddr;
use std::time::Instant;

use lru::LruCache;
use portcullis_contract::Scope;

use crate::filter::CachePolicy;
use crate::flow::Flow;
use crate::verdict::{Judgement, Verdict};

/// What an entry takes besides the texts in it, in bytes: itself, its place in the table, and what
/// the allocator adds. Each of 100,000 entries was found to take 426 bytes where this counts 435.
const ENTRY_BYTES: usize = size_of::<Entry>() + 128;

/// LRU cache of verdicts, bounded in bytes.
#[derive(Debug)]
pub(super) struct VerdictCache {
    /// Most filters keep none: there is no table until the first.
    tables: Option<Box<Tables>>,
    /// Of both tables together, in bytes.
    capacity: usize,
}

/// Names that fit are looked up without being copied.
#[derive(Debug)]
struct Tables {
    of_hosts: LruCache<Box<str>, Entry>,
    of_clients: LruCache<(IpAddr, Box<str>), Entry>,
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
            tables: None,
            capacity,
        }
    }

    /// What the filter said, if it is still good and no feed has changed since, and the time at
    /// which that is so.
    pub(super) fn get(&mut self, flow: &Flow<'_>, feeds: u64) -> Option<(Judgement, Instant)> {
        let tables = self.tables.as_mut()?;
        let (host, now) = (flow.target.host(), Instant::now());
        let is_good = |entry: &&mut Entry| entry.feeds == feeds && now < entry.until;
        if let Some(entry) = tables.of_hosts.get_mut(host).filter(is_good) {
            return Some((entry.judgement.clone(), now));
        }
        let client = flow
            .client
            .address
            .filter(|_| !tables.of_clients.is_empty())?;
        let entry = tables.of_clients.get_mut(&(client, host.into()));
        let entry = entry.filter(is_good)?;
        Some((entry.judgement.clone(), now))
    }

    /// Keeps a judgement as its filter has said, unless it is so large that many others would have
    /// to be evicted for it.
    pub(super) fn insert(&mut self, flow: &Flow<'_>, policy: CachePolicy, judgement: &Judgement) {
        let size = ENTRY_BYTES + 2 * flow.target.host().len() + texts(judgement);
        let Some(until) = Instant::now().checked_add(policy.time) else {
            return;
        };
        if size > self.capacity / 16 {
            return;
        }
        let entry = Entry {
            judgement: judgement.clone(),
            until,
            feeds: policy.feeds,
            size,
        };
        let tables = self.tables.get_or_insert_with(Box::default);
        let host = flow.target.host().into();
        match (policy.scope, flow.client.address) {
            (Scope::Host, _) => put(&mut tables.of_hosts, &mut tables.taken, host, entry),
            (Scope::ClientAndHost, Some(client)) => {
                let asked = (client, host);
                put(&mut tables.of_clients, &mut tables.taken, asked, entry);
            }
            // A call without a client is never answered from the cache by client.
            (Scope::ClientAndHost, None) => {}
        }
        while tables.taken > self.capacity && tables.evict() {}
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            of_hosts: LruCache::unbounded(),
            of_clients: LruCache::unbounded(),
            taken: 0,
        }
    }
}

impl Tables {
    /// Evicts the LRU entry of the larger table, so that neither scope can take all the capacity.
    fn evict(&mut self) -> bool {
        let evicted = if self.of_hosts.len() > self.of_clients.len() {
            self.of_hosts.pop_lru().map(|(_, entry)| entry.size)
        } else {
            self.of_clients.pop_lru().map(|(_, entry)| entry.size)
        };
        self.taken -= evicted.unwrap_or_default();
        evicted.is_some()
    }
}

fn put<K: Hash + Eq>(table: &mut LruCache<K, Entry>, taken: &mut usize, key: K, entry: Entry) {
    *taken += entry.size;
    if let Some(before) = table.put(key, entry) {
        *taken -= before.size;
    }
}

/// What a judgement about a host holds besides itself, in bytes.
fn texts(judgement: &Judgement) -> usize {
    let verdict = match &judgement.verdict {
        Verdict::Next | Verdict::Allow => 0,
        Verdict::Block { reason, .. } => reason.capacity(),
        Verdict::Redirect { location, .. } => location.capacity(),
        Verdict::Replace(page) => {
            let content_type = page.content_type.as_ref();
            page.body.len() + content_type.map_or(0, |value| value.len())
        }
    };
    let matched = judgement.matched.as_ref();
    verdict + matched.map_or(0, |matched| matched.rule.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::flow::{Client, Protocol};
    use crate::target::Target;
    use crate::verdict::Page;

    const MINUTE: Duration = Duration::from_secs(60);

    fn block(reason: &str) -> Judgement {
        Judgement {
            verdict: Verdict::block(403, reason).unwrap(),
            ..Judgement::PASS
        }
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

        fn keep(&mut self, scope: Scope, time: Duration, host: &str, client: &str) {
            let target = Target::new(host, 443).unwrap();
            let (client, feeds) = (client_at(client), self.feeds);
            let policy = CachePolicy { scope, time, feeds };
            self.verdicts
                .insert(&flow(&target, &client), policy, &block(host));
        }

        fn finds(&mut self, host: &str, client: &str) -> bool {
            let target = Target::new(host, 80).unwrap();
            let client = client_at(client);
            let found = self.verdicts.get(&flow(&target, &client), self.feeds);
            let found = found.map(|(judgement, _)| judgement);
            assert!(found.is_none() || found == Some(block(host)));
            found.is_some()
        }
    }

    /// The client at an address, or none that is known.
    fn client_at(address: &str) -> Client {
        Client::at(address.parse().ok())
    }

    fn flow<'a>(target: &'a Target, client: &'a Client) -> Flow<'a> {
        Flow {
            exchange: 0,
            target,
            protocol: Protocol::Connect,
            client,
        }
    }

    #[test]
    fn a_verdict_about_a_host_holds_for_every_client_and_port() {
        let mut scene = Scene::new();
        scene.keep(Scope::Host, MINUTE, "a.example", "10.0.0.1");
        assert!(scene.finds("a.example", "10.0.0.2"));
        assert!(scene.finds("a.example", ""));
        assert!(!scene.finds("b.example", "10.0.0.1"));
    }

    #[test]
    fn a_verdict_about_a_client_is_not_anothers() {
        let mut scene = Scene::new();
        scene.keep(Scope::ClientAndHost, MINUTE, "a.example", "10.0.0.1");
        assert!(scene.finds("a.example", "10.0.0.1"));
        assert!(!scene.finds("a.example", "10.0.0.2"));
        assert!(!scene.finds("a.example", ""));
        assert!(!scene.finds("b.example", "10.0.0.1"));
        scene.keep(Scope::ClientAndHost, MINUTE, "c.example", "");
        assert!(!scene.finds("c.example", ""));
    }

    #[test]
    fn a_verdict_ends_with_its_time_and_with_the_feeds() {
        let mut scene = Scene::new();
        scene.keep(Scope::Host, Duration::ZERO, "a.example", "");
        assert!(!scene.finds("a.example", ""));
        scene.keep(Scope::Host, MINUTE, "a.example", "");
        assert!(scene.finds("a.example", ""));
        scene.feeds += 1;
        assert!(!scene.finds("a.example", ""));
        scene.keep(Scope::Host, Duration::MAX, "a.example", "");
        assert!(!scene.finds("a.example", ""));
    }

    #[test]
    fn the_least_recently_used_verdict_is_evicted() {
        for scope in [Scope::Host, Scope::ClientAndHost] {
            let mut scene = Scene::new();
            let client = "10.0.0.1";
            scene.keep(scope, MINUTE, "first.example", client);
            scene.keep(scope, MINUTE, "used.example", client);
            for host in 0..10_000 {
                assert!(scene.finds("used.example", client));
                scene.keep(scope, MINUTE, &format!("{host}.example"), client);
            }
            assert!(scene.finds("9999.example", client));
            assert!(!scene.finds("first.example", client));
            let tables = scene.verdicts.tables.unwrap();
            assert!(tables.taken <= scene.verdicts.capacity);
            let sizes = tables.of_hosts.iter().map(|(_, entry)| entry.size);
            let sizes = sizes.chain(tables.of_clients.iter().map(|(_, entry)| entry.size));
            assert_eq!(sizes.sum::<usize>(), tables.taken);
        }
    }

    #[test]
    fn verdicts_of_one_scope_are_evicted_for_those_of_the_other() {
        for [first, then] in [
            [Scope::Host, Scope::ClientAndHost],
            [Scope::ClientAndHost, Scope::Host],
        ] {
            let mut scene = Scene::new();
            for host in 0..10_000 {
                let host = format!("{host}.example");
                scene.keep(first, MINUTE, &host, "10.0.0.1");
            }
            for host in ["a.example", "b.example"] {
                scene.keep(then, MINUTE, host, "10.0.0.1");
            }
            for host in ["a.example", "b.example", "9999.example"] {
                assert!(scene.finds(host, "10.0.0.1"), "{host}");
            }
        }
    }

    #[test]
    fn a_verdict_takes_as_much_room_as_what_it_holds() {
        let mut scene = Scene::new();
        let large = |bytes| Judgement {
            verdict: Verdict::Replace(Page {
                status: StatusCode::OK,
                content_type: None,
                body: vec![b'x'; bytes].into(),
            }),
            ..Judgement::PASS
        };
        let policy = CachePolicy {
            scope: Scope::Host,
            time: MINUTE,
            feeds: 1,
        };
        for host in 0..100 {
            let target = Target::new(&format!("{host}.example"), 443).unwrap();
            let client = Client::default();
            let flow = flow(&target, &client);
            scene.verdicts.insert(&flow, policy, &large(50_000));
        }
        assert!(scene.verdicts.tables.as_ref().unwrap().of_hosts.len() < 21);
        // One that is larger than many together is not worth it.
        let target = Target::new("large.example", 443).unwrap();
        let client = Client::default();
        let flow = flow(&target, &client);
        scene.verdicts.insert(&flow, policy, &large(500_000));
        assert_eq!(scene.verdicts.get(&flow, 1), None);
    }
}
