//! What people learn of the hits of lists.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::{feed, is_refused, json_of, with_lists};
use crate::running::Running;
use crate::{stderr, stdout};

/// The lists of `feed list` by their feeds.
fn listed(dir: &Path, arguments: &[&str]) -> BTreeMap<String, Value> {
    let output = feed(dir, &[&["list", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lists = json_of(&output)["lists"].as_array().unwrap().clone();
    let name = |list: &Value| list["feed"].as_str().unwrap().to_owned();
    lists.into_iter().map(|list| (name(&list), list)).collect()
}

/// Runs a proxy that refuses requests for these hosts, until they are over. Returns its log.
fn refuse(dir: &Path, config: &str, hosts: &[&str]) -> String {
    let mut proxy = Running::start(dir, config);
    for host in hosts {
        assert!(is_refused(proxy.address, host), "{host}");
    }
    proxy.signal("TERM");
    let lines: Vec<String> = proxy.lines.by_ref().map(Result::unwrap).collect();
    assert_eq!(proxy.ends(), Some(0));
    lines.join("\n")
}

#[test]
fn another_process_learns_what_entries_have_decided() {
    let dir = with_lists();
    let config = fs::read_to_string(dir.path().join("portcullis.toml")).unwrap();
    let hosts = ["www.ads.example", "a.ads.example", "b.ads.example"];
    refuse(dir.path(), &config, &[&hosts[..], &["192.0.2.7"]].concat());

    let lists = listed(dir.path(), &[]);
    let hits = &lists["ads"]["hits"];
    assert_eq!(
        (&hits["total"], &hits["matched"]),
        (&json!(3), &json!(2)),
        "{lists:?}"
    );
    let never = hits["never_matched"].as_f64().unwrap();
    assert!((never - 1.0 / 3.0).abs() < 1e-9, "{never}");
    assert!(hits["since"].as_str().unwrap().ends_with('Z'));
    assert_eq!(hits.get("rules"), None, "they were not asked for");
    assert_eq!(lists["json"].get("hits"), None);
    assert_eq!(lists["nets"]["hits"]["total"], 1);

    // They go on after a restart, those of entries in the settings, too.
    refuse(
        dir.path(),
        &config,
        &["a.ads.example", "192.0.2.7", "blocked.portcullis.test"],
    );
    let lists = listed(dir.path(), &["ads", "nets", "test-names"]);
    assert_eq!(lists.len(), 3);
    let rules = json!([
        {"rule": "||ads.example^", "line": 2, "hits": 3},
        {"rule": "||www.ads.example^", "line": 3, "hits": 1},
    ]);
    assert_eq!(lists["ads"]["hits"]["rules"], rules);
    assert_eq!(lists["nets"]["hits"]["total"], 2);
    assert_eq!(lists["test-names"]["hits"]["total"], 1);
    let said = stdout(&feed(dir.path(), &["list", "--top", "1", "ads"]));
    let (line, top) = said.split_once('\n').unwrap();
    assert!(line.contains("; 4 hits since 2"), "{said}");
    assert!(
        line.ends_with(", 33.3 % of the entries never matched"),
        "{said}"
    );
    assert_eq!(top, "         3  ||ads.example^, line 2\n");
}

/// What the proxy answers to a client that has sent this, as many bytes as there are.
fn answer<const BYTES: usize>(client: &mut TcpStream, sent: &[u8]) -> [u8; BYTES] {
    client.write_all(sent).unwrap();
    let mut answer = [0; BYTES];
    client.read_exact(&mut answer).unwrap();
    answer
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test plays the client of the proxy"
)]
fn kept_verdicts_count_whatever_the_protocol_is() {
    let dir = with_lists();
    let config = fs::read_to_string(dir.path().join("portcullis.toml")).unwrap();
    // One worker, which asks the filter once.
    let mut proxy = Running::start(dir.path(), &format!("{config}[proxy]\nworkers = 1\n"));
    let host = "first.example";
    for _ in 0..5 {
        assert!(is_refused(proxy.address, host));
    }
    let mut client = TcpStream::connect(proxy.address).unwrap();
    let request = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n");
    assert_eq!(&answer(&mut client, request.as_bytes()), b"HTTP/1.1 403");
    let mut client = TcpStream::connect(proxy.address).unwrap();
    assert_eq!(answer(&mut client, &[5, 1, 0]), [5, 0]);
    let length = u8::try_from(host.len()).unwrap();
    let request = [&[5, 1, 0, 3, length], host.as_bytes(), &[1, 187]].concat();
    assert_eq!(answer(&mut client, &request), [5, 2]);
    drop(client);
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
    let lists = listed(dir.path(), &["json"]);
    let rules = json!([{"rule": "first.example", "line": 1, "hits": 7}]);
    assert_eq!(lists["json"]["hits"]["rules"], rules, "{lists:?}");
}

#[test]
fn exceptions_and_entries_of_allow_feeds_count_where_the_host_passes() {
    let dir = with_lists();
    let mut config = fs::read_to_string(dir.path().join("portcullis.toml")).unwrap();
    let (excepted, allowed, plain) = ("ok.ads.example", "fine.ads.example", "plain.example");
    config += "[egress.hosts]\n";
    for host in [excepted, allowed, plain] {
        // No program listens there.
        config += &format!("'{host}' = ['127.0.0.1']\n");
    }
    let mut proxy = Running::start(dir.path(), &config);
    for host in [excepted, excepted, allowed, allowed, allowed, plain] {
        assert!(!is_refused(proxy.address, host), "{host}");
    }
    proxy.signal("TERM");
    assert_eq!(proxy.ends(), Some(0));
    let lists = listed(dir.path(), &["ads", "ours", "tree", "nets", "json"]);
    let rules = |feed: &str| lists[feed]["hits"]["rules"].clone();
    assert_eq!(
        rules("ads"),
        json!([{"rule": "@@||ok.ads.example^", "line": 4, "hits": 2}])
    );
    assert_eq!(
        rules("ours"),
        json!([{"rule": "fine.ads.example", "line": 1, "hits": 3}])
    );
    for other in ["tree", "nets", "json"] {
        assert_eq!(lists[other].get("hits"), None, "{other}");
    }
}

#[test]
fn hits_that_are_damaged_or_of_another_list_are_said_and_begin_anew() {
    let dir = with_lists();
    let config = fs::read_to_string(dir.path().join("portcullis.toml")).unwrap();
    refuse(dir.path(), &config, &["a.ads.example", "192.0.2.7"]);
    let cache = dir.path().join("cache/feeds");
    let mut damaged = fs::read(cache.join("ads.hits")).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(cache.join("ads.hits"), damaged).unwrap();
    fs::copy(cache.join("nets.entries.hits"), cache.join("json.hits")).unwrap();

    let lists = listed(dir.path(), &["ads", "json"]);
    for (name, error) in [
        ("ads", "is damaged"),
        ("json", "another version of the list"),
    ] {
        let said = lists[name]["hits_error"].as_str().unwrap();
        assert!(said.contains(error), "{said}");
        assert_eq!(lists[name].get("hits"), None);
    }
    let log = refuse(dir.path(), &config, &["b.ads.example"]);
    assert_eq!(
        log.matches("the hits of the list begin anew").count(),
        2,
        "{log}"
    );
    let lists = listed(dir.path(), &["ads", "json"]);
    assert_eq!(lists["ads"]["hits"]["total"], 1);
    assert_eq!(lists["json"].get("hits_error"), None);
}
