//! Requests, httpx and aiohttp, the clients that programs in Python have.

use portcullis_tests::{output, python, skip_without};

use super::{ALLOWED, BLOCKED, World, lines};

/// What the script says of the pages, each with its own connection to the proxy or a kept one.
async fn gets(world: &World, client: &str, proxy: &str, urls: &[String]) -> Option<Vec<String>> {
    let mut python = python("get.py");
    python
        .env("SSL_CERT_FILE", world.authority.file())
        .args([client, proxy])
        .args(urls);
    Some(lines(&output(&mut python).await?))
}

/// What each client says of a page that is refused, in the clear and over TLS.
const CLIENTS: [(&str, &str); 3] = [
    ("requests", "Tunnel connection failed: 403 Forbidden"),
    ("httpx", "ProxyError: 403 Forbidden"),
    ("aiohttp", "ClientHttpProxyError: 403, message='Forbidden'"),
];

#[tokio::test]
async fn what_is_allowed_arrives_and_what_is_refused_says_why() {
    let world = World::start().await;
    for (client, refusal) in CLIENTS {
        let proxy = world.proxy("http", "");
        let Some(said) = gets(&world, client, &proxy, &world.urls()).await else {
            return skip_without("Python with the packages of `make peers`");
        };
        let page = format!("403 {BLOCKED} is blocked");
        assert_eq!(said[..3], ["200 welcome", &page, "200 welcome"], "{client}");
        assert!(said[3].contains(refusal), "{client}: {}", said[3]);
    }
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}

#[tokio::test]
async fn a_login_is_taken_from_the_url_of_the_proxy() {
    let world = World::guarded().await;
    let urls = [world.stage.url(ALLOWED), world.secure_url(ALLOWED, "/")];
    for (client, refusal) in CLIENTS {
        for (login, is_right) in [("ada:secret@", true), ("ada:wrong@", false), ("", false)] {
            let proxy = world.proxy("http", login);
            let Some(said) = gets(&world, client, &proxy, &urls).await else {
                return skip_without("Python with the packages of `make peers`");
            };
            if is_right {
                assert_eq!(said, ["200 welcome"; 2], "{client}");
            } else {
                assert_eq!(
                    said[0], "407 Proxy Authentication Required",
                    "{client} {login}"
                );
                let refusal = refusal.split("403").next().unwrap_or_default();
                assert!(
                    said[1].contains(&format!("{refusal}407")),
                    "{client}: {}",
                    said[1]
                );
            }
        }
    }
}

/// Names go to the proxy, which judges them.
#[tokio::test]
async fn socks_works_where_the_client_has_it() {
    let world = World::start().await;
    for (client, refusal) in [
        ("requests", "Connection not allowed by ruleset"),
        (
            "httpx",
            "ProxyError: Proxy Server could not connect: Connection not allowed by ruleset",
        ),
    ] {
        let proxy = world.proxy("socks5h", "");
        let Some(said) = gets(&world, client, &proxy, &world.urls()).await else {
            return skip_without("Python with the packages of `make peers`");
        };
        assert_eq!([&said[0], &said[2]], ["200 welcome"; 2], "{client}");
        for refused in [&said[1], &said[3]] {
            assert!(refused.contains(refusal), "{client}: {refused}");
        }
    }
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}
