//! A client that was the only one when the filter failed, and those who come later.

use super::*;

#[test]
fn a_filter_that_fails_for_the_only_client_there_is_is_held_too() {
    let scene = Scene::new();
    for _ in 0..3 {
        assert_eq!(scene.fails(ALICE), None);
    }
    assert!(matches!(scene.fails(ALICE), Some(Change::Tripped(_))));
}

#[test]
fn a_filter_that_fails_for_the_only_client_is_asked_for_those_who_come_later() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    let admitted = |scene: &Scene| [EVE, ALICE].map(|client| scene.admit(client));
    assert!(scene.quarantine.tripped().unwrap().is_of_one);
    assert_eq!(admitted(&scene), [Admission::Quarantined, Admission::Free]);
    assert_eq!(scene.works(ALICE), None);
    for _ in 0..4 {
        // What the filter's settings say of its failures was for the time in which she was alone.
        assert_eq!(admitted(&scene), [Admission::Held, Admission::Free]);
        // It is tried for the one, and for no other.
        scene.now += 5 * SECOND;
        assert_eq!(scene.fails(EVE), None);
        assert_eq!(scene.admit(ALICE), Admission::Free);
        assert_eq!(scene.works(ALICE), None);
        scene.now += 5 * SECOND;
        assert!(matches!(scene.fails(EVE), Some(Change::Tripped(_))));
    }
}

#[test]
fn a_client_for_which_a_filter_fails_is_alone_again_when_others_have_gone() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    assert_eq!(scene.works(ALICE), None);
    assert_eq!(scene.admit(EVE), Admission::Held);
    // Two trials are lost meanwhile.
    for _ in 0..2 {
        scene.now += 5 * SECOND;
        assert_eq!(scene.fails(EVE), None);
        scene.now += 2 * SECOND;
        assert!(matches!(scene.fails(EVE), Some(Change::Tripped(_))));
    }
    assert_eq!(scene.admit(EVE), Admission::Quarantined);
}

#[test]
fn a_client_that_does_not_come_back_is_forgotten() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    scene.now += 12 * SECOND;
    assert_eq!(scene.fails(ALICE), Some(Change::Recovered));
    // She is alone now, as the other one was then.
    for _ in 0..3 {
        assert_eq!(scene.fails(ALICE), None);
    }
    match scene.fails(ALICE) {
        Some(Change::Tripped(tripped)) => assert!(tripped.is_of_one),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.admit(ALICE), Admission::Quarantined);
    assert_eq!(scene.admit(BOB), Admission::Free);
    assert_eq!(scene.admit(EVE), Admission::Free);
}

#[test]
fn one_client_does_not_have_the_failures_of_others_forgotten() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    scene.now += SECOND;
    // Of these, two have been counted when its trial is lost.
    for _ in 0..2 {
        assert_eq!(scene.fails(ALICE), None);
    }
    assert_eq!(scene.fails(EVE), None);
    scene.now += SECOND;
    assert!(matches!(scene.fails(EVE), Some(Change::Tripped(_))));
    assert_eq!(scene.fails(ALICE), None);
    match scene.fails(ALICE) {
        Some(Change::Tripped(tripped)) => assert!(!tripped.is_of_one),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_filter_that_fails_for_the_next_client_too_is_held_for_all() {
    let scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    for _ in 0..3 {
        assert_eq!(scene.fails(ALICE), None);
    }
    match scene.fails(ALICE) {
        Some(Change::Tripped(tripped)) => assert!(!tripped.is_of_one),
        other => panic!("{other:?}"),
    }
    for client in [EVE, ALICE, BOB] {
        assert_eq!(scene.admit(client), Admission::Quarantined);
    }
}

#[test]
fn a_trial_of_the_only_client_is_decided_by_it_and_takes_nothing_from_others() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    scene.now += SECOND;
    assert_eq!(scene.admit(EVE), Admission::Trial);
    for _ in 0..2 {
        assert_eq!(scene.admit(ALICE), Admission::Free, "she has no part in it");
        assert_eq!(scene.fails(ALICE), None);
    }
    let good = scene
        .quarantine
        .ended(Admission::Trial, EVE, End::Good, &scene.calls, scene.now);
    assert_eq!(good, None);
    scene.now += SECOND;
    assert_eq!(scene.works(EVE), Some(Change::Recovered));
    // What failed meanwhile still counts.
    assert_eq!(scene.fails(EVE), None);
    match scene.fails(EVE) {
        Some(Change::Tripped(tripped)) => assert!(!tripped.is_of_one && tripped.failures == 4),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_trial_of_the_only_client_ends_when_the_filter_fails_for_others() {
    let mut scene = Scene::new();
    for _ in 0..4 {
        scene.fails(EVE);
    }
    scene.now += SECOND;
    assert_eq!(scene.admit(EVE), Admission::Trial);
    assert!(!scene.trip().is_of_one);
    let late = scene
        .quarantine
        .ended(Admission::Trial, EVE, End::Good, &scene.calls, scene.now);
    assert_eq!(late, None);
    for client in [EVE, ALICE, BOB] {
        assert_eq!(scene.admit(client), Admission::Quarantined);
    }
}
