//! File descriptors that run short: what goes first, and what clients are told.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tempfile::TempDir;

use super::conformance::ROOMY;
use super::plugin::BLOCKLIST;
use super::running::{Running, request_in_flight};
use super::{portcullis, started_by};

const ONE_WORKER: &str = "[proxy]\nworkers = 1\n[feeds.malware]\nenabled = false\n";

const TWO_WORKERS: &str = "[proxy]\nworkers = 2\n[feeds.malware]\nenabled = false\n";

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A connection to the proxy.
struct Client(BufReader<TcpStream>);

impl Client {
    fn of(proxy: &Running) -> Self {
        Self::at(proxy.address)
    }

    #[expect(clippy::disallowed_methods, reason = "a client of the proxy")]
    fn at(listener: SocketAddr) -> Self {
        let stream = TcpStream::connect(listener).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, origin: impl Display) {
        self.ask_with(origin, "");
    }

    /// The same with more fields, each with its end of line.
    fn ask_with(&mut self, origin: impl Display, fields: &str) {
        self.send(&format!(
            "GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n{fields}\r\n"
        ));
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The head of the answer, in small letters.
    fn answer(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let head = head.to_lowercase();
        let length = head.split_once("content-length: ").unwrap().1;
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        self.0.read_exact(&mut vec![0; length]).unwrap();
        head
    }

    fn status(&mut self, origin: impl Display) -> String {
        self.ask(origin);
        self.answer()[9..12].to_owned()
    }

    /// Waits until the proxy closes the connection.
    fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).unwrap() == 0
    }
}

/// An origin that answers each request with these fields, and says so whenever a connection ends.
fn origin(fields: &'static str) -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, ends) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let ended = ended.clone();
            thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while has_head(&mut stream) {
                    let answer = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok");
                    stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    if fields.contains("close") {
                        break;
                    }
                }
                drop(stream);
                // The test may be over.
                let _ = ended.send(());
            });
        }
    });
    (address, ends)
}

/// An origin that answers nothing, and what it has accepted.
fn silent() -> (SocketAddr, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, clients) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // The test may be over.
            let _ = accepted.send(stream.unwrap());
        }
    });
    (address, clients)
}

/// A server of a list with one name.
fn list_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            if has_head(&mut stream) {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nlisted.example\n";
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    address
}

fn has_head(stream: &mut BufReader<TcpStream>) -> bool {
    let mut line = String::new();
    loop {
        line.clear();
        match stream.read_line(&mut line) {
            Ok(0) | Err(_) => return false,
            Ok(_) if line == "\r\n" => return true,
            Ok(_) => {}
        }
    }
}

/// A proxy that may have so many descriptors from its start on.
fn limited(dir: &Path, settings: &str, descriptors: u64) -> Running {
    fs::write(dir.join("portcullis.toml"), settings).unwrap();
    let mut program = portcullis(dir);
    program.args(["--listen", "127.0.0.1:0"]);
    program.env("PORTCULLIS_LOG_FORMAT", "json");
    let mut limited = Command::new("sh");
    let script = format!("ulimit -n {descriptors}; exec \"$@\"");
    limited.args(["-c", &script, "sh"]);
    Running::of(&mut started_by(limited, &program))
}

/// How many clients the proxy serves at a time, as it says.
fn most_clients(proxy: &mut Running) -> usize {
    let line = proxy.next_line(&["\"wanted\":"]);
    let number = line.split_once("\"connections\":").unwrap().1;
    number.split([',', '}']).next().unwrap().parse().unwrap()
}

/// Where the listener `balanced` is.
fn balanced(proxy: &Running) -> SocketAddr {
    let (_, address) = proxy.first.split_once("balanced ").unwrap();
    address.split(['"', ',']).next().unwrap().parse().unwrap()
}

/// Has the proxy have no further descriptor. The limit is one of their numbers.
fn exhaust(proxy: &Running) {
    let id = proxy.process.id();
    let lowest_free = || {
        let open = fs::read_dir(format!("/proc/{id}/fd")).unwrap();
        let open = open.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let open: HashSet<u64> = open.map(|number| number.parse().unwrap()).collect();
        (0..).find(|number| !open.contains(number)).unwrap()
    };
    loop {
        let free = lowest_free();
        limit(proxy, free);
        // What was closed meanwhile would leave room.
        if lowest_free() >= free {
            return;
        }
    }
}

/// As at the start, again.
fn relax(proxy: &Running) {
    limit(proxy, 1000);
}

fn limit(proxy: &Running, descriptors: u64) {
    let limit = Rlimit {
        current: Some(descriptors),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    let pid = Pid::from_raw(proxy.process.id().try_into().unwrap());
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

#[test]
fn idle_connections_of_clients_go_first_when_descriptors_run_out() {
    let dir = TempDir::new().unwrap();
    // Nothing else may close them.
    let settings = format!("{ONE_WORKER}[limits]\nkeep_alive = \"1h\"\n");
    let proxy = Running::start(dir.path(), &settings);
    let (origin, _ends) = origin("");
    let mut idle: Vec<_> = (0..20).map(|_| Client::of(&proxy)).collect();
    for client in &mut idle {
        assert_eq!(client.status(origin), "200");
    }
    exhaust(&proxy);
    assert_eq!(Client::of(&proxy).status(origin), "200");
    for client in &mut idle {
        assert!(client.is_closed());
    }
}

#[test]
fn idle_connections_to_origins_go_when_there_is_no_descriptor_for_another() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(dir.path(), ONE_WORKER);
    let ((first, first_ends), (second, _ends)) = (origin(""), origin(""));
    let mut client = Client::of(&proxy);
    assert_eq!(client.status(first), "200");
    exhaust(&proxy);
    assert_eq!(client.status(second), "200");
    first_ends.recv_timeout(LONG).unwrap();
}

#[test]
fn what_is_idle_on_another_worker_goes_as_well() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(dir.path(), TWO_WORKERS);
    let ((first, first_ends), (second, _ends)) = (origin(""), origin(""));
    // Each is given to the worker that has fewer clients.
    let (mut client, mut idle) = (Client::of(&proxy), Client::of(&proxy));
    assert_eq!(idle.status(first), "200");
    exhaust(&proxy);
    assert_eq!(client.status(second), "200");
    first_ends.recv_timeout(LONG).unwrap();
    assert!(idle.is_closed());
}

#[test]
fn connections_on_which_a_busy_client_has_logged_in_go_as_well() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(dir.path(), ONE_WORKER);
    let ((inside, inside_ends), (first, _), (second, _)) = (origin(""), origin(""), origin(""));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut busy = Client::of(&proxy);
    busy.ask_with(inside, "Authorization: NTLM TlRMTVNTUAAB\r\n");
    assert!(busy.answer().starts_with("http/1.1 200 "));
    // It waits for another origin from now on, so it is not idle itself.
    busy.ask(silent.local_addr().unwrap());
    let _waited_for = silent.accept().unwrap();
    let mut client = Client::of(&proxy);
    assert_eq!(client.status(first), "200");
    exhaust(&proxy);
    assert_eq!(client.status(second), "200");
    inside_ends.recv_timeout(LONG).unwrap();
}

#[test]
fn a_request_for_which_there_is_no_descriptor_is_to_come_again() {
    let dir = TempDir::new().unwrap();
    let proxy = Running::start(dir.path(), ONE_WORKER);
    let (origin, _ends) = origin("Connection: close\r\n");
    let mut client = Client::of(&proxy);
    assert_eq!(client.status(origin), "200");
    // Nothing is idle.
    let _in_flight = request_in_flight(&proxy);
    exhaust(&proxy);
    client.ask(origin);
    let refusal = client.answer();
    assert!(refusal.starts_with("http/1.1 503 "), "{refusal}");
    assert!(refusal.contains("\r\nretry-after: "), "{refusal}");
    relax(&proxy);
    assert_eq!(Client::of(&proxy).status(origin), "200");
}

#[test]
fn clients_beyond_what_a_low_limit_allows_are_to_come_again_and_others_are_served() {
    let dir = TempDir::new().unwrap();
    let proxy = limited(dir.path(), ONE_WORKER, 200);
    let (origin, _ends) = origin("");
    let mut clients = Vec::new();
    let refusal = loop {
        let mut client = Client::of(&proxy);
        client.ask(origin);
        let answer = client.answer();
        if !answer.starts_with("http/1.1 200 ") {
            break answer;
        }
        clients.push(client);
    };
    assert!((10..100).contains(&clients.len()), "{}", clients.len());
    assert!(refusal.starts_with("http/1.1 503 "), "{refusal}");
    assert!(refusal.contains("\r\nretry-after: "), "{refusal}");
    for client in &mut clients {
        assert_eq!(client.status(origin), "200");
    }
}

#[test]
fn filters_load_and_lists_are_fetched_while_clients_take_all_that_they_may() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let settings = format!(
        "{ONE_WORKER}[limits]\nrequest_head = \"1h\"\n[listeners.balanced]\naddress = \"127.0.0.1:0\"\n\
         proxy_protocol = [\"127.0.0.1\"]\nallow = [\"192.168.0.0/16\"]\n[egress]\nprivate = \"allow\"\n"
    );
    let mut proxy = limited(dir.path(), &settings, 100);
    let most = most_clients(&mut proxy);
    let ((origin, _ends), (silent, asked)) = (origin(""), silent());
    let balanced = balanced(&proxy);
    let refused = || {
        let mut client = Client::at(balanced);
        client.send(&format!(
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"
        ));
        assert!(has_head(&mut client.0));
        // One that has begun another request is not idle. Those on top of the few are gone.
        let _ = client.0.get_mut().write_all(b"GET http://");
        client
    };
    let _refused: Vec<_> = (0..64).map(|_| refused()).collect();
    let mut clients: Vec<_> = (0..most).map(|_| Client::of(&proxy)).collect();
    for client in &mut clients {
        assert_eq!(client.status(origin), "200");
    }
    let ask = |client: &mut Client| {
        client.ask(silent);
        asked.recv_timeout(LONG).unwrap()
    };
    let _in_flight: Vec<_> = clients.iter_mut().map(ask).collect();
    let mut turned_away: Vec<_> = (0..64).map(|_| Client::of(&proxy)).collect();
    assert!(turned_away.iter_mut().all(|client| has_head(&mut client.0)));

    fs::write(plugins.join("mine.toml"), ROOMY).unwrap();
    fs::write(dir.path().join("mine.wasm"), BLOCKLIST).unwrap();
    fs::rename(dir.path().join("mine.wasm"), plugins.join("mine.wasm")).unwrap();
    proxy.wait_for_line(" > mine\"");
    let feed = format!(
        "[feeds.mine]\nurl = \"http://{}/\"\nformat = \"domains\"\n",
        list_server()
    );
    fs::write(
        dir.path().join("portcullis.toml"),
        format!("{settings}{feed}"),
    )
    .unwrap();
    proxy.signal("HUP");
    proxy.wait_for_line("feed updated");
}

#[test]
fn clients_that_each_use_many_hosts_leave_descriptors_for_others() {
    let dir = TempDir::new().unwrap();
    let plugins = dir.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::write(plugins.join("blocklist.toml"), ROOMY).unwrap();
    let settings =
        "[proxy]\nworkers = 8\n[feeds.malware]\nenabled = false\n[log.access]\nto = \"off\"\n";
    let proxy = limited(dir.path(), settings, 1024);
    let (origin, _ends) = origin("");
    let port = origin.port();
    let mut clients: Vec<_> = (0..8).map(|_| Client::of(&proxy)).collect();
    // Together more than there are descriptors. A connection to each of them may be kept.
    for host in 0..130 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.ask(format_args!("h{host}-{number}.localhost:{port}"));
        }
        for client in &mut clients {
            let answer = client.answer();
            assert!(answer.starts_with("http/1.1 200 "), "{answer}");
        }
    }
    assert_eq!(Client::of(&proxy).status(origin), "200");
}
