//! Verdicts of one filter on one worker that need not be asked for again, because the filter said so. Called by `local`; a new version of the
//! filter has new ones.

use std::hash::Hash;
use std::net::IpAddr;
use std::time::Instant;

use lru::LruCache;

use crate::filter::{Keep, Scope};
use crate::flow::Flow;
use crate::verdict::{Judgement, Verdict};

/// What an entry takes besides the texts in it, in bytes: itself, its place in the table, and what the allocator adds. Of 100,000 entries each
/// was found to take 426 where this counts 435.
const ENTRY: usize = size_of::<Kept>() + 128;

/// Those used last, as far as there is room.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// Most filters keep none: there is no table until the first.
    tables: Option<Box<Tables>>,
    /// Of both tables together, in bytes.
    room: usize,
}

/// Names that fit are looked up without being copied.
#[derive(Debug)]
struct Tables {
    of_hosts: LruCache<Box<str>, Kept>,
    of_clients: LruCache<(IpAddr, Box<str>), Kept>,
    /// In bytes.
    taken: usize,
}

#[derive(Debug)]
struct Kept {
    judgement: Judgement,
    until: Instant,
    /// What the feeds were when the filter was asked.
    feeds: u64,
    /// In bytes.
    size: usize,
}

impl Verdicts {
    /// Keeps so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { tables: None, room }
    }

    /// What the filter said, if it is still good and no feed has changed since.
    pub(super) fn find(&mut self, flow: &Flow<'_>, feeds: u64) -> Option<Judgement> {
        let tables = self.tables.as_mut()?;
        let host = flow.target.host();
        let is_good = |kept: &&mut Kept| kept.feeds == feeds && Instant::now() < kept.until;
        if let Some(kept) = tables.of_hosts.get_mut(host).filter(is_good) {
            return Some(kept.judgement.clone());
        }
        let client = flow.client.filter(|_| !tables.of_clients.is_empty())?;
        let kept = tables.of_clients.get_mut(&(client, host.into()));
        kept.filter(is_good).map(|kept| kept.judgement.clone())
    }

    /// Keeps a judgement as its filter has said, unless it is so large that many others would have to go for it.
    pub(super) fn keep(&mut self, flow: &Flow<'_>, keep: Keep, judgement: &Judgement) {
        let size = ENTRY + 2 * flow.target.host().len() + texts(judgement);
        let Some(until) = Instant::now().checked_add(keep.time) else {
            return;
        };
        if size > self.room / 16 {
            return;
        }
        let kept = Kept {
            judgement: judgement.clone(),
            until,
            feeds: keep.feeds,
            size,
        };
        let tables = self.tables.get_or_insert_with(Box::default);
        let host = flow.target.host().into();
        match (keep.scope, flow.client) {
            (Scope::Host, _) => put(&mut tables.of_hosts, &mut tables.taken, host, kept),
            (Scope::ClientAndHost, Some(client)) => {
                let asked = (client, host);
                put(&mut tables.of_clients, &mut tables.taken, asked, kept);
            }
            // Nobody will ask in the name of no client.
            (Scope::ClientAndHost, None) => {}
        }
        while tables.taken > self.room && tables.make_room() {}
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
    /// Gives up what was not used for longest, of the scope that has more: neither can take all the room, nor does what was just kept go.
    fn make_room(&mut self) -> bool {
        let given_up = if self.of_hosts.len() > self.of_clients.len() {
            self.of_hosts.pop_lru().map(|(_, kept)| kept.size)
        } else {
            self.of_clients.pop_lru().map(|(_, kept)| kept.size)
        };
        self.taken -= given_up.unwrap_or_default();
        given_up.is_some()
    }
}

fn put<K: Hash + Eq>(table: &mut LruCache<K, Kept>, taken: &mut usize, key: K, kept: Kept) {
    *taken += kept.size;
    if let Some(before) = table.put(key, kept) {
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
    use crate::flow::Protocol;
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
        verdicts: Verdicts,
        feeds: u64,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                verdicts: Verdicts::new(1 << 20),
                feeds: 1,
            }
        }

        fn keep(&mut self, scope: Scope, time: Duration, host: &str, client: &str) {
            let target = Target::new(host, 443).unwrap();
            let (flow, feeds) = (flow(&target, client), self.feeds);
            let keep = Keep { scope, time, feeds };
            self.verdicts.keep(&flow, keep, &block(host));
        }

        fn finds(&mut self, host: &str, client: &str) -> bool {
            let target = Target::new(host, 80).unwrap();
            let found = self.verdicts.find(&flow(&target, client), self.feeds);
            assert!(found.is_none() || found == Some(block(host)));
            found.is_some()
        }
    }

    fn flow<'a>(target: &'a Target, client: &str) -> Flow<'a> {
        Flow {
            target,
            protocol: Protocol::Connect,
            client: client.parse().ok(),
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
    fn the_verdict_that_was_not_used_for_longest_makes_room() {
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
            assert!(tables.taken <= scene.verdicts.room);
            let sizes = tables.of_hosts.iter().map(|(_, kept)| kept.size);
            let sizes = sizes.chain(tables.of_clients.iter().map(|(_, kept)| kept.size));
            assert_eq!(sizes.sum::<usize>(), tables.taken);
        }
    }

    #[test]
    fn verdicts_of_one_scope_make_room_for_those_of_the_other() {
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
        let keep = Keep {
            scope: Scope::Host,
            time: MINUTE,
            feeds: 1,
        };
        for host in 0..100 {
            let target = Target::new(&format!("{host}.example"), 443).unwrap();
            scene
                .verdicts
                .keep(&flow(&target, ""), keep, &large(50_000));
        }
        assert!(scene.verdicts.tables.as_ref().unwrap().of_hosts.len() < 21);
        // One that is larger than many together is not worth it.
        let target = Target::new("large.example", 443).unwrap();
        let flow = flow(&target, "");
        scene.verdicts.keep(&flow, keep, &large(500_000));
        assert_eq!(scene.verdicts.find(&flow, 1), None);
    }
}
