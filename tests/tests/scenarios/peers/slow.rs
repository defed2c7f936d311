//! slowhttptest, which holds as many connections as it gets for as long as it can.

#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::Duration;

use portcullis::Config;
use portcullis_tests::{Log, OPTIONS, Stage, peer, skip_without};
use tokio::process::Child;

/// The address of a client that has nothing to do with the attack.
const NEIGHBOUR: [u8; 4] = [127, 0, 0, 2];

/// How long a client is waited for.
const LIMIT: Duration = Duration::from_secs(2);

/// A proxy that does not wait for slow clients, and a page that is attacked.
struct Target {
    stage: Stage,
    path: &'static str,
    /// How many connections one client may have. The attack wants more. Each test has a number of
    /// its own, by which it knows its line in the log.
    share: usize,
}

impl Target {
    async fn start(path: &'static str, share: usize) -> Self {
        Self::start_with(path, share, |_| ()).await
    }

    async fn start_with(
        path: &'static str,
        share: usize,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let stage = Stage::start_with(|config| {
            config.limits.request_head = LIMIT;
            config.limits.idle = LIMIT;
            change(config);
            config.limits.connections_per_client = Some(share);
        })
        .await;
        // It waits for the rest of a request that never ends.
        stage.site.is_silent("/silent");
        // More than the buffers of the system have room for.
        stage.site.serves("/large", vec![b'x'; 16 << 20]);
        Self { stage, path, share }
    }

    /// How many connections the attack can have: with another one it looks whether the site still
    /// answers.
    fn attacking(&self) -> usize {
        self.share - 1
    }

    /// Begins an attack through the proxy, which goes on for much longer than a test takes.
    fn attack(&self, mode: &str) -> Option<Child> {
        let proxy = self.stage.proxy.address().to_string();
        let url = format!(
            "http://front.example:{}{}",
            self.stage.site.port(),
            self.path
        );
        let mut attack = peer("slowhttptest");
        attack
            .args([mode, "-c", "20", "-r", "40", "-l", "600"])
            .args(["-d", &proxy, "-u", &url])
            .stdout(Stdio::null());
        attack.spawn().ok()
    }

    async fn neighbour_is_served(&self) {
        let mut neighbour = self.stage.proxy.client_from(NEIGHBOUR).await;
        neighbour
            .send(self.stage.request("front.example", ""))
            .await;
        let response = neighbour.response().await;
        assert_eq!((response.status, &*response.body), (200, "welcome"));
    }

    /// Whether a client at the attacker's address may have as many connections as the attack had.
    async fn share_is_free(&self) -> bool {
        let mut held = Vec::new();
        for _ in 0..self.attacking() {
            let mut client = self.stage.proxy.client().await;
            client.send_what_is_taken(OPTIONS).await;
            // One that is turned away may find its connection closed.
            if !client.hears().await || client.response().await.status != 200 {
                return false;
            }
            held.push(client);
        }
        true
    }

    /// The attack takes the attacker's share, and has lost all of it soon. Another client is served
    /// meanwhile. None where the attacker is not installed.
    async fn survives(&self, mode: &str) -> Option<()> {
        let mut log = Log::follow();
        let _attack = self.attack(mode)?;
        let neighbour = async {
            loop {
                self.neighbour_is_served().await;
            }
        };
        let share = format!("connections={} ", self.share);
        let full = ["WARN", "client=127.0.0.1", &share];
        tokio::select! {
            _ = log.says(&full) => {}
            () = neighbour => {}
        }
        let is_over = async || {
            self.neighbour_is_served().await;
            self.share_is_free().await
        };
        let what = "the attacker's share is free again";
        self.stage.until_true(what, is_over).await;
        Some(())
    }

    /// What has become of each exchange of the attack is said in the log.
    async fn each_is_logged(&self, log: &mut Log, outcome: &[&str]) {
        let port = format!(" port={} ", self.stage.site.port());
        let line = [&["kind=access", " client=127.0.0.1 ", &port], outcome].concat();
        for _ in 0..self.attacking() {
            log.says(&line).await;
        }
    }
}

#[tokio::test]
async fn slow_heads_take_nothing_from_others() {
    let (target, log) = (Target::start("/silent", 8).await, Log::follow());
    if target.survives("-H").await.is_none() {
        return skip_without("slowhttptest");
    }
    // Nothing is done for a request that is not whole.
    let port = format!(" port={} ", target.stage.site.port());
    let answered = ["kind=access", " client=127.0.0.1 ", &port, " status=200 "];
    assert_eq!(log.count(&answered), 0);
}

#[tokio::test]
async fn slow_bodies_take_nothing_from_others_and_are_answered() {
    let (target, mut log) = (Target::start("/silent", 9).await, Log::follow());
    if target.survives("-B").await.is_none() {
        return skip_without("slowhttptest");
    }
    let late = [" method=POST ", " status=408 "];
    target.each_is_logged(&mut log, &late).await;
}

#[tokio::test]
async fn slow_readers_take_nothing_from_others_and_are_given_up() {
    let (target, mut log) = (Target::start("/large", 10).await, Log::follow());
    if target.survives("-X").await.is_none() {
        return skip_without("slowhttptest");
    }
    let given_up = [" method=GET ", " status=200 ", "outcome=aborted"];
    target.each_is_logged(&mut log, &given_up).await;
}

#[tokio::test]
async fn heads_that_ask_for_very_many_ranges_are_forwarded_and_take_nothing_from_others() {
    let target = Target::start_with("/silent", 11, |config| config.limits.response_head = LIMIT);
    let (target, mut log) = (target.await, Log::follow());
    if target.survives("-R").await.is_none() {
        return skip_without("slowhttptest");
    }
    target.stage.site.was_asked("/silent").await;
    let late = [" method=HEAD ", " status=504 "];
    target.each_is_logged(&mut log, &late).await;
}
