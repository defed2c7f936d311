//! Parents that others have written.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use portcullis::config::{Secret, Upstream};
use portcullis_tests::{Origin, Proxy, Wire, connect, get, ok, skip_without, within};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::yield_now;

/// Starts a program. None if it is not installed.
fn start(program: &mut Command) -> Option<Child> {
    let program = program.kill_on_drop(true).stdout(Stdio::null());
    match program.stderr(Stdio::null()).spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        started => Some(started.expect("the program starts")),
    }
}

/// Waits until the program listens.
#[expect(clippy::disallowed_methods, reason = "a client of the program")]
async fn listens(address: SocketAddr) {
    let connecting = async {
        while TcpStream::connect(address).await.is_err() {
            yield_now().await;
        }
    };
    within("the program listens", connecting).await;
}

/// A proxy behind a parent that wants a login.
async fn behind(parent: &str, ca: Option<&Path>) -> Proxy {
    Proxy::start_with(|config| {
        let mut table = Upstream::new([parent.parse().expect("a proxy")]);
        table.credentials = Some(Secret::Text("proxy:secret".into()));
        table.ca = ca.map(Path::to_owned);
        config.upstream.insert("peer".into(), table);
    })
    .await
}

/// A plain request and a tunnel get through, by the name of this machine.
async fn leads_on(proxy: &Proxy) {
    let origin = Origin::start().await;
    let host = format!("localhost:{}", origin.port());
    let mut client = proxy.client().await;
    client.send(get(&format!("http://{host}/page"))).await;
    let mut end = origin.accept().await;
    let head = end.head().await;
    assert!(head.starts_with("GET /page HTTP/1."), "{head}");
    end.send(ok("hello")).await;
    assert_eq!(client.response().await.body, "hello");

    let mut client = proxy.client().await;
    client.send(connect(&host)).await;
    let mut end = origin.accept().await;
    assert_eq!(client.response_to("CONNECT").await.status, 200);
    end.send("220 ready").await;
    client.expect("220 ready").await;
    client.send("question").await;
    end.expect("question").await;
}

#[tokio::test]
async fn tinyproxy_takes_requests_and_tunnels() {
    let (folder, address) = (TempDir::new().expect("a folder"), Origin::free().await);
    let file = folder.path().join("tinyproxy.conf");
    let settings = format!(
        "Listen {}\nPort {}\nBasicAuth proxy secret\nTimeout 60\n",
        address.ip(),
        address.port()
    );
    std::fs::write(&file, settings).expect("a file");
    let mut tinyproxy = Command::new("tinyproxy");
    let Some(_process) = start(tinyproxy.arg("-d").arg("-c").arg(file)) else {
        return skip_without("tinyproxy");
    };
    listens(address).await;
    leads_on(&behind(&format!("http://{address}"), None).await).await;
}

#[tokio::test]
async fn microsocks_takes_names() {
    let address = Origin::free().await;
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let mut microsocks = Command::new("microsocks");
    let microsocks = microsocks.args(["-i", &ip, "-p", &port, "-u", "proxy", "-P", "secret"]);
    let Some(_process) = start(microsocks) else {
        return skip_without("microsocks");
    };
    listens(address).await;
    leads_on(&behind(&format!("socks5://{address}"), None).await).await;
}

/// A certificate for this machine, and its key.
fn certificate(folder: &Path) -> Option<()> {
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args([
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=parent",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    match made {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        made => made
            .expect("openssl runs")
            .success()
            .then_some(())
            .or_else(|| panic!("openssl makes no certificate")),
    }
}

/// haproxy, which speaks TLS in front of another proxy.
fn haproxy(folder: &Path, parent: &Proxy) -> Option<(SocketAddr, Child)> {
    let pem = ["cert.pem", "key.pem"].map(|name| std::fs::read(folder.join(name)));
    let pem = pem.map(|read| read.expect("openssl has made it")).concat();
    std::fs::write(folder.join("both.pem"), pem).expect("a file");
    let settings = format!(
        "defaults\n  mode tcp\n  timeout connect 20s\n  timeout client 60s\n  timeout server 60s\n\
         frontend clients\n  bind fd@0 ssl crt {}\n  default_backend proxy\n\
         backend proxy\n  server proxy {}\n",
        folder.join("both.pem").display(),
        parent.address()
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, settings).expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f"]).arg(file);
    let process = start(haproxy.stdin(Stdio::from(OwnedFd::from(listener))))?;
    Some((address, process))
}

#[tokio::test]
async fn a_parent_behind_tls_is_used_if_its_certificate_is_trusted() {
    let (folder, parent) = (TempDir::new().expect("a folder"), Proxy::start().await);
    if certificate(folder.path()).is_none() {
        return skip_without("openssl");
    }
    let Some((address, _process)) = haproxy(folder.path(), &parent) else {
        return skip_without("haproxy");
    };
    let url = format!("https://{address}");
    let ca = folder.path().join("cert.pem");
    leads_on(&behind(&url, Some(&ca)).await).await;

    let strict = behind(&url, None).await;
    let mut client: Wire = strict.client().await;
    client.send(connect("wiki.example:443")).await;
    let refused = client.response_to("CONNECT").await;
    assert_eq!(refused.status, 502, "{refused:?}");
    assert!(refused.body.contains("certificate"), "{refused:?}");
}
