//! What would change if a filter were on, for filters of every kind.

use std::fs;

use portcullis::Config;
use portcullis::commands::Replay;
use portcullis_tests::guests;

const NEXT: &str = "next";

/// Asks a filter about a log whose lines are a host, a client and what became of the request.
async fn replay(wasm: &[u8], config: &str, log: &[(&str, &str, &str)]) -> Replay {
    let line = |(host, client, verdict): &(&str, &str, &str)| {
        format!(
            "time=2026-11-23T10:00:00.000000Z kind=access id=4 client={client} host={host} port=80 protocol=http \
             verdict={verdict} outcome=complete\n"
        )
    };
    let log: String = log.iter().map(line).collect();
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str| dir.path().join(name);
    fs::write(file("access.log"), log).expect("a folder to write to");
    fs::write(file("guest.wasm"), wasm).expect("a folder to write to");
    let settings = format!("[grants]\nfeeds = ['*']\nstate = true\n[config]\n{config}");
    fs::write(file("guest.toml"), settings).expect("a folder to write to");
    let mut settings = Config::default();
    settings.compiler.cache_dir = file("compiled");
    let (log, filter) = (file("access.log"), file("guest.wasm"));
    let replay = portcullis::commands::replay(settings, &log, &filter).await;
    replay.expect("a log to read")
}

/// Host, requests, and what was and would be.
fn differences(replay: &Replay) -> Vec<(&str, u64, &str, &str)> {
    let rows = replay.differences.iter();
    rows.map(|row| (&*row.host, row.requests, row.was, row.would_be))
        .collect()
}

#[tokio::test]
async fn hosts_that_change_come_with_the_most_requests_first() {
    let client = "10.0.0.1";
    let log = [
        ("greet.example", client, NEXT),
        ("fail.example", client, NEXT),
        ("a.example", client, NEXT),
        ("greet.example", client, "allow filter=other"),
        ("greet.example", client, "block filter=other"),
        ("fail.example", client, NEXT),
    ];
    let replay = replay(guests::obeys(), "greeting = 'no'", &log).await;
    assert_eq!(
        differences(&replay),
        [
            ("fail.example", 2, "next", "error"),
            ("greet.example", 1, "next", "block"),
            ("greet.example", 1, "allow", "block"),
        ]
    );
    assert_eq!((replay.requests, replay.changed, replay.asked), (6, 4, 3));
    assert_eq!(replay.differences[1].detail.as_deref(), Some("403: no"));
}

#[tokio::test]
async fn a_filter_that_looks_at_clients_is_asked_in_the_name_of_each() {
    let log = [
        ("client.example", "10.0.0.1", NEXT),
        ("client.example", "10.0.0.2", NEXT),
        ("client.example", "10.0.0.2", NEXT),
    ];
    let replay = replay(guests::obeys(), "greeting = 'no'", &log).await;
    let said: Vec<_> = replay
        .differences
        .iter()
        .map(|row| (row.requests, row.detail.as_deref().unwrap()))
        .collect();
    assert_eq!(
        said,
        [(2, "403: Some(10.0.0.2)"), (1, "403: Some(10.0.0.1)")]
    );
    assert_eq!((replay.hosts, replay.asked), (1, 2));

    let log = log.map(|(_, client, verdict)| ("blocked.example", client, verdict));
    let replay = self::replay(guests::bare(), "", &log).await;
    assert_eq!((replay.changed, replay.asked), (3, 1));
}

#[tokio::test]
async fn what_a_log_does_not_know_is_not_compared_but_noted() {
    let own = "block filter=guest";
    let log = [
        ("a.example", "10.0.0.1", NEXT),
        ("a.example", "10.0.0.1", own),
    ];
    let notes = |replay: Replay| replay.notes.join("\n");

    let requests = replay(guests::headers(), "", &log).await;
    assert_eq!((requests.asked, requests.changed), (0, 0));
    let said = notes(requests);
    assert!(
        said.contains("guest judges no hosts, and the log has neither"),
        "{said}"
    );
    assert!(said.contains("if they were in the log: 2"), "{said}");

    let both = replay(guests::obeys(), "greeting = 'no'", &log).await;
    assert_eq!((both.asked, both.changed), (1, 0));
    let said = notes(both);
    assert!(
        said.contains("perhaps for their URL or header fields: 1;"),
        "{said}"
    );
    assert!(said.contains("asked about each host once, now"), "{said}");

    let hosts = replay(guests::bare(), "", &log).await;
    assert_eq!(differences(&hosts), [("a.example", 1, "block", "next")]);
    assert_eq!(notes(hosts), "");
}
