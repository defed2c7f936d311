//! What the server of a list is told, and what is checked of its answer.

use sha2::{Digest, Sha256};

use super::*;
use crate::config::Checksum;
use crate::feeds::fetch::Forged;

/// The key of `list.minisig`, which is the signature of [`SIGNED`].
const KEY: &str = "RWTxVZ1MDE1nH4Nn3ykmqNhaVV9p/htW/RGk6FXas/n2Rk4P+8a+Jc30";
const SIGNED: &str = "a.example\nb.example\n";
const SIGNATURE: &str = include_str!("list.minisig");

/// The fields of a request, written as in the settings.
fn headers(written: &[&str]) -> Feed {
    let text = format!("url = 'http://127.0.0.1/'\nheaders = {written:?}");
    toml::from_str(&text).unwrap()
}

async fn refresh(feed: Feed) -> (Result<Outcome, FeedError>, TempDir) {
    let dir = TempDir::new().unwrap();
    let outcome = open(feed, dir.path()).refresh_list().await;
    (outcome, dir)
}

#[tokio::test]
async fn header_fields_go_to_the_lists_server_alone() {
    let dir = TempDir::new().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "from a file\n").unwrap();

    let elsewhere = Server::answering([ok("", LIST)]);
    let away = format!("302 Found\r\nLocation: http://{}/list", elsewhere.address);
    let server = Server::answering([status("302 Found\r\nLocation: /moved"), status(&away)]);
    let written = [
        "X-Key: in plain text",
        &format!("Authorization: file:{}", key.display()),
        "X-Path: env:PATH",
    ];
    let feed = Feed {
        headers: headers(&written).headers,
        ..server.feed()
    };
    refresh(feed).await.0.unwrap();

    let path = format!("x-path: {}", std::env::var("PATH").unwrap().to_lowercase());
    let secrets = ["x-key: in plain text", "authorization: from a file", &path];
    for request in server.requests() {
        for secret in secrets {
            assert!(request.contains(secret), "{request}");
        }
    }
    let request = &elsewhere.requests()[0];
    for name in ["x-key", "authorization", "x-path"] {
        assert!(!request.contains(name), "{request}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_is_no_field_is_an_error_that_does_not_show_it() {
    let dir = TempDir::new().unwrap();
    let lines = dir.path().join("lines");
    fs::write(&lines, "two\nlines").unwrap();
    for (written, expected) in [
        (
            "A: env:PORTCULLIS_TEST_UNSET",
            "PORTCULLIS_TEST_UNSET is not set",
        ),
        (
            "A: file:/nonexistent/key",
            "cannot read the secret in /nonexistent/key",
        ),
        (
            &format!("A: file:{}", lines.display()),
            "the header field a is not one",
        ),
    ] {
        let (outcome, _) = refresh(headers(&[written])).await;
        let error = crate::error::ErrorChain(&outcome.unwrap_err()).to_string();
        assert!(
            error.contains(expected) && !error.contains("two"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_posted_goes_to_the_lists_server_alone() {
    let post = |server: &Server| Feed {
        post: Some(crate::config::Secret::Text("query=all".into())),
        ..server.feed()
    };
    let server = Server::answering([ok("", LIST)]);
    refresh(post(&server)).await.0.unwrap();
    let request = &server.requests()[0];
    assert!(request.starts_with("post /list"), "{request}");
    assert!(request.contains("content-length: 9"), "{request}");

    // A result that is elsewhere is got, and what was posted is not repeated there.
    let elsewhere = Server::answering([ok("", LIST)]);
    let away = |code| format!("{code} x\r\nLocation: http://{}/", elsewhere.address);
    let server = Server::answering([status(&away(303)), status(&away(307))]);
    refresh(post(&server)).await.0.unwrap();
    let (outcome, _) = refresh(post(&server)).await;
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Redirect(_))),
        "{error:?}"
    );
    let request = &elsewhere.requests()[0];
    assert!(request.starts_with("get / "), "{request}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_says_when_it_wants_to_be_asked_again() {
    let server = Server::answering([status("503 Busy\r\nRetry-After: 3600")]);
    let error = refresh(server.feed()).await.0.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_fetch_takes_no_longer_than_its_feed_allows() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Feed {
        timeout: Duration::from_millis(20),
        ..feed(&format!("http://{}/", listener.local_addr().unwrap()))
    };
    let error = refresh(slow).await.0.unwrap_err();
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Timeout(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_packed_list_serves() {
    let dir = TempDir::new().unwrap();
    let packed = gzip(LIST.as_bytes());
    let twice = gzip(&packed);
    let server = Server::answering([
        ok("Content-Type: application/gzip\r\n", &packed),
        ok("Content-Encoding: x-gzip\r\n", &twice),
    ]);
    for _ in 0..2 {
        let feeds = open(server.feed(), dir.path());
        feeds.refresh_list().await.unwrap();
        assert!(lists(&feeds, "bad.example"));
    }
    let request = &server.requests()[0];
    assert!(
        request.contains("accept-encoding: gzip, br, zstd"),
        "{request}"
    );

    let path = dir.path().join("list.gz");
    fs::write(&path, &packed).unwrap();
    let feeds = open(
        feed(url::Url::from_file_path(&path).unwrap().as_str()),
        dir.path(),
    );
    feeds.refresh_list().await.unwrap();
    assert!(lists(&feeds, "worse.example"));
}

#[tokio::test]
async fn another_list_than_the_published_one_is_refused() {
    let sum: [u8; 32] = Sha256::digest(LIST).into();
    let with = |server: &Server, checksum| Feed {
        checksum: Some(checksum),
        ..server.feed()
    };
    let server = Server::answering([ok("", LIST), ok("", "other.example")]);
    refresh(with(&server, Checksum::Sha256(sum)))
        .await
        .0
        .unwrap();
    let error = refresh(with(&server, Checksum::Sha256(sum)))
        .await
        .0
        .unwrap_err();
    assert!(
        matches!(
            error,
            FeedError::Fetch(FetchError::Forged(Forged::Checksum { .. }))
        ),
        "{error:?}"
    );

    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    for (published, is_right) in [(format!("{hex}  list"), true), ("not a sum".into(), false)] {
        let server = Server::answering([ok("", LIST), ok("", published)]);
        let at = format!("http://{}/list.sha256", server.address);
        let outcome = refresh(with(&server, Checksum::At(at.parse().unwrap())))
            .await
            .0;
        assert_eq!(outcome.is_ok(), is_right, "{outcome:?}");
        assert!(server.requests()[1].starts_with("get /list.sha256"));
    }
}

#[tokio::test]
async fn a_signature_is_beside_its_list() {
    let signed = |server: &Server| Feed {
        minisign: Some(KEY.into()),
        ..server.feed()
    };
    for (list, is_right) in [(SIGNED, true), ("c.example\n", false)] {
        let server = Server::answering([ok("", list), ok("", SIGNATURE)]);
        let outcome = refresh(signed(&server)).await.0;
        assert_eq!(outcome.is_ok(), is_right, "{outcome:?}");
        assert!(server.requests()[1].starts_with("get /list.minisig"));
    }
}

#[tokio::test]
async fn what_is_posted_for_a_list_is_not_posted_for_its_signature() {
    let server = Server::answering([ok("", SIGNED), ok("", SIGNATURE)]);
    let feed = Feed {
        minisign: Some(KEY.into()),
        headers: headers(&["X-Key: one"]).headers,
        post: Some(crate::config::Secret::Text("query=all".into())),
        ..server.feed()
    };
    refresh(feed).await.0.unwrap();
    let requests = server.requests();
    for (request, asked) in requests.iter().zip(["post /list ", "get /list.minisig "]) {
        assert!(request.starts_with(asked), "{request}");
        assert!(request.contains("x-key: one"), "{request}");
    }
}

#[tokio::test]
async fn a_copy_that_was_not_checked_as_it_is_to_be_is_not_used() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering([ok("ETag: \"v1\"\r\n", LIST), ok("", LIST)]);
    let feeds = open(server.feed(), dir.path());
    feeds.refresh_list().await.unwrap();
    let checked = Feed {
        checksum: Some(Checksum::Sha256([0; 32])),
        ..server.feed()
    };
    let feeds = open(checked, dir.path());
    assert!(!lists(&feeds, "bad.example"));
    let error = feeds.refresh_list().await.unwrap_err();
    assert!(
        matches!(error, FeedError::Fetch(FetchError::Forged(_))),
        "{error:?}"
    );
    assert!(!server.requests()[1].contains("if-none-match"));
}
