//! One line for each exchange, with everything but secrets.

use std::collections::HashSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use portcullis::config::{AccessLogTo, Group, parse_network};
use portcullis_tests::{
    Log, OPTIONS, Origin, Proxy, ROOM, Stage, connect, get, guests, ok, plug, scene,
};

use crate::facts::Known;

fn assert_says(line: &str, fields: &[&str]) {
    for field in fields {
        assert!(line.contains(field), "{field:?} is not in {line:?}");
    }
}

#[tokio::test]
async fn an_exchange_is_one_line() {
    let mut log = Log::follow();
    let (_proxy, origin, mut client) = scene().await;
    let url = origin.url("/path?token=secret");
    client
        .send(format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\nCookie: secret\r\nAuthorization: Basic secret\r\nContent-Length: 2\r\n\r\nup"
        ))
        .await;
    let mut served = origin.accept().await;
    served.head().await;
    served.expect("up").await;
    served
        .send("HTTP/1.1 201 Created\r\nContent-Length: 4\r\nSet-Cookie: secret\r\n\r\ndown")
        .await;
    client.response().await;

    let (host, port) = origin
        .authority()
        .split_once(':')
        .map(|(h, p)| (h.to_owned(), p.to_owned()))
        .unwrap();
    let text = format!("host={host} port={port} ");
    let line = log.says(&[&text]).await;
    assert_says(
        &line,
        &[
            "time=20",
            " kind=access id=",
            " client=127.0.0.1 ",
            &format!(" peer={host}:{port} "),
            "method=POST",
            "protocol=http",
            "status=201",
            "verdict=next",
            "up=2",
            "down=4",
            "ms=",
            "outcome=complete",
        ],
    );
    assert!(
        !line.contains("secret") && !line.contains("/path"),
        "{line}"
    );
    assert!(!log.has_said(&text), "it is said once");
}

#[tokio::test]
async fn a_refusal_says_why() {
    let mut log = Log::follow();
    let proxy = Proxy::start().await;
    let mut client = proxy.client().await;
    client
        .send(get("http://logged.blocked.portcullis.test/"))
        .await;
    assert_eq!(client.response().await.status, 403);
    let line = log.says(&["host=logged.blocked.portcullis.test"]).await;
    assert_says(
        &line,
        &[
            "status=403",
            "verdict=block",
            "filter=",
            "reason=",
            "outcome=complete",
        ],
    );
}

#[tokio::test]
async fn a_tunnel_is_one_line_when_it_ends() {
    let mut log = Log::follow();
    let (_proxy, origin, mut client) = scene().await;
    client.send(connect(&origin.authority()) + "early").await;
    let mut served = origin.accept().await;
    client.head().await;
    served.expect("early").await;
    served.send("answer").await;
    client.expect("answer").await;
    let port = format!("port={} ", origin.authority().rsplit(':').next().unwrap());
    assert!(!log.has_said(&port));
    client.finish().await;
    served.rest().await;
    drop(served);
    let line = log.says(&[&port]).await;
    assert_says(
        &line,
        &[
            "method=CONNECT",
            "status=200",
            "up=5",
            "down=6",
            "outcome=complete",
        ],
    );
}

#[tokio::test]
async fn what_fails_or_is_given_up_says_so() {
    let mut log = Log::follow();
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let gone = Origin::gone();
    let mut client = proxy.client().await;
    client.send(get(&format!("http://{gone}/"))).await;
    assert_eq!(client.response().await.status, 502);
    let line = log.says(&[&format!("port={} ", gone.port())]).await;
    assert_says(
        &line,
        &["status=502", "outcome=failed", "error=\"cannot connect to"],
    );

    let mut served = origin.asked_by(&mut client).await;
    client.reset();
    served.rest().await;
    let port = format!("port={} ", origin.authority().rsplit(':').next().unwrap());
    assert_says(&log.says(&[&port]).await, &["outcome=aborted"]);
}

#[tokio::test]
async fn a_question_to_the_proxy_itself_has_a_line_without_a_host() {
    let (_proxy, origin, mut client) = scene().await;
    let mut log = Log::follow();
    let max_forwards = format!(
        "OPTIONS {} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n",
        origin.url("/")
    );
    for question in [OPTIONS.to_owned(), max_forwards] {
        client.send(question).await;
        assert_eq!(client.response().await.status, 200);
        let line = log.says(&["kind=access", "method=OPTIONS"]).await;
        assert_says(&line, &["status=200", "up=0 down=0", "outcome=complete"]);
        for absent in ["host=", "port=", "verdict=", "peer="] {
            assert!(!line.contains(absent), "{line}");
        }
    }
}

/// All who are asked or answered through the proxy see its mark.
#[tokio::test]
async fn a_client_with_the_mark_of_the_proxy_is_not_left_out_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let to = AccessLogTo::File(log.clone());
    let proxy = Proxy::start_with(|config| config.log.access.to = to).await;
    let (mut client, origin) = (proxy.client().await, Origin::start().await);
    client.send(get(&origin.url("/"))).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let mut marks = head.lines().filter(|line| line.starts_with("via: "));
    let mark = marks.next().expect("the proxy marks what it sends");
    served.send(ok("")).await;
    client.response().await;
    let question = format!("OPTIONS * HTTP/1.1\r\nHost: portcullis\r\n{mark}\r\n\r\n");
    client.send(question).await;
    assert_eq!(client.response().await.status, 200);
    proxy.stop().await;
    let lines = read(&log);
    assert_eq!(lines.matches(" method=OPTIONS ").count(), 1, "{lines}");
}

/// What is in a log file by now.
fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[tokio::test]
async fn lines_go_to_a_new_file_after_the_old_one_was_moved_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let [log, moved] = ["access.log", "access.log.1"].map(|name| folder.path().join(name));
    let to = AccessLogTo::File(log.clone());
    let stage = Stage::start_with(|config| config.log.access.to = to).await;
    stage.answers(&[("first.example", 200)]).await;
    let is_written = async || read(&log).contains("host=first.example ");
    stage.until_true("the line is there", is_written).await;

    fs::rename(&log, &moved).expect("a folder to write to");
    stage.answers(&[("second.example", 200)]).await;
    let is_written = async || read(&log).contains("host=second.example ");
    stage
        .until_true("the line is in a new file", is_written)
        .await;
    // The stage itself asks the proxy something at the start.
    assert_eq!(read(&log).matches(" method=GET ").count(), 1);
    assert_eq!(read(&moved).matches(" method=GET ").count(), 1);
}

#[tokio::test]
async fn every_line_is_there_when_the_proxy_has_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let to = AccessLogTo::File(log.clone());
    let stage = Stage::start_with(|config| config.log.access.to = to).await;
    stage.answers(&[("x.example", 200); 20]).await;
    stage.proxy.stop().await;
    assert_eq!(read(&log).matches("host=x.example ").count(), 20);
}

/// What its filter knows is the id of the next exchange with `numbered.example`, the same in each
/// hook.
async fn known_id(log: &mut Log) -> String {
    let mut ids = HashSet::new();
    for hook in [
        "judge-host",
        "judge-request",
        "judge-response",
        "exchange-ended",
    ] {
        let known = Known::told(log, hook, "numbered.example").await;
        ids.insert(known.value("exchange.id").to_owned());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids.into_iter().next().expect("there is one")
}

/// A run of the proxy that writes its lines to this file: each of three workers has exchanges with
/// `numbered.example`. Returns their ids as a filter knows them.
async fn run_that_appends_to(file: &Path) -> Vec<String> {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        config.proxy.workers = NonZeroUsize::new(3).expect("three workers");
        config.log.access.to = AccessLogTo::File(file.to_owned());
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    let (mut ids, mut clients) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        // It stays, so the next one is another worker's.
        let mut client = stage.proxy.client().await;
        for _ in 0..2 {
            client.send(stage.request("numbered.example", "")).await;
            assert_eq!(client.response().await.status, 200);
            ids.push(known_id(&mut log).await);
        }
        clients.push(client);
    }
    drop(clients);
    stage.proxy.stop().await;
    ids
}

#[tokio::test]
async fn no_two_exchanges_of_two_runs_have_one_id_and_hooks_know_that_of_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    let mut known = run_that_appends_to(&file).await;
    known.extend(run_that_appends_to(&file).await);
    let lines = read(&file);
    let id = |line: &str| {
        let (_, rest) = line.split_once(" id=").expect("each line has one");
        rest.split(' ').next().unwrap_or_default().to_owned()
    };
    let written = lines.lines().filter(|line| line.contains("numbered."));
    let mut written: Vec<String> = written.map(id).collect();
    // Lines of different workers may be in another order.
    written.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, known);
    let all: Vec<String> = lines.lines().map(id).collect();
    let distinct: HashSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "{lines}");
}

#[tokio::test]
async fn what_a_filter_notes_stands_in_the_line_of_its_exchange() {
    let settings = "[grants]\nstate = true\nfeeds = ['*']\n[config]\ngreeting = ''";
    let stage = Stage::beside_neighbour("scribe", guests::obeys(), settings).await;
    let mut log = Log::follow();
    stage
        .answers(&[("note.example", 200), ("calm.note.example", 200)])
        .await;
    let line = log.says(&["kind=access", " host=note.example "]).await;
    // Escaped, as it has the end of a line in it.
    let mark = r"scribe.mark=one\ntwo,";
    assert_says(&line, &[" notes=", mark, "scribe.n0=x"]);
    for refused in ["Not-A-Key", "long=", "neighbour."] {
        assert!(!line.contains(refused), "{refused} is in {line:?}");
    }
    let line = log.says(&["kind=access", " host=calm.note.example "]).await;
    assert!(!line.contains("notes="), "{line:?}");
}

#[tokio::test]
async fn a_line_names_the_groups_of_its_client_if_it_is_in_any() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        for (name, network) in [("tablets", "127.0.0.9"), ("children", "127.0.0.8/31")] {
            let group = Group::new([parse_network(network).expect("a network")]);
            config.groups.insert(name.into(), group);
        }
    });
    let stage = stage.await;
    for (last, groups) in [
        (9, " groups=children,tablets "),
        (8, " groups=children "),
        (7, ""),
    ] {
        let mut client = stage.proxy.client_from([127, 0, 0, last]).await;
        client.send(stage.request("a.example", "")).await;
        assert_eq!(client.response().await.status, 200);
        let client = format!(" client=127.0.0.{last} ");
        let line = log.says(&["kind=access", &client]).await;
        assert!(line.contains(groups), "{line}");
        assert_eq!(line.contains(" groups="), !groups.is_empty(), "{line}");
    }
}
