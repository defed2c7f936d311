//! Verdicts of one filter on one worker that need not be asked for again, because the filter said so. Called by `local`; a new version of the
//! filter has new ones.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Instant;

use lru::LruCache;

use crate::filter::{Keep, Scope};
use crate::flow::Flow;
use crate::verdict::Judgement;

/// Those used last, up to a number.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// Most filters keep none: there is no table until the first.
    tables: Option<Box<Tables>>,
    capacity: NonZeroUsize,
}

/// Names that fit are looked up without being copied.
#[derive(Debug)]
struct Tables {
    of_hosts: LruCache<Box<str>, Kept>,
    of_clients: LruCache<(IpAddr, Box<str>), Kept>,
}

#[derive(Debug)]
struct Kept {
    judgement: Judgement,
    until: Instant,
    /// What the feeds were when the filter was asked.
    feeds: u64,
}

impl Verdicts {
    /// Keeps up to so many of each scope.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            tables: None,
            capacity: NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN),
        }
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

    /// Keeps a judgement as its filter has said.
    pub(super) fn keep(&mut self, flow: &Flow<'_>, keep: Keep, judgement: &Judgement) {
        let Some(until) = Instant::now().checked_add(keep.time) else {
            return;
        };
        let capacity = self.capacity;
        let tables = self.tables.get_or_insert_with(|| {
            Box::new(Tables {
                of_hosts: LruCache::new(capacity),
                of_clients: LruCache::new(capacity),
            })
        });
        let kept = Kept {
            judgement: judgement.clone(),
            until,
            feeds: keep.feeds,
        };
        let host = flow.target.host().into();
        match (keep.scope, flow.client) {
            (Scope::Host, _) => drop(tables.of_hosts.put(host, kept)),
            (Scope::ClientAndHost, Some(client)) => {
                drop(tables.of_clients.put((client, host), kept));
            }
            // Nobody will ask in the name of no client.
            (Scope::ClientAndHost, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flow::Protocol;
    use crate::target::Target;
    use crate::verdict::Verdict;

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
        fn new(capacity: usize) -> Self {
            Self {
                verdicts: Verdicts::new(capacity),
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
        let mut scene = Scene::new(8);
        scene.keep(Scope::Host, MINUTE, "a.example", "10.0.0.1");
        assert!(scene.finds("a.example", "10.0.0.2"));
        assert!(scene.finds("a.example", ""));
        assert!(!scene.finds("b.example", "10.0.0.1"));
    }

    #[test]
    fn a_verdict_about_a_client_is_not_anothers() {
        let mut scene = Scene::new(8);
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
        let mut scene = Scene::new(8);
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
        let mut scene = Scene::new(2);
        for host in ["a.example", "b.example"] {
            scene.keep(Scope::Host, MINUTE, host, "");
        }
        assert!(scene.finds("a.example", ""));
        scene.keep(Scope::Host, MINUTE, "c.example", "");
        assert!(scene.finds("a.example", "") && scene.finds("c.example", ""));
        assert!(!scene.finds("b.example", ""));
    }
}
