//! Fetches that fail: the list from before keeps serving, and the error says why.

use super::*;
use crate::config::Checksum;
use crate::feeds::fetch::UnpackError;

/// Refreshes a feed that lists something already, and checks that the list outlives the failure.
async fn failure_of(answer: Vec<u8>) -> FeedError {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("", LIST), answer]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(lists(&feeds, "www.bad.example"));
    assert_eq!(list_status(&feeds).names, 2);
    assert!(list_status(&feeds).last_error.is_some());
    assert_eq!(server.requests().len(), 2);
    let restarted = open(feed_of(&feeds), dir.path());
    assert!(lists(&restarted, "www.bad.example"), "the copy on disk");
    error
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_an_error() {
    let error = failure_of(status("304 Not Modified")).await;
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Status { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_error_status_keeps_the_list() {
    for line in [
        "500 Internal Server Error",
        "404 Not Found",
        "204 No Content",
    ] {
        let error = failure_of(status(line)).await;
        assert!(
            matches!(error, FeedError::Fetch(FetchError::Status { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_truncated_body_keeps_the_list() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\none.example\r\n\r\n";
    let mut short = ok("", LIST);
    short.truncate(short.len() - 1);
    for answer in [short, chunked.to_vec()] {
        let error = failure_of(answer).await;
        assert!(
            matches!(error, FeedError::Fetch(FetchError::Http(_))),
            "{error:?}"
        );
    }
    let mut compressed = gzip(LIST.as_bytes());
    compressed.truncate(compressed.len() - 8);
    let error = failure_of(ok("Content-Encoding: gzip\r\n", compressed)).await;
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Unpack(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_keeps_the_list() {
    let line = "a.example\n".repeat(200_000);
    let announced = ok("", &line);
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{line}").into();
    let bomb = ok("Content-Encoding: gzip\r\n", gzip(&[0; 10 << 20]));
    for answer in [announced, endless, bomb] {
        let error = failure_of(answer).await;
        assert!(
            matches!(
                error,
                FeedError::Fetch(FetchError::TooLarge { max: 0x10_0000 })
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_window_that_is_too_large_keeps_the_list_and_is_told_as_that() {
    for (exponent, helps) in [(24, "raise the feed's max_size"), (28, "at most 128 MiB")] {
        // A frame of one block, which has one byte once.
        let window = (exponent - 10) << 3;
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, 0b1011, 0, 0, b'a'];
        let error = failure_of(ok("Content-Encoding: zstd\r\n", frame)).await;
        let FeedError::Fetch(error) = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(error, FetchError::Unpack(UnpackError::Window { .. })),
            "{error:?}"
        );
        assert!(error.hint().contains(helps), "{}", error.hint());
    }
}

#[tokio::test]
async fn an_error_page_or_an_empty_body_keeps_the_list() {
    let page = "<html>\n<h1>Down for maintenance</h1>\n</html>\n";
    let error = failure_of(ok("Content-Type: text/html\r\n", page)).await;
    assert!(
        matches!(error, FeedError::Rejected(Rejected::Garbage { .. })),
        "{error:?}"
    );
    let error = failure_of(ok("", "")).await;
    assert!(
        matches!(error, FeedError::Rejected(Rejected::Empty)),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_not_http_keeps_the_list() {
    for answer in [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b""] {
        let error = failure_of(answer.to_vec()).await;
        assert!(
            matches!(error, FeedError::Fetch(FetchError::Http(_))),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = TempDir::new().unwrap();
    let list = feed(&format!("http://{}/", listener.local_addr().unwrap()));
    let mut fetcher = Fetcher::default();
    fetcher.deadlines.silence = Duration::from_millis(20);
    let feeds = Feeds::with_fetcher(
        &BTreeMap::from([("list".into(), list)]),
        dir.path(),
        fetcher,
    );
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(
        matches!(&error, FeedError::Fetch(FetchError::Http(e)) if e.is_timeout()),
        "{error:?}"
    );
}

#[tokio::test]
async fn passwords_and_keys_stay_out_of_errors() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([b"garbage\r\n\r\n".to_vec()]);
    let list = feed(&format!("http://me:secret@{}/?key=secret", server.address));
    let feeds = open(list, dir.path());
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert!(!list_status(&feeds).last_error.unwrap().contains("secret"));
    assert!(server.requests()[0].contains("authorization: basic"));
}

#[tokio::test]
async fn a_parser_that_panics_is_an_error_of_its_feed() {
    let error = failure_of(ok("", PANICS)).await;
    assert!(
        matches!(&error, FeedError::Panicked(panic) if panic.contains("a test asked for it")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_checksum_that_does_not_come_is_given_up_within_the_time_of_the_fetch() {
    let dir = TempDir::new().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sum = format!("http://{}/sum", silent.local_addr().unwrap());
    let file = dir.path().join("list.txt");
    fs::write(&file, LIST).unwrap();
    let list = Feed {
        checksum: Some(Checksum::At(sum.parse().unwrap())),
        timeout: Duration::from_millis(100),
        ..feed(url::Url::from_file_path(&file).unwrap().as_str())
    };
    let feeds = open(list, dir.path());
    let error = feeds.refresh_list().await.unwrap_err();
    let FeedError::Fetch(FetchError::Timeout(time)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(time, Duration::from_millis(100));
    assert!(!lists(&feeds, "bad.example"));
}
