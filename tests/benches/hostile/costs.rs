//! What a check costs a tunnel: the computing time of two proxies, of which one makes it and the
//! other does not. They take turns, so that what else the machine does falls on both.

use std::fs;
use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use portcullis_tests::client_hello;

use crate::Plan;
use crate::load::Scene;
use crate::program::Program;
use crate::swallow;
use crate::table::Table;

/// Tunnels in a turn.
const TUNNELS: u32 = 500;

/// Turns of each proxy, for each second that a row is measured.
const TURNS: u32 = 10;

/// What the server answers: a fatal alert of TLS.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

const HOST: &str = "cost.example";

/// A check that can be left out.
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    without: String,
    with: String,
    limit: Duration,
}

pub(crate) fn all() -> Vec<Cost> {
    let sni = |word| format!("[tunnel]\nsni = \"{word}\"\n");
    let entries = |what: &str| {
        let entries = (0..10).map(|n| format!("\"*.{what}-{n}.example\", \"198.18.{n}.0/24\", "));
        format!("{what} = [{}]\n", entries.collect::<String>())
    };
    vec![
        Cost {
            name: "the check of the SNI",
            without: sni("off"),
            with: sni("enforce"),
            limit: Duration::from_micros(5),
        },
        Cost {
            name: "20 entries in [egress] allow and 20 in deny",
            without: String::new(),
            with: entries("allow") + &entries("deny"),
            limit: Duration::from_micros(1),
        },
    ]
}

/// Measures both proxies.
pub(crate) fn measure(cost: &Cost, scene: &Scene, plan: &Plan, table: &mut Table) {
    let origin = server();
    let start = |name: &str, settings: &str| {
        let folder = scene.folder.join(name);
        fs::create_dir_all(folder.join("plugins")).expect("a new folder");
        let dns = scene.dns;
        let config = format!(
            "[feeds.malware]\nenabled = false\n[egress]\nresolvers = [\"{dns}\"]\n{settings}"
        );
        Program::start(&folder, &config, swallow)
    };
    let proxies = [start("without", &cost.without), start("with", &cost.with)];
    let hello = client_hello(HOST);
    let turns =
        TURNS * u32::try_from(plan.rounds).expect("few rounds") * plan.phase.as_secs() as u32;
    let mut times = Vec::new();
    // The first turn is for what happens once.
    for turn in 0..=turns {
        let of_each = proxies.each_ref().map(|proxy| {
            let before = computing(proxy);
            for _ in 0..TUNNELS {
                tunnel(proxy.address(), origin, &hello).expect("a tunnel");
            }
            computing(proxy) - before
        });
        if turn > 0 {
            times.push(of_each);
        }
    }
    for proxy in proxies {
        proxy.stop();
    }
    let each = |time: &dyn Fn(&[Duration; 2]) -> f64| {
        let mut times: Vec<f64> = times.iter().map(time).collect();
        times.sort_unstable_by(f64::total_cmp);
        times[times.len() / 2] / f64::from(TUNNELS)
    };
    let without = each(&|[without, _]| us(*without));
    // Of two turns side by side, in the middle of all pairs: what else runs falls on some of them.
    let cost_each = each(&|[without, with]| us(*with) - us(*without));
    table.check(
        format!("{}: a tunnel", cost.name),
        format!("{cost_each:.2} us more than {without:.1} us"),
        format!("at most {:.0} us", us(cost.limit)),
        cost_each <= us(cost.limit),
    );
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A server that answers the first bytes of a client and ends.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a connection");
            let mut hello = [0; 4096];
            // A client that goes away is not an error here.
            let _ = client
                .read(&mut hello)
                .and_then(|_| client.write_all(&ALERT));
        }
    });
    port
}

fn tunnel(proxy: SocketAddr, port: u16, hello: &[u8]) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this is a client of the proxy")]
    let mut client = TcpStream::connect(proxy)?;
    client.set_nodelay(true)?;
    write!(
        client,
        "CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n"
    )?;
    let mut head = [0; 1024];
    let mut read = 0;
    while !head[..read].ends_with(b"\r\n\r\n") {
        match client.read(&mut head[read..])? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    client.write_all(hello)?;
    let mut rest = Vec::new();
    client.read_to_end(&mut rest)?;
    assert_eq!(rest, ALERT);
    Ok(())
}

/// How long a process has computed, in all of its threads.
fn computing(proxy: &Program) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{}/task", proxy.id())).expect("it runs");
    let nanoseconds = tasks.filter_map(|task| {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
