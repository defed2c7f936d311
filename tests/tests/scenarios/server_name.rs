//! The name in the TLS handshake of a tunnel's client, which may be another than the host that it
//! has asked for.

mod host_field;
mod repeated;

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use portcullis::Config;
use portcullis::config::{Feed, FeedFormat, FeedKind, SniCheck, SniMismatch};
use portcullis_tests::{
    Log, Origin, Stage, Wire, client_hello, connect, guests, in_records, plug, repeated,
    skip_without, with_extension, within,
};

/// A fatal alert of TLS: access denied.
const ACCESS_DENIED: &str = "\u{15}\u{3}\u{3}\0\u{2}\u{2}1";

/// On the list of the tests.
const BLOCKED: &str = "www.blocked.portcullis.test";

/// An origin, and a proxy in which it has names.
struct Scene {
    stage: Stage,
    origin: Origin,
}

impl Scene {
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self {
            stage: Stage::start_with(change).await,
            origin: Origin::start().await,
        }
    }

    /// The two ends of a tunnel to the origin under that name.
    async fn tunnel(&self, host: &str) -> (Wire, Wire) {
        let mut client = self.stage.proxy.client().await;
        client
            .send(connect(&format!("{host}:{}", self.origin.port())))
            .await;
        let served = self.origin.accept().await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        (client, served)
    }
}

/// The client gets an alert, and the origin nothing.
async fn is_refused(mut client: Wire, mut served: Wire) {
    assert_eq!(client.rest().await, ACCESS_DENIED);
    assert_eq!(served.rest().await, "");
}

async fn arrives(hello: &[u8], served: &mut Wire) {
    let arrived = served.exactly_bytes(hello.len()).await;
    assert_eq!(arrived, hello);
}

#[tokio::test]
async fn a_name_that_is_refused_closes_the_tunnel_before_the_origin_hears_of_it() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(client_hello(BLOCKED)).await;
    is_refused(client, served).await;
    let line = log.says(&["kind=access", "host=front.example"]).await;
    for field in [
        &format!(" sni={BLOCKED} sni_verdict=block "),
        " status=200 ",
        " verdict=block filter=blocklist ",
        " up=0 ",
        " outcome=complete",
    ] {
        assert!(line.contains(field), "{field:?} is not in {line}");
    }
}

#[tokio::test]
async fn the_name_that_was_asked_for_passes_however_it_is_spelled_and_split() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    for hello in [
        client_hello("same.example"),
        client_hello("SAME.Example"),
        in_records(&client_hello("same.example"), 7),
    ] {
        let (mut client, mut served) = scene.tunnel("same.example").await;
        for piece in hello.chunks(100) {
            client.send(piece).await;
        }
        arrives(&hello, &mut served).await;
        served.send("hello").await;
        client.expect("hello").await;
        drop((client, served));
        let line = log.says(&["kind=access", "host=same.example"]).await;
        assert!(line.contains(" sni=same.example status=200 "), "{line}");
        assert!(line.contains(" verdict=next "), "{line}");
    }
}

#[tokio::test]
async fn another_name_is_judged_by_all_that_judges_hosts() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    let hello = client_hello("other.example");
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
    drop((client, served));
    log.says(&["host=front.example", " sni=other.example sni_verdict=next "])
        .await;

    // An address has no name to compare with.
    let (mut client, served) = scene.tunnel("127.0.0.1").await;
    client.send(client_hello(BLOCKED)).await;
    is_refused(client, served).await;
}

#[tokio::test]
async fn names_are_compared_and_never_resolved_again() {
    let scene = Scene::start().await;
    let request = "GET / HTTP/1.1\r\nHost: field.example\r\n\r\n";
    for message in [client_hello("sni.example"), request.into()] {
        let (mut client, mut served) = scene.tunnel("front.example").await;
        client.send(&message).await;
        arrives(&message, &mut served).await;
    }
    let dns = &scene.stage.dns;
    assert!(dns.was_asked_for("front.example"));
    for name in ["sni.example", "field.example"] {
        assert!(!dns.was_asked_for(name), "{name}");
    }
}

#[tokio::test]
async fn a_client_that_names_no_server_stands_on_the_first_verdict() {
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    let hello = client_hello("192.0.2.1");
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_at_once() {
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("mail.example").await;
    served.send("220 mail.example\r\n").await;
    client.expect("220 mail.example\r\n").await;
    client.send("EHLO client\r\n").await;
    served.expect("EHLO client\r\n").await;
    // What comes later is not looked at: the server has agreed to it.
    let hello = client_hello(BLOCKED);
    client.send(&hello).await;
    arrives(&hello, &mut served).await;

    // The server may speak while a part of the message is held back.
    let (mut client, mut served) = scene.tunnel("front.example").await;
    let hello = client_hello("front.example");
    client.send(&hello[..50]).await;
    served.send("early").await;
    client.expect("early").await;
    client.send(&hello[50..]).await;
    arrives(&hello, &mut served).await;
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_with_the_reason() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| {
        config.limits.client_hello = Duration::from_millis(200);
    })
    .await;
    let hello = client_hello("late.example");
    let no_host = {
        let text = client_hello("no-host.example");
        let at = text
            .windows(7)
            .position(|part| part == b"no-host")
            .expect("a name");
        let mut bytes = text;
        bytes[at..at + 7].copy_from_slice(b"no host");
        bytes
    };
    let long = [&[22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff][..], &[0; 20_000]].concat();
    for (host, sent, reason) in [
        ("late.example", &hello[..40], "has not come in time"),
        ("records.example", &[22, 3, 1, 0, 0], "hold something else"),
        ("space.example", &no_host, "by what is no host"),
        ("long.example", &long, "longer than 16 KiB"),
    ] {
        let (mut client, served) = scene.tunnel(host).await;
        client.send_what_is_taken(sent).await;
        is_refused(client, served).await;
        let line = log.says(&["kind=access", &format!("host={host}")]).await;
        assert!(
            line.contains("outcome=failed") && line.contains(reason),
            "{line}"
        );
    }
    // A client that stops in the middle. With the default limit, as it may take longer to stop.
    let scene = Scene::start().await;
    let (mut client, served) = scene.tunnel("cut.example").await;
    client.send(&hello[..40]).await;
    client.finish().await;
    is_refused(client, served).await;
    log.says(&["host=cut.example", "has stopped in the middle"])
        .await;
}

#[tokio::test]
async fn a_host_that_is_allowed_carries_no_name_that_is_refused() {
    let scene = Scene::start_with(|config| {
        let nowhere = "http://127.0.0.1:1/".parse().expect("a URL");
        let mut allowed = Feed::new(nowhere, FeedFormat::Domains);
        allowed.url = None;
        allowed.kind = FeedKind::Allow;
        allowed.entries = vec!["front.example".into()];
        config.feeds.insert("allowed".into(), allowed);
    })
    .await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(client_hello(BLOCKED)).await;
    is_refused(client, served).await;
}

#[tokio::test]
async fn what_is_sent_ahead_of_the_answer_is_held_back_too() {
    let scene = Scene::start().await;
    let target = format!("front.example:{}", scene.origin.port());
    let mut client = scene.stage.proxy.client().await;
    let ahead = [connect(&target).as_bytes(), &client_hello(BLOCKED)].concat();
    client.send(ahead).await;
    let served = scene.origin.accept().await;
    client.head().await;
    is_refused(client, served).await;
}

#[tokio::test]
async fn a_long_message_and_one_with_a_hidden_name_are_read() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    // As long as those of clients with post-quantum keys.
    let long = with_extension(&client_hello("front.example"), 0x4a4a, &[7; 1600]);
    let hidden = with_extension(&client_hello("front.example"), 0xfe0d, &[7; 200]);
    for hello in [&long, &hidden] {
        let (mut client, mut served) = scene.tunnel("front.example").await;
        let (first, second) = hello.split_at(hello.len() / 2);
        client.send(first).await;
        client.send(second).await;
        arrives(hello, &mut served).await;
        drop((client, served));
        let line = log.says(&["kind=access", " sni=front.example "]).await;
        assert_eq!(line.contains(" ech=true "), hello == &hidden, "{line}");
    }
}

#[tokio::test]
async fn a_client_that_the_origin_has_spoken_to_gets_no_alert() {
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    served.send("220 mail.example\r\n").await;
    client.expect("220 mail.example\r\n").await;
    client.send(client_hello(BLOCKED)).await;
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn an_address_may_stand_in_place_of_a_name() {
    let scene = Scene::start().await;
    let (mut client, mut served) = scene.tunnel("127.0.0.1").await;
    let hello = named(b"127.0.0.1");
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
    let (mut client, mut served) = scene.tunnel("127.0.0.1").await;
    let hello = named(b"::1");
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
}

/// A message with this text in place of a name.
fn named(text: &[u8]) -> Vec<u8> {
    let hello = client_hello("192.0.2.1");
    let length = u8::try_from(text.len()).expect("a short text");
    let list = [&[0, length + 3, 0, 0, length], text].concat();
    with_extension(&hello, 0, &list)
}

#[tokio::test]
async fn a_filter_may_have_the_connection_closed_without_an_answer() {
    let scene = Scene::start_with(|config| {
        plug(&config.plugins.dir, "obeys.wasm", guests::obeys());
        let settings = "[grants]\nfeeds = ['*']\nstate = true\n[config]\ngreeting = ''";
        plug(&config.plugins.dir, "obeys.toml", settings);
    })
    .await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(client_hello("drop.obeys.example")).await;
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
}

#[tokio::test]
async fn the_operator_may_refuse_every_other_name() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| config.tunnel.mismatch = SniMismatch::Refuse).await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(client_hello("other.example")).await;
    is_refused(client, served).await;
    log.says(&[
        "host=front.example",
        "names other.example in its TLS handshake",
    ])
    .await;
    let (mut client, mut served) = scene.tunnel("front.example").await;
    let hello = client_hello("front.example");
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
    // A client that has asked for an address has named no host before.
    let (mut client, mut served) = scene.tunnel("127.0.0.1").await;
    client.send(&hello).await;
    arrives(&hello, &mut served).await;
}

#[tokio::test]
async fn a_name_that_the_operator_denies_is_carried_by_no_other() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| {
        let denied =
            ["*.denied.example", "*:25"].map(|entry| entry.parse().expect("a destination"));
        config.egress.deny = denied.into();
    })
    .await;
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(client_hello("www.denied.example")).await;
    is_refused(client, served).await;
    log.says(&[
        "host=front.example",
        "`*.denied.example` is in [egress] deny",
    ])
    .await;
}

#[tokio::test]
async fn a_tunnel_goes_on_where_names_are_only_logged_or_not_looked_at() {
    for sni in [SniCheck::Log, SniCheck::Off] {
        let mut log = Log::follow();
        let scene = Scene::start_with(|config| config.tunnel.sni = sni).await;
        let (mut client, mut served) = scene.tunnel("front.example").await;
        let hello = client_hello(BLOCKED);
        client.send(&hello).await;
        arrives(&hello, &mut served).await;
        drop((client, served));
        let line = log.says(&["kind=access", "host=front.example"]).await;
        assert!(line.contains(" verdict=next "), "{line}");
        let says = line.contains(&format!(" sni={BLOCKED} sni_verdict=block "));
        assert_eq!(says, sni == SniCheck::Log, "{line}");
    }
}

#[tokio::test]
async fn a_filter_is_told_the_name_when_it_is_asked_about_it() {
    let scene = Scene::start_with(|config| {
        plug(&config.plugins.dir, "knows.wasm", guests::knows());
    })
    .await;
    let mut log = Log::follow();
    let (mut client, _served) = scene.tunnel("front.example").await;
    client.send(client_hello("other.example")).await;
    log.says(&[
        "filter=\"knows\"",
        "judge-host knows",
        "exchange.server-name",
    ])
    .await;
}

#[tokio::test]
async fn curl_says_that_access_is_denied() {
    let scene = Scene::start().await;
    let port = scene.origin.port();
    let proxy = format!("http://{}", scene.stage.proxy.address());
    let mut curl = tokio::process::Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--proxy", &proxy])
        .args([
            "--connect-to",
            &format!("{BLOCKED}:{port}:front.example:{port}"),
        ])
        .arg(format!("https://{BLOCKED}:{port}/"))
        .stderr(Stdio::piped());
    let asked = match within("curl ends", curl.output()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return skip_without("curl");
        }
        asked => asked.expect("curl runs"),
    };
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(
        !asked.status.success() && said.contains("access denied"),
        "{said}"
    );
    let mut served = scene.origin.accept().await;
    assert_eq!(served.rest().await, "");
}
