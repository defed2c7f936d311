//! When lists are fetched again. Time is paused: hours pass as soon as all wait for them.

use tokio::time::{pause, sleep};

use super::bounds::names;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The time between two fetches, give or take a tenth.
const HOUR: Duration = Duration::from_secs(3600);

/// Keeps the lists fresh until `watch` has seen enough.
async fn while_fresh(feeds: &Arc<Feeds>, watch: impl Future<Output = ()>) {
    tokio::select! {
        () = feeds.clone().run(CancellationToken::new()) => panic!("it runs until the shutdown"),
        () = watch => {}
    }
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is_asked_no_sooner() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([status("503 Busy\r\nRetry-After: 7200")]);
    let feeds = open(server.feed(), dir.path());
    let error = || list_status(&feeds).last_error;
    let is_busy = || error().is_some_and(|error| error.contains("503"));
    let watch = async {
        // No time passes for the fetch itself, whose deadlines would be over at once.
        while error().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(is_busy(), "{:?}", error());
        // Nothing listens any more: the next fetch fails in another way.
        server.requests();
        pause();
        sleep(2 * HOUR - 10 * SECOND).await;
        assert!(is_busy(), "it was asked sooner: {:?}", error());
        sleep(HOUR).await;
        assert!(!is_busy(), "it was not asked again");
    };
    while_fresh(&feeds, watch).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_held_is_fetched_again_after_the_usual_time() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("list.txt");
    fs::write(&file, "a.example\nb.example\nc.example\n").unwrap();
    let list = feed(url::Url::from_file_path(&file).unwrap().as_str());
    let feeds = open(list, dir.path());
    let watch = async {
        while !lists(&feeds, "c.example") {
            sleep(SECOND).await;
        }
        fs::write(&file, "a.example\n").unwrap();
        while list_status(&feeds).last_error.is_none() {
            sleep(SECOND).await;
        }
        sleep(HOUR * 8 / 10).await;
        assert!(lists(&feeds, "c.example"), "it is held");
        sleep(HOUR / 2).await;
        assert!(!lists(&feeds, "c.example"), "the next fetch confirms it");
        assert!(lists(&feeds, "a.example"));
    };
    while_fresh(&feeds, watch).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_written_slowly_is_not_confirmed_by_its_own_growth() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("list.txt");
    fs::write(&file, names(100)).unwrap();
    let list = feed(url::Url::from_file_path(&file).unwrap().as_str());
    let feeds = open(list, dir.path());
    let watch = async {
        while !lists(&feeds, "name-99.example") {
            sleep(SECOND).await;
        }
        // In place, as a download does. Each look finds about as many names as the one before.
        for count in 40..45 {
            fs::write(&file, names(count)).unwrap();
            let held = format!("it has {count} names");
            while !list_status(&feeds)
                .last_error
                .is_some_and(|error| error.contains(&held))
            {
                assert!(lists(&feeds, "name-99.example"), "{count} names serve");
                sleep(SECOND).await;
            }
        }
        sleep(HOUR * 8 / 10).await;
        assert!(lists(&feeds, "name-99.example"), "it is held");
        // Nothing is added any more.
        sleep(HOUR / 2).await;
        assert!(!lists(&feeds, "name-44.example"), "it is confirmed");
        assert!(lists(&feeds, "name-43.example"));
    };
    while_fresh(&feeds, watch).await;
}
