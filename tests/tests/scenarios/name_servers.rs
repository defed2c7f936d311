//! How names are asked for: over TLS and HTTPS, of servers that prove who they are, and in clear
//! text so that answers are hard to forge. What cannot be asked in the way that the settings say is
//! not asked in another.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use portcullis::config::NameServer;
use portcullis::{Config, StartError};
use portcullis_tests::{Authority, Dns, Log, Origin, Over, Response, Stage};
use tokio::net::{TcpListener, UdpSocket};

/// A DNS server that answers over TLS and HTTPS, too, and the file of those who vouch for it.
struct Encrypted {
    dns: Dns,
    tls: SocketAddr,
    https: SocketAddr,
    authority: Authority,
}

impl Encrypted {
    /// One whose certificate has these names.
    async fn start(names: &[&str]) -> Self {
        let authority = Authority::new();
        let (mut dns, identity) = (Dns::start().await, authority.certify(names));
        Self {
            tls: dns.serve_tls(&identity).await,
            https: dns.serve_https(&identity).await,
            dns,
            authority,
        }
    }

    fn ca(&self) -> PathBuf {
        self.authority.file()
    }

    /// How each of its addresses is written, if it is `dns.test` behind it.
    fn written(&self) -> [(Over, String); 2] {
        [
            (Over::Tls, format!("tls://{}#dns.test", self.tls)),
            (Over::Https, format!("https://{}/ask#dns.test", self.https)),
        ]
    }

    /// A stage that asks this address and trusts the server.
    async fn stage(&self, server: &str) -> Stage {
        Stage::start_with(|config| self.ask(config, &[server])).await
    }

    fn ask(&self, config: &mut Config, servers: &[&str]) {
        config.proxy.workers = NonZeroUsize::MIN;
        config.egress.resolvers = servers.iter().map(|server| parse(server)).collect();
        config.egress.resolver_ca = Some(self.ca());
    }
}

fn parse(server: &str) -> NameServer {
    server.parse().expect("a DNS server")
}

fn assert_is_dns_error(response: &Response, says: &str) {
    assert_eq!(response.status, 502, "{response:?}");
    let status = response.field("proxy-status").expect("it says why");
    assert!(
        status.starts_with("portcullis;error=dns_error;"),
        "{status}"
    );
    assert!(response.body.contains(says), "{response:?}");
}

#[tokio::test]
async fn names_are_asked_for_over_tls_and_https() {
    let server = Encrypted::start(&["dns.test"]).await;
    for ((over, written), name) in server.written().into_iter().zip(["a.test", "b.test"]) {
        let stage = server.stage(&written).await;
        assert_eq!(stage.get(name).await.status, 200, "{written}");
        assert_eq!(stage.get("x.nowhere.test").await.status, 502, "{written}");
        assert!(server.dns.was_asked_over(name, over), "{written}");
        // Random case would prove nothing here.
        let spellings = server.dns.spellings(name);
        assert!(
            spellings.iter().all(|spelling| spelling == name),
            "{spellings:?}"
        );
        for clear in [Over::Udp, Over::Tcp] {
            assert!(!server.dns.was_asked_over(name, clear), "{written}");
        }
        assert!(stage.dns.was_asked_only_for(&[]), "{written}");
    }
    let wanted = server.dns.wanted();
    let by_http = format!("dns.test:{}/ask", server.https.port());
    let is_right = |wanted: &String| *wanted == "dns.test" || *wanted == by_http;
    assert!(wanted.iter().all(is_right), "{wanted:?}");
    assert!(wanted.contains(&by_http), "{wanted:?}");
}

#[tokio::test]
async fn a_server_is_written_by_its_address_or_by_its_name() {
    let server = Encrypted::start(&["dns.test", "127.0.0.1"]).await;
    let (tls, https) = (server.tls.port(), server.https.port());
    for written in [
        format!("tls://127.0.0.1:{tls}"),
        format!("https://127.0.0.1:{https}"),
        format!("tls://dns.test:{tls}"),
        format!("https://dns.test:{https}/dns-query"),
    ] {
        let stage = Stage::start_with(|config| {
            server.ask(config, &[&written]);
            let address = "127.0.0.1".parse().expect("an address");
            config.egress.hosts = [("dns.test".to_owned(), vec![address])].into();
        });
        let stage = stage.await;
        assert_eq!(stage.get("a.test").await.status, 200, "{written}");
        assert!(stage.dns.was_asked_only_for(&[]), "{written}");
    }
    assert!(!server.dns.was_asked_over("a.test", Over::Udp));
}

#[tokio::test]
async fn one_name_that_fails_does_not_let_others_be_asked_for_in_clear_text() {
    let server = Encrypted::start(&["dns.test"]).await;
    for ((over, written), name) in server.written().into_iter().zip(["a.test", "b.test"]) {
        let clear = Dns::start().await;
        let stage = Stage::start_with(|config| {
            server.ask(config, &[&written, &clear.address().to_string()]);
            config.limits.resolve = Duration::from_secs(3);
        });
        let stage = stage.await;
        // One that is no host to some, and one that no server answers.
        for (odd, status) in [("under_score.test", 200), ("x.silent.test", 504)] {
            assert_eq!(stage.get(odd).await.status, status, "{odd} {written}");
        }
        assert_eq!(stage.get(name).await.status, 200, "{written}");
        assert!(server.dns.was_asked_over(name, over), "{written}");
        assert!(!clear.was_asked_for(name), "{written}");
    }
}

#[tokio::test]
async fn a_domain_may_have_servers_that_are_asked_over_tls() {
    let server = Encrypted::start(&["dns.test"]).await;
    let [(over, written), _] = server.written();
    let stage = Stage::start_with(|config| {
        config.egress.name_servers = [("corp.test".to_owned(), vec![parse(&written)])].into();
        config.egress.resolver_ca = Some(server.ca());
    });
    let stage = stage.await;
    stage
        .answers(&[("wiki.corp.test", 200), ("outer.test", 200)])
        .await;
    assert!(server.dns.was_asked_over("wiki.corp.test", over));
    assert!(!server.dns.was_asked_for("outer.test"));
    assert!(stage.dns.was_asked_only_for(&["outer.test"]));
}

#[tokio::test]
async fn a_server_with_a_wrong_certificate_is_asked_nothing() {
    let server = Encrypted::start(&["dns.test"]).await;
    let stranger = Encrypted::start(&["dns.test"]).await;
    let mut log = Log::follow();
    for (at, scheme) in [(server.tls, "tls"), (server.https, "https")] {
        let clear = UdpSocket::bind(at).await.expect("a port that is free");
        for (name, ca, says) in [
            ("other.test", &server, "certificate not valid for name"),
            ("dns.test", &stranger, "UnknownIssuer"),
        ] {
            let written = format!("{scheme}://{at}#{name}");
            let stage = ca.stage(&written).await;
            let response = stage.get("secret.test").await;
            assert_is_dns_error(&response, &format!("{scheme}://{at} cannot be asked"));
            assert_is_dns_error(&response, "invalid peer certificate");
            assert_is_dns_error(&response, says);
            log.says(&[
                "a DNS server does not answer",
                &format!("{scheme}://{at}"),
                says,
            ])
            .await;
            assert!(stage.dns.was_asked_only_for(&[]));
        }
        let heard = clear.try_recv(&mut [0; 512]);
        assert!(heard.is_err(), "it was asked in clear text");
    }
    assert!(server.dns.was_asked_only_for(&[]));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_fails_the_name_and_another_is_asked() {
    let server = Encrypted::start(&["dns.test"]).await;
    let address = Origin::gone();
    for ((over, good), name) in server.written().into_iter().zip(["a.test", "b.test"]) {
        let scheme = if over == Over::Tls { "tls" } else { "https" };
        let bad = format!("{scheme}://{address}#dns.test");
        let stage = server.stage(&bad).await;
        assert_is_dns_error(&stage.get(name).await, &format!("{scheme}://{address}"));
        let stage = Stage::start_with(|config| server.ask(config, &[&bad, &good])).await;
        assert_eq!(stage.get(name).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_gateway_timeout() {
    let server = Encrypted::start(&["dns.test"]).await;
    let deaf = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let deaf = deaf.local_addr().expect("it is bound");
    for (written, name) in [
        (format!("tls://{deaf}#dns.test"), "a.test"),
        (format!("tls://{}#dns.test", server.tls), "a.silent.test"),
        (
            format!("https://{}#dns.test", server.https),
            "b.silent.test",
        ),
    ] {
        let stage = Stage::start_with(|config| {
            server.ask(config, &[&written]);
            config.limits.resolve = Duration::from_millis(600);
        });
        let response = stage.await.get(name).await;
        assert_eq!(response.status, 504, "{written}");
        let status = response.field("proxy-status").expect("it says why");
        assert!(
            status.starts_with("portcullis;error=dns_timeout;"),
            "{status}"
        );
    }
}

#[tokio::test]
async fn all_names_share_one_connection_and_a_new_one_is_made_when_it_has_ended() {
    let server = Encrypted::start(&["dns.test"]).await;
    let [(_, tls), (_, https)] = server.written();
    let stage = server.stage(&tls).await;
    let names: Vec<_> = (0..20).map(|n| format!("n{n}.shared.test")).collect();
    let mut clients = Vec::new();
    for name in &names {
        let mut client = stage.proxy.client().await;
        client.send(stage.request(name, "")).await;
        clients.push(client);
    }
    for mut client in clients {
        assert_eq!(client.response().await.status, 200);
    }
    assert_eq!(server.dns.wanted(), ["dns.test"]);

    server.dns.hang_up();
    for server in [&stage, &server.stage(&https).await] {
        for n in 0..5 {
            let name = format!("n{n}.ended.test");
            assert_eq!(server.get(&name).await.status, 200, "{name}");
        }
    }
}

/// Long enough that random letters are not all small.
const LONG: &str = "a-name-of-very-many-letters-for-random-case.test";

#[tokio::test]
async fn an_answer_in_another_case_is_not_taken_over_udp() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| config.proxy.workers = NonZeroUsize::MIN).await;
    assert_eq!(stage.get(LONG).await.status, 200);
    let spellings = stage.dns.spellings(LONG);
    assert!(spellings.iter().any(|name| name != LONG), "{spellings:?}");
    assert!(!stage.dns.was_asked_over(LONG, Over::Tcp));

    stage.dns.forget_case();
    let other = LONG.replace("a-name", "other-name");
    assert_eq!(stage.get(&other).await.status, 200);
    for over in [Over::Udp, Over::Tcp] {
        assert!(stage.dns.was_asked_over(&other, over));
    }
    let address = stage.dns.address().to_string();
    log.says(&["[egress] case_randomization", &address]).await;
}

#[tokio::test]
async fn a_setting_leaves_the_case_of_names_alone() {
    let stage = Stage::start_with(|config| config.egress.case_randomization = false).await;
    stage.dns.forget_case();
    // There is no site at the address that is answered over UDP.
    assert_eq!(stage.get(LONG).await.status, 502);
    let spellings = stage.dns.spellings(LONG);
    assert!(spellings.iter().all(|name| name == LONG), "{spellings:?}");
    assert!(!stage.dns.was_asked_over(LONG, Over::Tcp));
}

#[tokio::test]
async fn a_name_that_has_made_room_for_another_is_asked_for_again() {
    let stage = Stage::start_with(|config| {
        config.proxy.workers = NonZeroUsize::MIN;
        config.egress.dns_cache.entries = 1;
    });
    let stage = stage.await;
    // One question for each family.
    for (name, times) in [("a.test", 2), ("a.test", 2), ("b.test", 2), ("a.test", 4)] {
        assert_eq!(stage.connect(name).await.status, 200);
        assert_eq!(stage.dns.spellings(name).len(), times, "{name}");
    }
}

#[tokio::test]
async fn without_a_way_to_verify_its_servers_a_proxy_does_not_start() {
    let mut config = Config::default();
    config.proxy.listen = SocketAddr::from(([127, 0, 0, 1], 0)).into();
    config.egress.resolvers = vec![parse("tls://127.0.0.1#dns.test")];
    config.egress.resolver_ca = Some("/there/is/no/such/file".into());
    let refused = portcullis::Proxy::bind(config);
    assert!(
        matches!(&refused, Err(StartError::NameServers(_))),
        "{refused:?}"
    );
}
