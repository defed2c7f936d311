//! The machine's files, read again while the proxy runs.

#[cfg(unix)]
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::yield_now;

use super::*;

#[tokio::test]
async fn a_reload_reads_the_files_at_once_and_forgets_what_is_known_of_names() {
    let machine = Machine::new("", "");
    let (server, reloader) = (Dns::start(GOOD), Reloader::default());
    let resolver = machine.resolver_of(&[&server], Duration::MAX, &reloader);
    assert_found(&resolver, "kept.example").await;
    machine.write(&machine.files.hosts, "192.0.2.9 own.example\n");
    assert_found(&resolver, "own.example").await;
    assert_found(&resolver, "kept.example").await;
    assert_eq!(server.times(RecordType::A), 2);

    reloader.reload();
    let own: [IpAddr; 1] = [[192, 0, 2, 9].into()];
    assert_eq!(look_up(&resolver, "own.example").await.unwrap(), own);
    assert_found(&resolver, "kept.example").await;
    assert_eq!(server.times(RecordType::A), 3);
}

#[tokio::test]
async fn a_lookup_from_before_a_reload_is_not_waited_for_afterwards() {
    let is_before = Arc::new(AtomicBool::new(true));
    let (now, before) = (is_before.clone(), Mutex::new(Vec::new()));
    // What was asked before the reload is answered later, when it is sent again.
    let server = Dns::answering(move |query| {
        let (id, mut before) = (query.metadata.id, before.lock().unwrap());
        if now.load(Ordering::Relaxed) {
            before.push(id);
        }
        let is_old = before.contains(&id);
        let script = match (now.load(Ordering::Relaxed), is_old) {
            (true, _) => SILENT,
            (false, true) => DENYING,
            (false, false) => GOOD,
        };
        answer(query, script)
    });
    let (machine, reloader) = (Machine::new("", ""), Reloader::default());
    let resolver = machine.resolver_of(&[&server], Duration::MAX, &reloader);
    let mut first = pin!(look_up(&resolver, "name.example"));
    let asked = async {
        while server.times(RecordType::A) == 0 || server.times(RecordType::AAAA) == 0 {
            yield_now().await;
        }
    };
    tokio::select! {
        found = &mut first => panic!("it is not answered: {found:?}"),
        () = asked => {}
    }

    is_before.store(false, Ordering::Relaxed);
    reloader.reload();
    assert_found(&resolver, "name.example").await;
}

/// Whether there is no descriptor for a file.
#[cfg(unix)]
static IS_SHORT: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
fn read(file: &Path) -> io::Result<Vec<u8>> {
    if IS_SHORT.load(Ordering::Relaxed) {
        return Err(rustix::io::Errno::MFILE.into());
    }
    fs::read(file)
}

#[cfg(unix)]
#[tokio::test]
async fn files_for_which_there_is_no_descriptor_are_read_when_there_is_one() {
    let mut machine = Machine::new("nameserver 127.0.0.77\n", "192.0.2.8 early.example\n");
    machine.files.read = read;
    let resolver = machine.resolver(&[&Dns::start(DENYING)]);
    let of_machine = machine.resolver(&[]);
    let early: [IpAddr; 1] = [[192, 0, 2, 8].into()];
    let late: [IpAddr; 1] = [[192, 0, 2, 9].into()];

    IS_SHORT.store(true, Ordering::Relaxed);
    machine.write(&machine.files.hosts, "192.0.2.9 late.example\n");
    machine.write(&machine.files.resolv_conf, "nameserver 127.0.0.8\n");
    for _ in 0..2 {
        // What they said before holds.
        assert_eq!(look_up(&resolver, "early.example").await.unwrap(), early);
        assert!(of_machine.names().await.servers.is_some());
    }
    // A start meanwhile knows neither file.
    let started = machine.resolver(&[&Dns::start(DENYING)]);
    assert!(look_up(&started, "late.example").await.is_err());

    // The files are the same versions as before.
    IS_SHORT.store(false, Ordering::Relaxed);
    for resolver in [&resolver, &started] {
        assert_eq!(look_up(resolver, "late.example").await.unwrap(), late);
        assert!(look_up(resolver, "early.example").await.is_err());
    }
    #[cfg(not(any(target_os = "android", target_vendor = "apple")))]
    {
        let servers = of_machine.names().await.servers.unwrap().unwrap();
        assert_eq!(servers.ips(), [IpAddr::from([127, 0, 0, 8])]);
    }
}
