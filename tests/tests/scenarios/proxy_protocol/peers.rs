//! Real load balancers, and a client that plays one.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use portcullis::config::Group;
use portcullis_tests::{Log, OPTIONS, Origin, Wire, connect, curl, ok, skip_without, within};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{balanced, clients, proxy};

/// haproxy in front of a proxy, on a port of its own. None if it is not installed.
struct Haproxy {
    address: SocketAddr,
    _process: Child,
}

impl Haproxy {
    fn start(folder: &Path, server: &str) -> Option<Self> {
        let settings = format!(
            "global\n  log stderr local0 notice\n\
             defaults\n  mode tcp\n  timeout connect 20s\n  timeout client 60s\n  timeout server 60s\n\
             frontend clients\n  bind fd@0\n  default_backend proxy\n\
             backend proxy\n  server proxy {server}\n"
        );
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, settings).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let mut haproxy = Command::new("haproxy");
        haproxy.args(["-db", "-f"]).arg(file).kill_on_drop(true);
        match haproxy.stdin(Stdio::from(OwnedFd::from(listener))).spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            process => Some(Self {
                address,
                _process: process.expect("haproxy starts"),
            }),
        }
    }
}

#[tokio::test]
async fn haproxy_says_who_its_clients_are() {
    for words in [
        "send-proxy",
        "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    ] {
        let (mut log, folder) = (Log::follow(), TempDir::new().expect("a folder"));
        let origin = Origin::start().await;
        let proxy = proxy(|config| {
            let group = Group::new(["127.0.0.2/32".parse().expect("a network")]);
            config.groups = BTreeMap::from([("two".into(), group)]);
        })
        .await;
        let server = format!("{} {words}", balanced(&proxy));
        let Some(haproxy) = Haproxy::start(folder.path(), &server) else {
            return skip_without("haproxy");
        };
        let mut client = Wire::connect_from([127, 0, 0, 2].into(), haproxy.address).await;
        let mut served = origin.asked_by(&mut client).await;
        served.send(ok("hello")).await;
        assert_eq!(client.response().await.body, "hello", "{words}");
        log.says(&[
            "kind=access",
            " client=127.0.0.2 listener=balanced ",
            " status=200 ",
        ])
        .await;

        let mut client = Wire::connect_from([127, 0, 0, 2].into(), haproxy.address).await;
        client.send(connect(&origin.authority())).await;
        let mut served = origin.accept().await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        client.send("question").await;
        served.expect("question").await;
        // Its other clients are refused as those of the proxy are.
        let mut client = Wire::connect_from([127, 0, 0, 3].into(), haproxy.address).await;
        client.send(OPTIONS).await;
        assert_eq!(client.response().await.status, 403);
    }
}

#[tokio::test]
async fn the_health_checks_of_haproxy_find_the_proxy_well() {
    let (folder, mut log) = (TempDir::new().expect("a folder"), Log::follow());
    let proxy = proxy(|config| {
        config.clients = clients(["127.0.0.1/32"]);
    })
    .await;
    let server = format!(
        "{} send-proxy-v2 check check-send-proxy inter 100ms\n  \
                          option httpchk OPTIONS *",
        balanced(&proxy)
    );
    let Some(_haproxy) = Haproxy::start(folder.path(), &server) else {
        return skip_without("haproxy");
    };
    for _ in 0..3 {
        log.says(&[
            "kind=access",
            " client=127.0.0.1 ",
            " method=OPTIONS ",
            " status=200 ",
        ])
        .await;
    }
}

#[tokio::test]
async fn curl_says_that_it_is_its_own_balancer() {
    let (mut log, origin) = (Log::follow(), Origin::start().await);
    let proxy = proxy(|config| {
        config.clients = clients(["127.0.0.1/32"]);
    })
    .await;
    let mut curl = curl();
    curl.args(["--haproxy-protocol", "--proxy"])
        .arg(format!("http://{}", balanced(&proxy)))
        .arg(origin.url("/"));
    let curl = match curl.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return skip_without("curl"),
        curl => curl.expect("curl runs"),
    };
    let mut served = origin.accept().await;
    served.head().await;
    served.send(ok("hello")).await;
    let asked = within("curl ends", curl.wait_with_output()).await;
    assert_eq!(asked.expect("curl runs").stdout, b"hello");
    log.says(&[
        "kind=access",
        " client=127.0.0.1 listener=balanced ",
        " status=200 ",
    ])
    .await;
}
