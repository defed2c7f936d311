//! What people learn of feeds, and how they have them fetched.

#[cfg(unix)]
#[path = "feed/hits.rs"]
mod hits;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{portcullis, stderr, stdout};

/// No list of others is fetched.
const NO_MALWARE: &str = "[feeds.malware]\nenabled = false\n";

fn feed(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = portcullis(dir);
    command.arg("feed").args(arguments).output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// Gives each connection the next answer and then stops listening.
struct Server {
    address: SocketAddr,
    requests: JoinHandle<Vec<String>>,
}

impl Server {
    fn answering(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |answer: String| {
            let (client, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&client);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0);
            }
            (&client).write_all(answer.as_bytes()).unwrap();
            head.to_lowercase()
        };
        let requests = std::thread::spawn(|| answers.into_iter().map(answer).collect());
        Self { address, requests }
    }
}

fn list(etag: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nETag: \"{etag}\"\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A folder with lists in files of several formats, all of them fetched.
fn with_lists() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut config = NO_MALWARE.to_owned();
    for (name, file, body) in [
        (
            "ads",
            "ads.txt",
            "! a remark\n||ads.example^\n||www.ads.example^\n@@||ok.ads.example^\n",
        ),
        ("json", "list.json", "[\"first.example\", \"json.example\"]"),
        (
            "tree",
            "zone.conf",
            "local=/other.example/\nserver=/ads.example/#\n",
        ),
    ] {
        let path = dir.path().join(file);
        fs::write(&path, body).unwrap();
        let url = url::Url::from_file_path(&path).unwrap();
        config += &format!("[feeds.{name}]\nurl = '{url}'\n");
    }
    config += "[feeds.nets]\nentries = ['192.0.2.0/24', '192.0.2.7']\n";
    config += "[feeds.ours]\nkind = 'allow'\nentries = ['fine.ads.example']\n";
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    let output = feed(dir.path(), &["refresh"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    dir
}

#[test]
fn every_entry_that_speaks_of_a_host_is_shown_and_one_counts() {
    let dir = with_lists();
    let hosts = [
        "WWW.ads.example.",
        "b.ok.ads.example",
        "fine.ads.example",
        "a.b",
    ];
    let output = feed(dir.path(), &[&["lookup", "--json"], &hosts[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found = json_of(&output);
    let entries = |at: usize| -> Vec<Value> {
        let entries = found["hosts"][at]["entries"].as_array().unwrap().iter();
        let keys = ["feed", "line", "name", "rule", "says", "counts"];
        let keep = |entry: &Value| keys.iter().map(|key| entry[key].clone()).collect();
        entries.map(keep).collect()
    };
    let listed = |at: usize| {
        let says = found["hosts"][at]["says"].clone();
        (says, entries(at))
    };
    let line = |feed: &str, line: u32, name: &str, rule: &str, says: &str, counts: bool| {
        json!([feed, line, name, rule, says, counts])
    };
    assert_eq!(found["hosts"][0]["host"], "www.ads.example");
    let (parent, host) = ("ads.example", "www.ads.example");
    let about_first = vec![
        line("ads", 2, parent, "||ads.example^", "listed", false),
        line("ads", 3, host, "||www.ads.example^", "listed", true),
        line(
            "tree",
            2,
            parent,
            "server=/ads.example/#",
            "excepted",
            false,
        ),
    ];
    assert_eq!(listed(0), ("listed".into(), about_first));
    let (says, about_second) = listed(1);
    assert_eq!(says, "excepted");
    let host = "ok.ads.example";
    let counting = line("ads", 4, host, "@@||ok.ads.example^", "excepted", true);
    assert_eq!(about_second[1], counting);
    let (says, about_third) = listed(2);
    assert_eq!(says, "excepted");
    let host = "fine.ads.example";
    let allowed = line("ours", 1, host, host, "excepted", true);
    assert!(about_third.contains(&allowed), "{found}");
    assert_eq!(listed(3), (Value::Null, vec![]));
}

#[test]
fn people_are_told_which_entry_counts() {
    let dir = with_lists();
    let said = stdout(&feed(dir.path(), &["lookup", "192.0.2.7", "json.example"]));
    assert!(
        said.starts_with(
            "192.0.2.7: listed\n  listed by nets from entries, line 1: 192.0.2.0/24\n  \
             listed by nets from entries, line 2: 192.0.2.7  (counts)\njson.example: listed\n"
        ),
        "{said}"
    );
}

#[test]
fn what_is_no_host_or_no_feed_ends_with_2_and_a_hint() {
    let dir = with_lists();
    for (arguments, said) in [
        (["lookup", "a b"], "portcullis: `a b` is not a host"),
        (
            ["refresh", "adds"],
            "portcullis: there is no feed `adds`; did you mean `ads`?",
        ),
        (
            ["refresh", "malware"],
            "portcullis: the feed `malware` is disabled",
        ),
    ] {
        let output = feed(dir.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with(said), "{}", stderr(&output));
    }
    let said = stdout(&feed(dir.path(), &["refresh", "nets"]));
    assert!(
        said.starts_with("note: the entries of nets stand in the configuration"),
        "{said}"
    );
}

#[test]
fn lists_are_shown_as_their_copies_have_them_and_without_secrets() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering(vec![list("v1", "a.example\nb.example\n")]);
    let address = server.address;
    let config = format!(
        "{NO_MALWARE}[feeds.private]\nurl = 'http://ada:secret@{address}/list?key=secret'\n\
         format = 'domains'\n[feeds.later]\nurl = 'http://{address}/later'\n"
    );
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    let refreshed = stdout(&feed(dir.path(), &["refresh", "private"]));
    let source = format!("private from http://{address}/list: updated: 2 entries, 20 bytes\n");
    assert!(refreshed.starts_with(&source), "{refreshed}");

    let output = feed(dir.path(), &["list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    let (_, said_of_private) = said.split_once("private ").unwrap();
    let line = format!("(block, domains) from http://{address}/list: 2 entries, fetched ");
    assert!(said_of_private.starts_with(&line), "{said}");
    assert!(
        said_of_private.contains(" ago, 20 bytes; no hits yet\n"),
        "{said}"
    );
    for line in [
        &*format!("later (block, auto) from http://{address}/later: no data yet\n"),
        "malware (block, hosts) from https://urlhaus.abuse.ch/downloads/hostfile/: disabled: it \
         lists nothing\n",
        "test-names (block, domains) from built in: ",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let json = stdout(&feed(dir.path(), &["list", "--json"]));
    assert!(!format!("{refreshed}{said}{json}").contains("secret"));

    fs::write(dir.path().join("cache/feeds/private.json"), "{").unwrap();
    let lists = json_of(&feed(dir.path(), &["list", "--json"]));
    let private = &lists["lists"][2];
    let error = private["error"].as_str().unwrap();
    assert!(error.contains("cannot understand"), "{private}");
    assert_eq!(private["entries"], 0);
}

#[test]
fn a_refresh_asks_as_the_proxy_does_and_says_why_a_list_is_not_used() {
    let dir = TempDir::new().unwrap();
    let long: String = (0..10)
        .map(|number| format!("n{number}.example\n"))
        .collect();
    let server = Server::answering(vec![
        list("v1", &format!("{long}not a name\n")),
        status("304 Not Modified"),
        list("v2", "n0.example\n"),
        status("500 Oops"),
    ]);
    let address = server.address;
    let config =
        format!("{NO_MALWARE}[feeds.daily]\nurl = 'http://{address}/'\nformat = 'domains'\n");
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    let refresh = || {
        let output = feed(dir.path(), &["refresh", "--json"]);
        (output.status.code(), json_of(&output), stderr(&output))
    };

    let (code, first, said) = refresh();
    assert_eq!(code, Some(0), "{said}");
    let daily = &first["lists"][0];
    assert_eq!(
        (&daily["updated"], &daily["entries"]),
        (&json!(true), &json!(10))
    );
    assert_eq!(daily["left_out"]["wrong"], 1);
    assert_eq!(daily["left_out"]["examples"], "wrong: 1, at 11: not a name");

    let (code, unchanged, _) = refresh();
    assert_eq!(code, Some(0));
    assert_eq!(unchanged["lists"][0]["updated"], false);

    let (code, held, said) = refresh();
    assert_eq!(code, Some(2));
    assert!(said.contains("not every list was refreshed"), "{said}");
    let daily = &held["lists"][0];
    assert_eq!(daily["entries"], 10);
    let error = daily["error"].as_str().unwrap();
    assert!(error.contains("fewer than half of the 10"), "{error}");
    assert!(daily["hint"].as_str().unwrap().contains("on_shrink"));

    let output = feed(dir.path(), &["refresh"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stdout(&output);
    let failed = "/: failed: it cannot be fetched: the server answered 500";
    assert!(
        said.contains(failed) && said.contains("\n  to do: "),
        "{said}"
    );

    let requests = server.requests.join().unwrap();
    assert!(
        requests[1].contains("if-none-match: \"v1\""),
        "{requests:?}"
    );
}

#[test]
fn a_refresh_whose_copy_cannot_be_kept_has_failed() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("list.txt"), "a.example\n").unwrap();
    let url = url::Url::from_file_path(dir.path().join("list.txt")).unwrap();
    let config = format!("{NO_MALWARE}[feeds.daily]\nurl = '{url}'\n");
    fs::write(dir.path().join("portcullis.toml"), config).unwrap();
    fs::write(dir.path().join("cache"), "a file is in the way").unwrap();
    let output = feed(dir.path(), &["refresh"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("no copy of it can be kept on disk"), "{said}");
    assert!(said.contains("to do: make [cache] dir a folder"), "{said}");
}

#[test]
fn the_well_known_lists_are_shown_with_their_licences() {
    let dir = TempDir::new().unwrap();
    let presets = json_of(&feed(dir.path(), &["presets", "--json"]));
    let malware = json!({
        "name": "malware", "url": "https://urlhaus.abuse.ch/downloads/hostfile/",
        "format": "hosts", "licence": "CC0-1.0", "refresh_s": 900,
    });
    assert!(presets.as_array().unwrap().contains(&malware), "{presets}");
    let said = stdout(&feed(dir.path(), &["presets"]));
    assert_eq!(said.lines().count(), presets.as_array().unwrap().len());
    assert!(
        said.contains("malware   hosts    CC0-1.0  https://"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn a_running_proxy_takes_up_what_a_refresh_has_fetched() {
    let dir = TempDir::new().unwrap();
    let server = Server::answering(vec![
        list("v1", "first.example\n"),
        list("v2", "first.example\nsecond.example\n"),
    ]);
    let config = format!(
        "{NO_MALWARE}[feeds.daily]\nurl = 'http://{}/'\nrefresh = '12h'\n",
        server.address
    );
    let mut proxy = super::running::Running::start(dir.path(), &config);
    proxy.wait_for_line("\"feed updated\"");

    let said = stdout(&feed(dir.path(), &["refresh", "daily"]));
    assert!(said.contains("updated: 2 entries"), "{said}");
    assert!(
        said.contains("takes new copies up within seconds"),
        "{said}"
    );
    proxy.wait_for_line("feed updated from a copy that another process has fetched");
    assert!(is_refused(proxy.address, "second.example"));
}

/// Whether the proxy there refuses requests for a host.
#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "the test plays the client of the proxy"
)]
fn is_refused(proxy: SocketAddr, host: &str) -> bool {
    let mut client = TcpStream::connect(proxy).unwrap();
    let request =
        format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 403 ")
}
