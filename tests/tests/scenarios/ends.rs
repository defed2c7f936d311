//! How an exchange has ended, as filters are told it: in each protocol whatever became of it,
//! unless they are too slow to be told, or fail at that too often.

use portcullis::commands;
use portcullis_tests::{Log, ROOM, Stage, connect, guests, plug};

use crate::facts::Known;

const WAYS: [Way; 4] = [Way::Http, Way::Connect, Way::Socks4, Way::Socks5];

/// How a client asks for a host.
#[derive(Clone, Copy, Debug)]
enum Way {
    Http,
    Connect,
    Socks4,
    Socks5,
}

impl Way {
    /// The contract's word.
    fn protocol(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Connect => "connect",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
        }
    }

    /// What it says, behind the greeting of SOCKS 5.
    fn request(self, stage: &Stage, host: &str) -> Vec<u8> {
        let port = stage.site.port();
        let (name, port_bytes) = (host.as_bytes(), port.to_be_bytes());
        match self {
            Self::Http => stage.request(host, "").into_bytes(),
            Self::Connect => connect(&format!("{host}:{port}")).into_bytes(),
            Self::Socks4 => [&[4, 1], &port_bytes[..], b"\0\0\0\x01\0", name, b"\0"].concat(),
            Self::Socks5 => {
                let length = u8::try_from(name.len()).expect("a short name");
                [&[5, 1, 0, 3, length], name, &port_bytes].concat()
            }
        }
    }

    /// Asks for the host, and leaves when there is an answer or will be none.
    async fn ask(self, stage: &Stage, host: &str) {
        let mut client = stage.proxy.client().await;
        if matches!(self, Self::Socks5) {
            client.send([5, 1, 0]).await;
            assert_eq!(client.exactly_bytes(2).await, [5, 0]);
        }
        client.send(self.request(stage, host)).await;
        client.hears().await;
    }

    /// How this ends, and the status that the client gets.
    fn end(self, end: &End) -> (&'static str, &'static str) {
        match self {
            Self::Http => end.by_http,
            Self::Connect => end.by_connect,
            // There is no status in SOCKS.
            Self::Socks4 | Self::Socks5 => (end.by_connect.0, ""),
        }
    }
}

/// What becomes of an exchange with a host about which `obeys` has something to say.
struct End {
    host: &'static str,
    by_http: (&'static str, &'static str),
    by_connect: (&'static str, &'static str),
}

const ENDS: [End; 6] = [
    End {
        host: "calm.example",
        by_http: ("passed", "200"),
        by_connect: ("passed", "200"),
    },
    End {
        host: "later.example",
        by_http: ("blocked", "429"),
        by_connect: ("blocked", "429"),
    },
    // A tunnel can be neither redirected nor replaced.
    End {
        host: "elsewhere.example",
        by_http: ("redirected", "307"),
        by_connect: ("blocked", "403"),
    },
    End {
        host: "page.example",
        by_http: ("replaced", "404"),
        by_connect: ("blocked", "403"),
    },
    End {
        host: "drop.example",
        by_http: ("dropped", ""),
        by_connect: ("dropped", ""),
    },
    // The name leads to no address.
    End {
        host: "gone.nowhere.test",
        by_http: ("failed", "502"),
        by_connect: ("failed", "502"),
    },
];

/// What `obeys` needs.
const OBEYS: &str = "[grants]\nstate = true\nfeeds = ['*']\n[config]\ngreeting = ''\n";

#[tokio::test]
async fn each_end_of_an_exchange_is_told_in_each_protocol() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        config.plugins.order = vec!["knows".into(), "obeys".into()];
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
        plug(&config.plugins.dir, "obeys.toml", format!("{ROOM}{OBEYS}"));
        plug(&config.plugins.dir, "obeys.wasm", guests::obeys());
    })
    .await;
    for way in WAYS {
        for end in &ENDS {
            way.ask(&stage, end.host).await;
            let (how, status) = way.end(end);
            let asked = Known::told(&mut log, "judge-host", end.host).await;
            assert_eq!(asked.value("exchange.protocol"), way.protocol());
            let ended = Known::told(&mut log, "exchange-ended", end.host).await;
            let told = [
                "exchange.host",
                "exchange.protocol",
                "outcome.how",
                "outcome.status",
            ];
            let told = told.map(|fact| ended.find(fact).unwrap_or_default());
            assert_eq!(told, [end.host, way.protocol(), how, status]);
        }
    }
}

/// Calls that wait while one runs.
const WAITING: usize = 256;

/// Calls that there is no room for.
const LOST: usize = 44;

#[tokio::test]
async fn a_filter_that_is_slow_at_ends_holds_up_no_request_and_what_it_misses_is_counted() {
    let settings = "[limits]\ncpu = '1h'\nwall = '1h'";
    let stage = Stage::beside_neighbour("sleepy", &guests::wat("loops_at_end"), settings).await;
    // The call about the first never ends.
    let hosts = [("x.example", 200); 1 + WAITING + LOST];
    stage.answers(&hosts).await;
    ends_are_missed(&stage, LOST).await;
    stage.answers(&[("blocked.example", 403)]).await;
    // The proxy's end does not wait for it, either.
    stage.proxy.stop().await;
}

#[tokio::test]
async fn a_filter_that_is_slow_at_ends_keeps_no_other_from_being_told() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let settings = "[limits]\ncpu = '1h'\nwall = '1h'";
        plug(&config.plugins.dir, "sleepy.toml", settings);
        plug(
            &config.plugins.dir,
            "sleepy.wasm",
            guests::wat("loops_at_end"),
        );
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    // The slow one is never done with the first of them. All are on one worker.
    let hosts = ["x.example", "calm.example", "later.example"];
    stage.answers(&hosts.map(|host| (host, 200))).await;
    for host in hosts {
        let ended = Known::told(&mut log, "exchange-ended", host).await;
        assert_eq!(ended.value("outcome.how"), "passed");
    }
    stage.proxy.stop().await;
}

/// Waits until the list of filters counts so many.
async fn ends_are_missed(stage: &Stage, count: usize) {
    let missed = format!("was not told of {count} ends of exchanges");
    let is_counted = async || {
        let list = commands::list_plugins(stage.proxy.config().clone()).await;
        list.expect("a list").to_string().contains(&missed)
    };
    stage.until_true("they are counted", is_counted).await;
}

/// As many failures as lead to a quarantine.
const FAILURES: usize = 10;

#[tokio::test]
async fn a_filter_that_fails_at_ends_is_not_told_of_all_of_them() {
    let settings =
        "[limits]\ncpu = '20ms'\nwall = '20s'\n[quarantine]\nwindow = '1h'\npause = '1h'";
    let stage = Stage::beside_neighbour("broken", &guests::wat("loops_at_end"), settings).await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 200); FAILURES]).await;
    log.says(&["WARN", "broken", "fails too often when it is told"])
        .await;
    stage.answers(&[("x.example", 200); 3]).await;
    ends_are_missed(&stage, 3).await;
    stage.answers(&[("blocked.example", 403)]).await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_tunnel_keeps_no_filter_that_is_not_told_of_its_end() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        config.proxy.workers = std::num::NonZeroUsize::MIN;
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
        plug(
            &config.plugins.dir,
            "odd.wasm",
            guests::wat("has_769_pages"),
        );
    })
    .await;
    let mut tunnel = stage.proxy.client().await;
    let host = "long.example";
    tunnel.send(Way::Connect.request(&stage, host)).await;
    assert_eq!(tunnel.response_to("CONNECT").await.status, 200);
    // Its first message names no other host, which filters would have to judge.
    tunnel
        .send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"))
        .await;
    assert_eq!(tunnel.response().await.status, 200);
    assert!(is_mapped(769), "an instance is kept for the next request");
    stage.plug("odd.wasm", guests::bare());
    let is_gone = async || !is_mapped(769);
    stage.until_true("the filter before is gone", is_gone).await;
    drop(tunnel);
    let ended = Known::told(&mut log, "exchange-ended", host).await;
    assert_eq!(ended.value("exchange.protocol"), "connect");
}

/// Whether this process has a guest's memory of so many pages.
#[cfg(target_os = "linux")]
fn is_mapped(pages: u64) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("it is there on Linux");
    let length = |line: &str| {
        let (begin, end) = line.split_once(' ')?.0.split_once('-')?;
        let address = |digits| u64::from_str_radix(digits, 16).ok();
        Some(address(end)? - address(begin)?)
    };
    maps.lines().any(|line| length(line) == Some(pages << 16))
}
