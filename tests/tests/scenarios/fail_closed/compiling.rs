//! Filters that take long to compile.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcullis::Config;
use portcullis_tests::{Log, Stage, guests, plug};
use tempfile::TempDir;

use super::list;

/// Nothing takes this long, however slow the machine.
const LIMIT: Duration = Duration::from_secs(60);

/// While there is no file `go`, the compiler waits for it.
const WAITS: &str = "[ -e go ] || touch asked; until [ -e go ]; do sleep 0.05; done";

/// While there is no file `go`, the compiler ends as if memory were short.
const IS_KILLED: &str = "[ -e go ] || kill -s KILL $$";

/// A stage whose filters are compiled as soon as there is a file.
struct Waiting {
    stage: Stage,
    folder: TempDir,
}

impl Waiting {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(
            tempfile::tempdir().expect("a folder for the test"),
            WAITS,
            change,
        )
        .await
    }

    /// What the folder has of an earlier start need not be compiled again.
    async fn start_in(folder: TempDir, before: &str, change: impl FnOnce(&mut Config)) -> Self {
        let stage = Stage::start_with(|config| {
            let real = config.compiler.program.take().expect("a compiler");
            config.compiler.program = Some(compiler(folder.path(), before, &real));
            config.compiler.cache_dir = folder.path().join("compiled");
            change(config);
        })
        .await;
        Self { stage, folder }
    }

    /// With what is built in, and no filter is compiled from now on.
    async fn start_built_in(before: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("go"), "").expect("a folder to write to");
        let waiting = Self::start_in(folder, before, |_| {}).await;
        waiting.stage.answers(&[("a.example", 200)]).await;
        waiting.stop_compiling();
        waiting
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
    fn stop_compiling(&self) {
        fs::remove_file(self.folder.path().join("go")).expect("it is there");
    }

    /// From now on filters are compiled.
    fn go(&self) {
        fs::write(self.folder.path().join("go"), "").expect("a folder to write to");
    }

    /// Waits until the compiler has a filter to compile that it does not.
    async fn is_asked(&self) {
        let asked = self.folder.path().join("asked");
        let is_asked = async || asked.exists();
        self.stage.until_true("it is compiled", is_asked).await;
    }
}

/// A program that does something in the folder before it compiles a filter.
fn compiler(folder: &Path, before: &str, real: &Path) -> PathBuf {
    let script = folder.join("compiler.sh");
    let (folder, real) = (folder.display(), real.display());
    let text = format!(
        "#!/bin/sh\ncase $PORTCULLIS_COMPILE in *' '*) cd '{folder}' && {{ {before}; }};; esac\n\
         exec '{real}'\n"
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
    let waiting = Waiting::start_built_in(WAITS).await;
    let stage = &waiting.stage;
    let runs = async || list(stage).await.contains("as the proxy");
    stage.until_true("the proxy is listed", runs).await;
    stage.plug("guard.wasm", guests::bare());
    let is_loading = async || list(stage).await.contains("being loaded");
    stage.until_true("it is being loaded", is_loading).await;
    stage
        .answers(&[("a.example", 200), ("blocked.example", 200)])
        .await;
    waiting.go();
    stage.until("blocked.example", 403).await;
}

#[tokio::test]
async fn a_filter_that_is_still_being_compiled_at_the_start_stands_as_its_settings_say() {
    let mut folder = Waiting::start_built_in(WAITS).await.folder;
    for (settings, blocked) in [
        ("on_error = 'skip'", 403),
        ("required = false", 403),
        ("mode = 'shadow'", 200),
        ("enabled = false", 200),
    ] {
        let waiting = Waiting::start_in(folder, WAITS, |config| {
            config.compiler.time = Duration::from_secs(1);
            plug(&config.plugins.dir, "guard.toml", settings);
            // Each is another file, which nothing has compiled before.
            let manifest = format!("{{\"manifest\": 1, \"description\": \"{settings}\"}}");
            let wasm = guests::with_manifest(guests::bare(), manifest.as_bytes());
            plug(&config.plugins.dir, "guard.wasm", wasm);
        })
        .await;
        let stage = &waiting.stage;
        stage.until("a.example", 200).await;
        stage.answers(&[("blocked.example", 200)]).await;
        waiting.go();
        stage.until("blocked.example", blocked).await;
        stage.answers(&[("a.example", 200)]).await;
        waiting.stop_compiling();
        folder = waiting.folder;
    }
}

#[tokio::test]
async fn a_new_version_that_is_still_being_compiled_leaves_the_one_before_it_in_its_place() {
    let waiting = Waiting::start_built_in(WAITS).await;
    let stage = &waiting.stage;
    waiting.go();
    stage.plug("guard.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
    waiting.stop_compiling();
    stage.plug("guard.wasm", guests::wat("guards"));
    waiting.is_asked().await;
    // The one before has no opinion on it, and the new one traps at it.
    let hosts = [("blocked.example", 403), ("x.example", 200)];
    stage.answers(&hosts).await;
    waiting.go();
    stage.until("x.example", 503).await;
}

#[tokio::test]
async fn a_compiler_that_the_system_kills_is_started_again_by_itself() {
    let waiting = Waiting::start_built_in(IS_KILLED).await;
    let stage = &waiting.stage;
    let mut log = Log::follow();
    stage.plug("guard.wasm", guests::bare());
    let says = "the system has killed the compiling process";
    log.says(&["ERROR", "guard", says, "tried again by itself"])
        .await;
    stage.answers(&[("blocked.example", 200)]).await;
    // The file is as it was.
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
