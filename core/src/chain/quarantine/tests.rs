//! Filters that fail, and clients that have them fail, in time that the tests set.

mod alone;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const ALICE: ClientKey = ClientKey::test(1);
const BOB: ClientKey = ClientKey::test(2);
const EVE: ClientKey = ClientKey::test(666);

/// A quarantine with one worker, at a time.
struct Scene {
    quarantine: Quarantine,
    calls: CallCounter,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        let rule = QuarantineRule {
            failures: 4,
            share: 0.5,
            window: 10 * SECOND,
            pause: SECOND,
            longest_pause: 5 * SECOND,
        };
        let quarantine = Quarantine::new(rule, SECOND, now);
        let calls = quarantine.new_worker();
        Self {
            quarantine,
            calls,
            now,
        }
    }

    fn admit(&self, client: ClientKey) -> Admission {
        self.quarantine.admit(client, || self.now).0
    }

    /// A whole call, if it is admitted.
    fn call(&self, client: ClientKey, end: End) -> Option<Change> {
        let (admission, change) = self.quarantine.admit(client, || self.now);
        if !matches!(admission, Admission::Free | Admission::Trial) {
            return change;
        }
        let ended = |end| {
            self.quarantine
                .ended(admission, client, end, &self.calls, self.now)
        };
        change.or_else(|| ended(end))
    }

    fn fails(&self, client: ClientKey) -> Option<Change> {
        self.call(client, End::Failed("a trap".into()))
    }

    fn works(&self, client: ClientKey) -> Option<Change> {
        self.call(client, End::Good)
    }

    /// Has it trip, by two clients.
    fn trip(&self) -> Tripped {
        let clients = [ALICE, BOB].repeat(2);
        let change = clients
            .iter()
            .filter_map(|client| self.fails(*client))
            .last();
        match change {
            Some(Change::Tripped(tripped)) => tripped,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_filter_that_fails_for_several_clients_is_held_for_a_pause() {
    let mut scene = Scene::new();
    let tripped = scene.trip();
    assert_eq!((tripped.failures, tripped.calls), (4, 4));
    assert_eq!(tripped.pause, SECOND);
    assert_eq!(scene.quarantine.tripped().unwrap().error, "a trap");
    assert_eq!(scene.admit(ALICE), Admission::Quarantined);
    // A call that was under way.
    let late = End::Failed(String::new());
    let late = scene
        .quarantine
        .ended(Admission::Free, ALICE, late, &scene.calls, scene.now);
    assert_eq!(late, None);
    scene.now += SECOND;
    assert_eq!(scene.admit(ALICE), Admission::Trial);
}

#[test]
fn a_client_that_leaves_calls_is_held_back_and_the_filter_is_not() {
    let scene = Scene::new();
    // Nor does it count if it is the only client, or has the filter fail besides.
    for _ in 0..3 {
        assert_eq!(scene.call(EVE, End::Abandoned), None);
    }
    let held = scene.call(EVE, End::Abandoned);
    assert_eq!(held, Some(Change::Held { pause: SECOND }));
    assert_eq!(scene.admit(EVE), Admission::Held);
    assert_eq!(scene.admit(ALICE), Admission::Free);
    assert_eq!(scene.quarantine.tripped(), None);
    // One that leaves now and then does no harm.
    for _ in 0..20 {
        scene.works(ALICE);
        scene.works(ALICE);
        assert_eq!(scene.call(ALICE, End::Abandoned), None);
    }
}

#[test]
fn one_client_among_others_is_held_back_alone() {
    let mut scene = Scene::new();
    scene.works(ALICE);
    for _ in 0..3 {
        assert_eq!(scene.fails(EVE), None);
    }
    assert_eq!(scene.fails(EVE), Some(Change::Held { pause: SECOND }));
    assert_eq!(scene.admit(EVE), Admission::Held);
    assert_eq!(scene.admit(ALICE), Admission::Free);
    scene.now += SECOND;
    assert_eq!(scene.admit(EVE), Admission::Free);
    // Once it is forgotten, calls cost what they did before.
    scene.now += 30 * SECOND;
    scene.works(ALICE);
    assert!(!scene.quarantine.watches_clients.load(Ordering::Relaxed));
    // However often it does that, no other client is harmed.
    for _ in 0..1000 {
        scene.fails(EVE);
        scene.now += SECOND / 10;
        assert_eq!(scene.works(ALICE), None);
        assert_eq!(scene.admit(ALICE), Admission::Free);
    }
}

#[test]
fn calls_that_were_under_way_when_their_client_was_held_back_change_nothing() {
    let mut scene = Scene::new();
    scene.works(ALICE);
    let ended = |end| {
        scene
            .quarantine
            .ended(Admission::Free, EVE, end, &scene.calls, scene.now)
    };
    for _ in 0..3 {
        assert_eq!(ended(End::Failed("a trap".into())), None);
    }
    let held = ended(End::Failed("a trap".into()));
    assert_eq!(held, Some(Change::Held { pause: SECOND }));
    // Most of them go well.
    for _ in 0..4 {
        for end in [End::Good, End::Good, End::Failed("a trap".into())] {
            assert_eq!(ended(end), None);
        }
        assert_eq!(ended(End::Abandoned), None);
    }
    scene.now += SECOND;
    for _ in 0..3 {
        assert_eq!(scene.fails(EVE), None);
    }
    let held = scene.fails(EVE);
    assert_eq!(held, Some(Change::Held { pause: 2 * SECOND }));
}

#[test]
fn a_network_of_64_bits_is_one_client_however_many_addresses_it_asks_from() {
    let at = |address: &str| ClientKey::of(address.parse().ok());
    let scene = Scene::new();
    scene.works(at("2001:db8::1"));
    for n in 1..4 {
        let address = format!("2001:db8:0:666::{n}");
        assert_eq!(scene.fails(at(&address)), None);
    }
    let held = scene.fails(at("2001:db8:0:666:ffff::4"));
    assert_eq!(held, Some(Change::Held { pause: SECOND }));
    assert_eq!(scene.admit(at("2001:db8:0:666::5")), Admission::Held);
    assert_eq!(scene.admit(at("2001:db8:0:667::5")), Admission::Free);
    assert_eq!(scene.quarantine.tripped(), None);
}

#[test]
fn a_burst_of_failures_among_many_good_calls_changes_nothing() {
    let mut scene = Scene::new();
    for _ in 0..1000 {
        scene.works(ALICE);
        scene.works(BOB);
        scene.now += SECOND / 200;
    }
    // The failures of one client that does nothing else are its own matter.
    for _ in 0..12 {
        assert!(!matches!(scene.fails(EVE), Some(Change::Tripped(_))));
    }
    // Good calls of long ago do not excuse them.
    scene.now += 11 * SECOND;
    scene.trip();
}

#[test]
fn a_burst_of_failures_by_a_client_with_many_good_calls_changes_nothing() {
    let mut scene = Scene::new();
    for _ in 0..1000 {
        scene.works(ALICE);
        scene.now += SECOND / 200;
    }
    for _ in 0..12 {
        assert_eq!(scene.fails(ALICE), None);
    }
}

#[test]
fn a_client_among_others_is_judged_by_all_its_calls_in_the_window() {
    let mut scene = Scene::new();
    for _ in 0..1000 {
        scene.works(ALICE);
        scene.now += SECOND / 200;
    }
    scene.works(BOB);
    for end in [End::Failed("a trap".into()), End::Abandoned] {
        for _ in 0..12 {
            assert_eq!(scene.call(ALICE, end.clone()), None);
        }
    }
    assert_eq!(scene.admit(ALICE), Admission::Free);
    // Good calls of long ago do not excuse them.
    scene.now += 11 * SECOND;
    scene.works(BOB);
    for _ in 0..3 {
        assert_eq!(scene.fails(ALICE), None);
    }
    let held = scene.fails(ALICE);
    assert_eq!(held, Some(Change::Held { pause: SECOND }));
}

#[test]
fn a_filter_that_fails_now_and_then_is_left_alone() {
    let mut scene = Scene::new();
    for second in 0..100 {
        assert_eq!(scene.fails(ClientKey::test(second % 3)), None);
        scene.now += 4 * SECOND;
    }
}

#[test]
fn overload_is_no_failure() {
    let scene = Scene::new();
    for client in 0..100 {
        assert_eq!(scene.call(ClientKey::test(client), End::Overloaded), None);
    }
    assert_eq!(scene.admit(ALICE), Admission::Free);
}

#[test]
fn a_filter_that_fails_its_trials_is_held_longer_each_time() {
    let mut scene = Scene::new();
    let mut pauses = vec![scene.trip().pause];
    for _ in 0..3 {
        scene.now += *pauses.last().unwrap();
        for client in [ALICE, BOB] {
            assert_eq!(scene.fails(client), None);
        }
        // The trial is over.
        scene.now += SECOND;
        match scene.fails(ALICE) {
            Some(Change::Tripped(tripped)) => pauses.push(tripped.pause),
            other => panic!("{other:?}"),
        }
        assert_eq!(scene.admit(ALICE), Admission::Quarantined);
    }
    assert_eq!(pauses, [1, 2, 4, 5].map(|seconds| seconds * SECOND));
    scene.now += 5 * SECOND;
    for _ in 0..2 {
        assert_eq!(scene.works(BOB), None);
    }
    assert_eq!(scene.works(ALICE), Some(Change::Recovered));
    assert_eq!(scene.admit(ALICE), Admission::Free);
    assert_eq!(scene.quarantine.tripped(), None);
}

#[test]
fn a_client_that_asks_most_does_not_win_the_trial() {
    let mut scene = Scene::new();
    scene.trip();
    scene.now += SECOND;
    for _ in 0..1000 {
        assert_eq!(scene.fails(EVE), None);
    }
    assert_eq!(scene.works(ALICE), None);
    scene.now += SECOND;
    assert_eq!(scene.works(ALICE), Some(Change::Recovered));
}

#[test]
fn a_client_that_comes_late_is_heard_before_a_trial_is_lost() {
    let mut scene = Scene::new();
    scene.trip();
    scene.now += SECOND;
    assert_eq!(scene.fails(EVE), None);
    // Long after the trial could have ended.
    scene.now += 30 * SECOND;
    assert_eq!(scene.works(ALICE), Some(Change::Recovered));
}

#[test]
fn a_trial_that_was_overtaken_decides_nothing() {
    let mut scene = Scene::new();
    scene.trip();
    scene.now += SECOND;
    assert_eq!(scene.admit(EVE), Admission::Trial);
    for client in [ALICE, BOB, ALICE] {
        scene.works(client);
    }
    assert_eq!(scene.admit(BOB), Admission::Free);
    let late = End::Failed(String::new());
    let late = scene
        .quarantine
        .ended(Admission::Trial, EVE, late, &scene.calls, scene.now);
    assert_eq!(late, None);
}

#[test]
fn a_filter_that_relapses_is_held_longer_and_one_that_kept_well_is_not() {
    let mut scene = Scene::new();
    let recovers = |scene: &mut Scene, pause: Duration| {
        scene.now += pause;
        for client in [ALICE, BOB, ALICE] {
            scene.works(client);
        }
        assert_eq!(scene.admit(ALICE), Admission::Free);
    };
    let pause = scene.trip().pause;
    recovers(&mut scene, pause);
    let pause = scene.trip().pause;
    assert_eq!(pause, 2 * SECOND);
    recovers(&mut scene, pause);
    scene.now += 60 * SECOND;
    assert_eq!(scene.trip().pause, SECOND);
}

#[test]
fn a_filter_that_is_released_is_asked_at_once_and_its_failures_are_forgotten() {
    let mut scene = Scene::new();
    assert!(!scene.quarantine.release(), "it was not in quarantine");
    scene.trip();
    scene.now += SECOND;
    assert_eq!(scene.fails(ALICE), None, "it is one of a trial");
    assert!(scene.quarantine.release());
    assert_eq!(scene.quarantine.tripped(), None);
    assert_eq!(scene.admit(ALICE), Admission::Free);
    // What has failed before does not count, and pauses are as short as in the beginning.
    let tripped = scene.trip();
    assert_eq!((tripped.failures, tripped.pause), (4, SECOND));
    assert!(scene.quarantine.release());

    // A client that was held back is heard, too.
    scene.works(ALICE);
    while scene.fails(EVE).is_none() {}
    assert_eq!(scene.admit(EVE), Admission::Held);
    assert!(!scene.quarantine.release());
    assert_eq!(scene.admit(EVE), Admission::Free);
}
