use super::*;

const CAP: usize = 1 << 20;

const SECOND: Duration = Duration::from_secs(1);

fn store(cap: usize) -> Store {
    Stores::default().open(&"test".into(), cap)
}

/// What that many counters with keys of one byte take.
fn room_for(counters: usize) -> usize {
    counters * entry_bytes("k", b"1")
}

#[test]
fn a_value_is_replaced_and_removed_only_by_a_caller_that_knows_it() {
    let store = store(CAP);
    assert_eq!(store.get("a"), Ok(None));
    assert_eq!(store.compare_and_set("a", Some(b""), None, None), Ok(false));
    assert_eq!(store.compare_and_set("a", None, Some(b"1"), None), Ok(true));
    assert_eq!(
        store.compare_and_set("a", None, Some(b"2"), None),
        Ok(false)
    );
    assert_eq!(store.get("a").unwrap().unwrap(), b"1");
    assert_eq!(store.set("a", b"\xff\0", None), Ok(()));
    assert_eq!(store.get("a").unwrap().unwrap(), b"\xff\0");
    assert_eq!(
        store.compare_and_set("a", Some(b"\xff\0"), None, None),
        Ok(true)
    );
    assert_eq!(store.get("a"), Ok(None));
    assert_eq!(lock(&store.entries).bytes, 0);
}

#[test]
fn a_counter_is_decimal_text() {
    let store = store(CAP);
    assert_eq!(store.increment("a", -3, None), Ok(-3));
    assert_eq!(store.get("a").unwrap().unwrap(), b"-3");
    store.set("a", b"41", None).unwrap();
    assert_eq!(store.increment("a", 1, None), Ok(42));
}

#[test]
fn what_cannot_be_counted_stays_as_it_is() {
    let store = store(CAP);
    let most = i64::MAX.to_string();
    for (value, error) in [
        (&b""[..], StateError::NotANumber),
        (b"1.5", StateError::NotANumber),
        (b" 1", StateError::NotANumber),
        (b"9223372036854775808", StateError::NotANumber),
        (b"\xff", StateError::NotANumber),
        (most.as_bytes(), StateError::NotANumber),
    ] {
        store.set("a", value, None).unwrap();
        assert_eq!(store.increment("a", 1, None), Err(error), "{value:?}");
        assert_eq!(store.get("a").unwrap().unwrap(), value);
    }
}

#[test]
fn a_counter_lives_from_when_it_is_made_and_a_value_from_when_it_is_stored() {
    let store = store(CAP);
    let start = Instant::now();
    let later = |tenths| store.at(start + SECOND * tenths / 10);
    for tenths in [0, 5, 9] {
        later(tenths).increment("count", 1, Some(SECOND)).unwrap();
        later(tenths).set("value", b"x", Some(SECOND)).unwrap();
    }
    assert_eq!(later(9).get("count").unwrap(), b"3");
    assert_eq!(later(10).get("count"), None);
    assert_eq!(later(10).increment("count", 1, Some(SECOND)), Ok(1));
    assert_eq!(later(18).get("value").unwrap(), b"x");
    assert_eq!(later(19).get("value"), None);
    assert_eq!(
        later(19).compare_and_set("value", None, Some(b"y"), None),
        Ok(true)
    );
    assert_eq!(later(1_000_000).get("value").unwrap(), b"y");
}

#[test]
fn a_time_to_live_may_be_nothing_and_may_be_endless() {
    let store = store(CAP);
    store.set("a", b"x", Some(Duration::ZERO)).unwrap();
    assert_eq!(store.get("a"), Ok(None));
    store.set("a", b"x", Some(Duration::MAX)).unwrap();
    assert_eq!(store.get("a").unwrap().unwrap(), b"x");
}

#[test]
fn a_full_store_takes_nothing_new_and_loses_nothing() {
    let store = store(room_for(2));
    store.increment("a", 1, None).unwrap();
    store.set("b", b"1", None).unwrap();

    let full = Err(StateError::Full);
    assert_eq!(store.set("c", b"", None), full);
    assert_eq!(store.set("b", &[b'1'; 21], None), full);
    assert_eq!(store.increment("c", 1, None), Err(StateError::Full));
    assert_eq!(store.get("a").unwrap().unwrap(), b"1");
    assert_eq!(store.get("b").unwrap().unwrap(), b"1");

    // What is counted can be counted on.
    assert_eq!(store.increment("a", i64::MAX - 1, None), Ok(i64::MAX));
    assert_eq!(store.increment("a", -i64::MAX + 1, None), Ok(1));

    assert_eq!(store.set("b", b"2", None), Ok(()));
    assert_eq!(store.compare_and_set("a", Some(b"1"), None, None), Ok(true));
    assert_eq!(store.set("c", b"1", None), Ok(()));
}

#[test]
fn what_has_expired_makes_room() {
    let store = store(room_for(10));
    let start = Instant::now();
    for key in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let ttl = SECOND * key.parse().unwrap();
        store.at(start).set(key, b"1", Some(ttl)).unwrap();
    }
    // Eight are due, and this takes the room of more than the two that any write clears away.
    let large = vec![0; room_for(8) - entry_bytes("k", &[0; 20]) + 20];
    let later = || store.at(start + SECOND * 7);
    assert_eq!(
        later().set("k", &[&large[..], b"x"].concat(), None),
        Err(StateError::Full)
    );
    assert_eq!(later().set("k", &large, None), Ok(()));
    assert_eq!(later().get("8").unwrap(), b"1");
    assert_eq!(lock(&store.entries).bytes, room_for(10));
}

#[test]
fn what_has_expired_is_cleared_away_by_later_writes() {
    let store = store(CAP);
    let start = Instant::now();
    for key in 0..100 {
        let key = key.to_string();
        store.at(start).set(&key, b"", Some(SECOND)).unwrap();
    }
    // Replaced entries leave nothing behind that expires.
    for _ in 0..100 {
        store.at(start).set("kept", b"", Some(SECOND)).unwrap();
    }
    for _ in 0..51 {
        store.at(start + SECOND).set("kept", b"", None).unwrap();
    }
    let entries = lock(&store.entries);
    assert_eq!(entries.by_key.len(), 1);
    assert_eq!(entries.by_expiry.len(), 0);
    assert_eq!(entries.bytes, entry_bytes("kept", b""));
}

#[test]
fn a_key_has_a_kibibyte_at_most() {
    let store = store(CAP);
    assert_eq!(store.set(&"k".repeat(1024), b"", None), Ok(()));
    let long = "k".repeat(1025);
    assert_eq!(store.set(&long, b"", None), Err(StateError::TooLarge));
    assert_eq!(store.increment(&long, 1, None), Err(StateError::TooLarge));
    assert_eq!(store.get(&long), Err(StateError::TooLarge));
    assert_eq!(store.remove(&long), Err(StateError::TooLarge));
}

#[test]
fn threads_count_together() {
    let stores = Stores::default();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let store = stores.open(&"test".into(), CAP);
            scope.spawn(move || {
                for _ in 0..1000 {
                    store.increment("a", 1, Some(SECOND * 3600)).unwrap();
                }
            });
        }
    });
    let store = stores.open(&"test".into(), CAP);
    assert_eq!(store.get("a").unwrap().unwrap(), b"8000");
}

#[test]
fn a_store_is_the_filters_own_until_it_is_forgotten() {
    let stores = Stores::default();
    let (a, b) = ("a".into(), "b".into());
    stores.open(&a, CAP).set("key", b"x", None).unwrap();
    assert_eq!(stores.open(&b, CAP).get("key"), Ok(None));

    // Less room than it takes already: what is there stays and may be replaced.
    let narrow = stores.open(&a, 1);
    assert_eq!(narrow.get("key").unwrap().unwrap(), b"x");
    assert_eq!(narrow.set("key", b"y", None), Ok(()));
    assert_eq!(narrow.set("other", b"y", None), Err(StateError::TooLarge));

    stores.forget(&a);
    assert_eq!(stores.open(&a, CAP).get("key"), Ok(None));
    assert_eq!(narrow.get("key").unwrap().unwrap(), b"y");
}

#[test]
fn what_is_larger_than_the_whole_store_is_too_large() {
    let store = store(room_for(2));
    let large = vec![b'1'; room_for(2)];
    assert_eq!(store.set("a", &large, None), Err(StateError::TooLarge));
    assert_eq!(store.get("a"), Ok(None));
}

#[test]
fn a_key_is_removed_with_its_room() {
    let store = store(CAP);
    store.set("a", b"1", Some(SECOND)).unwrap();
    assert_eq!(store.remove("a"), Ok(()));
    assert_eq!(store.remove("a"), Ok(()));
    assert_eq!(store.get("a"), Ok(None));
    assert_eq!(lock(&store.entries).bytes, 0);
}
