//! What a filter may reach: the feeds that it is granted, and no others. (State has scenarios of
//! its own.)

use portcullis::commands;
use portcullis::config::{Feed, FeedFormat};
use portcullis_tests::{Log, Stage, guests, plug};

/// A stage with a feed named `local` that lists `evil.example`.
async fn stage(list: &tempfile::TempDir) -> Stage {
    let file = list.path().join("list");
    std::fs::write(&file, "evil.example\n").expect("a file");
    let stage = Stage::start_with(|config| {
        let url = format!("file://{}", file.display());
        let feed = Feed::new(url.parse().expect("a URL"), FeedFormat::Domains);
        config.feeds.insert("local".into(), feed);
    });
    stage.await
}

#[tokio::test]
async fn a_filter_looks_into_the_feeds_that_it_is_granted() {
    let list = tempfile::tempdir().unwrap();
    let stage = stage(&list).await;
    stage.plug("blocklist.toml", "enabled = false");
    stage.plug("reader.toml", "[grants]\nfeeds = [\"local\"]");
    stage.plug("reader.wasm", guests::wat("asks_feed"));
    let refusal = |response: &portcullis_tests::Response| response.body.contains("Filter: reader");
    stage.until_response("www.evil.example", refusal).await;
    assert_eq!(stage.get("good.example").await.status, 200);
    stage.plug("reader.toml", "[grants]\nfeeds = [\"*\"]");
    stage.until("www.evil.example", 403).await;
}

/// What a line of the log has behind its advice, as it stands there.
fn pasted<'a>(line: &'a str, advice: &str) -> &'a str {
    let (_, rest) = line
        .split_once(advice)
        .unwrap_or_else(|| panic!("{advice} in {line}"));
    rest.split('"').next().unwrap_or_default()
}

#[tokio::test]
async fn a_filter_without_a_grant_is_refused_and_told_what_to_write() {
    let list = tempfile::tempdir().unwrap();
    let stage = stage(&list).await;
    let mut log = Log::follow();
    stage.plug("ungranted.wasm", guests::wat("asks_feed"));
    let line = log.says(&["refused", "plugin=\"ungranted\""]).await;
    let advice = "`portcullis:filter/feeds@1.0.0`, which is not granted; if it may have it, begin ungranted.toml beside the filter with:  ";
    assert_eq!(stage.get("good.example").await.status, 200);
    stage.plug("blocklist.toml", "enabled = false");
    stage.plug("ungranted.toml", pasted(&line, advice));
    let refusal =
        |response: &portcullis_tests::Response| response.body.contains("Filter: ungranted");
    stage.until_response("www.evil.example", refusal).await;
}

#[tokio::test]
async fn a_filter_that_looks_into_another_feed_is_told_so() {
    let list = tempfile::tempdir().unwrap();
    let stage = stage(&list).await;
    let mut log = Log::follow();
    stage.plug("elsewhere.toml", "[grants]\nfeeds = [\"test-names\"]");
    stage.plug("elsewhere.wasm", guests::wat("asks_feed"));
    stage.until("good.example", 503).await;
    let reason = "the feed local is not granted; if it may be looked into, write in place of its feeds below [grants] in elsewhere.toml:  ";
    let line = log.says(&["may not see", "elsewhere", reason]).await;
    // The line is the whole list.
    let feeds = pasted(&line, reason);
    assert_eq!(feeds, "feeds = ['test-names', 'local']");
    stage.plug("elsewhere.toml", format!("[grants]\n{feeds}\n"));
    stage.until("good.example", 200).await;
}

#[tokio::test]
async fn a_file_in_place_of_a_built_in_filter_has_no_grants_of_its_own() {
    let list = tempfile::tempdir().unwrap();
    let stage = stage(&list).await;
    let mut log = Log::follow();
    stage.plug("blocklist.wasm", guests::wat("asks_feed"));
    log.says(&["refused", "plugin=\"blocklist\"", "is not granted"])
        .await;
    // What was there before goes on.
    assert_eq!(stage.get("malware.wicar.org").await.status, 403);

    // Nor may it say `allow`, which those that are built in may.
    stage.plug("suffix.toml", "[config]\nblock = ['kept.example']");
    stage.plug("suffix.wasm", guests::suffix());
    stage.until("kept.example", 403).await;
    stage.plug("blocklist.wasm", guests::obeys());
    stage.plug("blocklist.toml", OBEYS);
    let told = [
        "filter=\"blocklist\"",
        "verdict=\"allow\"",
        "that it is not granted",
    ];
    let host = "allow.kept.example";
    stage.until_said(&mut log, host, &told).await;
    assert_eq!(stage.get(host).await.status, 403);
}

/// What the filter needs to do what hosts say, but for `verdicts`.
const OBEYS: &str = "[config]\ngreeting = ''\n[grants]\nfeeds = ['*']\nstate = true\n";

#[tokio::test]
async fn a_filter_of_a_file_may_allow_only_if_that_is_granted() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    // It stands before the blocklist, which has the name.
    stage.plug("allower.toml", OBEYS);
    stage.plug("allower.wasm", guests::obeys());
    let listed = "allow.malware.wicar.org";
    // The line is the whole list: what a list does not have is withheld.
    let advice = "if it may give this verdict, write below [grants] in allower.toml:  ";
    let all = "verdicts = ['allow', 'redirect', 'replace', 'drop', 'ask']";
    let told = ["allower", "verdict=\"allow\"", &format!("{advice}{all}\"")];
    stage.until_said(&mut log, listed, &told).await;
    assert_eq!(stage.get(listed).await.status, 403);
    let note = "is not granted these verdicts, and has given them: allow\n";
    stage
        .until_true("the list shows it", async || {
            let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
            list.expect("the engine starts").to_string().contains(note)
        })
        .await;
    let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
    let list = list.expect("the engine starts").to_string();
    let granted = "is granted, in allower.toml:\n\n[grants]\nfeeds = ['*']\nstate = true\n\n";
    assert!(list.contains(granted), "{list}");
    // The operator pastes what the list says.
    let table = table(&list, "allower.toml");
    stage.plug(
        "allower.toml",
        format!("[config]\ngreeting = ''\n\n{table}"),
    );
    stage.until(listed, 200).await;
}

#[tokio::test]
async fn a_verdict_is_granted_in_the_place_where_the_settings_say_what_is() {
    let stage = Stage::start().await;
    for (name, settings, advice) in [
        (
            "topper",
            "grants.state = true\ngrants.feeds = ['*']\n",
            "begin topper.toml with:  ",
        ),
        (
            "placer",
            "grants.state = true\ngrants.feeds = ['*']\ngrants.verdicts = ['drop']\n",
            "write in place of its grants.verdicts in placer.toml:  ",
        ),
    ] {
        let config = "[config]\ngreeting = ''\n";
        let mut log = Log::follow();
        stage.plug(&format!("{name}.toml"), format!("{settings}{config}"));
        stage.plug(&format!("{name}.wasm"), guests::obeys());
        // It stands behind the blocklist, and nothing blocks this.
        let host = format!("allow.{name}.example");
        stage.until_said(&mut log, &host, &[name, advice]).await;
        stage.unplug(&format!("{name}.wasm"));
    }
}

/// What the list says would grant a filter what it wants.
fn table<'a>(list: &'a str, settings: &str) -> &'a str {
    let (_, rest) = list
        .split_once(&format!(
            "if it may have what it wants, have this table in {settings}:\n\n"
        ))
        .unwrap_or_else(|| panic!("{list}"));
    rest.split("\n\n").next().unwrap_or_default()
}

#[tokio::test]
async fn what_a_refused_filter_is_not_granted_is_listed_once_with_the_line_to_paste() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug(
        "counter.toml",
        "[config]\nlimit = 0\n[grants]\nverdicts = ['drop']\n",
    );
    stage.plug("counter.wasm", guests::counter());
    log.says(&["refused", "plugin=\"counter\"", "is not granted"])
        .await;
    let list = async || {
        let list = portcullis::commands::list_plugins(stage.proxy.config().clone()).await;
        list.expect("the engine starts").to_string()
    };
    let advice = "if it may have it, write below [grants] in counter.toml beside the filter:  ";
    stage
        .until_true("the list shows it", async || list().await.contains(advice))
        .await;
    let listed = list().await;
    assert!(!listed.contains("have this table"), "{listed}");
    let (_, line) = listed.split_once(advice).expect("it is listed");
    let line = line.lines().next().unwrap_or_default();
    assert_eq!(line, "state = true");
    stage.plug(
        "counter.toml",
        format!("[config]\nlimit = 0\n[grants]\n{line}\nverdicts = ['drop']\n"),
    );
    stage.until("often.example", 403).await;
}

#[tokio::test]
async fn each_verdict_that_is_withheld_counts_as_the_contract_says_and_is_told_once() {
    let stage = Stage::start().await;
    let mut log = Log::follow();
    stage.plug("curbed.toml", format!("{OBEYS}verdicts = []\n"));
    stage.plug("curbed.wasm", guests::obeys());
    stage.until("later.example", 429).await;
    for (host, verdict, status, shown) in [
        ("allow.example", "allow", 200, ""),
        ("elsewhere.example", "redirect", 403, "see http://b.example"),
        (
            "page.example",
            "replace",
            403,
            "a filter wanted to answer for this host",
        ),
        (
            "drop.example",
            "drop",
            403,
            "a filter has stopped this request",
        ),
        ("ask.example", "ask", 403, "May it pass?"),
    ] {
        for _ in 0..3 {
            let response = stage.get(host).await;
            assert_eq!(response.status, status, "{verdict}");
            assert!(
                response.body.contains(shown),
                "{verdict}: {}",
                response.body
            );
            assert_eq!(response.field("location"), None, "{verdict}");
        }
        let verdict = format!("verdict=\"{verdict}\"");
        let told = ["filter=\"curbed\"", &verdict, "that it is not granted"];
        log.says(&told).await;
        assert_eq!(log.count(&told), 0, "{verdict}");
    }
}

#[tokio::test]
async fn a_filter_can_close_the_connection_and_add_to_its_answer() {
    let stage = Stage::start().await;
    stage.plug("obeys.toml", OBEYS);
    stage.plug("obeys.wasm", guests::obeys());
    let later = stage.until("later.example", 429).await;
    assert!(later.body.contains("busy"), "{}", later.body);
    assert_eq!(later.field("x-why"), Some("much"));
    assert!(later.field("retry-after").is_some());

    let mut log = Log::follow();
    let mut client = stage.proxy.client().await;
    client.send(stage.request("drop.example", "")).await;
    assert_eq!(client.rest().await, "");
    log.says(&[
        "kind=access",
        "host=drop.example",
        "verdict=drop",
        "outcome=complete",
    ])
    .await;
    // There is no person to ask yet, so what the filter wants without an answer holds.
    let asked = stage.get("ask.example").await;
    assert_eq!(asked.status, 403);
    assert!(asked.body.contains("May it pass?"), "{}", asked.body);
}

#[tokio::test]
async fn explain_tells_what_a_filter_answers_as_the_client_gets_it() {
    let stage = Stage::start_with(|config| {
        plug(&config.plugins.dir, "obeys.toml", OBEYS);
        plug(&config.plugins.dir, "obeys.wasm", guests::obeys());
    })
    .await;
    let answer = stage.get("later.example").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.field("retry-after"), Some("1"));

    let config = stage.proxy.config().clone();
    let explained = commands::explain(config, "later.example", None, None).await;
    let explained = explained.expect("a host");
    let text = explained.to_string();
    let fields = ["retry-after: 1", "x-why: much", "x-why: work"];
    let mut lines = text.lines();
    let row = lines.find(|line| line.starts_with("  obeys "));
    assert!(row.is_some_and(|row| row.contains(" block 429 ")), "{text}");
    for field in fields {
        assert_eq!(lines.next(), Some(&*format!("      {field}")), "{text}");
    }
    let outcome = format!(
        "\nblock by obeys with 429: busy\n  {}\n\n",
        fields.join("\n  ")
    );
    assert!(text.contains(&outcome), "{text}");

    let json = serde_json::to_value(&explained).expect("an object");
    let fields = serde_json::json!({"retry-after": ["1"], "x-why": ["much", "work"]});
    assert_eq!(json["final"]["fields"], fields, "{json}");
    let filters = json["filters"].as_array().expect("a list");
    let is_told = |line: &&serde_json::Value| line["fields"] == fields && line["status"] == 429;
    assert_eq!(filters.iter().filter(is_told).count(), 1, "{json}");
}
