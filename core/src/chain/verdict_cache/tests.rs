use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use portcullis_contract::FoundIn;
use proptest::prelude::*;

use super::*;
use crate::flow::{Client, Inquiry, Protocol};
use crate::target::Target;

const MINUTE: Duration = Duration::from_secs(60);

fn block(reason: &str) -> Judgement {
    Judgement {
        verdict: Verdict::block(403, reason).unwrap(),
        ..Judgement::PASS
    }
}

fn inquiry(client: Client) -> Inquiry {
    Inquiry::by(client, SystemTime::UNIX_EPOCH)
}

/// The client at an address, or none that is known.
fn client_at(address: &str) -> Client {
    Client::at(address.parse::<IpAddr>().ok())
}

struct Scene {
    verdicts: VerdictCache,
    feeds: u64,
}

impl Scene {
    fn new() -> Self {
        Self {
            verdicts: VerdictCache::new(1 << 20),
            feeds: 1,
        }
    }

    fn keep(&mut self, asked: &[Fact], time: Duration, host: &str, client: &str) {
        let target = Target::new(host, 443).unwrap();
        let policy = CachePolicy {
            asked: asked.iter().copied().collect(),
            time,
            feeds: self.feeds,
        };
        let inquiry = inquiry(client_at(client));
        let flow = Flow::asked(&target, Protocol::Connect.name(), &inquiry);
        self.verdicts.insert(&flow, policy, &block(host));
    }

    fn finds(&mut self, host: &str, client: &str) -> bool {
        let target = Target::new(host, 443).unwrap();
        let inquiry = inquiry(client_at(client));
        let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
        let found = self.verdicts.get(&flow, self.feeds);
        let found = found.map(|(judgement, _)| judgement);
        assert!(found.is_none() || found == Some(block(host)));
        found.is_some()
    }
}

#[test]
fn a_verdict_about_a_host_holds_for_every_client() {
    let mut scene = Scene::new();
    scene.keep(&[], MINUTE, "a.example", "10.0.0.1");
    assert!(scene.finds("a.example", "10.0.0.2"));
    assert!(scene.finds("a.example", ""));
    assert!(!scene.finds("b.example", "10.0.0.1"));
}

#[test]
fn a_verdict_about_a_client_is_not_anothers() {
    let mut scene = Scene::new();
    scene.keep(&[Fact::ClientAddress], MINUTE, "a.example", "10.0.0.1");
    assert!(scene.finds("a.example", "10.0.0.1"));
    assert!(!scene.finds("a.example", "10.0.0.2"));
    assert!(!scene.finds("a.example", ""));
}

#[test]
fn what_is_different_each_time_is_not_kept() {
    let mut scene = Scene::new();
    for asked in [Fact::Exchange, Fact::Started] {
        scene.keep(&[asked], MINUTE, "a.example", "");
        assert!(!scene.finds("a.example", ""));
    }
    // The client's protocol is not the same.
    scene.keep(&[Fact::Protocol], MINUTE, "a.example", "");
    assert!(!scene.finds("a.example", ""));
}

/// Two exchanges that differ in this and nothing else.
fn differing_in(fact: Fact) -> [(Asked, u64); 2] {
    let one = Asked {
        port: 443,
        protocol: Protocol::Connect,
        found_in: FoundIn::Request,
        server_name: None,
        inquiry: inquiry(client_at("10.0.0.1")),
    };
    let (mut other, mut number) = (one.clone(), 1);
    let client = Arc::make_mut(&mut other.inquiry.client);
    match fact {
        Fact::Exchange => number = 2,
        Fact::Protocol => other.protocol = Protocol::Socks5,
        Fact::FoundIn => other.found_in = FoundIn::ServerName,
        Fact::ServerName => other.server_name = Some("b.example".into()),
        Fact::Listener => other.inquiry.listener = "lan".into(),
        Fact::Started => other.inquiry.now += Duration::from_millis(1),
        Fact::ClientAddress => client.address = "10.0.0.2".parse().ok(),
        Fact::User => client.user = Some("ada".into()),
        Fact::Groups => client.groups = vec!["kids".into()],
    }
    [(one, 1), (other, number)]
}

#[test]
fn a_verdict_holds_whatever_differs_that_was_not_asked_for() {
    for differs in Fact::ALL.iter().copied() {
        let [(one, first), (other, second)] = differing_in(differs);
        for asked in Fact::ALL.iter().copied() {
            if [Fact::Exchange, Fact::Started].contains(&asked) {
                continue;
            }
            let policy = CachePolicy {
                asked: Facts::from_iter([asked]),
                time: MINUTE,
                feeds: 0,
            };
            let mut verdicts = VerdictCache::new(1 << 20);
            one.flow(first, |flow| verdicts.insert(flow, policy, &block("kept")));
            assert!(one.flow(first, |flow| verdicts.get(flow, 0).is_some()));
            let holds = other.flow(second, |flow| verdicts.get(flow, 0).is_some());
            assert_eq!(
                holds,
                asked != differs,
                "{differs:?} differs, {asked:?} asked"
            );
        }
    }
}

#[test]
fn a_verdict_is_used_until_its_time_is_over_or_a_feed_changes() {
    let mut scene = Scene::new();
    scene.keep(&[], Duration::ZERO, "a.example", "");
    assert!(!scene.finds("a.example", ""));
    scene.keep(&[], MINUTE, "a.example", "");
    scene.feeds += 1;
    assert!(!scene.finds("a.example", ""));
    // A time that no clock can tell.
    scene.keep(&[], Duration::MAX, "a.example", "");
    assert!(!scene.finds("a.example", ""));
}

#[test]
fn the_lru_verdict_makes_room() {
    let mut scene = Scene::new();
    scene.verdicts = VerdictCache::new(50 * ENTRY_BYTES);
    scene.keep(&[], MINUTE, "first.example", "");
    for number in 0..100 {
        scene.keep(&[], MINUTE, &format!("{number}.example"), "");
        assert!(scene.finds("first.example", ""));
    }
    let table = scene.verdicts.table.unwrap();
    assert!(table.taken <= scene.verdicts.capacity);
    let sizes = table.entries.iter().map(|(_, entry)| entry.size);
    assert_eq!(sizes.sum::<usize>(), table.taken);
    assert!((20..50).contains(&table.entries.len()));
}

#[test]
fn a_verdict_that_takes_much_of_the_room_is_not_kept() {
    let target = Target::new("a.example", 443).unwrap();
    let inquiry = inquiry(Client::default());
    let flow = Flow::asked(&target, Protocol::Http.name(), &inquiry);
    let mut verdicts = VerdictCache::new(16 << 10);
    let large = Judgement {
        verdict: Verdict::Replace(Box::new(Page {
            status: StatusCode::OK,
            content_type: None,
            body: vec![0; 1 << 10].into(),
        })),
        ..Judgement::PASS
    };
    let policy = CachePolicy {
        asked: Facts::NONE,
        time: MINUTE,
        feeds: 0,
    };
    verdicts.insert(&flow, policy, &large);
    assert!(verdicts.get(&flow, 0).is_none());
    verdicts.insert(&flow, policy, &block("small"));
    assert!(verdicts.get(&flow, 0).is_some());
}

/// What a filter is told when it asks, read from the flow itself and not from a key.
fn told(flow: &Flow<'_>, fact: Fact) -> String {
    let client = flow.client;
    match fact {
        Fact::Exchange => flow.exchange.to_string(),
        Fact::Protocol => flow.protocol.to_owned(),
        Fact::FoundIn => flow.found_in.to_owned(),
        Fact::ServerName => format!("{:?}", flow.server_name),
        Fact::Listener => flow.listener.to_string(),
        Fact::Started => format!("{:?}", flow.started),
        Fact::ClientAddress => format!("{:?}", client.address),
        Fact::User => format!("{:?}", client.user),
        Fact::Groups => format!("{:?}", client.groups),
    }
}

/// A filter that asks for one fact after the other, each as the one before it was.
#[derive(Clone, Debug)]
struct Asking {
    first: Fact,
    /// By what the first was, modulo their number.
    then: Vec<Option<Fact>>,
}

impl Asking {
    /// The answer, which has all that was told in its reason and in a note, and what was asked
    /// for.
    fn judge(&self, flow: &Flow<'_>) -> (Judgement, Facts) {
        let mut asked = Facts::NONE;
        let mut seen = String::new();
        let mut value = |fact: Fact| {
            asked.add(fact);
            let told = told(flow, fact);
            let _ = write!(seen, "{fact:?} {told}, ");
            told.bytes().map(usize::from).sum::<usize>()
        };
        let sum = value(self.first);
        if let Some(Some(next)) = self.then.get(sum % self.then.len().max(1)) {
            value(*next);
        }
        let mut notes = Notes::default();
        notes.set("seen", &seen);
        let besides = Besides {
            notes: vec![("asking".into(), notes)],
            ..Besides::default()
        };
        let judgement = Judgement {
            besides: Some(Box::new(besides)),
            ..block(&seen)
        };
        (judgement, asked)
    }
}

fn filters() -> impl Strategy<Value = Asking> {
    let facts = || proptest::sample::select(Fact::ALL);
    let then = proptest::collection::vec(proptest::option::of(facts()), 0..4);
    (facts(), then).prop_map(|(first, then)| Asking { first, then })
}

/// What a flow is made of.
#[derive(Clone, Debug)]
struct Asked {
    port: u16,
    protocol: Protocol,
    found_in: FoundIn,
    server_name: Option<String>,
    inquiry: Inquiry,
}

impl Asked {
    /// Has a flow that is about this.
    fn flow<T>(&self, exchange: u64, use_flow: impl FnOnce(&Flow<'_>) -> T) -> T {
        let target = Target::new("a.example", self.port).unwrap();
        let mut flow = Flow::asked(&target, self.protocol.name(), &self.inquiry);
        flow.exchange = exchange;
        flow.found_in = self.found_in.name();
        flow.server_name = self.server_name.as_deref();
        use_flow(&flow)
    }
}

prop_compose! {
    fn inquiries()(
        address in proptest::option::of(0_u8..3),
        user in proptest::option::of("[ab]"),
        groups in proptest::collection::vec("[ab]{1,2}", 0..3),
        listener in "[ab]",
        started in 0_u64..2,
    ) -> Inquiry {
        Inquiry {
            client: Arc::new(Client {
                address: address.map(|last| IpAddr::from([10, 0, 0, last])),
                user: user.map(Into::into),
                groups: groups.into_iter().map(Into::into).collect(),
            }),
            listener: listener.into(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(started),
        }
    }
}

prop_compose! {
    fn exchanges()(
        port in 80_u16..82,
        protocol in proptest::sample::select(&[Protocol::Http, Protocol::Connect][..]),
        found_in in proptest::sample::select(FoundIn::ALL),
        server_name in proptest::option::of("[ab]"),
        inquiry in inquiries(),
    ) -> Asked {
        Asked { port, protocol, found_in, server_name, inquiry }
    }
}

proptest! {
    #[test]
    fn a_kept_answer_is_never_another_than_a_fresh_one(
        filter in filters(),
        exchanges in proptest::collection::vec(exchanges(), 1..40),
    ) {
        let mut verdicts = VerdictCache::new(1 << 20);
        for (number, exchange) in exchanges.iter().enumerate() {
            let (fresh, kept) = exchange.flow(number as u64, |flow| {
                let (fresh, asked) = filter.judge(flow);
                let kept = verdicts.get(flow, 0).map(|(kept, _)| kept);
                if kept.is_none() {
                    let policy = CachePolicy { asked, time: MINUTE, feeds: 0 };
                    verdicts.insert(flow, policy, &fresh);
                }
                (fresh, kept)
            });
            prop_assert!(kept.is_none_or(|kept| kept == fresh));
        }
    }
}
