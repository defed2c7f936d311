//! Several listeners, and Unix sockets among them.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use portcullis::config::{Clients, ListenAddress, Listener};
use portcullis::{Config, StartError};
use portcullis_tests::{
    Log, OPTIONS, Origin, Proxy, Response, Stage, Wire, connect, get, guests, ok, skip_without,
    within,
};
use tempfile::TempDir;
use tokio::process::Command;

/// A free port of the loopback address 127.0.0.`host`.
fn loopback(host: u8) -> ListenAddress {
    SocketAddr::from(([127, 0, 0, host], 0)).into()
}

/// Where a socket can be.
fn socket_in(folder: &TempDir) -> PathBuf {
    folder.path().join("proxy.sock")
}

/// A proxy whose first listener is a Unix socket in this folder.
async fn proxy_in(folder: &TempDir, change: impl FnOnce(&mut Config)) -> Proxy {
    let path = socket_in(folder);
    Proxy::start_with(|config| {
        config.proxy.listen = [ListenAddress::Unix(path), loopback(1)]
            .into_iter()
            .collect();
        change(config);
    })
    .await
}

#[tokio::test]
async fn every_listener_serves_and_the_access_log_says_which() {
    let mut log = Log::follow();
    let origin = Origin::start().await;
    let proxy = Proxy::start_with(|config| {
        config.proxy.listen = [loopback(1), loopback(2)].into_iter().collect();
        config.listeners = BTreeMap::from([("lan".into(), Listener::at(loopback(3)))]);
    })
    .await;
    let addresses: Vec<SocketAddr> = proxy
        .addresses()
        .iter()
        .filter_map(ListenAddress::socket)
        .collect();
    let said: Vec<_> = addresses[..2].iter().map(ToString::to_string).collect();
    let all = format!(
        "listening address={}, lan {}",
        said.join(", "),
        addresses[2]
    );
    log.says(&[&all]).await;
    for (address, name) in addresses.iter().zip([&*said[0], &said[1], "lan"]) {
        let mut client = Wire::connect(*address).await;
        let mut served = origin.asked_by(&mut client).await;
        served.send(ok("hello")).await;
        assert_eq!(client.response().await.body, "hello");
        log.says(&["kind=access", &format!(" listener={name} ")])
            .await;
    }
    for address in &addresses {
        let mut client = proxy.client().await;
        client.send(connect(&address.to_string())).await;
        assert_eq!(client.response_to("CONNECT").await.status, 508, "{address}");
    }
}

#[tokio::test]
async fn a_proxy_with_one_listener_does_not_name_it() {
    let mut log = Log::follow();
    let (proxy, origin) = (Proxy::start().await, Origin::start().await);
    let mut client = proxy.client().await;
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("")).await;
    client.response().await;
    let line = log.says(&["kind=access", " method=GET "]).await;
    assert!(line.contains(" client=127.0.0.1 method=GET "), "{line}");
}

#[tokio::test]
async fn each_listener_has_its_own_defaults() {
    let proxy = Proxy::start_with(|config| {
        config.limits.connections = 4;
        let mut lan = Listener::at(SocketAddr::from(([0; 4], 0)));
        lan.allow = Some(vec!["127.0.0.0/8".parse().expect("a network")]);
        config.listeners = BTreeMap::from([("lan".into(), lan)]);
    })
    .await;
    let port = proxy.addresses()[1].socket().expect("it has a port").port();
    let lan = SocketAddr::from(([127, 0, 0, 1], port));
    let mut statuses = Vec::new();
    let mut open = Vec::new();
    for address in [lan, lan, lan, proxy.address(), proxy.address()] {
        let mut client = Wire::connect(address).await;
        client.send_what_is_taken(OPTIONS).await;
        statuses.push(client.response().await.status);
        open.push(client);
    }
    // Where other machines could come from, one client has half of the connections.
    assert_eq!(statuses, [200, 200, 503, 200, 200]);
}

#[tokio::test]
async fn a_listener_may_have_clients_of_its_own() {
    let proxy = Proxy::start_with(|config| {
        config.clients = Clients::new(["192.0.2.0/24".parse().expect("a network")]);
        let mut own = Listener::at(loopback(1));
        own.allow = Some(vec!["127.0.0.2/32".parse().expect("a network")]);
        config.listeners = BTreeMap::from([("own".into(), own)]);
    })
    .await;
    let own = proxy.addresses()[1].socket().expect("it has a port");
    for (address, expected) in [(own, 200), (proxy.address(), 403)] {
        let mut client = Wire::connect_from([127, 0, 0, 2].into(), address).await;
        client.send(OPTIONS).await;
        assert_eq!(client.response().await.status, expected);
    }
}

#[test]
fn a_listener_that_cannot_be_opened_leaves_none_open() {
    let (folder, taken) = (
        TempDir::new().unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let taken_at = taken.local_addr().unwrap();
    let mut config = Config::default();
    config.proxy.listen = [
        ListenAddress::Unix(socket_in(&folder)),
        free.into(),
        taken_at.into(),
    ]
    .into_iter()
    .collect();
    let refused = portcullis::Proxy::bind(config).unwrap_err();
    assert!(matches!(refused, StartError::Bind { .. }), "{refused:?}");
    assert!(
        refused.to_string().contains(&taken_at.to_string()),
        "{refused}"
    );
    assert!(!socket_in(&folder).exists());
    TcpListener::bind(free).expect("nothing listens there");
}

#[tokio::test]
async fn clients_of_a_unix_socket_are_served_without_an_address() {
    let mut log = Log::follow();
    let (folder, origin) = (TempDir::new().unwrap(), Origin::start().await);
    // Its permissions say who may connect, and networks of clients do not.
    let elsewhere = Clients::new(["192.0.2.0/24".parse().expect("a network")]);
    let proxy = proxy_in(&folder, |config| config.clients = elsewhere).await;
    let path = socket_in(&folder);
    let mode = fs::symlink_metadata(&path).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut client = Wire::connect_unix(&path);
    let mut served = origin.asked_by(&mut client).await;
    served.send(ok("hello")).await;
    assert_eq!(client.response().await.body, "hello");
    let name = format!(" client=unix listener=unix:{} ", path.display());
    log.says(&["kind=access", &name, " status=200 "]).await;

    let mut client = Wire::connect_unix(&path);
    client.send(connect(&origin.authority())).await;
    let mut served = origin.accept().await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    client.send("question").await;
    served.expect("question").await;
    served.finish().await;
    assert_eq!(client.rest().await, "");

    drop(client);
    proxy.stop().await;
    assert!(!path.exists(), "it is removed");
}

#[tokio::test]
async fn python_is_served_by_a_unix_socket() {
    let (folder, origin) = (TempDir::new().unwrap(), Origin::start().await);
    let _proxy = proxy_in(&folder, |_| ()).await;
    let asking = "import http.client, socket, sys\n\
        connection = http.client.HTTPConnection('proxy')\n\
        connection.sock = socket.socket(socket.AF_UNIX)\n\
        connection.sock.connect(sys.argv[1])\n\
        connection.request('GET', sys.argv[2])\n\
        response = connection.getresponse()\n\
        print(response.status, response.read().decode())";
    let mut python = Command::new("python3");
    python
        .args(["-c", asking])
        .arg(socket_in(&folder))
        .arg(origin.url("/"));
    let answering = async {
        let mut served = origin.accept().await;
        served.head().await;
        served.send(ok("hello")).await;
        served
    };
    let asked = async { within("Python ends", python.output()).await };
    let asked = tokio::select! {
        asked = asked => asked,
        asked = async { let _served = answering.await; std::future::pending().await } => asked,
    };
    let asked = match asked {
        Err(error) if error.kind() == ErrorKind::NotFound => return skip_without("python3"),
        asked => asked.expect("Python runs"),
    };
    let said = String::from_utf8_lossy(&asked.stdout);
    assert_eq!(said.trim(), "200 hello", "{asked:?}");
}

#[tokio::test]
async fn a_dead_proxy_leaves_nothing_in_the_way_and_a_live_one_does() {
    let folder = TempDir::new().unwrap();
    let path = socket_in(&folder);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let proxy = proxy_in(&folder, |_| ()).await;
    let mut client = Wire::connect_unix(&path);
    client.send(OPTIONS).await;
    assert_eq!(client.response().await.status, 200);

    let refused = start_at(&path).unwrap_err();
    assert!(
        refused.contains("another program listens there"),
        "{refused}"
    );
    let mut client = Wire::connect_unix(&path);
    client.send(OPTIONS).await;
    assert_eq!(client.response().await.status, 200);

    // What stands there when the proxy ends is not its own.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "text").unwrap();
    drop(client);
    proxy.stop().await;
    assert_eq!(fs::read(&path).unwrap(), b"text");
    let refused = start_at(&path).unwrap_err();
    assert!(refused.contains("a file that is not a socket"), "{refused}");
}

fn start_at(path: &Path) -> Result<portcullis::Proxy, String> {
    let mut config = Config::default();
    config.proxy.listen = ListenAddress::Unix(path.to_owned()).into();
    portcullis::Proxy::bind(config).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_person_on_this_machine_is_told_how_to_let_a_host_pass() {
    let folder = TempDir::new().unwrap();
    let proxy = proxy_in(&folder, |_| ()).await;
    let mut client = Wire::connect_unix(&socket_in(&folder));
    client
        .send(get("http://www.blocked.portcullis.test/"))
        .await;
    let response = client.response().await;
    assert_eq!(response.status, 403);
    assert!(
        response.body.contains("allow www.blocked.portcullis.test"),
        "{}",
        response.body
    );
    drop(proxy);
}

#[tokio::test]
async fn filters_are_told_the_listener_and_that_a_client_has_no_address() {
    let folder = TempDir::new().unwrap();
    let stage = Stage::start_with(|config| {
        let (lan, socket) = (loopback(2), ListenAddress::Unix(socket_in(&folder)));
        config.listeners = BTreeMap::from([
            ("lan".into(), Listener::at(lan)),
            ("socket".into(), Listener::at(socket)),
        ]);
    })
    .await;
    stage.plug("facts.wasm", guests::facts());
    let is_answered = |response: &Response| response.body.starts_with("127.0.0.1 asks for ");
    stage.until_response("www.example.com", is_answered).await;
    let lan = stage.proxy.addresses()[1].socket().expect("it has a port");
    for (mut client, begin, end) in [
        (Wire::connect(lan).await, "127.0.0.1 asks", ", by lan"),
        (
            Wire::connect_unix(&socket_in(&folder)),
            "an unknown client asks",
            ", by socket",
        ),
    ] {
        client.send(stage.request("www.example.com", "")).await;
        let body = client.response().await.body;
        assert!(body.starts_with(begin) && body.ends_with(end), "{body}");
    }
}
