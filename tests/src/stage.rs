//! A proxy with a world around it: names that resolve, and a web site that they all lead to.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use portcullis::Config;
use tokio::time::{Instant, sleep, timeout};

use crate::dns::Dns;
use crate::guests;
use crate::log::{Events, Log};
use crate::message::connect;
use crate::proxy::Proxy;
use crate::site::Site;
use crate::wire::{Response, TIMEOUT, within};

/// The pause before something is tried again of which no event tells.
const REST: Duration = Duration::from_millis(10);

/// The longest time from a line in the log to when it holds on every worker.
const LAG: Duration = Duration::from_secs(1);

/// Limits of a filter with room for a machine that is busy.
pub const ROOM: &str = "[limits]\ncpu = '10s'\nwall = '10s'\n";

/// A running proxy and all that it can reach.
#[derive(Debug)]
pub struct Stage {
    /// Under test.
    pub proxy: Proxy,
    /// Behind every name.
    pub site: Site,
    /// The proxy's only name server.
    pub dns: Dns,
}

impl Stage {
    /// With default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// With settings that `change` has had a look at. The plugin folder is there already.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        // The waits below are for what the log tells.
        Log::follow();
        let (site, dns) = (Site::start().await, Dns::start().await);
        let proxy = Proxy::start_with(|config| {
            config.egress.resolvers = vec![dns.address().into()];
            change(config);
        });
        let proxy = proxy.await;
        proxy.serves().await;
        Self { proxy, site, dns }
    }

    /// With one worker and a filter, `neighbour`, that blocks hosts which begin with `blocked.`.
    async fn with_files(others: &[(&str, &[u8])]) -> Self {
        Self::start_with(|config| {
            config.proxy.workers = NonZeroUsize::MIN;
            plug(&config.plugins.dir, "neighbour.wasm", guests::bare());
            for (file, content) in others {
                plug(&config.plugins.dir, file, content);
            }
        })
        .await
    }

    /// The same, serving.
    pub async fn with_neighbour() -> Self {
        let stage = Self::with_files(&[]).await;
        stage.answers(&[("blocked.example", 403)]).await;
        stage
    }

    /// The same with another filter, which runs by these settings.
    pub async fn beside_neighbour(name: &str, wasm: &[u8], settings: &str) -> Self {
        let (toml, file) = (format!("{name}.toml"), format!("{name}.wasm"));
        Self::with_files(&[(&toml, settings.as_bytes()), (&file, wasm)]).await
    }

    /// The site's first page under the name `host`.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.site.port())
    }

    /// The answer to a GET for the first page under that name, over a new connection.
    pub async fn get(&self, host: &str) -> Response {
        self.get_with(host, "").await
    }

    /// The same with more fields, each with its end of line.
    pub async fn get_with(&self, host: &str, fields: &str) -> Response {
        let mut client = self.proxy.client().await;
        client.send(self.request(host, fields)).await;
        client.response().await
    }

    /// Asks for the first page under each name, one after the other over one connection, and checks
    /// the statuses of the answers.
    pub async fn answers(&self, expected: &[(&str, u16)]) {
        let mut client = self.proxy.client().await;
        for (host, status) in expected {
            client.send(self.request(host, "")).await;
            let response = client.response().await;
            assert_eq!(response.status, *status, "{host} gets {response:?}");
        }
    }

    /// A GET for the first page under that name, with more fields, each with its end of line.
    pub fn request(&self, host: &str, fields: &str) -> String {
        let url = self.url(host);
        format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
    }

    /// The answer to a CONNECT to that name; a tunnel is closed at once.
    pub async fn connect(&self, host: &str) -> Response {
        let mut client = self.proxy.client().await;
        let port = self.site.port();
        client.send(connect(&format!("{host}:{port}"))).await;
        client.response_to("CONNECT").await
    }

    /// Asks until the answer has this status on every worker: at once and with each event that the
    /// log tells.
    pub async fn until(&self, host: &str, status: u16) -> Response {
        self.until_response(host, |response| response.status == status)
            .await
    }

    /// Asks until the answer is as it should be on every worker: at once and with each event that
    /// the log tells.
    pub async fn until_response(&self, host: &str, right: impl Fn(&Response) -> bool) -> Response {
        let begun = Instant::now();
        let mut events = Events::follow();
        loop {
            let response = match self.on_each_worker(host, &right).await {
                Ok(response) => return response,
                Err(response) => response,
            };
            assert!(begun.elapsed() < TIMEOUT, "{host} still gets {response:?}");
            // What the log tells may hold a moment later only, so the last question is not the one
            // that follows the last event.
            let _ = timeout(LAG, events.next()).await;
        }
    }

    /// The answer of the last worker, or the first one that is not as it should be.
    async fn on_each_worker(
        &self,
        host: &str,
        right: impl Fn(&Response) -> bool,
    ) -> Result<Response, Response> {
        // Each new connection is for the worker that has the fewest. It may not have noticed yet
        // that an earlier one is closed, so there are two for each.
        let mut clients = Vec::new();
        loop {
            let mut client = self.proxy.client().await;
            client.send(self.request(host, "")).await;
            let response = client.response().await;
            if !right(&response) {
                return Err(response);
            }
            clients.push(client);
            if clients.len() >= 2 * self.proxy.config().proxy.workers.get() {
                return Ok(response);
            }
        }
    }

    /// Asks again and again until the answer is as it should be: for answers that change with the
    /// number of questions or with time, of which the log does not tell.
    pub async fn ask_until(&self, host: &str, right: impl Fn(&Response) -> bool) -> Response {
        let begun = Instant::now();
        loop {
            let response = self.get(host).await;
            if right(&response) {
                return response;
            }
            assert!(begun.elapsed() < TIMEOUT, "{host} still gets {response:?}");
            sleep(REST).await;
        }
    }

    /// Asks again and again until the log has a line that contains all `parts`. The questions make
    /// the line come, so there is nothing else to wait for.
    pub async fn until_said(&self, log: &mut Log, host: &str, parts: &[&str]) {
        let asking = async {
            while log.count(parts) == 0 {
                drop(self.get(host).await);
            }
        };
        within(&format!("the log has a line with {parts:?}"), asking).await;
        log.says(parts).await;
    }

    /// Tries again and again until it is so: for files that the proxy writes, and for what passes
    /// with time. The log does not tell of either.
    pub async fn until_true(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !is_so().await {
            assert!(begun.elapsed() < TIMEOUT, "not yet: {what}");
            sleep(REST).await;
        }
    }

    /// Copies a file into the plugin folder.
    pub fn plug(&self, file: &str, content: impl AsRef<[u8]>) {
        plug(self.proxy.plugins(), file, content);
    }

    /// Deletes it.
    pub fn unplug(&self, file: &str) {
        std::fs::remove_file(self.proxy.plugins().join(file)).expect("the file is there");
    }
}

/// Copies a file into a plugin folder.
pub fn plug(folder: &Path, file: &str, content: impl AsRef<[u8]>) {
    std::fs::write(folder.join(file), content).expect("the folder can be written to");
}
