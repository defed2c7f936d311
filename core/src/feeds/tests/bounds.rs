//! Lists that are too short or too long, or that have lost too much at once.

use super::*;
use crate::config::OnShrink;
use crate::feeds::bounds::OutOfBounds;

/// A list of so many names.
pub(super) fn names(count: usize) -> String {
    let names = (0..count).map(|number| format!("name-{number}.example\n"));
    names.collect()
}

/// Feeds whose server gives lists of so many names, one after the other.
fn serving(counts: &[usize], change: impl FnOnce(&mut Feed)) -> (Arc<Feeds>, Feed, TempDir) {
    let dir = TempDir::new().unwrap();
    let server = Server::answering(counts.iter().map(|count| ok("", names(*count))));
    let mut list = server.feed();
    change(&mut list);
    (open(list.clone(), dir.path()), list, dir)
}

/// How many names serve after each of the next fetches, and what they found.
async fn fetches(feeds: &Feeds, times: usize) -> Vec<(usize, Option<OutOfBounds>)> {
    let mut all = Vec::new();
    for _ in 0..times {
        let refused = match feeds.refresh_list().await {
            Ok(_) => None,
            Err(FeedError::OutOfBounds(error)) => Some(error),
            Err(error) => panic!("{error:?}"),
        };
        all.push((list_status(feeds).names, refused));
    }
    all
}

fn shrunk(names: usize, serving: usize) -> Option<OutOfBounds> {
    Some(OutOfBounds::Shrunk { names, serving })
}

#[tokio::test]
async fn a_list_that_lost_most_of_its_names_serves_when_the_next_fetch_confirms_it() {
    let (feeds, ..) = serving(&[100, 40, 42, 42], |_| ());
    let found = fetches(&feeds, 2).await;
    assert_eq!(found, [(100, None), (100, shrunk(40, 100))]);
    assert!(lists(&feeds, "name-99.example"));
    let told = list_status(&feeds).last_error.unwrap();
    assert!(
        told.contains("it has 40 names, fewer than half of the 100 that serve; it is held until"),
        "{told}"
    );
    let found = fetches(&feeds, 2).await;
    assert_eq!(found, [(42, None), (42, None)]);
    assert_eq!(list_status(&feeds).last_error, None);
}

#[tokio::test]
async fn what_was_held_is_forgotten_when_the_list_comes_back_and_not_confirmed_by_another() {
    let (feeds, ..) = serving(&[100, 40, 100, 40, 10, 10], |_| ());
    let found = fetches(&feeds, 6).await;
    assert_eq!(
        found,
        [
            (100, None),
            (100, shrunk(40, 100)),
            (100, None),
            (100, shrunk(40, 100)),
            (100, shrunk(10, 100)),
            (10, None)
        ]
    );
}

#[tokio::test]
async fn a_restart_begins_with_the_list_that_served_and_holds_again() {
    let (feeds, list, dir) = serving(&[100, 40, 40, 40], |_| ());
    fetches(&feeds, 2).await;
    let restarted = open(list, dir.path());
    assert_eq!(list_status(&restarted).names, 100);
    let found = fetches(&restarted, 2).await;
    assert_eq!(found, [(100, shrunk(40, 100)), (40, None)]);
}

#[tokio::test]
async fn the_operator_may_want_a_list_that_shrinks_at_once() {
    let (feeds, ..) = serving(&[100, 1], |list| list.on_shrink = OnShrink::Apply);
    assert_eq!(fetches(&feeds, 2).await, [(100, None), (1, None)]);
}

#[tokio::test]
async fn a_list_outside_of_its_bounds_is_refused_and_the_one_before_serves() {
    let (feeds, list, dir) = serving(&[6, 4, 11, 10], |list| {
        list.min_entries = Some(5);
        list.max_entries = Some(10);
    });
    let found = fetches(&feeds, 4).await;
    let (few, many) = (
        OutOfBounds::TooFew { names: 4, min: 5 },
        OutOfBounds::TooMany { names: 11, max: 10 },
    );
    assert_eq!(
        found,
        [(6, None), (6, Some(few)), (6, Some(many)), (10, None)]
    );
    // The copy on disk has ten.
    for (max, expected) in [(10, 10), (9, 0)] {
        let list = Feed {
            max_entries: Some(max),
            ..list.clone()
        };
        assert_eq!(list_status(&open(list, dir.path())).names, expected);
    }
}

#[tokio::test]
async fn a_copy_that_lost_most_names_is_held_too_whatever_process_has_fetched_it() {
    let (feeds, list, dir) = serving(&[100, 40, 42], |_| ());
    fetches(&feeds, 1).await;
    // One that finds no copy has nothing to compare its list with.
    fs::remove_dir_all(dir.path().join("feeds")).unwrap();
    open(list, dir.path()).refresh_list().await.unwrap();
    let source = feeds.now().feeds["list"].lists[0].source.clone();
    assert!(!feeds.take_up(&source).await);
    assert_eq!(list_status(&feeds).names, 100);
    assert!(lists(&feeds, "name-99.example"));
    // It confirms what was held.
    assert_eq!(fetches(&feeds, 1).await, [(42, None)]);
}
