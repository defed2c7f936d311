//! A real browser behind the proxy: Chromium, where there is one.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use portcullis_tests::{Authority, Log, Site, Stage, skip_without, within};
use tempfile::TempDir;

const CHROMIUM: &str = "/usr/bin/chromium";

/// A running browser without a window; it ends with the scenario.
struct Browser {
    process: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens `url` through the proxy; none where no browser is installed.
    fn open(stage: &Stage, url: &str, flags: &[&str]) -> Option<Self> {
        if !Path::new(CHROMIUM).exists() {
            return None;
        }
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let process = Command::new(CHROMIUM)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking"])
            .args([
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--proxy-server={}", stage.proxy.address()))
            .arg("--proxy-bypass-list=<-loopback>")
            .args(flags)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        Some(Self {
            process,
            _profile: profile,
        })
    }

    /// All that it prints until it ends.
    async fn prints(&mut self) -> String {
        let mut output = self.process.stdout.take().expect("it is piped");
        let read = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).map(|_| text)
        });
        let printed = within("the browser ends", read).await;
        printed
            .expect("the reader does not panic")
            .expect("the output is text")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Tells the site what of it has arrived, once the WebSocket has answered.
const SCRIPT: &str = r#"
    const socket = new WebSocket(`ws://${location.host}/socket`);
    socket.onopen = () => socket.send("hello");
    socket.onmessage = async ({data}) => {
        const image = document.querySelector("img");
        await image.decode();
        const style = getComputedStyle(document.body).textIndent;
        fetch(`/beacon?echo=${data}&style=${style}&image=${image.naturalWidth}`);
    };
"#;

#[tokio::test]
async fn a_page_arrives_with_its_style_script_image_and_websocket() {
    let stage = Stage::start().await;
    let page = "<!doctype html><link rel=stylesheet href=/style.css><img src=/image.svg><script src=/script.js></script>";
    stage.site.serves("/page.html", page);
    stage.site.serves("/style.css", "body { text-indent: 7px }");
    stage.site.serves("/script.js", SCRIPT);
    let image = "<svg xmlns='http://www.w3.org/2000/svg' width='5' height='3'/>";
    stage.site.serves("/image.svg", image);

    let url = stage.url("site.example") + "page.html";
    let Some(_browser) = Browser::open(&stage, &url, &["--remote-debugging-port=0"]) else {
        return skip_without(CHROMIUM);
    };
    let beacon = stage.site.was_asked("/beacon").await;
    assert_eq!(beacon, "/beacon?echo=hello&style=7px&image=5");
    assert!(stage.dns.was_asked_for("site.example"));
}

#[tokio::test]
async fn a_blocked_name_shows_the_block_page() {
    let stage = Stage::start().await;
    let url = "http://www.blocked.portcullis.test/";
    let Some(mut browser) = Browser::open(&stage, url, &["--dump-dom"]) else {
        return skip_without(CHROMIUM);
    };
    let page = browser.prints().await;
    assert!(
        page.contains("<h1>www.blocked.portcullis.test is blocked</h1>"),
        "{page}"
    );
    assert!(page.contains("<dd>blocklist</dd>"), "{page}");
    assert!(!stage.dns.was_asked_for("www.blocked.portcullis.test"));
}

/// The page of the proxy would not be that of the server, so the browser shows none.
#[tokio::test]
async fn over_tls_a_page_arrives_and_a_blocked_name_has_no_tunnel() {
    let (mut log, authority) = (Log::follow(), Authority::new());
    let stage = Stage::start().await;
    let secure = Site::start_secure(&authority, &["site.example"]).await;
    secure.serves("/page.html", "<!doctype html><p>welcome</p>");
    // The authority of a test is not among those that the browser believes.
    let flags = ["--dump-dom", "--ignore-certificate-errors"];
    for (host, status, shown) in [
        ("site.example", 200, "<p>welcome</p>"),
        ("www.blocked.portcullis.test", 403, ""),
    ] {
        let url = format!("https://{host}:{}/page.html", secure.port());
        let Some(mut browser) = Browser::open(&stage, &url, &flags) else {
            return skip_without(CHROMIUM);
        };
        let page = browser.prints().await;
        assert!(page.contains(shown), "{host}: {page}");
        assert_eq!(page.is_empty(), shown.is_empty(), "{host}: {page}");
        let (host, status) = (format!(" host={host} "), format!(" status={status} "));
        log.says(&["kind=access", " method=CONNECT ", &host, &status])
            .await;
    }
    assert!(stage.dns.was_asked_for("site.example"));
    assert!(!stage.dns.was_asked_for("www.blocked.portcullis.test"));
}
