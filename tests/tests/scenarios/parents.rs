//! Requests that go through parent proxies, which the test plays itself: what each gets, byte by
//! byte, and what becomes of what it answers. No name server answers here, so a name that reaches a
//! parent was not resolved.

mod choice;
mod failures;
#[cfg(unix)]
mod peers;

use std::net::Ipv4Addr;

use portcullis::Config;
use portcullis::config::{Fallback, Feed, FeedFormat, Ports, PrivateAddresses, Secret, Upstream};
use portcullis_tests::{Log, Origin, Proxy, Stage, Wire, connect, get, ok};

/// A proxy for all of whose requests `parent` is the way, by this protocol.
async fn behind(
    protocol: &str,
    parent: &Origin,
    change: impl FnOnce(&mut Config, &mut Upstream),
) -> Proxy {
    Proxy::start_with(|config| {
        let mut table = through(protocol, &[parent]);
        change(config, &mut table);
        config.upstream.insert("corp".into(), table);
    })
    .await
}

/// The table of these parents.
fn through(protocol: &str, parents: &[&Origin]) -> Upstream {
    let url = |parent: &&Origin| format!("{protocol}://{}", parent.authority());
    let urls = parents.iter().map(url);
    Upstream::new(urls.map(|url| url.parse().expect("a proxy")))
}

fn credentials(table: &mut Upstream) {
    table.credentials = Some(Secret::Text("proxy:secret".into()));
}

/// The mark of the proxy, which differs from start to start.
fn via(head: &str) -> &str {
    let lines = head.lines().map(|line| line.split_once(": "));
    let mut via = lines.flatten().filter(|(name, _)| *name == "via");
    via.next().expect("there is one").1
}

/// A client that asks for a tunnel, and the parent's end of what comes then.
async fn asks_for_tunnel(proxy: &Proxy, parent: &Origin, authority: &str) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(connect(authority)).await;
    (client, parent.accept().await)
}

#[tokio::test]
async fn a_parent_gets_plain_requests_with_their_whole_url_and_its_login() {
    let log = Log::follow();
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, table| credentials(table)).await;
    let mut client = proxy.client().await;
    let fields = "Proxy-Authorization: Basic b3duOm93bg==\r\nAccept: */*";
    let asked = |url: &str| get(url).replace("\r\n\r\n", &format!("\r\n{fields}\r\n\r\n"));
    client.send(asked("http://wiki.example/a?b")).await;
    let mut end = parent.accept().await;
    let head = end.head().await;
    assert!(
        head.starts_with("GET http://wiki.example/a?b HTTP/1.1\r\n"),
        "{head}"
    );
    let lines: Vec<String> = head.to_lowercase().lines().map(str::to_owned).collect();
    assert!(lines.contains(&"host: wiki.example".into()), "{head}");
    // It is that of this proxy, and not the client's.
    let logins = lines
        .iter()
        .filter(|line| line.starts_with("proxy-authorization:"));
    let logins: Vec<_> = logins.collect();
    assert_eq!(logins, ["proxy-authorization: basic chjvehk6c2vjcmv0"]);
    end.send(ok("whole")).await;
    assert_eq!(client.response().await.body, "whole");

    // The same connection leads to all hosts.
    client.send(asked("http://other.example:8080/")).await;
    let head = end.head().await;
    assert!(
        head.starts_with("GET http://other.example:8080/ HTTP/1.1\r\n"),
        "{head}"
    );
    end.send(ok("again")).await;
    assert_eq!(client.response().await.body, "again");
    // OPTIONS about a server as a whole has a URL without a path (RFC 9112, section 3.2.4).
    client
        .send(asked("http://wiki.example").replace("GET", "OPTIONS"))
        .await;
    let head = end.head().await;
    assert!(
        head.starts_with("OPTIONS http://wiki.example HTTP/1.1\r\n"),
        "{head}"
    );
    end.send(ok("all")).await;
    assert_eq!(client.response().await.body, "all");
    let peer = format!(" peer={} upstream=corp ", parent.authority());
    log.clone().says(&["host=wiki.example", &peer]).await;
}

#[tokio::test]
async fn a_tunnel_leads_through_a_parent_that_is_asked_by_connect() {
    let log = Log::follow();
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, table| credentials(table)).await;
    let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
    let head = end.head().await;
    assert_eq!(
        head.to_lowercase(),
        format!(
            "connect wiki.example:443 http/1.1\r\nhost: wiki.example:443\r\nvia: {}\r\n\
             proxy-authorization: basic chjvehk6c2vjcmv0\r\n\r\n",
            via(&head)
        )
    );
    // The origin speaks first, and its words come together with those of the parent.
    end.send("HTTP/1.1 200 Connection established\r\nVia: 1.1 parent\r\n\r\n220 hello\r\n")
        .await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    client.expect("220 hello\r\n").await;
    client.send("EHLO client\r\n").await;
    end.expect("EHLO client\r\n").await;
    drop((client, end));
    log.clone()
        .says(&["host=wiki.example", "protocol=connect", " upstream=corp "])
        .await;
}

#[tokio::test]
async fn a_parent_is_shown_the_marks_of_all_proxies_before_it() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, _| ()).await;
    let marks = async || {
        let head = parent.accept().await.head().await.to_lowercase();
        let marks = head.lines().filter_map(|line| line.strip_prefix("via: "));
        marks.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut client = proxy.client().await;
    let fields = "Via: 1.0 first, 1.1 second\r\nVia: 1.1 third\r\n\r\n";
    let asked = connect("wiki.example:443").replace("\r\n\r\n", &format!("\r\n{fields}"));
    client.send(asked).await;
    let marked = marks().await;
    assert_eq!(marked[..2], ["1.0 first, 1.1 second", "1.1 third"]);
    assert_eq!(marked.len(), 3);
    assert!(marked[2].starts_with("1.1 portcullis-"), "{marked:?}");

    let mut client = proxy.client().await;
    client.send([5, 1, 0]).await;
    client
        .send(b"\x05\x01\x00\x03\x0cwiki.example\x01\xbb")
        .await;
    assert_eq!(marks().await, marked[2..]);
}

#[tokio::test]
async fn an_upgrade_leads_through_a_parent_too() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |_, _| ()).await;
    let mut client = proxy.client().await;
    let fields = "\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n";
    let request = get("http://wiki.example/").replace("\r\n\r\n", fields);
    client.send(request).await;
    let mut end = parent.accept().await;
    let head = end.head().await.to_lowercase();
    assert!(head.starts_with("get http://wiki.example/ "), "{head}");
    assert!(head.contains("\r\nupgrade: chat\r\n"), "{head}");
    end.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello",
    )
    .await;
    assert_eq!(client.response().await.status, 101);
    client.expect("hello").await;
}

#[tokio::test]
async fn a_parent_that_speaks_socks_gets_names_and_all_kinds_of_requests() {
    let parent = Origin::start().await;
    let proxy = behind("socks5", &parent, |_, table| credentials(table)).await;
    let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "wiki.example:443").await;
    answer_socks(&mut end, b"\x03\x0cwiki.example\x01\xbb").await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    client.send("hello").await;
    end.expect("hello").await;

    let mut client = proxy.client().await;
    client.send(get("http://wiki.example/")).await;
    let mut end = parent.accept().await;
    answer_socks(&mut end, b"\x03\x0cwiki.example\x00\x50").await;
    // As the origin gets it.
    let head = end.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("proxy-"), "{head}");
    end.send(ok("through")).await;
    assert_eq!(client.response().await.body, "through");

    let (mut client, mut end) = asks_for_tunnel(&proxy, &parent, "198.51.100.7:443").await;
    answer_socks(&mut end, b"\x01\xc6\x33\x64\x07\x01\xbb").await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
}

/// Plays a parent that takes a login and leads to this target.
async fn answer_socks(end: &mut Wire, target: &[u8]) {
    let methods = end.exactly_bytes(2).await;
    assert_eq!(methods[0], 5);
    let methods = end.exactly_bytes(methods[1].into()).await;
    assert!(methods.contains(&2), "{methods:?}");
    end.send([5, 2]).await;
    let login = b"\x01\x05proxy\x06secret";
    assert_eq!(end.exactly_bytes(login.len()).await, login);
    end.send([1, 0]).await;
    let request = [b"\x05\x01\x00", target].concat();
    assert_eq!(end.exactly_bytes(request.len()).await, request);
    end.send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
}

#[tokio::test]
async fn what_the_filters_and_the_policy_refuse_reaches_no_parent() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |config, _| {
        config.egress.deny = vec!["*.denied.example".parse().expect("hosts")];
        config.egress.private = PrivateAddresses::Deny;
        config.egress.connect_ports = Some(vec![Ports::new(443, 443), Ports::new(80, 80)]);
        config.egress.allow = vec!["10.0.0.0/8:22".parse().expect("a network")];
        let known = [Ipv4Addr::new(10, 0, 0, 7).into()];
        config
            .egress
            .hosts
            .insert("known.example".into(), known.into());
    })
    .await;
    for (authority, status, why) in [
        ("www.blocked.portcullis.test:443", 403, "test-names"),
        ("a.denied.example:443", 403, "[egress] deny"),
        ("169.254.169.254:80", 403, "metadata"),
        ("10.0.0.1:443", 403, "[egress] private"),
        ("2130706433:443", 403, "loopback"),
        ("localhost:443", 403, "loopback"),
        ("known.example:443", 403, "[egress] private"),
    ] {
        let mut client = proxy.client().await;
        client.send(connect(authority)).await;
        let refused = client.response_to("CONNECT").await;
        assert_eq!(refused.status, status, "{authority}: {refused:?}");
        assert!(refused.body.contains(why), "{authority}: {refused:?}");
        let mut client = proxy.client().await;
        client.send(get(&format!("http://{authority}/"))).await;
        assert_eq!(client.response().await.status, status, "{authority}");
    }
    // The network whose entry names the port is not known to be where the parent leads.
    let mut client = proxy.client().await;
    client.send(connect("wiki.example:22")).await;
    let refused = client.response_to("CONNECT").await;
    assert!(refused.body.contains("connect_ports"), "{refused:?}");
    assert!(!parent.was_dialled());
}

#[tokio::test]
async fn a_list_is_fetched_through_the_parent_of_its_server() {
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |config, table| {
        credentials(table);
        let url = "http://lists.example/list".parse().expect("a URL");
        let feed = Feed::new(url, FeedFormat::Domains);
        config.feeds.insert("own".into(), feed);
    })
    .await;
    let mut server = parent.accept().await;
    let head = server.head().await.to_lowercase();
    assert!(
        head.starts_with("get http://lists.example/list http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nproxy-authorization: basic chjvehk6c2vjcmv0\r\n"),
        "{head}"
    );
    server.send(ok("listed.example\n")).await;
    // Until the list is there, the parent is asked.
    loop {
        let mut client = proxy.client().await;
        client.send(connect("listed.example:443")).await;
        let answered = tokio::select! {
            answered = client.response_to("CONNECT") => answered,
            mut asked = parent.accept() => {
                asked.head().await;
                asked.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
                client.response_to("CONNECT").await
            }
        };
        if answered.status == 403 {
            break;
        }
    }
}

#[tokio::test]
async fn the_log_says_whose_addresses_were_left_to_a_parent() {
    let mut log = Log::follow();
    let parent = Origin::start().await;
    let proxy = behind("http", &parent, |config, _| {
        let known = vec![Ipv4Addr::new(192, 0, 2, 9).into()];
        config.egress.hosts = [("known.example".to_owned(), known)].into();
    })
    .await;
    let (mut client, mut kept) = (proxy.client().await, None);
    for (host, is_left) in [
        ("wiki.example", true),
        ("known.example", false),
        ("192.0.2.7", false),
        ("localhost", false),
        // Its connection is the one that the first has made.
        ("other.example", true),
    ] {
        client.send(get(&format!("http://{host}/"))).await;
        let end = match &mut kept {
            None => kept.insert(parent.accept().await),
            Some(end) => end,
        };
        end.head().await;
        end.send(ok("served")).await;
        assert_eq!(client.response().await.status, 200, "{host}");
        // Each line is read before there can be another: those of two workers come in any order.
        says_who_checked(&mut log, host, "http", is_left).await;
        let (mut tunnel, mut end) = asks_for_tunnel(&proxy, &parent, &format!("{host}:443")).await;
        end.head().await;
        end.send("HTTP/1.1 200 OK\r\n\r\n").await;
        assert_eq!(tunnel.response_to("CONNECT").await.status, 200, "{host}");
        drop((tunnel, end));
        says_who_checked(&mut log, host, "connect", is_left).await;
    }
}

/// The access line of a request for this host says whether its addresses were left to the parent.
async fn says_who_checked(log: &mut Log, host: &str, protocol: &str, is_left: bool) {
    let (host, protocol) = (format!(" host={host} "), format!(" protocol={protocol} "));
    let line = log.says(&["kind=access", &host, &protocol]).await;
    assert!(line.contains(" upstream=corp "), "{line}");
    let says_so = line.contains(" upstream=corp addresses=unchecked ");
    assert_eq!(says_so, is_left, "{line}");
}

#[tokio::test]
async fn what_goes_straight_while_no_parent_is_there_was_checked() {
    let mut log = Log::follow();
    let stage = Stage::start_with(|config| {
        let gone = format!("http://{}", Origin::gone());
        let mut table = Upstream::new([gone.parse().expect("a proxy")]);
        table.fallback = Fallback::Direct;
        config.upstream.insert("corp".into(), table);
    });
    let stage = stage.await;
    for _ in 0..2 {
        assert_eq!(stage.get("straight.example").await.status, 200);
        let line = log.says(&["kind=access", " host=straight.example "]).await;
        let says_so = line.contains(" addresses=") || line.contains(" upstream=");
        assert!(!says_so && line.contains(" peer="), "{line}");
    }
}
