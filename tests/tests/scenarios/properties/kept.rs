//! An answer that a filter lets the proxy use again is never another than a fresh one. Random
//! filters ask for facts, each as the one before it was, and block with all that they were told and
//! the number of the call. So the test knows what each answer must be, and whether it is one that
//! was kept: nothing makes room here, so each of those is used.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis::config::{Group, ListenAddress, Listener};
use portcullis_contract::{Fact, FoundIn, Protocol};
use portcullis_tests::{Log, Stage, Wire, client_hello, guests, plug};
use proptest::collection::vec;
use proptest::option;
use proptest::sample::select;
use proptest::strategy::Strategy;
use proptest::test_runner::TestCaseResult;
use proptest::{prop_assert, prop_assert_eq};
use tempfile::TempDir;

use super::{holds_at_length, runtime};
use crate::auth::{ADA, BOB, login};

/// The end of every host here, of which no other test has one.
const DOMAIN: &str = "asked.example";

/// Room for a machine that is busy, as a filter that fails would have no answer.
const SETTINGS: &str = "[limits]\ncpu = \"10s\"\nwall = \"10s\"\n[grants]\nstate = true\n";

const WAYS: [Way; 5] = [
    Way::Http,
    Way::Connect,
    Way::Socks,
    Way::ServerName,
    Way::HostField,
];

/// How a client names the host of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http,
    Connect,
    Socks,
    /// In a TLS handshake inside a tunnel that leads elsewhere.
    ServerName,
    /// In an HTTP request inside such a tunnel.
    HostField,
}

/// What a filter asks for after its first fact: one of these, by what that was.
type Then = Vec<Option<Fact>>;

/// All in which exchanges with one host differ.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The first fact that the filter of the host asks for. Each filter has another one.
    first: Fact,
    way: Way,
    /// A tunnel that leads elsewhere has the port of the site there.
    port: u16,
    is_by_lan: bool,
    /// The last part of the client's address.
    client: u8,
    user: &'static str,
}

/// A worker keeps the answers of one filter by at most four sets of facts, and these are no more.
fn filters() -> impl Strategy<Value = Vec<Then>> {
    vec(vec(option::of(select(Fact::ALL)), 0..4), Fact::ALL.len())
}

/// So many that answers are used again. A case that fails is made smaller by leaving some out.
fn exchanges() -> impl Strategy<Value = Vec<Option<Asked>>> {
    let exchange = (
        select(Fact::ALL),
        select(&WAYS[..]),
        select(&[443_u16, 8080][..]),
        proptest::bool::ANY,
        1..4_u8,
        select(&["ada", "bob"][..]),
    );
    let exchange = exchange.prop_map(|(first, way, port, is_by_lan, client, user)| Asked {
        first,
        way,
        port,
        is_by_lan,
        client,
        user,
    });
    vec(option::weighted(0.9, exchange), 150)
}

impl Way {
    fn protocol(self) -> Protocol {
        match self {
            Self::Http => Protocol::Http,
            Self::Connect | Self::ServerName | Self::HostField => Protocol::Connect,
            Self::Socks => Protocol::Socks5,
        }
    }

    fn found_in(self) -> FoundIn {
        match self {
            Self::Http | Self::Connect | Self::Socks => FoundIn::Request,
            Self::ServerName => FoundIn::ServerName,
            Self::HostField => FoundIn::HostField,
        }
    }
}

impl Asked {
    fn address(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, self.client])
    }

    /// By the groups in [`Scene::start`].
    fn groups(&self) -> &'static str {
        match (self.client, self.user) {
            (1, "ada") => "staff",
            (1, _) => "",
            (_, "ada") => "near+staff",
            _ => "near",
        }
    }

    /// An HTTP request that begins with a method and its target.
    fn request(&self, begin: &str, authority: &str) -> String {
        let login = login(self.user, "secret");
        format!("{begin} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n")
    }

    fn connect(&self, authority: &str) -> String {
        self.request(&format!("CONNECT {authority}"), authority)
    }
}

/// The name of the filter that asks for this first.
fn name(first: Fact) -> String {
    format!("asks-{}", first as usize)
}

/// The host about which that filter has something to say.
fn host(first: Fact) -> String {
    format!("{}.{DOMAIN}", name(first))
}

fn settings(first: Fact, then: &[Option<Fact>]) -> String {
    let then: Vec<&str> = then
        .iter()
        .map(|next| next.map_or("", Fact::name))
        .collect();
    let (host, first) = (host(first), first.name());
    format!("{SETTINGS}[config]\nhost = \"{host}\"\nfirst = \"{first}\"\nthen = {then:?}\n")
}

/// All that a client of SOCKS 5 says which logs in (RFC 1928 and 1929).
fn socks(user: &str, host: &str, port: u16) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[length], text.as_bytes()].concat()
    };
    let login = [vec![1], text(user), text("secret")].concat();
    let request = [vec![5, 1, 0, 3], text(host), port.to_be_bytes().to_vec()].concat();
    [vec![5, 1, 2], login, request].concat()
}

/// The time, as filters are told it.
fn milliseconds() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock that is right").as_millis()
}

/// A field of an access line; empty if it is not there.
fn field<'l>(line: &'l str, name: &str) -> &'l str {
    let mut fields = line.split(' ');
    let value = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default()
}

/// What a filter says in its answer that a fact was.
fn said(reason: &str, fact: Fact) -> Option<&str> {
    let mut parts = reason.split(',');
    parts.find_map(|part| part.strip_prefix(fact.name())?.strip_prefix(':'))
}

/// A proxy with the filters, and what they must have said so far.
struct Scene {
    stage: Stage,
    /// The one without a name, and `lan`.
    listeners: Vec<SocketAddr>,
    log: Log,
    /// By their first facts.
    filters: Vec<Then>,
    /// How often each was called.
    calls: HashMap<Fact, usize>,
    /// By what a filter was told, the last call in which it was.
    answers: HashMap<String, usize>,
    /// How many answers were used again.
    kept: usize,
    _users: TempDir,
}

impl Scene {
    async fn start(filters: Vec<Then>) -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        let users = folder.path().join("users");
        fs::write(&users, format!("{ADA}{BOB}")).expect("a new file");
        let stage = Stage::start_with(|config| {
            // Each worker keeps answers of its own.
            config.proxy.workers = NonZeroUsize::MIN;
            config.auth.users = Some(users);
            let lan = SocketAddr::from(([127, 0, 0, 1], 0));
            config.listeners = BTreeMap::from([("lan".into(), Listener::at(lan))]);
            let near = Group::new(["127.0.0.2/31".parse().expect("a network")]);
            let staff = Group::of_users(["ada".to_owned()]);
            config.groups = BTreeMap::from([("near".into(), near), ("staff".into(), staff)]);
            for (first, then) in Fact::ALL.iter().zip(&filters) {
                let (name, dir) = (name(*first), &config.plugins.dir);
                plug(dir, &format!("{name}.toml"), settings(*first, then));
                plug(dir, &format!("{name}.wasm"), guests::asks());
            }
        });
        let stage = stage.await;
        let addresses = stage.proxy.addresses().iter();
        Self {
            listeners: addresses.filter_map(ListenAddress::socket).collect(),
            stage,
            log: Log::follow(),
            filters,
            calls: HashMap::new(),
            answers: HashMap::new(),
            kept: 0,
            _users: folder,
        }
    }

    fn port(&self, asked: &Asked) -> u16 {
        match asked.way {
            Way::Http | Way::Connect | Way::Socks => asked.port,
            Way::ServerName | Way::HostField => self.stage.site.port(),
        }
    }

    /// Has the exchange, and gives its access line. Some clients are not told the reason, which all
    /// lines have.
    async fn have(&mut self, asked: &Asked) -> String {
        let listener = self.listeners[usize::from(asked.is_by_lan)];
        let mut client = Wire::connect_from(asked.address(), listener).await;
        let (host, port) = (host(asked.first), self.port(asked));
        let authority = format!("{host}:{port}");
        match asked.way {
            Way::Http => {
                let begin = format!("GET http://{authority}/");
                client.send(asked.request(&begin, &authority)).await;
                client.response().await;
            }
            Way::Connect => {
                client.send(asked.connect(&authority)).await;
                client.response_to("CONNECT").await;
            }
            Way::Socks => {
                client.send(socks(asked.user, &host, port)).await;
                client.rest_bytes().await;
            }
            Way::ServerName | Way::HostField => {
                let elsewhere = format!("front.{DOMAIN}:{port}");
                client.send(asked.connect(&elsewhere)).await;
                assert_eq!(client.response_to("CONNECT").await.status, 200);
                let shown = if asked.way == Way::ServerName {
                    client_hello(&host)
                } else {
                    format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into()
                };
                client.send(shown).await;
                client.rest_bytes().await;
            }
        }
        self.log.says(&["kind=access", DOMAIN]).await
    }

    /// What a fact of an exchange is. Those of which no client knows are in its access line.
    fn value(&self, asked: &Asked, fact: Fact, line: &str) -> String {
        match fact {
            Fact::Exchange => field(line, "id").to_owned(),
            Fact::Protocol => asked.way.protocol().name().to_owned(),
            Fact::FoundIn => asked.way.found_in().name().to_owned(),
            Fact::ServerName if asked.way == Way::ServerName => host(asked.first),
            Fact::ServerName => String::new(),
            Fact::Listener if asked.is_by_lan => "lan".to_owned(),
            Fact::Listener => self.listeners[0].to_string(),
            // Whether that is possible is looked at by itself.
            Fact::Started => said(field(line, "reason"), fact)
                .unwrap_or_default()
                .to_owned(),
            Fact::ClientAddress => asked.address().to_string(),
            Fact::User => asked.user.to_owned(),
            Fact::Groups => asked.groups().to_owned(),
        }
    }

    /// What the filter asks for, and all that it is told.
    fn told(&self, asked: &Asked, line: &str) -> (Vec<Fact>, String) {
        let value = |fact: Fact| self.value(asked, fact, line);
        let then = &self.filters[asked.first as usize];
        let sum: usize = value(asked.first).bytes().map(usize::from).sum();
        let next = then.get(sum % then.len().max(1)).copied().flatten();
        let facts: Vec<Fact> = [asked.first].into_iter().chain(next).collect();
        let mut told = format!("port:{}", self.port(asked));
        for fact in &facts {
            // A string takes everything.
            let _ = write!(told, ",{}:{}", fact.name(), value(*fact));
        }
        (facts, told)
    }

    /// Has the exchange, and compares the filter's answer with what it must be.
    async fn check(&mut self, asked: &Asked) -> TestCaseResult {
        let before = milliseconds();
        let line = self.have(asked).await;
        let reason = field(&line, "reason");
        if let Some(started) = said(reason, Fact::Started) {
            let is_now = |time: u128| (before..=milliseconds()).contains(&time);
            let is_right = started.parse::<u128>().is_ok_and(is_now);
            prop_assert!(is_right, "{asked:?}: {line}");
        }
        let (facts, told) = self.told(asked, &line);
        let differs_each_time = facts.contains(&Fact::Exchange) || facts.contains(&Fact::Started);
        let call = match self.answers.get(&told) {
            Some(call) if !differs_each_time => {
                self.kept += 1;
                *call
            }
            _ => {
                let calls = self.calls.entry(asked.first).or_default();
                *calls += 1;
                *calls
            }
        };
        let expected = format!("{told},call:{call}");
        prop_assert_eq!(reason, expected, "{:?}: {}", asked, line);
        self.answers.insert(told, call);
        Ok(())
    }
}

/// Has all of the exchanges, and counts the answers that were used again.
async fn check_all(
    filters: Vec<Then>,
    exchanges: &[Option<Asked>],
    kept: &Cell<usize>,
) -> TestCaseResult {
    let mut scene = Scene::start(filters).await;
    for asked in exchanges.iter().flatten() {
        scene.check(asked).await?;
    }
    kept.set(kept.get() + scene.kept);
    Ok(())
}

#[test]
fn a_kept_answer_is_never_another_than_a_fresh_one() {
    let kept = Cell::new(0);
    let cases = (exchanges(), filters());
    holds_at_length("kept.txt", &cases, |(exchanges, filters)| {
        // A runtime of its own ends what the case has started, in whatever way it ends.
        runtime().block_on(check_all(filters, &exchanges, &kept))
    });
    assert!(kept.get() > 20, "{}", kept.get());
}
