//! Filters that take long to compile.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcullis::Config;
use portcullis_tests::{Stage, guests, plug};
use tempfile::TempDir;

use super::list;

/// Nothing takes this long, however slow the machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A stage whose filters are compiled as soon as there is a file.
struct Waiting {
    stage: Stage,
    folder: TempDir,
}

impl Waiting {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let stage = Stage::start_with(|config| {
            let real = config.compiler.program.take().expect("a compiler");
            config.compiler.program = Some(waiting_compiler(folder.path(), &real));
            config.compiler.cache_dir = folder.path().join("compiled");
            change(config);
        })
        .await;
        Self { stage, folder }
    }

    /// With a filter that the start does not wait for.
    async fn start_with_filter() -> Self {
        Self::start(|config| {
            config.compiler.time = Duration::from_secs(1);
            plug(&config.plugins.dir, "guard.wasm", guests::bare());
        })
        .await
    }

    /// From now on filters are compiled only after `go`.
    fn wait(&self) {
        fs::remove_file(self.folder.path().join("go")).expect("it is there");
    }

    /// From now on filters are compiled.
    fn go(&self) {
        fs::write(self.folder.path().join("go"), "").expect("a folder to write to");
    }
}

/// A program that compiles filters while there is a file `go` in the folder.
fn waiting_compiler(folder: &Path, real: &Path) -> PathBuf {
    let (script, go) = (folder.join("compiler.sh"), folder.join("go"));
    let (go, real) = (go.display(), real.display());
    let text = format!(
        "#!/bin/sh\ncase $PORTCULLIS_COMPILE in *' '*) until [ -e '{go}' ]; do sleep 0.05; done;; \
         esac\nexec '{real}'\n"
    );
    fs::write(&script, text).expect("a folder to write to");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&script, mode).expect("a file of ours");
    script
}

#[tokio::test]
async fn a_filter_that_is_still_being_compiled_refuses_after_the_start_until_it_is_there() {
    let waiting = Waiting::start_with_filter().await;
    let stage = &waiting.stage;
    stage
        .answers(&[("a.example", 503), ("blocked.example", 503)])
        .await;
    waiting.go();
    stage.until("a.example", 200).await;
    assert_eq!(stage.get("blocked.example").await.status, 403);
}

#[tokio::test]
async fn a_filter_that_is_still_being_compiled_when_it_comes_changes_nothing_until_it_is_there() {
    let waiting = Waiting::start(|config| {
        // What is built in is compiled at once.
        fs::write(config.compiler.cache_dir.with_file_name("go"), "").unwrap();
    })
    .await;
    let stage = &waiting.stage;
    let runs = async || list(stage).await.contains("as the proxy");
    stage.until_true("the proxy is listed", runs).await;
    waiting.wait();
    stage.plug("guard.wasm", guests::bare());
    let is_loading = async || list(stage).await.contains("being loaded");
    stage.until_true("it is being loaded", is_loading).await;
    stage
        .answers(&[("a.example", 200), ("blocked.example", 200)])
        .await;
    waiting.go();
    stage.until("blocked.example", 403).await;
}

/// The status of the answer to one request, without a runtime.
fn status(client: &mut BufReader<TcpStream>, host: &str) -> io::Result<u16> {
    let request = format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
    client.get_mut().write_all(request.as_bytes())?;
    let lines = client.lines().map_while(Result::ok);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok());
    client.read_exact(&mut vec![0; length.unwrap_or_default()])?;
    let status = head.first().and_then(|line| line.get(9..12)?.parse().ok());
    status.ok_or_else(|| io::Error::other("no status"))
}

/// The scenario runs on the thread of the proxy's caller, which does nothing else from then on.
#[tokio::test]
async fn a_filter_is_loaded_although_the_caller_of_the_proxy_is_busy() {
    let waiting = Waiting::start_with_filter().await;
    let stage = &waiting.stage;
    let connected = TcpStream::connect_timeout(&stage.proxy.address(), LIMIT).unwrap();
    let mut client = BufReader::new(connected);
    // Connections are accepted in order, so that of the client has a worker then.
    stage.answers(&[("blocked.example", 503)]).await;
    waiting.go();
    let end = Instant::now() + LIMIT;
    while status(&mut client, "blocked.example").unwrap() != 403 {
        assert!(Instant::now() < end, "the filter is not loaded");
    }
}
