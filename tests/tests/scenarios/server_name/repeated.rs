//! A server may ask for a client's first message once more (RFC 8446, section 4.1.4). The second
//! one carries a name, too.

use std::process::{Command, Stdio};

use super::*;

/// A client's data of a session that it takes up again, and the beginning of more.
const EARLY: [u8; 9] = [23, 3, 3, 0, 4, 1, 2, 3, 4];

/// An answer with which the handshake goes on.
fn server_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[9; 32], &[0; 8]].concat();
    [&[22, 3, 3, 0, 46, 2, 0, 0, 42][..], &body].concat()
}

async fn expect_bytes(wire: &mut Wire, bytes: &[u8]) {
    assert_eq!(wire.exactly_bytes(bytes.len()).await, bytes);
}

#[tokio::test]
async fn a_message_that_is_sent_again_passes_with_the_same_name() {
    let scene = Scene::start().await;
    let hello = repeated("front.example");
    for second in [
        hello.second.clone(),
        [&EARLY[..], &hello.second].concat(),
        in_records_behind(&hello.second, 9),
    ] {
        let (mut client, mut served) = scene.tunnel("front.example").await;
        client.send(&hello.first).await;
        arrives(&hello.first, &mut served).await;
        served.send(&hello.request).await;
        expect_bytes(&mut client, &hello.request).await;
        for piece in second.chunks(100) {
            client.send(piece).await;
        }
        arrives(&second, &mut served).await;
        served.send("the handshake goes on").await;
        client.expect("the handshake goes on").await;
        client.send("and is not looked at any more").await;
        served.expect("and is not looked at any more").await;
    }
}

/// The same with the message in records of so many bytes, behind the other record.
fn in_records_behind(second: &[u8], size: usize) -> Vec<u8> {
    let (changed, message) = second.split_at(6);
    assert_eq!(changed, [20, 3, 3, 0, 1, 1]);
    [changed, &in_records(message, size)].concat()
}

#[tokio::test]
async fn a_second_message_with_another_name_never_reaches_the_server() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let hello = repeated("front.example");
    let unnamed = repeated("192.0.2.1").second;
    let other = repeated("other.example").second;
    let cut = [&hello.second[..40]].concat();
    let header = [22, 3, 3, 0x40, 0];
    let start = [&header[..], &[1, 0, 0xff, 0xff], &[0; 0x3ffc]].concat();
    let long = [&start[..], &header, &[0; 0x4000]].concat();
    for (second, reason) in [
        (&repeated(BLOCKED).second, "the second names another server"),
        // The filters would let it pass, but a second name is a lie.
        (&other, "the second names another server"),
        (&unnamed, "the second names another server"),
        (&long, "longer than 16 KiB"),
        (
            &[22, 3, 3, 0, 4, 16, 0, 0, 0].to_vec(),
            "hold something else",
        ),
        (&cut, "has stopped in the middle"),
    ] {
        let (mut client, mut served) = scene.tunnel("front.example").await;
        client.send(&hello.first).await;
        arrives(&hello.first, &mut served).await;
        served.send(&hello.request).await;
        expect_bytes(&mut client, &hello.request).await;
        client.send_what_is_taken(second).await;
        client.finish().await;
        // The record in front of it is no message.
        let rest = served.rest_bytes().await;
        assert!(rest.is_empty() || rest == hello.second[..6], "{rest:02x?}");
        let line = log.says(&["kind=access", "host=front.example"]).await;
        assert!(
            line.contains("outcome=failed") && line.contains(reason),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_second_message_that_is_sent_ahead_waits_for_the_answer() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let (hello, blocked) = (repeated("front.example"), repeated(BLOCKED));
    let ahead = [&hello.first[..], &EARLY, &blocked.second].concat();
    let passes = hello.first.len() + EARLY.len() + 6;

    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&ahead).await;
    arrives(&ahead[..passes], &mut served).await;
    served.send(&hello.request).await;
    assert_eq!(served.rest().await, "");
    log.says(&["kind=access", "the second names another server"])
        .await;

    // It is none where the server has not asked: then what follows is the server's matter.
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&ahead).await;
    arrives(&ahead[..passes], &mut served).await;
    served.send(server_hello()).await;
    arrives(&ahead[passes..], &mut served).await;
    expect_bytes(&mut client, &server_hello()).await;
}

#[tokio::test]
async fn what_is_sent_early_is_passed_on_however_much_it_is() {
    let scene = Scene::start().await;
    let hello = repeated("front.example");
    // As long as a record may be, and with the second message right behind the last one.
    let record = [&[23, 3, 3, 0x41, 0][..], &[7; 0x4100]].concat();
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&hello.first).await;
    arrives(&hello.first, &mut served).await;
    for _ in 0..8 {
        for piece in record.chunks(5000) {
            client.send(piece).await;
        }
        arrives(&record, &mut served).await;
    }
    served.send(&hello.request).await;
    expect_bytes(&mut client, &hello.request).await;
    client.send([&record[..], &hello.second].concat()).await;
    arrives(&record, &mut served).await;
    arrives(&hello.second, &mut served).await;
    served.send("the handshake goes on").await;
    client.expect("the handshake goes on").await;
}

#[tokio::test]
async fn no_second_message_hides_in_the_record_of_the_first() {
    let mut log = Log::follow();
    let scene = Scene::start().await;
    let first = repeated("front.example").first;
    let second = repeated(BLOCKED).second[6..].to_vec();
    let length = u16::try_from(first.len() + second.len() - 10).expect("a short record");
    let both = [
        &first[..3],
        &length.to_be_bytes(),
        &first[5..],
        &second[5..],
    ]
    .concat();
    let (mut client, served) = scene.tunnel("front.example").await;
    client.send(&both).await;
    is_refused(client, served).await;
    log.says(&["kind=access", "hold something else"]).await;
}

#[tokio::test]
async fn a_second_message_that_does_not_come_closes_the_tunnel() {
    let mut log = Log::follow();
    let scene = Scene::start_with(|config| {
        config.limits.client_hello = Duration::from_millis(200);
    })
    .await;
    let hello = repeated("front.example");
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&hello.first).await;
    arrives(&hello.first, &mut served).await;
    served.send(&hello.request).await;
    expect_bytes(&mut client, &hello.request).await;
    assert_eq!(client.rest().await, "");
    assert_eq!(served.rest().await, "");
    log.says(&["kind=access", "has not come in time"]).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_server_answers_is_waited_for_no_longer_than_others() {
    let scene = Scene::start_with(|config| {
        config.limits.half_closed = Duration::from_millis(50);
    })
    .await;
    let hello = repeated("front.example");
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&hello.first).await;
    arrives(&hello.first, &mut served).await;
    client.finish().await;
    assert_eq!(served.rest().await, "");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_second_name_is_only_logged_where_names_are() {
    let scene = Scene::start_with(|config| config.tunnel.sni = SniCheck::Log).await;
    let (hello, blocked) = (repeated("front.example"), repeated(BLOCKED));
    let (mut client, mut served) = scene.tunnel("front.example").await;
    client.send(&hello.first).await;
    arrives(&hello.first, &mut served).await;
    served.send(&hello.request).await;
    expect_bytes(&mut client, &hello.request).await;
    client.send(&blocked.second).await;
    arrives(&blocked.second, &mut served).await;
}

/// OpenSSL as client and as a server that wants a key of another kind.
#[tokio::test]
async fn openssl_is_asked_again_and_ends_its_handshake() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args([
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=front.example",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status();
    match made {
        Err(error) if error.kind() == ErrorKind::NotFound => return skip_without("openssl"),
        made => assert!(made.expect("openssl runs").success()),
    }
    let mut server = tokio::process::Command::new("openssl")
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-groups",
            "P-384",
            "-www",
        ])
        .args(["-key", "key.pem", "-cert", "cert.pem"])
        .current_dir(folder.path())
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    let port = accepted_port(&mut server).await;
    let proxy = stage.proxy.address().to_string();
    let client = tokio::process::Command::new("openssl")
        .args([
            "s_client",
            "-proxy",
            &proxy,
            "-msg",
            "-servername",
            "front.example",
        ])
        .args(["-connect", &format!("front.example:{port}")])
        .stdin(Stdio::null())
        .output();
    let output = within("the handshake ends", client)
        .await
        .expect("openssl runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said.matches(">>> TLS 1.3, Handshake [length").count(),
        3,
        "{said}"
    );
    assert!(said.contains("New, TLSv1.3"), "{said}");
}

/// The port at which OpenSSL says that it listens.
async fn accepted_port(server: &mut tokio::process::Child) -> u16 {
    let stdout = server.stdout.take().expect("it is piped");
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stdout));
    let line = within("the server listens", async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                return address.to_owned();
            }
        }
        panic!("the server ended")
    })
    .await;
    let (_, port) = line.rsplit_once(':').expect("an address");
    port.trim().parse().expect("a port")
}
