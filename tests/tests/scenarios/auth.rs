//! Clients that have to log in.

#![cfg(unix)]

mod filters;
mod limits;
mod peers;
mod users;

use std::fs;

use data_encoding::BASE64;
use portcullis::Config;
use portcullis::commands::{NewDecision, Ruling, Scope, decide};
use portcullis::config::{Clients, Group};
use portcullis_tests::{Log, OPTIONS, Origin, Response, Site, Stage, Wire, connect, get, ok, plug};
use tempfile::TempDir;

/// Hashes of `secret`, which take no time.
pub(super) const ADA: &str = "ada:$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw\n";
pub(super) const BOB: &str = "bob:$2y$05$oQnJGuAg68oL9BIrQ6DOVOx57blgrCBaqErncP05IBp2qjmg6ufr.\n";

const CHALLENGE: &str = "Basic realm=\"portcullis\", charset=\"UTF-8\"";

/// A stage whose clients log in as ada or as bob, and the folder with the file of users.
struct Guarded {
    stage: Stage,
    folder: TempDir,
}

impl Guarded {
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        let file = folder.path().join("users");
        fs::write(&file, format!("{ADA}{BOB}")).expect("a new file");
        let stage = Stage::start_with(|config| {
            config.auth.users = Some(file);
            change(config);
        });
        let stage = stage.await;
        Self { stage, folder }
    }

    /// Has the file of users say something else.
    fn says(&self, text: &str) {
        // As a whole, so that no half of it is read.
        let new = self.folder.path().join("new");
        fs::write(&new, text).expect("a new file");
        fs::rename(&new, self.folder.path().join("users")).expect("it is replaced");
    }

    /// The answer to a GET for the first page under that name.
    async fn asks(&self, client: &mut Wire, host: &str, login: &str) -> Response {
        client.send(self.stage.request(host, login)).await;
        client.response().await
    }
}

/// The field by which a user logs in.
pub(super) fn login(user: &str, password: &str) -> String {
    let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
    format!("Proxy-Authorization: Basic {pair}\r\n")
}

/// A request with one more field.
fn with(request: &str, field: &str) -> String {
    request.replacen("\r\n\r\n", &format!("\r\n{field}\r\n"), 1)
}

fn assert_is_asked_to_log_in(response: &Response, why: &str) {
    assert_eq!(response.status, 407, "{response:?}");
    assert_eq!(response.field("proxy-authenticate"), Some(CHALLENGE));
    let said = response.field("proxy-status").expect("it says why");
    let expected = format!("portcullis;error=http_request_denied;details=\"{why}");
    assert!(said.starts_with(&expected), "{said}");
    assert!(response.body.contains(why), "{response:?}");
}

#[tokio::test]
async fn without_a_right_login_nothing_is_done_and_the_client_is_asked_for_one() {
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| config.auth.failures = 100).await;
    let stage = &guarded.stage;
    let url = stage.url("guarded.example");
    let wrong = "the login is wrong";
    for (field, why) in [
        (String::new(), "this proxy wants a login"),
        (login("ada", "Secret"), wrong),
        (login("eve", "secret"), wrong),
        (login("ada", &"x".repeat(10 << 10)), wrong),
        (login("", "secret"), "the login is not a name"),
        (
            "Proxy-Authorization: Basic !\r\n".into(),
            "the login is not a name",
        ),
        (
            "Proxy-Authorization: Bearer x\r\n".into(),
            "the login is of another scheme",
        ),
        (
            "Authorization: Basic YWRhOnNlY3JldA==\r\n".into(),
            "this proxy wants a login",
        ),
    ] {
        for (method, request) in [
            ("GET", get(&url)),
            ("CONNECT", connect("guarded.example:443")),
        ] {
            let mut client = stage.proxy.client().await;
            client.send(with(&request, &field)).await;
            assert_is_asked_to_log_in(&client.response_to(method).await, why);
            if method == "CONNECT" {
                // What was sent ahead would be for the origin.
                assert_eq!(client.rest().await, "");
            }
            let (kind, method) = ("kind=access", format!(" method={method} "));
            let parts = [kind, "host=guarded.example", &method, " status=407 ", why];
            let line = log.says(&parts).await;
            let says_more = ["verdict=", "user="]
                .iter()
                .any(|field| line.contains(field));
            assert!(!says_more, "{line}");
        }
    }
    assert!(!stage.dns.was_asked_for("guarded.example"));
}

/// RFC 9931, section 8: it is meant for the origin, or for a proxy that is deceived.
#[tokio::test]
async fn nothing_behind_a_connect_without_a_login_is_served() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    let origin = Origin::start().await;
    let target = origin.authority();
    let right = login("ada", "secret");
    for behind in [
        with(&get(&origin.url("/next")), &right),
        with(&connect(&target), &right),
        format!("Proxy-Authorization: x\r\n{right}\r\n"),
        "\u{16}\u{3}\u{1}".into(),
    ] {
        let mut client = guarded.stage.proxy.client().await;
        client.send(connect(&target) + &behind).await;
        let answer = client.response_to("CONNECT").await;
        assert_is_asked_to_log_in(&answer, "this proxy wants a login");
        assert_eq!(answer.field("connection"), Some("close"));
        assert_eq!(client.rest().await, "");
        log.says(&["kind=access", "method=CONNECT", " status=407 "])
            .await;
    }
    assert_eq!(log.count(&["kind=access"]), 0, "one line for each");
    assert!(!origin.was_dialled());
}

#[tokio::test]
async fn two_logins_in_one_request_are_refused() {
    let guarded = Guarded::start().await;
    let mut client = guarded.stage.proxy.client().await;
    let twice = login("ada", "secret").repeat(2);
    let response = guarded.asks(&mut client, "twice.example", &twice).await;
    assert_eq!(response.status, 400, "{response:?}");
}

#[tokio::test]
async fn each_request_of_a_kept_connection_is_judged_by_its_own_login() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    let mut client = guarded.stage.proxy.client().await;
    let [ada, bob, wrong] = [("ada", "secret"), ("bob", "secret"), ("bob", "Secret")]
        .map(|(user, password)| login(user, password));
    for (field, status, user) in [
        (&ada, 200, Some("ada")),
        (&String::new(), 407, None),
        (&bob, 200, Some("bob")),
        (&wrong, 407, None),
        (&ada, 200, Some("ada")),
    ] {
        let response = guarded.asks(&mut client, "kept.example", field).await;
        assert_eq!(response.status, status, "{response:?}");
        let status = format!(" status={status} ");
        let line = log
            .says(&["kind=access", "host=kept.example", &status])
            .await;
        let said = line
            .split(' ')
            .find_map(|field| field.strip_prefix("user="));
        assert_eq!(said, user, "{line}");
    }
    let tunnel = connect(&format!("kept.example:{}", guarded.stage.site.port()));
    client.send(with(&tunnel, &ada)).await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    client
        .send("GET / HTTP/1.1\r\nHost: kept.example\r\n\r\n")
        .await;
    assert_eq!(client.response().await.body, "welcome");
    drop(client);
    log.says(&[
        "kind=access",
        " user=ada ",
        "method=CONNECT",
        "host=kept.example",
    ])
    .await;
}

/// A filter that refuses what has a login, for the proxy or for the origin.
const SEES: &str = "[config.headers]\nproxy-authorization = \"\"\nauthorization = \"Basic\"\n";

#[tokio::test]
async fn credentials_reach_neither_origins_nor_filters_nor_the_log() {
    let log = Log::follow();
    let guarded = Guarded::start_with(|config| {
        let dir = &config.plugins.dir;
        plug(dir, "sees.wasm", portcullis_tests::guests::headers());
        plug(dir, "sees.toml", SEES);
    })
    .await;
    let origin = Origin::start().await;
    let stage = &guarded.stage;
    let mut client = stage.proxy.client().await;
    let seen = format!("{}Authorization: Basic x\r\n", login("ada", "secret"));
    let refused = guarded.asks(&mut client, "a.example", &seen).await;
    assert!(refused.body.contains("authorization contains Basic"));
    let credentials = BASE64.encode(b"ada:secret");
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic {credentials}\r\n\
         Trailer: Proxy-Authorization, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\nProxy-Authorization: Basic {credentials}\r\nX-Sum: 7\r\n\r\n",
        origin.url("/")
    );
    client.send(request).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    let chunks = served.chunks().await;
    assert!(chunks.contains(&"x-sum: 7".to_owned()), "{chunks:?}");
    let reached = format!("{head}{}", chunks.concat());
    assert!(!reached.contains(&credentials), "{reached}");
    assert!(!head.contains("proxy-authorization"), "{head}");
    served.send(ok("")).await;
    assert_eq!(client.response().await.status, 200);
    for wrong in ["ada:Geheimnis", "Geheimnis:ada"] {
        let field = format!(
            "Proxy-Authorization: Basic {}\r\n",
            BASE64.encode(wrong.as_bytes())
        );
        let response = guarded.asks(&mut client, "a.example", &field).await;
        assert_eq!(response.status, 407);
    }
    let mut ends = log.clone();
    ends.says(&["login failed", "unknown user"]).await;
    for said in [credentials.as_str(), "Geheimnis"] {
        assert!(!log.has_said(said), "{said}");
    }
}

#[tokio::test]
async fn a_question_to_the_proxy_itself_needs_no_login() {
    let guarded = Guarded::start().await;
    let mut client = guarded.stage.proxy.client().await;
    client.send(OPTIONS).await;
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn an_origin_that_knows_one_user_by_a_connection_gets_another_for_the_next() {
    let guarded = Guarded::start().await;
    let origin = Origin::start().await;
    let mut client = guarded.stage.proxy.client().await;
    let request = |user: &str| with(&get(&origin.url("/")), &login(user, "secret"));
    let ntlm = |user: &str| with(&request(user), "Authorization: NTLM TYPE1\r\n");
    let challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM TYPE2\r\n\
                     Content-Length: 0\r\n\r\n";
    client.send(ntlm("ada")).await;
    let mut of_ada = origin.accept().await;
    of_ada.head().await;
    of_ada.send(challenge).await;
    assert_eq!(client.response().await.status, 401);
    // Ada goes on where she has begun.
    client.send(request("ada")).await;
    of_ada.head().await;
    of_ada.send(ok("for ada")).await;
    assert_eq!(client.response().await.body, "for ada");

    client.send(request("bob")).await;
    let mut of_bob = origin.accept().await;
    of_bob.head().await;
    of_bob.send(ok("for bob")).await;
    assert_eq!(client.response().await.body, "for bob");
    assert_eq!(of_ada.rest().await, "", "it is closed");
}

#[tokio::test]
async fn clients_have_to_be_named_and_to_log_in_where_both_are_wanted() {
    let guarded = Guarded::start_with(|config| {
        config.clients = Clients::new(["127.0.0.2/32".parse().expect("a network")]);
    })
    .await;
    let (named, other) = ([127, 0, 0, 2], [127, 0, 0, 1]);
    for (address, user, status) in [
        (named, Some("ada"), 200),
        (named, None, 407),
        (other, Some("ada"), 403),
        (other, None, 403),
    ] {
        let mut client = guarded.stage.proxy.client_from(address).await;
        let field = user.map_or(String::new(), |user| login(user, "secret"));
        let response = guarded.asks(&mut client, "both.example", &field).await;
        assert_eq!(response.status, status, "{address:?} {user:?}");
    }
}

#[tokio::test]
async fn a_decision_for_a_user_is_for_no_other_on_the_same_connection() {
    let guarded = Guarded::start().await;
    let proxy = &guarded.stage.proxy;
    let mut log = Log::follow();
    let mut new = NewDecision::about(Ruling::Deny, "decided.example");
    new.scope = Scope::User("bob".to_owned());
    decide(proxy.config(), &new).expect("bob is a user");
    log.says(&["decisions in use", "decisions=1"]).await;
    let mut client = proxy.client().await;
    for (user, status) in [("ada", 200), ("bob", 403), ("ada", 200)] {
        let field = login(user, "secret");
        let response = guarded.asks(&mut client, "decided.example", &field).await;
        assert_eq!(response.status, status, "{user}");
    }
}

/// A list that counts for bob alone.
const RULES: &str = "[config.groups]\nplayers = [\"games\"]\n";

#[tokio::test]
async fn lists_and_decisions_are_for_users_and_a_verdict_is_kept_for_no_other() {
    let lists = Site::start().await;
    lists.serves("/games", "games.example\n");
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| {
        let feed = lists.feed("/games");
        config.feeds.insert("games".into(), feed);
        let players = Group::of_users(["bob".to_owned()]);
        config.groups.insert("players".into(), players);
        plug(&config.plugins.dir, "blocklist.toml", RULES);
    })
    .await;
    log.says(&["feed updated", "games"]).await;
    let mut client = guarded.stage.proxy.client().await;
    // Twice, for the second time verdicts are kept.
    for (user, status) in [("ada", 200), ("bob", 403), ("ada", 200), ("bob", 403)] {
        let field = login(user, "secret");
        let response = guarded.asks(&mut client, "games.example", &field).await;
        assert_eq!(response.status, status, "{user}");
        let line = log.says(&["kind=access", &format!(" user={user} ")]).await;
        assert_eq!(line.contains(" groups=players "), user == "bob", "{line}");
    }
}
