//! What filters know of clients that log in, and what they note about them.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use portcullis::config::Group;
use portcullis_tests::{Log, Origin, ROOM, client_hello, connect, guests, plug};

use super::{Guarded, login, with};
use crate::facts::Known;

const REMEMBERS: &str = "[grants]\nstate = true\nfeeds = [\"*\"]\n[config]\nseconds = 3600";

#[tokio::test]
async fn a_verdict_that_is_used_again_brings_no_note_about_another_client() {
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| {
        config.proxy.workers = NonZeroUsize::MIN;
        plug(&config.plugins.dir, "remembers.toml", REMEMBERS);
        plug(&config.plugins.dir, "remembers.wasm", guests::remembers());
    })
    .await;
    let origin = Origin::start().await;
    let (asked, hello) = (
        connect(&format!("noted.example:{}", origin.port())),
        client_hello("kept.example"),
    );
    for user in ["ada", "bob"] {
        let mut client = guarded.stage.proxy.client().await;
        client.send(with(&asked, &login(user, "secret"))).await;
        let mut served = origin.accept().await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.send(&hello).await;
        assert_eq!(served.exactly_bytes(hello.len()).await, hello);
        drop((client, served));
        let user = format!("user={user} ");
        let line = log
            .says(&["kind=access", "host=noted.example", &user])
            .await;
        // The second client's verdict about the name is the one that the first client got.
        let noted = format!("remembers.question=2,remembers.{}", user.trim_end());
        assert!(line.contains(&noted), "{line}");
    }
}

/// What the filter `knows` can know of a tunnel of ada.
struct Facts {
    /// When it judges the host that was asked for.
    asked: Known,
    /// When it judges the name in the handshake.
    named: Known,
    /// When the tunnel is over.
    ended: Known,
    /// Its line.
    access: String,
    /// How many bytes went each way.
    moved: usize,
    /// It took no longer.
    longest: Duration,
}

impl Facts {
    /// All of it is about the same exchange, and the duration is right.
    fn are_about_one_exchange(&self) {
        for fact in ["exchange.id", "exchange.started"] {
            let value = self.asked.value(fact);
            assert_eq!(self.named.value(fact), value);
            assert_eq!(self.ended.value(fact), value);
        }
        let id = format!(" id={} ", self.asked.value("exchange.id"));
        assert!(self.access.contains(&id), "{}", self.access);
        let duration = self.ended.value("outcome.duration");
        let duration = duration.parse::<u128>().expect("milliseconds");
        assert!(
            (3..=self.longest.as_millis() + 1).contains(&duration),
            "{duration}"
        );
    }
}

/// Opens a tunnel to `front.example` as ada, and names `other.example` in it. It lasts for some
/// milliseconds.
async fn facts(guarded: &Guarded, origin: &Origin) -> Facts {
    let mut log = Log::follow();
    let begun = Instant::now();
    let mut client = guarded.stage.proxy.client().await;
    let asked = connect(&format!("front.example:{}", origin.port()));
    client.send(with(&asked, &login("ada", "secret"))).await;
    let mut served = origin.accept().await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    let asked = Known::told(&mut log, "judge-host", "front.example").await;
    let (hello, opened) = (client_hello("other.example"), Instant::now());
    client.send(&hello).await;
    assert_eq!(served.exactly_bytes(hello.len()).await, hello);
    let named = Known::told(&mut log, "judge-host", "other.example").await;
    served.send(&hello).await;
    client.exactly_bytes(hello.len()).await;
    let mut moved = hello.len();
    while opened.elapsed() < Duration::from_millis(3) {
        client.send("ping").await;
        served.expect("ping").await;
        served.send("pong").await;
        client.expect("pong").await;
        moved += 4;
    }
    drop((client, served));
    // It may come before or after what the filter tells.
    let mut lines = log.clone();
    let access = lines.says(&["kind=access", "host=front.example"]).await;
    Facts {
        asked,
        named,
        ended: Known::told(&mut log, "exchange-ended", "front.example").await,
        access,
        moved,
        longest: begun.elapsed(),
    }
}

#[tokio::test]
async fn a_filter_knows_the_user_the_groups_and_the_name_in_a_handshake() {
    let guarded = Guarded::start_with(|config| {
        let local = Group::new(["127.0.0.0/8".parse().expect("a network")]);
        config.groups.insert("local".into(), local);
        let staff = Group::of_users(["ada".to_owned()]);
        config.groups.insert("staff".into(), staff);
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    let origin = Origin::start().await;
    let facts = facts(&guarded, &origin).await;
    let (port, listener) = (
        origin.port().to_string(),
        guarded.stage.proxy.address().to_string(),
    );
    let to = |host, found_in| {
        [
            ("exchange.id", ""),
            ("exchange.host", host),
            ("exchange.port", &*port),
            ("exchange.protocol", "connect"),
            ("exchange.found-in", found_in),
        ]
    };
    let server_name = [("exchange.server-name", "other.example")];
    let from = [
        ("exchange.listener", &*listener),
        ("exchange.started", ""),
        ("client.address", "127.0.0.1"),
        ("client.user", "ada"),
        ("client.groups", "local+staff"),
    ];
    let judges = |noted| {
        let set = ("notes.set", "judge-host");
        [("answer", "yes"), ("notes", noted), set]
    };
    let (host, name) = ("front.example", "other.example");
    let hook = "judge-host";
    let expected: [&[_]; 3] = [&to(host, "request"), &from, &judges(host)];
    facts.asked.assert_is(hook, &expected);
    let expected: [&[_]; 4] = [&to(name, "server-name"), &server_name, &from, &judges(name)];
    facts.named.assert_is(hook, &expected);
    let moved = facts.moved.to_string();
    let outcome = [
        ("outcome.how", "passed"),
        ("outcome.status", "200"),
        ("outcome.bytes-from-client", &*moved),
        ("outcome.bytes-to-client", &*moved),
        ("outcome.duration", ""),
        ("notes", name),
        ("notes.set", "judge-host+exchange-ended"),
    ];
    let expected: [&[_]; 4] = [&to(host, "request"), &server_name, &from, &outcome];
    facts.ended.assert_is("exchange-ended", &expected);
    facts.are_about_one_exchange();
}

#[tokio::test]
async fn the_end_of_what_is_refused_before_filters_are_asked_is_not_told() {
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| {
        config.proxy.workers = NonZeroUsize::MIN;
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    let all = log.clone();
    for (host, password, status) in [
        ("refused.example", "wrong", 407),
        ("passed.example", "secret", 200),
    ] {
        let mut client = guarded.stage.proxy.client().await;
        let login = login("ada", password);
        let response = guarded.asks(&mut client, host, &login).await;
        assert_eq!(response.status, status);
    }
    let ended = ["filter=\"knows\"", "exchange-ended knows ["];
    let line = log.says(&ended).await;
    assert!(line.contains("exchange.host=passed.example"), "{line}");
    assert_eq!(all.count(&ended), 1);
}
