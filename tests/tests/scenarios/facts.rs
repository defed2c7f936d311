//! What a filter can know, and in which hook: the table in `sdk/wit/filter.wit`, cell by cell, and
//! the line below it. What only a tunnel of a user has is in `auth::filters`; the words for how
//! exchanges end, and for the protocols, are in `ends`.

use std::time::{Duration, Instant};

use portcullis::commands;
use portcullis::config::Group;
use portcullis_contract::metric_key;
use portcullis_tests::{Log, Origin, ROOM, Site, Stage, get, guests, ok, plug};

/// What a hook knows, besides the exchange, its client, the request and the notes. An empty value
/// stands for any.
const BESIDES: [(&str, &[(&str, &str)]); 4] = [
    ("judge-host", &[]),
    (
        "judge-request",
        &[("request-headers", "host"), ("request-headers.set", "yes")],
    ),
    (
        "judge-response",
        &[
            ("request-headers", "host+x-known"),
            ("response-headers", ""),
            ("response-headers.set", "yes"),
        ],
    ),
    (
        "exchange-ended",
        &[
            ("outcome.how", "passed"),
            ("outcome.status", "200"),
            ("outcome.bytes-to-client", ""),
            ("outcome.duration", ""),
        ],
    ),
];

const HOOKS: [&str; 6] = [
    "init",
    "tick",
    "judge-host",
    "judge-request",
    "judge-response",
    "exchange-ended",
];

/// What the filter `uses` is answered in each of them.
const ANSWERS: [(&str, &str); 15] = [
    ("feeds.names", "lists"),
    ("feeds.find", "lists listed.example 2 listed"),
    ("feeds.find-in", "lists listed.example 2 listed"),
    ("feeds.find-in hidden", "not granted: hidden"),
    ("state.set", "yes"),
    ("state.increment", "42"),
    ("state.compare-and-set", "true"),
    ("state.get", "seen"),
    ("state.remove", "none"),
    ("clock.now", "yes"),
    ("clock.local", "yes"),
    ("clock.local nowhere", "no"),
    ("random.number", "yes"),
    ("random.bytes", "4096"),
    ("domains.registrable", "example.co.uk"),
];

/// Its settings, with room for a machine that is busy.
const USES: &str =
    "[limits]\ncpu = \"10s\"\nwall = \"10s\"\n[grants]\nstate = true\nfeeds = [\"lists\"]\n";

/// The metrics in which it counts.
const COUNTED: [&str; 3] = ["calls", "level", "size_count"];

/// What the filter `knows` can know in one hook: facts by the contract's names, with their values.
pub(crate) struct Known(Vec<(String, String)>);

impl Known {
    /// What it tells next in that hook about that host. Other tests have the filter, too.
    pub(crate) async fn told(log: &mut Log, hook: &str, host: &str) -> Self {
        Self::told_by("knows", log, hook, &format!("exchange.host={host}, ")).await
    }

    /// The same of a filter of another name, which stands in place of `knows`, from a line that has
    /// `part` in it.
    async fn told_by(name: &str, log: &mut Log, hook: &str, part: &str) -> Self {
        let (filter, begin) = (format!("filter=\"{name}\""), format!("{hook} {name} ["));
        let line = log.says(&[&filter, &begin, part]).await;
        let (_, rest) = line.split_once(&begin).expect("it says so");
        let (facts, _) = rest.split_once(']').expect("its end");
        let facts = facts.split(", ").filter_map(|fact| fact.split_once('='));
        Self(
            facts
                .map(|(fact, value)| (fact.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(crate) fn value(&self, fact: &str) -> &str {
        self.find(fact).unwrap_or_else(|| panic!("{fact} is known"))
    }

    /// The same of a fact that may be unknown.
    pub(crate) fn find(&self, fact: &str) -> Option<&str> {
        let mut facts = self.0.iter();
        let found = facts.find(|(known, _)| known == fact);
        found.map(|(_, value)| &**value)
    }

    /// Exactly these facts are known, in this order. An empty value stands for any.
    pub(crate) fn assert_is(&self, hook: &str, expected: &[&[(&str, &str)]]) {
        let expected = expected.concat();
        let mut known: Vec<(&str, &str)> = Vec::new();
        for (place, (fact, value)) in self.0.iter().enumerate() {
            let any = expected
                .get(place)
                .is_some_and(|(_, value)| value.is_empty());
            known.push((fact, if any { "" } else { value }));
        }
        assert_eq!(known, expected, "{hook}");
    }
}

/// Has the origin asked for its first page as `a.example`. It answers after some milliseconds: less
/// than one is 0, which stands for a duration that is not known.
async fn have_exchange(stage: &Stage, origin: &Origin) {
    let mut client = stage.proxy.client().await;
    client.send(get(&url(origin))).await;
    let mut served = origin.accept().await;
    served.head().await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2) {
        tokio::task::yield_now().await;
    }
    served.send(ok("welcome")).await;
    assert_eq!(client.response().await.status, 200);
}

fn url(origin: &Origin) -> String {
    format!("http://a.example:{}/", origin.port())
}

#[tokio::test]
async fn each_hook_knows_what_the_table_says_and_nothing_else() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let local = Group::new(["127.0.0.0/8".parse().expect("a network")]);
        config.groups.insert("local".into(), local);
        plug(&config.plugins.dir, "knows.toml", ROOM);
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    for hook in ["init", "tick"] {
        let known = Known::told_by("knows", &mut log.clone(), hook, "").await;
        known.assert_is(hook, &[]);
    }
    let origin = Origin::start().await;
    have_exchange(&stage, &origin).await;
    let (port, listener) = (origin.port().to_string(), stage.proxy.address().to_string());
    let exchange = [
        ("exchange.id", ""),
        ("exchange.host", "a.example"),
        ("exchange.port", &*port),
        ("exchange.protocol", "http"),
        ("exchange.found-in", "request"),
        ("exchange.listener", &listener),
        ("exchange.started", ""),
        ("client.address", "127.0.0.1"),
        ("client.groups", "local"),
    ];
    let url = url(&origin);
    let request = [("request.method", "GET"), ("request.url", &*url)];
    let mut first = None;
    for (place, (hook, besides)) in BESIDES.into_iter().enumerate() {
        let known = Known::told(&mut log, hook, "a.example").await;
        // Notes are written in each of them, and read in those that follow.
        let noted = HOOKS[2..][..=place].join("+");
        let says = [
            ("answer", "yes"),
            ("notes", "a.example"),
            ("notes.set", &*noted),
        ];
        let request = if hook == "judge-host" {
            &[][..]
        } else {
            &request
        };
        let says = if hook == "exchange-ended" {
            &says[1..]
        } else {
            &says
        };
        known.assert_is(hook, &[&exchange, request, besides, says]);
        let is_about = ["exchange.id", "exchange.started"].map(|fact| known.value(fact).to_owned());
        assert_eq!(first.get_or_insert(is_about.clone()), &is_about, "{hook}");
    }
}

#[tokio::test]
async fn what_is_about_no_exchange_is_answered_in_every_hook() {
    let lists = Site::start().await;
    lists.serves("/lists", "first.example\nlisted.example\n");
    lists.serves("/hidden", "listed.example\n");
    let stage = Stage::start_with(|config| {
        for name in ["lists", "hidden"] {
            let mut feed = lists.feed(&format!("/{name}"));
            feed.refresh = Duration::from_secs(3600);
            config.feeds.insert(name.into(), feed);
        }
    })
    .await;
    stage.until("first.example", 403).await;
    let log = Log::follow();
    stage.plug("uses.toml", USES);
    stage.plug("uses.wasm", guests::uses());
    let last = ["filter=\"uses\"", "exchange-ended uses ["];
    stage.until_said(&mut log.clone(), "a.example", &last).await;
    for hook in HOOKS {
        let answers = Known::told_by("uses", &mut log.clone(), hook, "").await;
        answers.assert_is(hook, &[&ANSWERS]);
    }
    let are_counted = async || {
        let config = stage.proxy.config().clone();
        let explained = commands::explain(config, "a.example", None, None).await;
        let text = explained.expect("a host").to_string();
        let is_told = |name: &str, hook: &str| text.contains(&metric_key(name, &[("hook", hook)]));
        HOOKS
            .iter()
            .all(|hook| COUNTED.iter().all(|name| is_told(name, hook)))
    };
    stage.until_true("each hook has counted", are_counted).await;
}

/// The hooks of an exchange in which the filter `says_elsewhere` says what belongs to an answer.
const ELSEWHERE: [&str; 3] = ["judge-request", "judge-response", "exchange-ended"];

#[tokio::test]
async fn what_is_said_of_an_answer_where_there_is_none_has_no_effect() {
    let mut log = Log::follow();
    let guest = guests::wat("says_elsewhere");
    let settings = "[limits]\ncpu = '10s'\nwall = '10s'";
    let stage = Stage::beside_neighbour("talker", &guest, settings).await;
    let talker = "filter=\"talker\"";
    for hook in ["init", "tick"] {
        // The line comes behind the calls, so none of them is a trap.
        let said = format!("said in {hook}");
        log.clone().says(&[talker, &said]).await;
    }
    // That the filter is asked again shows that no answer was kept.
    for (host, hooks) in [
        ("calm.example", &ELSEWHERE[..]),
        ("calm.example", &ELSEWHERE[..]),
        ("bad.example", &ELSEWHERE[2..]),
    ] {
        let answer = stage.get(host).await;
        let is_blocked = answer.status == 403;
        assert_eq!(is_blocked, host == "bad.example", "{answer:?}");
        assert_eq!(answer.field("retry-after"), None, "{answer:?}");
        let access = ["kind=access", &format!(" host={host} ")];
        let line = log.clone().says(&access).await;
        assert!(!line.contains(" rule="), "{line}");
        log.says(&[talker, "asked about it"]).await;
        for hook in hooks {
            let said = format!("said in {hook}");
            log.says(&[talker, &said]).await;
        }
    }
}
