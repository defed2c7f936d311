//! A person decides about a host while the proxy runs.

use std::fs;
use std::time::Duration;

use portcullis::commands::{
    Decided, DecisionError, Lists, NewDecision, Ruling, Scope, check, decide, explain,
    list_decisions, remove_decisions,
};
use portcullis::config::{Feed, FeedFormat, Group, UntilFirst};
use portcullis::{Config, StartError};
use portcullis_tests::{Log, Proxy, Stage, guests, plug};

/// With a filter that blocks hosts which begin with `blocked.`.
async fn stage() -> Stage {
    let stage = Stage::start_with(|config| {
        let children = Group::new(["127.0.0.2/32".parse().expect("a network")]);
        config.groups.insert("children".into(), children);
        plug(&config.plugins.dir, "neighbour.wasm", guests::bare());
    })
    .await;
    stage.answers(&[("blocked.example", 403)]).await;
    stage
}

fn decision(verdict: Ruling, host: &str) -> NewDecision {
    NewDecision::about(verdict, host)
}

/// Makes a decision and waits until the proxy has taken it up.
async fn make(stage: &Stage, new: &NewDecision) -> u64 {
    let mut log = Log::follow();
    let decided = decide(stage.proxy.config(), new).expect("a decision");
    log.says(&["decisions in use", &folder(stage)]).await;
    id(&decided)
}

fn id(decided: &Decided) -> u64 {
    let json = serde_json::to_value(decided).expect("JSON");
    json["id"].as_u64().expect("a number")
}

async fn take_back(stage: &Stage, id: u64) {
    let mut log = Log::follow();
    let id = u32::try_from(id).expect("a number of a decision");
    remove_decisions(stage.proxy.config(), &[id]).expect("it is there");
    log.says(&["decisions in use", &folder(stage)]).await;
}

/// Other scenarios have folders of their own.
fn folder(stage: &Stage) -> String {
    stage.proxy.config().state.dir.display().to_string()
}

#[tokio::test]
async fn an_operator_lets_a_host_pass_and_refuses_another_until_that_is_taken_back() {
    let stage = stage().await;
    let allowed = make(&stage, &decision(Ruling::Allow, "Blocked.Example.")).await;
    let denied = make(&stage, &decision(Ruling::Deny, "calm.example")).await;
    stage
        .answers(&[
            ("blocked.example", 200),
            ("calm.example", 403),
            ("www.calm.example", 403),
            ("blocked.other.example", 403),
        ])
        .await;
    let refusal = stage.get("calm.example").await;
    let told = format!("Rule: decision {denied}: deny calm.example\n");
    assert!(refusal.body.contains(&told), "{refusal:?}");
    assert_eq!(stage.connect("blocked.example").await.status, 200);
    assert_eq!(stage.connect("calm.example").await.status, 403);
    take_back(&stage, allowed).await;
    take_back(&stage, denied).await;
    stage
        .answers(&[("blocked.example", 403), ("calm.example", 200)])
        .await;
}

#[tokio::test]
async fn what_an_operator_has_allowed_passes_the_hooks_behind_the_host_as_well() {
    let stage = Stage::start_with(|config| {
        let dir = &config.plugins.dir;
        plug(dir, "b-editor.wasm", guests::editor());
        plug(dir, "b-editor.toml", "[config]\nblock = 200");
        plug(dir, "a-rules.wasm", guests::headers());
        plug(dir, "a-rules.toml", "[config.headers]\nx-order = 'stop'");
    })
    .await;
    let stopped = ["Filter: a-rules\n", "Filter: b-editor\n"];
    let asked = ["X-Order: stop\r\n", ""];
    for (fields, by) in asked.iter().zip(stopped) {
        let refusal = stage.get_with("allowed-here.example", fields).await;
        assert!(refusal.body.contains(by), "{refusal:?}");
    }
    make(&stage, &decision(Ruling::Allow, "allowed-here.example")).await;
    let mut log = Log::follow();
    for fields in asked {
        let passed = stage.get_with("allowed-here.example", fields).await;
        assert_eq!(passed.status, 200, "{passed:?}");
        // The filter behind the one that would have stopped the request has changed it.
        log.says(&["kind=access", "allowed-here.example", "edited=b-editor"])
            .await;
    }
}

#[tokio::test]
async fn an_allowed_host_passes_and_no_other_while_something_cannot_judge() {
    let faults: [fn(&mut Config); 3] = [
        |config| plug(&config.plugins.dir, "guard.wasm", "no filter"),
        |config| {
            config.plugins.dir.push("gone");
            config.plugins.dir_must_exist = true;
        },
        |config| {
            let list = "file:///nowhere/list".parse().expect("a URL");
            let mut feed = Feed::new(list, FeedFormat::Domains);
            feed.until_first = UntilFirst::Block;
            config.feeds.insert("ads".into(), feed);
        },
    ];
    for fault in faults {
        let stage = Stage::start_with(fault).await;
        make(&stage, &decision(Ruling::Allow, "allowed.example")).await;
        for (host, status) in [("allowed.example", 200), ("a.example", 503)] {
            stage.answers(&[(host, status)]).await;
            assert_eq!(stage.connect(host).await.status, status, "{host}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pause_for_a_group_lets_its_clients_pass_and_no_others() {
    let stage = stage().await;
    let mut pause = NewDecision::pause(Duration::from_secs(600));
    pause.scope = Scope::Group("children".into());
    make(&stage, &pause).await;
    make(&stage, &decision(Ruling::Deny, "worst.example")).await;
    let mut child = stage.proxy.client_from([127, 0, 0, 2]).await;
    for host in ["blocked.example", "worst.example"] {
        child.send(stage.request(host, "")).await;
        assert_eq!(child.response().await.status, 200, "{host}");
    }
    stage
        .answers(&[("blocked.example", 403), ("worst.example", 403)])
        .await;
}

#[tokio::test]
async fn the_answer_to_a_person_on_this_machine_names_the_command() {
    let stage = stage().await;
    let refusal = stage.get("blocked.example").await;
    let told = "Let it pass: portcullis allow blocked.example --for 1h\n";
    assert!(refusal.body.contains(told), "{refusal:?}");
    let browser = "Accept: text/html\r\n";
    let refusal = stage.get_with("blocked.example", browser).await;
    let told = "<dt>Let it pass</dt><dd>portcullis allow blocked.example --for 1h</dd>";
    assert!(refusal.body.contains(told), "{refusal:?}");
}

#[tokio::test]
async fn explain_says_who_has_decided() {
    let stage = stage().await;
    let mut new = decision(Ruling::Deny, "calm.example");
    new.exact = true;
    let id = make(&stage, &new).await;
    let said = async |host| {
        let explained = explain(stage.proxy.config().clone(), host, None, None).await;
        explained.unwrap().to_string()
    };
    let text = said("calm.example").await;
    let told = format!("decision {id}: deny calm.example exactly");
    assert!(text.contains(&format!("\n\n  {told}\n")), "{text}");
    assert!(
        text.contains(&format!("block by {told} with 403")),
        "{text}"
    );
    assert!(!said("www.calm.example").await.contains("deny calm.example"));
}

#[tokio::test]
async fn decisions_outlive_the_proxy_and_a_start_without_them_fails() {
    let stage = stage().await;
    make(&stage, &decision(Ruling::Deny, "calm.example")).await;
    let mut config: Config = stage.proxy.config().clone();
    config.proxy.listen = "127.0.0.1:0".parse().expect("an address");
    let same = |next: &mut Config| next.state.clone_from(&config.state);
    let next = Stage::start_with(same).await;
    next.answers(&[("calm.example", 403), ("blocked.example", 200)])
        .await;

    let file = config.state.dir.join("decisions.json");
    let mut log = Log::follow();
    fs::write(&file, "{").unwrap();
    log.says(&["ERROR", "decisions cannot be read", "stay as they are"])
        .await;
    next.answers(&[("calm.example", 403)]).await;
    let report = check(config.clone(), Lists::OnDisk).await.unwrap();
    assert!(!report.is_ok(), "{report}");
    let failed = Proxy::start_with(same).await.failed().await;
    assert!(matches!(failed, StartError::Decisions(_)), "{failed}");
}

#[tokio::test]
async fn a_decision_for_a_group_that_is_gone_is_told() {
    let stage = stage().await;
    let mut for_children = decision(Ruling::Deny, "calm.example");
    for_children.scope = Scope::Group("children".into());
    let id = make(&stage, &for_children).await;
    let mut log = Log::follow();
    let state = stage.proxy.config().state.clone();
    let next = Stage::start_with(|config| config.state.clone_from(&state)).await;
    log.says(&["WARN", "holds for no client", "group=\"children\""])
        .await;
    let list = list_decisions(next.proxy.config()).unwrap().to_string();
    let note = format!("note: decision {id} holds for no client, as [groups] has no children\n");
    assert!(list.ends_with(&note), "{list}");
}

#[test]
fn a_decision_takes_the_place_of_the_one_before_and_nonsense_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.state.dir = dir.path().join("state");
    let list = || list_decisions(&config).unwrap().to_string();
    assert_eq!(list(), "there are no decisions\n");
    decide(&config, &decision(Ruling::Allow, "a.example")).unwrap();
    decide(&config, &decision(Ruling::Deny, "A.example")).unwrap();
    decide(&config, &decision(Ruling::Deny, "10.0.0.1")).unwrap();
    assert_eq!(
        list(),
        "decision 2: deny a.example\ndecision 3: deny 10.0.0.1\n"
    );
    let mut over = decision(Ruling::Deny, "b.example");
    over.time = Some(Duration::ZERO);
    assert!(matches!(decide(&config, &over), Err(DecisionError::Time)));
    let nonsense = decide(&config, &decision(Ruling::Deny, "a b"));
    assert!(matches!(nonsense, Err(DecisionError::Host(_))));
    let mut of_group = decision(Ruling::Deny, "a.example");
    of_group.scope = Scope::Group("children".into());
    let unknown = decide(&config, &of_group).unwrap_err().to_string();
    assert!(
        unknown.starts_with("there is no group `children`"),
        "{unknown}"
    );
    let unknown = remove_decisions(&config, &[2, 9]).unwrap_err();
    assert!(matches!(unknown, DecisionError::Unknown(9)));
    assert!(list().starts_with("decision 2: "), "none was removed");
    remove_decisions(&config, &[2, 3]).unwrap();
    let again = decide(&config, &decision(Ruling::Deny, "a.example")).unwrap();
    assert_eq!(id(&again), 4, "no number is given twice");
    remove_decisions(&config, &[4]).unwrap();
    assert_eq!(list(), "there are no decisions\n");
}
