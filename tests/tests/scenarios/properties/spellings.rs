//! A host's spelling never matters: whatever a client writes is refused as malformed, or it is
//! judged, logged and resolved as the canonical host.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::num::NonZeroUsize;

use portcullis_tests::{Log, ROOM, Response, Site, Stage, plug};
use proptest::collection::vec;
use proptest::sample::{Index, select};
use proptest::strategy::{Just, Strategy};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use super::{holds, runtime};

const LIST: &str = "ready.example\nevil.example\nxn--bcher-kva.example\n127.0.0.9\n2001:db8::7\n";

/// The canonical hosts, and texts that mean them.
const HOSTS: [(&str, &[&str]); 9] = [
    ("evil.example", &["evil.example"]),
    ("www.evil.example", &["www.evil.example"]),
    ("notevil.example", &["notevil.example"]),
    (
        "xn--bcher-kva.example",
        &[
            "xn--bcher-kva.example",
            "bücher.example",
            "bu\u{308}cher.example",
        ],
    ),
    (
        "xn--strae-oqa.example",
        &["xn--strae-oqa.example", "straße.example", "ſtraße.example"],
    ),
    (
        "127.0.0.9",
        &[
            "127.0.0.9",
            "127.9",
            "0x7f.0.0x0.9",
            "0177.0.011",
            "2130706441",
            "0x7f000009",
            "[::ffff:127.0.0.9]",
            "[::ffff:7f00:9]",
        ],
    ),
    (
        "127.0.0.1",
        &["127.0.0.1", "127.1", "017700000001", "[::ffff:127.0.0.1]"],
    ),
    (
        "2001:db8::7",
        &[
            "[2001:db8::7]",
            "[2001:0db8:0:0::0007]",
            "[2001:db8::0.0.0.7]",
        ],
    ),
    ("::1", &["[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0.0.0.1]"]),
];

/// Where in a request the spelling stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Url,
    /// In the URL, while the Host field names another host.
    UrlAndNotHost,
    /// In the Host field, while the URL names another host, which is judged.
    HostAndNotUrl,
    /// In the Host field of a request for a page of the proxy's own, which has none.
    HostOnly,
    Connect,
}

/// What is written in place of one character.
#[derive(Clone, Copy, Debug)]
enum Oddity {
    Percent,
    FullWidth,
    FullWidthPercent,
    OtherDot,
    OtherDotPercent,
    /// A soft hyphen after it, which IDNA leaves out.
    SoftHyphenPercent,
}

#[derive(Clone, Copy, Debug)]
enum Port {
    /// The one at which the origin listens, after so many zeros.
    Origin(usize),
    /// As it is written where it is 80.
    Default(&'static str),
}

#[derive(Clone, Debug)]
struct Spelling {
    host: Index,
    text: Index,
    /// Which letters are capitals, from the lowest bit on.
    capitals: u64,
    oddities: Vec<(Index, Oddity)>,
    before: &'static str,
    after: &'static str,
    port: Port,
    place: Place,
}

fn spellings() -> impl Strategy<Value = Spelling> {
    let oddity = select(
        &[
            Oddity::Percent,
            Oddity::FullWidth,
            Oddity::FullWidthPercent,
            Oddity::OtherDot,
            Oddity::OtherDotPercent,
            Oddity::SoftHyphenPercent,
        ][..],
    );
    let oddities = vec((index(), oddity), 0..3);
    let before = prop_oneof![8 => Just(""), 1 => select(&["@", "user@", "evil.example:80@"][..])];
    let after = prop_oneof![5 => Just(""), 3 => Just("."), 1 => select(&["..", " ", "%00"][..])];
    let port = prop_oneof![
        (0..3_usize).prop_map(Port::Origin),
        select(&["", ":", ":80", ":0080"][..]).prop_map(Port::Default),
    ];
    let place = prop_oneof![
        4 => Just(Place::Url),
        4 => Just(Place::Connect),
        2 => Just(Place::UrlAndNotHost),
        2 => Just(Place::HostAndNotUrl),
        1 => Just(Place::HostOnly),
    ];
    let capitals = prop_oneof![Just(0_u64), proptest::num::u64::ANY];
    (
        index(),
        index(),
        capitals,
        oddities,
        before,
        after,
        port,
        place,
    )
        .prop_map(
            |(host, text, capitals, oddities, before, after, port, place)| Spelling {
                host,
                text,
                capitals,
                oddities,
                before,
                after,
                port,
                place,
            },
        )
}

fn index() -> impl Strategy<Value = Index> {
    proptest::arbitrary::any::<Index>()
}

impl Spelling {
    fn known(&self) -> &'static (&'static str, &'static [&'static str]) {
        self.host.get(&HOSTS)
    }

    /// As the client writes it.
    fn authority(&self, origin: u16) -> String {
        let text = *self.text.get(self.known().1);
        let mut written: Vec<String> = Vec::new();
        for (at, char) in text.chars().enumerate() {
            let is_capital = self.capitals >> (at % 64) & 1 == 1;
            // Letters that would become two have no capital in IDNA.
            written.push(match char.to_uppercase().collect::<Vec<_>>()[..] {
                [capital] if is_capital => capital.to_string(),
                _ => char.to_string(),
            });
        }
        for (at, oddity) in &self.oddities {
            let at = at.index(written.len());
            written[at] = oddity.write(&written[at]);
        }
        let (before, after, host) = (self.before, self.after, written.concat());
        let port = match self.port {
            Port::Origin(zeros) => format!(":{}{origin}", "0".repeat(zeros)),
            // There is no default for CONNECT.
            Port::Default("" | ":") if self.place == Place::Connect => ":80".to_owned(),
            Port::Default(port) => port.to_owned(),
        };
        format!("{before}{host}{after}{port}")
    }

    /// As the proxy writes it.
    fn canonical(&self, origin: u16) -> String {
        let port = match self.port {
            Port::Origin(_) => origin,
            Port::Default(_) => 80,
        };
        match self.known().0 {
            ip if ip.contains(':') => format!("[{ip}]:{port}"),
            host => format!("{host}:{port}"),
        }
    }

    /// Whether nothing about it is a mistake.
    fn is_common(&self) -> bool {
        let text = *self.text.get(self.known().1);
        self.oddities.is_empty()
            && self.before.is_empty()
            && (self.after.is_empty() || self.after == "." && !text.starts_with('['))
            // The request line and the Host field are ASCII.
            && text.is_ascii()
            && self.place != Place::HostOnly
    }
}

impl Oddity {
    fn write(self, written: &str) -> String {
        let wide = |char: char| match char {
            '!'..='~' => char::from_u32(u32::from(char) + 0xfee0).unwrap_or(char),
            other => other,
        };
        let full_width = || written.chars().map(wide).collect::<String>();
        let dot = || written.replace('.', "\u{3002}");
        match self {
            Self::Percent => percent(written),
            Self::FullWidth => full_width(),
            Self::FullWidthPercent => percent(&full_width()),
            Self::OtherDot => dot(),
            Self::OtherDotPercent => percent(&dot()),
            Self::SoftHyphenPercent => format!("{written}{}", percent("\u{ad}")),
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// A request for `authority`; `other` is a host that has nothing to do with it.
fn request(place: Place, authority: &str, other: &str) -> String {
    match place {
        Place::Url => format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        Place::UrlAndNotHost => {
            format!("GET http://{authority}/ HTTP/1.1\r\nHost: {other}\r\n\r\n")
        }
        Place::HostAndNotUrl => {
            format!("GET http://{other}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n")
        }
        Place::HostOnly => format!("GET / HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
        Place::Connect => format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"),
    }
}

/// What a client hears and what the log says of it, but for sizes and times.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Judgement {
    status: u16,
    proxy_status: Option<String>,
    body: String,
    line: String,
}

impl Judgement {
    fn new(response: Response, line: &str) -> Self {
        let varies = ["time=", "id=", "up=", "down=", "ms="];
        let words = line.split(' ');
        let words = words.filter(|word| !varies.iter().any(|name| word.starts_with(name)));
        Self {
            status: response.status,
            proxy_status: response.field("proxy-status").map(str::to_owned),
            body: response.body,
            line: words.collect::<Vec<_>>().join(" "),
        }
    }

    fn is_malformed(&self) -> bool {
        let says = "portcullis;error=http_request_error;";
        let proxy_status = self.proxy_status.as_deref().unwrap_or_default();
        self.status == 400 && proxy_status.starts_with(says)
    }
}

/// The proxy with its list, and what it has said of the canonical hosts.
struct Judge {
    stage: Stage,
    log: RefCell<Log>,
    canonical: RefCell<HashMap<(bool, String), Judgement>>,
    _lists: Site,
}

impl Judge {
    async fn start() -> Self {
        let lists = Site::start().await;
        lists.serves("/list", LIST);
        let mut feed = lists.feed("/list");
        // It stays as it is.
        feed.refresh = std::time::Duration::from_secs(3600);
        let stage = Stage::start_with(|config| {
            // The lines of one worker come in the order of its exchanges.
            config.proxy.workers = NonZeroUsize::MIN;
            config.feeds.insert("lists".into(), feed);
            plug(&config.plugins.dir, "blocklist.toml", ROOM);
        });
        let stage = stage.await;
        stage.until("ready.example", 403).await;
        // All lines of those requests have come when this one has.
        let mut log = Log::follow();
        stage.get("last.example").await;
        log.says(&["kind=access", "last.example"]).await;
        Self {
            stage,
            log: RefCell::new(log),
            canonical: RefCell::default(),
            _lists: lists,
        }
    }

    /// One request after the other, so that the next line in the log is the one about it.
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "cases run one after the other"
    )]
    async fn ask(&self, request: &str) -> Judgement {
        let mut client = self.stage.proxy.client().await;
        client.send(request).await;
        let method = request.split(' ').next().unwrap_or_default();
        let response = client.response_to(method).await;
        drop(client);
        let line = self.log.borrow_mut().says(&["kind=access"]).await;
        Judgement::new(response, &line)
    }

    async fn ask_canonical(&self, place: Place, authority: &str) -> Judgement {
        let key = (place == Place::Connect, authority.to_owned());
        if let Some(known) = self.canonical.borrow().get(&key) {
            return known.clone();
        }
        let place = if key.0 { Place::Connect } else { Place::Url };
        let judgement = self.ask(&request(place, authority, "")).await;
        self.canonical.borrow_mut().insert(key, judgement.clone());
        judgement
    }
}

#[test]
fn a_hosts_spelling_never_matters() {
    let runtime = runtime();
    let judge = runtime.block_on(Judge::start());
    let origin = judge.stage.site.port();
    let other = format!("notevil.example:{origin}");
    let judged_alike = Cell::new(0);
    holds("spellings.txt", &spellings(), |spelling| {
        runtime.block_on(async {
            let written = request(spelling.place, &spelling.authority(origin), &other);
            let judgement = judge.ask(&written).await;
            if judgement.is_malformed() {
                prop_assert!(
                    !spelling.is_common(),
                    "{written:?} is refused: {judgement:?}"
                );
                return Ok(());
            }
            let canonical = match spelling.place {
                Place::HostAndNotUrl => other.clone(),
                Place::HostOnly => return Err(TestCaseError::fail(format!("{judgement:?}"))),
                _ => spelling.canonical(origin),
            };
            let expected = judge.ask_canonical(spelling.place, &canonical).await;
            prop_assert_eq!(&judgement, &expected, "{:?}", written);
            let is_listed = [
                "evil.example:",
                "www.evil",
                "xn--bcher",
                "127.0.0.9",
                "[2001",
            ];
            let is_listed = is_listed.iter().any(|name| canonical.starts_with(name));
            prop_assert_eq!(judgement.status == 403, is_listed, "{:?}", judgement);
            judged_alike.set(judged_alike.get() + 1);
            Ok(())
        })
    });
    assert!(judged_alike.get() > 20, "{}", judged_alike.get());
    let resolved = [
        "ready.example",
        "last.example",
        "notevil.example",
        "xn--strae-oqa.example",
    ];
    assert!(judge.stage.dns.was_asked_only_for(&resolved));
}
