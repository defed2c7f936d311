//! Clients of SOCKS, and curl.

use std::io::ErrorKind;

use portcullis_tests::{Log, Wire, curl, skip_without, within};

use super::Guarded;

/// What a client of version 5 says that logs in (RFC 1929).
fn login(user: &str, password: &str) -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[length], text.as_bytes()].concat()
    };
    [vec![1], text(user), text(password)].concat()
}

/// A client of version 5 that is about to log in.
async fn client(guarded: &Guarded) -> Wire {
    let mut client = guarded.stage.proxy.client().await;
    client.send([5, 2, 0, 2]).await;
    assert_eq!(client.exactly_bytes(2).await, [5, 2]);
    client
}

fn request(host: &str, port: u16) -> Vec<u8> {
    let length = u8::try_from(host.len()).expect("a short name");
    [&[5, 1, 0, 3, length], host.as_bytes(), &port.to_be_bytes()].concat()
}

#[tokio::test]
async fn a_client_of_socks_5_logs_in_and_gets_its_tunnel() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    let port = guarded.stage.site.port();
    let mut right = client(&guarded).await;
    right.send(login("ada", "secret")).await;
    assert_eq!(right.exactly_bytes(2).await, [1, 0]);
    right.send(request("socks.example", port)).await;
    assert_eq!(right.exactly_bytes(10).await[..2], [5, 0]);
    right
        .send("GET / HTTP/1.1\r\nHost: socks.example\r\n\r\n")
        .await;
    assert_eq!(right.response().await.body, "welcome");
    drop(right);
    log.says(&[
        "kind=access",
        " user=ada ",
        "host=socks.example",
        "protocol=socks5",
    ])
    .await;
}

#[tokio::test]
async fn a_client_of_socks_that_does_not_log_in_is_refused_before_it_asks() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    for wrong in [
        login("ada", "Secret"),
        login("eve", "secret"),
        login("", ""),
    ] {
        let mut client = client(&guarded).await;
        // What follows is not served.
        client
            .send([wrong, request("socks.example", 443)].concat())
            .await;
        assert_eq!(client.rest_bytes().await, [1, 1]);
        log.says(&[
            "kind=access",
            "protocol=socks5",
            "outcome=failed",
            "the login is wrong",
        ])
        .await;
    }
    for (greeting, answer, why) in [
        (
            &[5, 1, 0][..],
            &[5, 0xff][..],
            "wants a login by name and password",
        ),
        (
            b"\x04\x01\x01\xbb\0\0\0\x01\0socks.example\0",
            &[0, 91, 0, 0, 0, 0, 0, 0],
            "version 4 of SOCKS has no password",
        ),
        (
            &[4, 1, 1, 187, 127, 0, 0, 1, b'a', b'd', b'a', 0],
            &[0, 91, 0, 0, 0, 0, 0, 0],
            "version 4 of SOCKS has no password",
        ),
    ] {
        let mut client = guarded.stage.proxy.client().await;
        client.send(greeting).await;
        assert_eq!(client.rest_bytes().await, answer);
        log.says(&["kind=access", "outcome=failed", why]).await;
    }
    assert!(!guarded.stage.dns.was_asked_for("socks.example"));
}

/// Has curl get the first page of a site, and returns its exit code and what it got.
async fn curl_gets(guarded: &Guarded, arguments: &[&str]) -> Option<(Option<i32>, String)> {
    let mut curl = curl();
    curl.args(arguments).arg(guarded.stage.url("curl.example"));
    match within("curl ends", curl.output()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        asked => {
            let asked = asked.expect("curl runs");
            let got = String::from_utf8_lossy(&asked.stdout).into_owned();
            Some((asked.status.code(), got))
        }
    }
}

#[tokio::test]
async fn curl_logs_in_by_each_protocol() {
    let guarded = Guarded::start().await;
    let address = guarded.stage.proxy.address();
    for (scheme, more, refused) in [
        ("http", &[][..], Some(0)),
        ("http", &["--proxy-anyauth"], Some(0)),
        ("http", &["--proxytunnel"], Some(56)),
        ("socks5h", &[], Some(97)),
    ] {
        let proxy = format!("{scheme}://{address}");
        let ask = async |login: &[&str]| {
            let arguments = [&["--proxy", &proxy], more, login].concat();
            curl_gets(&guarded, &arguments).await
        };
        let Some(asked) = ask(&["--proxy-user", "ada:secret"]).await else {
            return skip_without("curl");
        };
        assert_eq!(asked, (Some(0), "welcome".to_owned()), "{scheme} {more:?}");
        for wrong in [&[][..], &["--proxy-user", "ada:wrong"]] {
            let (code, got) = ask(wrong).await.expect("curl is there");
            assert_eq!(code, refused, "{scheme} {more:?} {wrong:?}");
            assert!(!got.contains("welcome"), "{got}");
        }
    }
    let proxy = format!("socks4a://{address}");
    let asked = curl_gets(&guarded, &["--proxy", &proxy, "--proxy-user", "ada"]).await;
    assert_eq!(asked.expect("curl is there").0, Some(97));
}
