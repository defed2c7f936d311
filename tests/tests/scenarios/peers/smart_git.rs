//! Git's own protocol over HTTP: requests with bodies that the client packs, and answers that are
//! made while they are sent. `git http-backend` is the server.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use portcullis_tests::{output, peer, skip_without};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;

use super::git::git;
use super::*;

/// A server of the repositories in a folder, to which every client may push.
struct Server {
    port: u16,
    _serving: JoinSet<()>,
}

impl Server {
    async fn start(root: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let port = listener.local_addr().expect("an address").port();
        let root = root.to_owned();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let root = root.clone();
                clients.spawn(async move { serve(BufReader::new(client), &root).await });
            }
        });
        Self {
            port,
            _serving: serving,
        }
    }
}

struct Request {
    lines: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    async fn read(client: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = client.read_line(&mut line).await;
            read.ok().filter(|read| *read > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut request = Self {
            lines,
            body: Vec::new(),
        };
        if request.field("expect") == "100-continue" {
            let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
            client.write_all(go_on).await.ok()?;
        }
        if request.field("transfer-encoding") == "chunked" {
            request.body = chunks(client).await?;
        } else {
            let length = request.field("content-length").parse();
            request.body.resize(length.unwrap_or_default(), 0);
            client.read_exact(&mut request.body).await.ok()?;
        }
        Some(request)
    }

    /// Empty if it is not there.
    fn field(&self, name: &str) -> &str {
        let fields = self.lines.iter().filter_map(|line| line.split_once(": "));
        let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value)
    }

    /// What serves it, as servers of CGI call it.
    fn backend(&self, root: &Path) -> Option<Command> {
        let mut words = self.lines[0].split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut backend = peer("git");
        backend
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REMOTE_USER", "ada")
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", self.field("content-type"))
            .env("HTTP_CONTENT_ENCODING", self.field("content-encoding"))
            .env("GIT_PROTOCOL", self.field("git-protocol"))
            .stdin(Stdio::piped());
        Some(backend)
    }
}

async fn serve(mut client: BufReader<TcpStream>, root: &Path) -> Option<()> {
    let request = Request::read(&mut client).await?;
    let backend = request.backend(root)?.spawn();
    let mut backend = backend.expect("git is there");
    let mut input = backend.stdin.take().expect("it is piped");
    let writing = async move { input.write_all(&request.body).await };
    let (_, output) = tokio::join!(writing, backend.wait_with_output());
    let output = output.expect("it ends").stdout;
    // What it writes begins with fields, of which one may be the status.
    let text = String::from_utf8_lossy(&output);
    let status = text.strip_prefix("Status: ");
    let status = status.and_then(|rest| rest.lines().next());
    let status = status.unwrap_or("200 OK");
    let start = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    let answer = [start.as_bytes(), &output].concat();
    client.write_all(&answer).await.ok()?;
    client.shutdown().await.ok()
}

async fn chunks(client: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.ok()?;
        let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        client.read_exact(&mut chunk).await.ok()?;
        body.extend_from_slice(&chunk[..length]);
        if length == 0 {
            return Some(body);
        }
    }
}

/// What git says if it fails.
async fn done(git: &mut Command) -> Result<(), String> {
    let done = output(git).await.expect("git is there");
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

#[tokio::test]
async fn a_repository_is_cloned_and_pushed_to_in_gits_own_protocol() {
    let (world, folder) = (World::start().await, TempDir::new().expect("a folder"));
    let made = output(git(&folder).args(["init", "--quiet", "--bare", "served/a.git"])).await;
    let Some(made) = made else {
        return skip_without("git");
    };
    assert!(made.status.success(), "{made:?}");
    let server = Server::start(&folder.path().join("served")).await;
    let url = |host: &str| format!("http://{host}:{}/a.git", server.port);
    for (number, scheme) in ["http", "socks5h"].into_iter().enumerate() {
        let copy = folder.path().join(scheme);
        let through = |host: &str| {
            let proxy = world.proxy(scheme, "");
            let mut git = git(&folder);
            git.env("http_proxy", proxy).args(["clone", "--quiet"]);
            git.arg(url(host)).arg(&copy);
            git
        };
        let refused = done(&mut through(BLOCKED)).await;
        let says = |said: &String| said.contains("403") || said.contains("SOCKS5");
        assert!(refused.as_ref().is_err_and(says), "{refused:?}");
        assert_eq!(done(&mut through(ALLOWED)).await, Ok(()));
        // What the first one has pushed is there.
        assert_eq!(copy.join("file-0").exists(), number > 0);
        // More than is sent at once, so that it comes in chunks.
        let noise: Vec<u8> = (0_u32..2_000_000)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        fs::write(copy.join(format!("file-{number}")), noise).expect("a folder");
        for words in [
            &["add", "."][..],
            &["commit", "--quiet", "--message", "A file"],
            &["push", "--quiet", "origin", "HEAD"],
        ] {
            let mut git = git(&folder);
            git.current_dir(&copy).args(words);
            git.env("http_proxy", world.proxy(scheme, ""));
            assert_eq!(done(&mut git).await, Ok(()), "{words:?}");
        }
    }
    assert!(!world.stage.dns.was_asked_for(BLOCKED));
}
