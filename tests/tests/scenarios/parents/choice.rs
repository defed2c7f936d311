//! Which of several parents a request goes through.

use std::collections::BTreeSet;

use portcullis::commands::explain;
use portcullis::config::{Balance, Group, Upstream};
use portcullis_tests::{Origin, Proxy, Wire, connect, get, ok};

use super::through;

#[tokio::test]
async fn hosts_and_groups_say_which_table_holds() {
    let [corp, lab] = [Origin::start().await, Origin::start().await];
    let origin = Origin::start().await;
    let proxy = Proxy::start_with(|config| {
        let network = "127.0.0.9/32".parse().expect("a network");
        config.groups.insert("lab".into(), Group::new([network]));
        config
            .upstream
            .insert("corp".into(), through("http", &[&corp]));
        let mut table = through("http", &[&lab]);
        table.groups = vec!["lab".into()];
        config.upstream.insert("lab".into(), table);
        let mut direct = Upstream::new(["direct".parse().expect("a word")]);
        direct.hosts = vec!["127.0.0.0/8".parse().expect("a network")];
        config.upstream.insert("near".into(), direct);
    })
    .await;
    for (client, url, parent, line) in [
        (
            [127, 0, 0, 1],
            "http://wiki.example/",
            &corp,
            "GET http://wiki.example/ ",
        ),
        (
            [127, 0, 0, 9],
            "http://wiki.example/",
            &lab,
            "GET http://wiki.example/ ",
        ),
        ([127, 0, 0, 9], &origin.url("/"), &origin, "GET / "),
    ] {
        let mut client = proxy.client_from(client).await;
        client.send(get(url)).await;
        let mut end = parent.accept().await;
        let head = end.head().await;
        assert!(head.starts_with(line), "{head}");
        end.send(ok("served")).await;
        assert_eq!(client.response().await.status, 200);
    }
    for (subject, client, says) in [
        (
            "wiki.example",
            [127, 0, 0, 1],
            "a proxy of [upstream.corp], which resolves the name",
        ),
        ("wiki.example", [127, 0, 0, 9], "a proxy of [upstream.lab]"),
        ("127.0.0.1", [127, 0, 0, 9], "its address may be dialled"),
    ] {
        let config = proxy.config().clone();
        let explained = explain(config, subject, Some(client.into()), None).await;
        let explained = explained.expect("it is explained").to_string();
        assert!(explained.contains(says), "{explained}");
    }
}

/// Has a tunnel opened, and says which of the parents it leads through.
async fn opens(proxy: &Proxy, parents: &[Origin; 3], host: &str) -> (usize, [Wire; 2]) {
    let mut client = proxy.client().await;
    client.send(connect(&format!("{host}:443"))).await;
    let [a, b, c] = parents;
    let (chosen, mut end) = tokio::select! {
        end = a.accept() => (0, end),
        end = b.accept() => (1, end),
        end = c.accept() => (2, end),
    };
    end.head().await;
    end.send("HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    (chosen, [client, end])
}

async fn three(balance: Balance) -> ([Origin; 3], Proxy) {
    let parents = [
        Origin::start().await,
        Origin::start().await,
        Origin::start().await,
    ];
    let proxy = Proxy::start_with(|config| {
        let mut table = through("http", &parents.each_ref());
        table.balance = balance;
        config.upstream.insert("corp".into(), table);
    })
    .await;
    (parents, proxy)
}

#[tokio::test]
async fn the_parent_with_the_fewest_connections_is_next() {
    let (parents, proxy) = three(Balance::LeastConnections).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut chosen = BTreeSet::new();
        for _ in 0..3 {
            let (parent, ends) = opens(&proxy, &parents, "wiki.example").await;
            chosen.insert(parent);
            held.push(ends);
        }
        assert_eq!(chosen.len(), 3, "each has one more");
    }
}

#[tokio::test]
async fn a_host_stays_with_its_parent_where_the_settings_want_that() {
    let (parents, proxy) = three(Balance::Host).await;
    let mut chosen = BTreeSet::new();
    for host in 0..12 {
        let host = format!("host-{host}.example");
        let (first, _ends) = opens(&proxy, &parents, &host).await;
        for _ in 0..2 {
            assert_eq!(opens(&proxy, &parents, &host).await.0, first);
        }
        chosen.insert(first);
    }
    assert_eq!(chosen.len(), 3, "hosts are shared out");
}
