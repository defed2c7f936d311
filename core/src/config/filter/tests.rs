//! The settings of filters as operators write them, right and wrong.

use serde_json::json;

use super::*;

fn refusal(text: &str) -> String {
    let file = Path::new("plugins/a.toml");
    FilterSettings::parse(text, file).unwrap_err().to_string()
}

#[test]
fn an_empty_file_says_nothing_new() {
    let settings = FilterSettings::parse("", Path::new("a.toml")).unwrap();
    assert_eq!(settings, FilterSettings::default());
}

/// Keys of all tables, each with another value than it has by itself.
const EVERY_KEY: &str = r#"
        enabled = false
        mode = "shadow"
        on_error = "skip"
        required = false
        [limits]
        cpu = "1ms"
        wall = "2s"
        start_cpu = "3s"
        start_wall = "4s"
        memory = "1MiB"
        table = 1
        transfer = "2KiB"
        concurrency = 2
        calls = 3
        log = 4
        verdict_cache = "6KiB"
        state = "5KiB"
        [quarantine]
        failures = 6
        share = 0.25
        window = "7s"
        pause = "8s"
        longest_pause = "9s"
        [grants]
        feeds = ["malware"]
        state = true
        verdicts = ["block", "drop"]
        [config]
        name = "x"
        numbers = [1, 2.5]
        since = 2026-07-18T01:35:22Z
        [config.deep]
        on = true
    "#;

#[test]
fn every_key_is_read() {
    let settings = FilterSettings::parse(EVERY_KEY, Path::new("a.toml")).unwrap();
    let expected = FilterSettings {
        enabled: false,
        mode: Mode::Shadow,
        on_error: OnError::Skip,
        required: false,
        limits: FilterLimits {
            cpu: Duration::from_millis(1),
            wall: Duration::from_secs(2),
            start_cpu: Duration::from_secs(3),
            start_wall: Duration::from_secs(4),
            memory: 1 << 20,
            table: 1,
            transfer: 2 << 10,
            concurrency: 2,
            calls: 3,
            log: 4,
            verdict_cache: 6 << 10,
            state: 5 << 10,
        },
        quarantine: QuarantineRule {
            failures: 6,
            share: 0.25,
            window: Duration::from_secs(7),
            pause: Duration::from_secs(8),
            longest_pause: Duration::from_secs(9),
        },
        grants: Some(Grants {
            feeds: FeedGrant::Named(vec!["malware".into()]),
            state: true,
            verdicts: Some(vec![GrantedVerdict::Block, GrantedVerdict::Drop]),
            ..Grants::default()
        }),
        config: json!({
            "name": "x",
            "numbers": [1, 2.5],
            "since": "2026-07-18T01:35:22Z",
            "deep": {"on": true},
        })
        .to_string(),
    };
    assert_eq!(settings, expected);
}

#[test]
fn a_star_grants_every_feed() {
    let text = "[grants]\nfeeds = [\"*\"]";
    let settings = FilterSettings::parse(text, Path::new("a.toml")).unwrap();
    let grants = settings.grants.unwrap();
    let is_unneeded = || -> FeedKind { panic!("the kind is looked up for nothing") };
    assert!(grants.feeds.contains("malware", is_unneeded) && !grants.feeds.is_empty());
    assert!(!Grants::default().feeds.contains("malware", is_unneeded));
    assert!(Grants::ALL.feeds.contains("malware", is_unneeded));
    for (kind, is_seen) in [(FeedKind::Block, true), (FeedKind::Allow, false)] {
        let stand_in = Grants::OF_STAND_IN.feeds;
        assert_eq!(stand_in.contains("malware", || kind), is_seen);
    }
}

#[test]
fn what_is_wrong_is_said_with_place_and_hint() {
    for (text, expected) in [
        (
            "on_eror = \"skip\"",
            "plugins/a.toml:1:1: unknown key `on_eror` at the top of the file; did you mean `on_error`?",
        ),
        (
            "[limits]\nmemory = \"1KiB\"",
            "plugins/a.toml:2:10: limits.memory: `1KiB` is not a size from 64KiB to 4GiB, such as \"64MiB\"",
        ),
        (
            "mode = \"dark\"",
            "plugins/a.toml:1:8: mode: `dark` is not \"enforce\" (the verdicts count) or \"shadow\" (they are only logged and counted)",
        ),
        (
            "[quarantine]\nshare = 1.5",
            "plugins/a.toml:2:9: quarantine.share: invalid value: floating point `1.5`, expected a share of calls from 0 to 1, such as 0.5",
        ),
        (
            "[limits]\nconcurrency = 0",
            "plugins/a.toml:2:15: limits.concurrency: `0` is not a number from 1 to 1024",
        ),
        (
            "on_error = \"ignore\"",
            "plugins/a.toml:1:12: on_error: `ignore` is not \"block\" (refuse the request) or \"skip\" (ask the next filter)",
        ),
        (
            "enabled = \"yes\"",
            "plugins/a.toml:1:11: enabled: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "[config.a]\nb = [1.0, nan]",
            "plugins/a.toml:2:11: config.a.b: JSON has no such number",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn what_counts_for_a_filter_that_cannot_be_loaded_is_read_from_settings_with_mistakes() {
    for (text, standing) in [
        ("", Standing::Required(OnError::Block)),
        ("on_error = 'skip'", Standing::Required(OnError::Skip)),
        ("on_error = 'skp'", Standing::Required(OnError::Block)),
        ("required = false", Standing::LeftOut),
        ("mode = 'shadow'\nlimitz = 1", Standing::Shadow),
        (
            "enabled = false\n[limits]\ncpu = 'long'",
            Standing::Disabled,
        ),
        (
            "enabled = false\n[limits",
            Standing::Required(OnError::Block),
        ),
    ] {
        assert_eq!(Standing::read(text), standing, "{text}");
    }
}

#[test]
fn grants_are_told_in_the_lines_that_give_them() {
    let lines = ["feeds = ['ads']", "state = true", "verdicts = ['drop']"];
    let grants = |lines: &[String]| {
        let text = format!("[grants]\n{}", lines.join("\n"));
        let settings = FilterSettings::parse(&text, Path::new("guard.toml")).unwrap();
        settings.grants(false)
    };
    let given = grants(&lines.map(str::to_owned));
    assert_eq!(given.lines(), lines);
    assert_eq!(grants(&given.lines()), given);
    assert_eq!(Grants::default().lines(), [""; 0]);

    // One verdict more withholds none of those that may be given now.
    let more = given.lines_with(&[VerdictKind::Allow], false);
    assert_eq!(more[..2], lines[..2]);
    assert_eq!(more[2], "verdicts = ['allow', 'drop']");
    let more = Grants::default().lines_with(&[VerdictKind::Allow], false);
    let all = "verdicts = ['allow', 'redirect', 'replace', 'drop', 'ask']";
    assert_eq!(more, [all]);
}

/// What is said of it is done, and the file is then read as it should be.
#[test]
fn what_is_said_about_more_grants_is_right_however_the_file_has_them() {
    let wanted = Grants {
        feeds: FeedGrant::All,
        state: true,
        verdicts: Some(vec![GrantedVerdict::Drop]),
        ..Grants::default()
    };
    let lines = ["feeds = ['*']", "verdicts = ['drop']"].map(str::to_owned);
    for (text, said) in [
        (
            "",
            Some("begin x.toml with:  grants = { feeds = ['*'], verdicts = ['drop'] }"),
        ),
        (
            "grants.state = true\n",
            Some("begin x.toml with:  grants.feeds = ['*']  and  grants.verdicts = ['drop']"),
        ),
        (
            "[grants]\nstate = true\n",
            Some("write below [grants] in x.toml:  "),
        ),
        (
            "[ grants ]\nstate = true\n",
            Some("write below [grants] in x.toml:  "),
        ),
        ("grants = { state = true }\n", None),
        ("grants = { verdicts = [], state = true }\n", None),
        ("grants.verdicts = ['ask']\n", None),
        ("[grants]\nfeeds = []\n", None),
        ("[grants]\nfeeds = ['a']\nverdicts = ['ask']\n", None),
        (
            "mode = 'shadow'\n[grants]\nverdicts = ['ask']\n[config]\nfeeds = 1\n",
            None,
        ),
    ] {
        let text = format!("on_error = 'skip'\n{text}");
        let read = |text: &str| FilterSettings::parse(text, Path::new("x.toml"));
        let grants = read(&text).unwrap().grants.unwrap_or_default();
        let how = grants.how_to_have(&lines, "x.toml");
        assert!(!how.contains('"'), "{how}");
        assert!(said.is_none_or(|said| how.starts_with(said)), "{how}");
        let mended = done(&text, &how);
        let now = read(&mended).unwrap_or_else(|error| panic!("{how}: {mended} {error}"));
        let now = now.grants.expect("there are some");
        let expected = Grants {
            state: grants.state,
            ..wanted.clone()
        };
        assert_eq!(now, expected, "{how}: {mended}");
    }
    assert_eq!(feeds_line(["it's"]), "feeds = [\"it's\"]");
}

/// The settings after an operator has done that.
fn done(text: &str, how: &str) -> String {
    let mut text = text.to_owned();
    let mut place = Place::Top;
    for step in how.split("  and  ") {
        let (advice, line) = step.split_once(":  ").unwrap_or(("", step));
        if let Some(rest) = advice.strip_prefix("write in place of its ") {
            let key = rest.split(' ').next().unwrap_or_default();
            place = Place::Of(format!("{key} = "));
        } else if advice.starts_with("write below [grants]") {
            place = Place::Below;
        }
        let lines = text.lines().flat_map(|there| match &place {
            Place::Of(key) if there.starts_with(key) => vec![line],
            Place::Below if there.replace(' ', "") == "[grants]" => vec![there, line],
            _ => vec![there],
        });
        let lines: Vec<&str> = lines.collect();
        text = match place {
            Place::Top => format!("{line}\n{}", lines.join("\n")),
            _ => lines.join("\n"),
        };
    }
    text
}

enum Place {
    Top,
    Below,
    Of(String),
}
