//! Changes while traffic runs: not one request that they do not concern may notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use portcullis_tests::{Log, ROOM, Site, Stage, Wire, connect, guests, plug};
use tokio::task::JoinSet;

/// Clients that ask for something harmless as fast as they can, each over a connection that it
/// keeps.
struct Traffic {
    clients: JoinSet<()>,
    answered: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Traffic {
    async fn start(stage: &Stage, clients: usize) -> Self {
        let mut traffic = Self {
            clients: JoinSet::new(),
            answered: Arc::default(),
            enough: Arc::default(),
        };
        for n in 0..clients {
            let (answered, enough) = (traffic.answered.clone(), traffic.enough.clone());
            let mut client = stage.proxy.client().await;
            let host = format!("client-{n}.example");
            let url = stage.url(&host);
            let request = format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            traffic.clients.spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    client.send(&request).await;
                    let response = client.response().await;
                    assert_eq!((response.status, &*response.body), (200, "welcome"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        traffic
    }

    /// How many requests were answered until now, all of them well, and some of them since
    /// `before`.
    fn goes_on(&self, before: usize) -> usize {
        let answered = self.answered.load(Ordering::Relaxed);
        assert!(answered > before, "no client got an answer after {before}");
        answered
    }

    async fn stop(mut self) {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.expect("every request of every client was answered well");
        }
    }
}

async fn tunnel(stage: &Stage) -> Wire {
    let mut tunnel = stage.proxy.client().await;
    let authority = format!("tunnel.example:{}", stage.site.port());
    tunnel.send(connect(&authority)).await;
    assert!(tunnel.head().await.starts_with("HTTP/1.1 200 "));
    tunnel
}

#[tokio::test]
async fn no_request_notices_that_filters_and_lists_change() {
    let lists = Site::start().await;
    lists.serves("/list", "evil.example");
    let stage = Stage::start_with(|config| {
        config.feeds.insert("lists".into(), lists.feed("/list"));
        // That a worker has no processor for a moment is not what this is about.
        plug(&config.plugins.dir, "blocklist.toml", ROOM);
    })
    .await;
    let mut log = Log::follow();
    stage.until("evil.example", 403).await;
    let mut tunnel = tunnel(&stage).await;
    let traffic = Traffic::start(&stage, 6).await;

    stage.plug("busy.toml", ROOM);
    stage.plug("busy.wasm", guests::bare());
    stage.until("blocked.example", 403).await;
    let answered = traffic.goes_on(0);

    stage.plug("busy.wasm", &guests::bare()[..1000]);
    log.says(&["refused", "plugin=\"busy\"", "the file is incomplete"])
        .await;
    assert_eq!(stage.get("blocked.example").await.status, 403);
    let answered = traffic.goes_on(answered);

    stage.plug(
        "busy.toml",
        format!("{ROOM}[config]\nblock = [\"late.example\"]"),
    );
    stage.plug("busy.wasm", guests::suffix_module());
    stage.until("late.example", 403).await;
    assert_eq!(stage.get("blocked.example").await.status, 200);
    let answered = traffic.goes_on(answered);

    lists.serves("/list", "worse.example");
    stage.until("worse.example", 403).await;
    assert_eq!(stage.get("evil.example").await.status, 200);
    let answered = traffic.goes_on(answered);

    stage.unplug("busy.wasm");
    stage.unplug("busy.toml");
    stage.until("late.example", 200).await;
    traffic.goes_on(answered);

    tunnel
        .send("GET / HTTP/1.1\r\nHost: tunnel.example\r\n\r\n")
        .await;
    assert_eq!(tunnel.response().await.body, "welcome");
    traffic.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn lists_and_filters_leave_the_processors_to_traffic() {
    use std::fs;

    let _stage = Stage::start().await;
    // How far each thread of that name stands back, on a scale that ends with 19.
    let nice = |name: &str| {
        let threads = fs::read_dir("/proc/self/task").expect("Linux tells");
        let stats = threads.filter_map(|thread| {
            let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
            let (start, rest) = stat.rsplit_once(") ")?;
            let nice = rest.split(' ').nth(16)?.parse::<i32>().ok()?;
            start.contains(name).then_some(nice)
        });
        stats.collect::<Vec<_>>()
    };
    let (workers, control) = (nice("(portcullis-0"), nice("(portcullis-con"));
    assert!(!workers.is_empty() && !control.is_empty());
    let most = workers.iter().max().expect("there is one");
    for nice in &control {
        assert!(nice > most || *nice == 19, "{workers:?} {control:?}");
    }
    // What ends a filter's turn must not wait for other work.
    let tickers = nice("(portcullis-tic");
    assert!(
        !tickers.is_empty() && tickers.iter().all(|nice| nice <= most),
        "{tickers:?}"
    );
}
