//! h11 takes nothing that RFC 9110 and 9112 do not allow, as a client and as an origin.

use portcullis_tests::{output, python, skip_without, within};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::{BLOCKED, World, lines};

/// An origin that says what it was asked.
struct Origin {
    port: u16,
    said: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Origin {
    /// None where it is not installed.
    async fn start() -> Option<Self> {
        let mut process = python("h11_origin.py").spawn().ok()?;
        let output = process.stdout.take().expect("it is piped");
        let mut origin = Self {
            port: 0,
            said: BufReader::new(output).lines(),
            _process: process,
        };
        origin.port = origin.next().await.parse().expect("a port");
        Some(origin)
    }

    async fn next(&mut self) -> String {
        let line = within("the origin says something", self.said.next_line()).await;
        line.expect("it can be read").expect("the origin runs")
    }
}

/// What the client prints of each answer. The first is of the origin's answer.
const ANSWERS: [&str; 12] = [
    "GET /length 200 hello",
    "HEAD /length 200 ",
    "GET /chunked 200 in pieces x-sum:1",
    "GET /no-content 204 ",
    "GET /not-modified 304 ",
    "GET /hints 103 200 hello",
    "POST /echo 200 four",
    "POST /echo 200 in two",
    "PUT /echo 100 200 wait",
    "GET {blocked} 403 www.blocked.portcullis.test is blocked",
    "GET /last 200 goodbye",
    "the connection is closed",
];

/// What the origin prints of each request. The one that is blocked is not among them.
const REQUESTS: [&str; 10] = [
    "GET /length HTTP/1.1 framing=none expect=none body=",
    "HEAD /length HTTP/1.1 framing=none expect=none body=",
    "GET /chunked HTTP/1.1 framing=none expect=none body=",
    "GET /no-content HTTP/1.1 framing=none expect=none body=",
    "GET /not-modified HTTP/1.1 framing=none expect=none body=",
    "GET /hints HTTP/1.1 framing=none expect=none body=",
    "POST /echo HTTP/1.1 framing=content-length expect=none body=four",
    "POST /echo HTTP/1.1 framing=transfer-encoding expect=none body=in two trailer=x-sum:2",
    "PUT /echo HTTP/1.1 framing=content-length expect=100-continue body=wait",
    "GET /last HTTP/1.1 framing=none expect=none body=",
];

#[tokio::test]
async fn nothing_is_wrong_with_what_the_proxy_sends_to_either_side() {
    let world = World::start().await;
    let Some(mut origin) = Origin::start().await else {
        return skip_without("Python with the packages of `make peers`");
    };
    let proxy = world.stage.proxy.address();
    let blocked = format!("http://{BLOCKED}/");
    let mut client = python("h11_client.py");
    client.args([proxy.ip().to_string(), proxy.port().to_string()]);
    client.args([format!("http://127.0.0.1:{}", origin.port), blocked.clone()]);
    let output = output(&mut client).await.expect("Python is there");
    let answers = ANSWERS.map(|answer| answer.replace("{blocked}", &blocked));
    assert_eq!(lines(&output), answers);
    for request in REQUESTS {
        assert_eq!(origin.next().await, request);
    }
}
