//! The resolver against name servers on this machine that answer what they are told to, and with
//! files of its own.

mod aliases;
mod families;
mod own;
mod reload;
mod search;
mod server;
mod silence;

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, mpsc};
use std::thread;

use futures_util::future::join_all;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinEncodable;
use server::{DENYING, Dns, GOOD, SILENT, Script, answer};
use tempfile::TempDir;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{advance, pause};

use super::*;
use crate::upstream::reload::Reloader;

const ALICE: ClientKey = ClientKey::test(1);
const EVE: ClientKey = ClientKey::test(666);

const FOUND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The time of a resolver for a name. A server has a third of it for a question.
const LIMIT: Duration = Duration::from_secs(5);

/// No test takes this long.
const HANG: Duration = Duration::from_secs(60);

/// Timers end with a whole millisecond.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// While it is there, sockets work and no timer fires: only [`advance`] lets time pass.
struct StoppedClock(#[expect(dead_code, reason = "to drop it ends the task")] mpsc::Sender<()>);

impl StoppedClock {
    fn stop() -> Self {
        pause();
        let (end, ended) = mpsc::channel();
        // Paused time does not advance by itself while such a task runs.
        spawn_blocking(move || ended.recv_timeout(HANG));
        Self(end)
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < HANG);
        yield_now().await;
    }
}

/// What `lookup` gives. The clock is advanced by `time` once `is_so`.
async fn after<T>(time: Duration, is_so: impl Fn() -> bool, lookup: impl Future<Output = T>) -> T {
    let mut lookup = std::pin::pin!(lookup);
    tokio::select! {
        biased;
        found = &mut lookup => return found,
        () = until(is_so) => advance(time + TIMER_SLACK).await,
    }
    lookup.await
}

fn resolver(servers: &[&Dns]) -> Resolver {
    resolver_within(servers, LIMIT)
}

fn resolver_within(servers: &[&Dns], limit: Duration) -> Resolver {
    let resolvers = servers.iter().map(|server| server.address.into());
    let egress = Egress {
        resolvers: resolvers.collect(),
        ..Egress::default()
    };
    let policy = Policy::of_no_listener();
    Resolver::new(&egress, policy, limit, LOOKUPS, Reloads::default())
}

async fn look_up(resolver: &Resolver, host: &str) -> Result<Vec<IpAddr>, Error> {
    look_up_for(EVE, resolver, host).await
}

async fn look_up_for(
    client: ClientKey,
    resolver: &Resolver,
    host: &str,
) -> Result<Vec<IpAddr>, Error> {
    let target = Target::new(host, 80).unwrap();
    let found = resolver.addresses(&target, client).await?;
    Ok(found.known.to_vec())
}

async fn assert_found(resolver: &Resolver, host: &str) {
    assert_eq!(look_up(resolver, host).await.unwrap(), [FOUND], "{host}");
}

#[test]
fn only_names_of_one_label_are_completed() {
    assert_eq!(absolute("www.example"), "www.example.");
    assert_eq!(absolute("wiki"), "wiki");
}

#[tokio::test]
async fn localhost_and_addresses_need_no_dns() {
    let resolver = resolver(&[&Dns::start(SILENT)]);
    for (host, expected) in [
        ("localhost", "127.0.0.1"),
        ("app.localhost.", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:db8::1]", "2001:db8::1"),
    ] {
        let addresses = look_up(&resolver, host).await.unwrap();
        assert_eq!(addresses[0].to_string(), expected);
    }
}

#[tokio::test]
async fn the_configured_server_is_asked() {
    let server = Dns::start(GOOD);
    assert_found(&resolver(&[&server]), "name.example").await;
    assert!(server.was_asked_for("name.example."));
}

#[tokio::test]
async fn a_name_is_found_whatever_becomes_of_the_question_for_its_ipv6_address() {
    let scripts: [Script; 5] = [
        |record| (record == RecordType::A).then_some(ResponseCode::NoError),
        |record| {
            Some(if record == RecordType::A {
                ResponseCode::NoError
            } else {
                ResponseCode::ServFail
            })
        },
        |record| {
            Some(if record == RecordType::A {
                ResponseCode::NoError
            } else {
                ResponseCode::Refused
            })
        },
        |record| {
            Some(if record == RecordType::A {
                ResponseCode::NoError
            } else {
                ResponseCode::NotImp
            })
        },
        |record| {
            Some(if record == RecordType::A {
                ResponseCode::NoError
            } else {
                ResponseCode::NXDomain
            })
        },
    ];
    for script in scripts {
        let server = Dns::start(script);
        assert_found(&resolver(&[&server]), "name.example").await;
    }
}

#[tokio::test]
async fn a_name_whose_ipv6_addresses_are_late_is_not_asked_for_them_each_time() {
    let server = Dns::start(|record| (record == RecordType::A).then_some(ResponseCode::NoError));
    let resolver = resolver(&[&server]);
    for host in ["name.example", "name.example", "other.example"] {
        assert_found(&resolver, host).await;
    }
    assert_eq!(server.times(RecordType::AAAA), 2);
}

#[tokio::test]
async fn the_next_server_is_asked_after_one_that_cannot_answer() {
    let scripts: [Script; 3] = [
        |_| Some(ResponseCode::ServFail),
        |_| Some(ResponseCode::Refused),
        |_| Some(ResponseCode::NotImp),
    ];
    for script in scripts {
        let resolver = resolver(&[&Dns::start(script), &Dns::start(GOOD)]);
        assert_found(&resolver, "name.example").await;
    }
}

#[tokio::test]
async fn the_first_server_that_answers_decides_whether_there_is_a_name() {
    let (good, denying) = (Dns::start(GOOD), Dns::start(DENYING));
    let first_is_good = resolver(&[&good, &denying]);
    for host in ["a.example", "b.example", "c.example"] {
        assert_found(&first_is_good, host).await;
    }
    assert!(denying.asked.lock().unwrap().is_empty());

    let error = look_up(&resolver(&[&denying, &good]), "d.example").await;
    assert!(matches!(error, Err(Error::Dns { .. })), "{error:?}");
    assert!(!good.was_asked_for("d.example."));
}

#[tokio::test]
async fn servers_that_never_answer_are_a_timeout() {
    let silent = Dns::start(SILENT);
    let resolver = resolver_within(&[&silent], Duration::from_millis(100));
    let error = look_up(&resolver, "name.example").await;
    assert!(matches!(error, Err(Error::DnsTimeout { .. })), "{error:?}");
}

#[tokio::test]
async fn names_that_are_equal_are_looked_up_once_and_each_question_has_one_socket() {
    let silent = Dns::start(SILENT);
    let resolver = resolver_within(&[&silent], Duration::from_secs(2));
    let lookups = (0..30).map(|_| look_up(&resolver, "name.example"));
    for error in join_all(lookups).await {
        assert!(matches!(error, Err(Error::DnsTimeout { .. })), "{error:?}");
    }
    // Two families, and each server is asked twice.
    let sockets: BTreeSet<_> = silent
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|(.., port)| *port)
        .collect();
    assert_eq!(sockets.len(), silent.questions());
    assert!((2..=4).contains(&sockets.len()), "{sockets:?}");
    until(|| silent.repeated.load(Ordering::Relaxed) > 0).await;
}

#[tokio::test]
async fn a_name_that_was_given_up_can_be_looked_up_again() {
    let (silent, good) = (Dns::start(SILENT), Dns::start(GOOD));
    let (resolver, _clock) = (resolver(&[&silent, &good]), StoppedClock::stop());
    tokio::select! {
        biased;
        found = look_up(&resolver, "name.example") => panic!("it is not answered: {found:?}"),
        () = until(|| silent.questions() == 2) => {}
    }
    assert!(resolver.state().names.pending.is_empty());
    let again = look_up(&resolver, "name.example");
    let found = after(LIMIT / 3, || silent.questions() == 4, again).await;
    assert_eq!(found.unwrap(), [FOUND]);
    assert!(resolver.state().names.pending.is_empty());
}

/// A machine whose files a test can change. The resolver looks at them at each lookup.
struct Machine {
    dir: TempDir,
    files: Files,
}

impl Machine {
    fn new(resolv_conf: &str, hosts: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let files = Files {
            resolv_conf: dir.path().join("resolv.conf"),
            hosts: dir.path().join("hosts"),
            ..Files::default()
        };
        let machine = Self { dir, files };
        machine.write(&machine.files.resolv_conf, resolv_conf);
        machine.write(&machine.files.hosts, hosts);
        machine
    }

    /// As programs do it, so that the file is never seen half written.
    fn write(&self, file: &std::path::Path, text: &str) {
        let new = self.dir.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, file).unwrap();
    }

    fn resolver(&self, servers: &[&Dns]) -> Resolver {
        self.resolver_of(servers, Duration::ZERO, &Reloader::default())
    }

    fn resolver_of(
        &self,
        servers: &[&Dns],
        check_interval: Duration,
        reloader: &Reloader,
    ) -> Resolver {
        let egress = Egress {
            resolvers: servers.iter().map(|server| server.address.into()).collect(),
            ..Egress::default()
        };
        let (limit, files) = (Duration::from_secs(5), (self.files.clone(), check_interval));
        let (policy, reloads) = (Policy::of_no_listener(), reloader.subscribe());
        Resolver::with_files(&egress, policy, limit, files, reloads)
    }
}

#[tokio::test]
async fn the_hosts_file_comes_before_the_servers() {
    let machine = Machine::new(
        "",
        "192.0.2.8 Named.example  other.example # \n2001:db8::8 named.example",
    );
    let server = Dns::start(GOOD);
    let resolver = machine.resolver(&[&server]);
    let expected: [IpAddr; 2] = ["2001:db8::8".parse().unwrap(), [192, 0, 2, 8].into()];
    assert_eq!(look_up(&resolver, "named.example").await.unwrap(), expected);
    assert_eq!(
        look_up(&resolver, "other.example").await.unwrap(),
        expected[1..]
    );
    assert!(server.asked.lock().unwrap().is_empty());
    assert_found(&resolver, "unnamed.example").await;
}

#[tokio::test]
async fn a_name_that_is_added_to_the_hosts_file_is_found() {
    let machine = Machine::new("", "192.0.2.8 early.example\n");
    let resolver = machine.resolver(&[&Dns::start(DENYING)]);
    assert!(look_up(&resolver, "late.example").await.is_err());
    machine.write(&machine.files.hosts, "192.0.2.9 late.example\n");
    let late: [IpAddr; 1] = [[192, 0, 2, 9].into()];
    assert_eq!(look_up(&resolver, "late.example").await.unwrap(), late);
    assert!(look_up(&resolver, "early.example").await.is_err());
}

#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
#[tokio::test]
async fn name_servers_that_the_machine_changes_are_asked_from_then_on() {
    async fn servers(resolver: &Resolver) -> Option<Vec<String>> {
        let servers = resolver.names().await.servers?.unwrap();
        Some(servers.ips().iter().map(ToString::to_string).collect())
    }
    let machine = Machine::new("nameserver 127.0.0.77\n", "");
    let resolver = machine.resolver(&[]);
    assert_eq!(servers(&resolver).await.unwrap(), ["127.0.0.77"]);
    machine.write(
        &machine.files.resolv_conf,
        "nameserver 127.0.0.8\nnameserver 127.0.0.9\n",
    );
    assert_eq!(
        servers(&resolver).await.unwrap(),
        ["127.0.0.8", "127.0.0.9"]
    );
    // Between two networks there may be none.
    machine.write(&machine.files.resolv_conf, "# none\n");
    assert_eq!(
        servers(&resolver).await.unwrap(),
        ["127.0.0.8", "127.0.0.9"]
    );

    let configured = machine.resolver(&[&Dns::start(GOOD)]);
    machine.write(&machine.files.resolv_conf, "nameserver 127.0.0.77\n");
    assert_eq!(servers(&configured).await.unwrap(), ["127.0.0.1"]);
}

#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
#[tokio::test]
async fn a_machine_that_learns_of_a_name_server_later_uses_it() {
    let machine = Machine::new("# none\n", "");
    let resolver = machine.resolver(&[]);
    assert!(resolver.names().await.servers.is_none());
    machine.write(&machine.files.resolv_conf, "nameserver 127.0.0.77\n");
    assert!(resolver.names().await.servers.is_some());
}

#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
#[tokio::test]
async fn the_system_is_asked_for_a_few_names_at_a_time_and_half_of_them_by_one_client() {
    static CALLS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static HANGS: Mutex<bool> = Mutex::new(true);
    static CHANGED: Condvar = Condvar::new();
    let mut machine = Machine::new("# none\n", "");
    machine.files.call = |name| {
        CALLS.lock().unwrap().push(name.to_owned());
        if name.starts_with("name") {
            drop(CHANGED.wait_while(HANGS.lock().unwrap(), |hangs| *hangs));
        }
        Ok(vec![FOUND.into()])
    };
    let mut resolver = machine.resolver(&[]);
    resolver.limit = Duration::from_millis(200);
    let hosts: Vec<_> = (0..50).map(|n| format!("name{}.example", n / 2)).collect();
    for error in join_all(hosts.iter().map(|host| look_up(&resolver, host))).await {
        assert!(matches!(error, Err(Error::DnsTimeout { .. })), "{error:?}");
    }
    // Each has a thread, which may be late.
    until(|| CALLS.lock().unwrap().len() >= blocking::CALLS / 2).await;
    let mut asked = std::mem::take(&mut *CALLS.lock().unwrap());
    assert_eq!(asked.len(), blocking::CALLS / 2);
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), blocking::CALLS / 2, "none of them twice");

    resolver.limit = Duration::from_secs(20);
    let other = look_up_for(ALICE, &resolver, "other.example").await;
    assert_eq!(other.unwrap(), [FOUND]);
    *HANGS.lock().unwrap() = false;
    CHANGED.notify_all();
    assert_found(&resolver, "name49.example").await;
}
