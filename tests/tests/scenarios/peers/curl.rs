//! Curl: pages in the clear and over TLS, uploads that wait to be asked for, downloads that are
//! resumed, and HTTP/1.0. `socks`, `auth` and `proxy_protocol` have more of it.

use std::ffi::OsStr;
use std::fs;

use portcullis_tests::{Origin, connect, curl, ok, output, skip_without, within};
use tempfile::TempDir;
use tokio::process::Command;

use super::{ALLOWED, BLOCKED, World};

/// Curl behind the proxy of a world.
fn behind(world: &World) -> Command {
    let mut curl = curl();
    curl.args(["--proxy", &world.proxy("http", ""), "--cacert"])
        .arg(world.authority.file());
    curl
}

/// The code that curl ends with, and what it prints.
async fn run(curl: &mut Command) -> Option<(Option<i32>, String)> {
    let output = output(curl).await?;
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

#[tokio::test]
async fn what_is_allowed_arrives_and_what_is_refused_says_why() {
    let world = World::start().await;
    let [plain, blocked, secure, secure_blocked] = world.urls();
    let welcome = (Some(0), "welcome".to_owned());
    let Some(said) = run(behind(&world).arg(plain)).await else {
        return skip_without("curl");
    };
    assert_eq!(said, welcome);
    let proxy = world.stage.proxy.address().to_string();
    for more in [
        &[][..],
        &["--proxytunnel"],
        &["--proxy1.0", &proxy],
        &["--http1.0"],
    ] {
        let said = run(behind(&world).args(more).arg(&secure)).await;
        assert_eq!(said.expect("curl is there"), welcome, "{more:?}");
    }
    let (code, said) = run(behind(&world).arg(blocked))
        .await
        .expect("curl is there");
    assert_eq!(code, Some(0));
    assert!(
        said.starts_with(&format!("{BLOCKED} is blocked\n")),
        "{said}"
    );
    let said = run(behind(&world).arg(secure_blocked)).await;
    let (code, said) = said.expect("curl is there");
    assert_eq!(code, Some(56));
    assert!(said.contains("CONNECT") && said.contains("403"), "{said}");
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}

#[tokio::test]
async fn socks_clients_reach_what_is_allowed_over_tls() {
    let world = World::start().await;
    for scheme in ["socks5h", "socks4a"] {
        let gets = |host: &str| {
            let mut curl = curl();
            curl.args(["--proxy", &world.proxy(scheme, ""), "--cacert"])
                .arg(world.authority.file())
                .arg(world.secure_url(host, "/"));
            curl
        };
        let Some(said) = run(&mut gets(ALLOWED)).await else {
            return skip_without("curl");
        };
        assert_eq!(said, (Some(0), "welcome".to_owned()), "{scheme}");
        let said = run(&mut gets(BLOCKED)).await.expect("curl is there");
        assert_eq!(said.0, Some(97), "{scheme}");
    }
}

/// A body is sent when the origin asks for it, and not at all where it does not want it.
#[tokio::test]
async fn an_upload_waits_until_the_origin_asks_for_it() {
    let (world, origin) = (World::start().await, Origin::start().await);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "the whole body").expect("a new file");
    for (answer, body, then, code) in [
        ("HTTP/1.1 100 Continue\r\n\r\n", "the whole body", ok(""), 0),
        (
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno",
            "",
            String::new(),
            22,
        ),
    ] {
        let mut curl = behind(&world);
        curl.args([
            "--header",
            "Expect: 100-continue",
            "--expect100-timeout",
            "20",
        ])
        .args(["--fail", "--upload-file"])
        .args([file.as_os_str(), OsStr::new(&origin.url("/file"))]);
        let Ok(curl) = curl.spawn() else {
            return skip_without("curl");
        };
        let mut served = origin.accept().await;
        let head = served.head().await;
        assert!(head.starts_with("PUT /file HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nexpect: 100-continue\r\n"), "{head}");
        assert!(!served.has_heard(), "the body waits");
        served.send(answer).await;
        served.expect(body).await;
        served.send(then).await;
        let ended = within("curl ends", curl.wait_with_output()).await;
        assert_eq!(
            ended.expect("curl runs").status.code(),
            Some(code),
            "{answer}"
        );
        if code != 0 {
            assert_eq!(served.rest().await, "", "the body is not sent");
        }
    }
}

#[tokio::test]
async fn a_download_goes_on_where_it_has_stopped() {
    let (world, origin) = (World::start().await, Origin::start().await);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "first ").expect("a new file");
    let mut curl = behind(&world);
    curl.args(["--continue-at", "-", "--output"])
        .args([file.as_os_str(), OsStr::new(&origin.url("/file"))]);
    let Ok(curl) = curl.spawn() else {
        return skip_without("curl");
    };
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.contains("\r\nrange: bytes=6-\r\n"), "{head}");
    served
        .send("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 6-11/12\r\nContent-Length: 6\r\n\r\nsecond")
        .await;
    let ended = within("curl ends", curl.wait_with_output())
        .await
        .expect("curl runs");
    assert!(ended.status.success(), "{ended:?}");
    let content = fs::read_to_string(file).expect("the file is there");
    assert_eq!(content, "first second");
}

/// RFC 9112, section 7: an old client knows no chunks.
#[tokio::test]
async fn an_old_client_gets_a_response_that_it_understands() {
    let (world, origin) = (World::start().await, Origin::start().await);
    let mut curl = behind(&world);
    curl.args(["--http1.0", "--include", &origin.url("/")]);
    let Ok(curl) = curl.spawn() else {
        return skip_without("curl");
    };
    let mut served = origin.accept().await;
    let head = served.head().await;
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    served
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n")
        .await;
    let ended = within("curl ends", curl.wait_with_output())
        .await
        .expect("curl runs");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(said.starts_with("HTTP/1.0 200 OK\r\n"), "{said}");
    assert!(said.ends_with("\r\n\r\nold"), "{said}");
}

/// Curl keeps a connection to the proxy after a refusal, and what it asks next is served.
#[tokio::test]
async fn a_refusal_does_not_end_what_else_is_asked() {
    let world = World::start().await;
    let [plain, blocked, ..] = world.urls();
    let mut curl = behind(&world);
    curl.args([
        "--write-out",
        "%{http_code} %{num_connects}\\n",
        "--output",
        "/dev/null",
    ])
    .arg(&plain)
    .args(["--output", "/dev/null"])
    .arg(blocked)
    .args(["--output", "/dev/null"])
    .arg(plain);
    let Some(said) = run(&mut curl).await else {
        return skip_without("curl");
    };
    assert_eq!(said, (Some(0), "200 1\n403 0\n200 0\n".to_owned()));
    // A tunnel is another matter: its refusal ends the connection.
    let mut client = world.stage.proxy.client().await;
    client.send(connect(&format!("{BLOCKED}:443"))).await;
    assert_eq!(client.response().await.status, 403);
    assert_eq!(client.rest().await, "");
}
