//! What DNS servers have said lately, by name and family: a worker has one memory for all servers,
//! as a name is asked of the same ones each time. `servers` asks here first and writes down what it
//! hears. The library has a cache of its own, which is bounded by server and only after a while.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;
use lru::LruCache;
use tokio::time::Instant;

use super::failure::Absence;
use crate::config::DnsCache;
use crate::upstream::dial::MOST_ADDRESSES;

/// How long it is believed that there is no such name, or that it has no address. Its zone may say
/// a day, which is long for a name that was asked for a moment before it was made.
const NOTHING_FOR: Duration = Duration::from_secs(60);

/// What a server says of one family: some addresses, or that there are none.
pub(super) type Said = Result<Arc<[IpAddr]>, Absence>;

/// The same with the time for which it holds, as the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) said: Said,
    pub(super) ttl: Duration,
}

#[derive(Debug)]
pub(super) struct Cache {
    names: Mutex<LruCache<String, Known>>,
    entries: usize,
    min_ttl: Duration,
    max_ttl: Duration,
}

/// What is known of a name.
#[derive(Debug, Default)]
struct Known {
    v6: Option<Kept>,
    v4: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    said: Said,
    until: Instant,
}

impl Cache {
    pub(super) fn new(bounds: &DnsCache) -> Self {
        Self {
            // One with a bound would take all of its memory now.
            names: Mutex::new(LruCache::unbounded()),
            entries: bounds.entries,
            min_ttl: bounds.min_ttl,
            max_ttl: bounds.max_ttl,
        }
    }

    /// What is known of one family of a name.
    pub(super) fn get(&self, name: &str, record: RecordType) -> Option<Said> {
        current(self.names().get_mut(name)?.family(record).as_ref())
    }

    /// What is known of a name, if that is enough to answer without asking.
    pub(super) fn addresses(&self, name: &str) -> Option<Said> {
        let mut names = self.names();
        let known = names.get_mut(name)?;
        match (current(known.v6.as_ref()), current(known.v4.as_ref())) {
            (Some(v6), Some(v4)) => Some(joined(v6, v4)),
            // A server that drops the other question has said enough.
            (None, Some(Err(Absence::Name))) => Some(Err(Absence::Name)),
            _ => None,
        }
    }

    /// Remembers an answer for as long as the bounds and the server say.
    pub(super) fn put(&self, name: &str, record: RecordType, answer: &Answer) {
        let time = match &answer.said {
            // A server could fill the memory.
            Ok(addresses) if addresses.len() > MOST_ADDRESSES => Duration::ZERO,
            Ok(_) => answer.ttl.max(self.min_ttl).min(self.max_ttl),
            Err(_) => answer.ttl.min(NOTHING_FOR).min(self.max_ttl),
        };
        if time.is_zero() {
            return;
        }
        let kept = Kept {
            said: answer.said.clone(),
            until: Instant::now() + time,
        };
        let mut names = self.names();
        let known = names.get_or_insert_mut_ref(name, Known::default);
        *known.family(record) = Some(kept);
        if names.len() > self.entries {
            names.pop_lru();
        }
    }

    fn names(&self) -> MutexGuard<'_, LruCache<String, Known>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn family(&mut self, record: RecordType) -> &mut Option<Kept> {
        match record {
            RecordType::AAAA => &mut self.v6,
            _ => &mut self.v4,
        }
    }
}

/// What still holds.
fn current(kept: Option<&Kept>) -> Option<Said> {
    let kept = kept?;
    (Instant::now() < kept.until).then(|| kept.said.clone())
}

/// Both families in one answer, the addresses of IPv6 first.
pub(super) fn joined(v6: Said, v4: Said) -> Said {
    match (v6, v4) {
        (Ok(v6), Ok(v4)) => Ok([&*v6, &*v4].concat().into()),
        (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) => Ok(addresses),
        // That there is no such name holds for both.
        (Err(Absence::Name), Err(_)) | (Err(_), Err(Absence::Name)) => Err(Absence::Name),
        (Err(Absence::Address), Err(Absence::Address)) => Err(Absence::Address),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const V4: RecordType = RecordType::A;

    fn cache(entries: usize, min_ttl: u64, max_ttl: u64) -> Cache {
        Cache {
            names: Mutex::new(LruCache::unbounded()),
            entries,
            min_ttl: Duration::from_secs(min_ttl),
            max_ttl: Duration::from_secs(max_ttl),
        }
    }

    fn found(ttl: u64) -> Answer {
        Answer {
            said: Ok([[192, 0, 2, 1].into()].into()),
            ttl: Duration::from_secs(ttl),
        }
    }

    fn absent(ttl: u64) -> Answer {
        Answer {
            said: Err(Absence::Name),
            ttl: Duration::from_secs(ttl),
        }
    }

    /// For how many seconds an answer is remembered.
    async fn kept_for(cache: &Cache, answer: &Answer) -> u64 {
        cache.put("a.example", V4, answer);
        let mut seconds = 0;
        while cache.get("a.example", V4).is_some() {
            advance(Duration::from_secs(1)).await;
            seconds += 1;
        }
        seconds
    }

    #[tokio::test]
    async fn the_name_that_was_not_asked_for_longest_makes_room() {
        let cache = cache(2, 0, 60);
        for name in ["a.example", "b.example"] {
            cache.put(name, V4, &found(60));
            cache.put(name, RecordType::AAAA, &absent(60));
        }
        assert!(cache.get("a.example", V4).is_some());
        cache.put("c.example", V4, &found(60));
        assert_eq!(cache.names().len(), 2);
        assert!(cache.get("b.example", V4).is_none());
        assert!(cache.get("a.example", V4).is_some());
        for n in 0..100 {
            cache.put(&format!("{n}.example"), V4, &found(60));
            assert_eq!(cache.names().len(), 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_remembered_within_the_bounds_and_otherwise_as_the_server_says() {
        let cache = cache(9, 10, 100);
        for (says, holds) in [(0, 10), (10, 10), (50, 50), (100, 100), (86_400, 100)] {
            assert_eq!(kept_for(&cache, &found(says)).await, holds, "{says}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn that_there_is_no_such_name_is_believed_for_a_minute_at_most() {
        let long = cache(9, 100, 1000);
        for (says, holds) in [(0, 0), (50, 50), (3600, 60)] {
            assert_eq!(kept_for(&long, &absent(says)).await, holds, "{says}");
        }
        assert_eq!(kept_for(&cache(9, 0, 5), &absent(3600)).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_remembered_if_the_most_is_no_time() {
        let cache = cache(9, 0, 0);
        assert_eq!(kept_for(&cache, &found(3600)).await, 0);
        assert_eq!(cache.names().len(), 0);
    }

    #[tokio::test]
    async fn an_answer_of_very_many_addresses_is_used_once() {
        let cache = cache(9, 0, 60);
        let mut answer = found(60);
        for (addresses, is_kept) in [(MOST_ADDRESSES + 1, false), (MOST_ADDRESSES, true)] {
            answer.said = Ok(vec![IpAddr::from([192, 0, 2, 1]); addresses].into());
            cache.put("a.example", V4, &answer);
            assert_eq!(cache.get("a.example", V4).is_some(), is_kept);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_known_while_both_families_are() {
        let cache = cache(9, 0, 600);
        cache.put("a.example", V4, &found(300));
        assert_eq!(cache.addresses("a.example"), None);
        cache.put("a.example", RecordType::AAAA, &absent(300));
        assert_eq!(cache.addresses("a.example"), Some(found(0).said));
        advance(Duration::from_secs(60)).await;
        assert_eq!(cache.addresses("a.example"), None);
        assert!(cache.get("a.example", V4).is_some());
    }

    #[tokio::test]
    async fn that_there_is_no_such_name_is_known_without_the_other_family() {
        let cache = cache(9, 0, 600);
        cache.put("a.example", V4, &absent(300));
        assert_eq!(cache.addresses("a.example"), Some(Err(Absence::Name)));
        // Some servers say so of names that have addresses of one family alone.
        cache.put("a.example", RecordType::AAAA, &found(300));
        assert_eq!(cache.addresses("a.example"), Some(found(0).said));
        cache.put("b.example", RecordType::AAAA, &absent(300));
        assert_eq!(cache.addresses("b.example"), None);
    }
}
