//! Files that operators and authors write.

use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use portcullis_cases::{Answer, Cases, Observed, Question};

use super::{assert_canonical, assert_located, text};
use crate::config::{
    Ceilings, Config, ConfigError, FilterSettings, Schema, Sources, Standing, located,
};
use crate::filter::Manifest;
use crate::plugins::builtin::BUILTINS;

/// A configuration is read the same each time, or refused with its place; a line more before it
/// moves the place by one line.
///
/// A line such as `#PORTCULLIS_LOG_FILTER=debug` stands for an environment variable.
pub fn config(data: &[u8]) {
    let data = text(data);
    let variables = data.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix('#')?.split_once('=')?;
        let is_for_it = name.starts_with("PORTCULLIS_");
        is_for_it.then(|| (OsString::from(name), OsString::from(value)))
    });
    let sources = Sources {
        variables: variables.collect(),
        ..Sources::default()
    };
    let file = "portcullis.toml";
    let read = |text: String| Config::parse(text, Some(file.into()), &sources);
    let moved = format!("# a line more\n{data}");
    match (read(data.clone().into_owned()), read(moved)) {
        (Ok(config), Ok(again)) => assert_eq!(config, again),
        (Err(error), Err(again)) => {
            assert_told(&error, file, &data);
            assert_moved(&error, &again);
        }
        // A byte order mark may only stand at the beginning.
        _ if data.starts_with('\u{feff}') => {}
        (one, other) => panic!("a comment makes a difference: {one:?} {other:?}"),
    }
}

fn assert_told(error: &ConfigError, file: &str, data: &str) {
    let told = error.to_string();
    match error {
        ConfigError::File { .. } => assert_located(&told, file, data),
        ConfigError::Variable { name, .. } => assert!(data.contains(name.as_str())),
        ConfigError::Read { .. } | ConfigError::Absent { .. } | ConfigError::Flag { .. } => {
            panic!("{told}");
        }
    }
    assert!(!told.contains('\n'), "{told:?}");
}

fn assert_moved(error: &ConfigError, moved: &ConfigError) {
    match (error, moved) {
        (
            ConfigError::File {
                line,
                column,
                problem,
                ..
            },
            ConfigError::File {
                line: moved,
                column: same_column,
                problem: same,
                ..
            },
        ) => {
            assert_eq!(problem, same);
            assert_eq!((line + 1, column), (*moved, same_column), "{problem}");
        }
        _ => assert_eq!(error.to_string(), moved.to_string()),
    }
}

/// What the built-in filters say of their configurations.
static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let manifests = BUILTINS.iter().map(|builtin| {
        let manifest = Manifest::find(builtin.component).expect("it is ours");
        manifest
            .expect("it has one")
            .config
            .expect("it has a schema")
    });
    manifests
        .map(|schema| Schema::new(schema).expect("it is ours"))
        .collect()
});

/// The settings of a filter are read or refused with their place, and so is its own configuration
/// by the schemas of the built-in filters. Where they are read, what was read of them before
/// everything else says the same: whether the filter is required.
pub fn filter_settings(data: &[u8]) {
    let data = text(data);
    let file = Path::new("a.toml");
    let settings = match FilterSettings::parse_within(&data, file, &Ceilings::default()) {
        Ok(settings) => settings,
        Err(error) => return assert_located(&error.to_string(), "a.toml", &data),
    };
    let standing = Standing::of(
        settings.enabled,
        settings.mode,
        settings.required,
        settings.on_error,
    );
    assert_eq!(Standing::read(&data), standing);
    let config: serde_json::Value =
        serde_json::from_str(&settings.config).expect("a configuration is handed over as JSON");
    assert!(config.is_object());
    for schema in &*SCHEMAS {
        if let Err(error) = schema.check(&config, file, Some(&data)) {
            assert_located(&error.to_string(), "a.toml", &data);
        }
        // As it is told where there is no file.
        let _ = schema.check(&config, file, None);
    }
    // A filter can say anything of its configuration.
    for said in data.lines() {
        if let Some(error) = located(said, "refused", file, &data) {
            assert_located(&error.to_string(), "a.toml", &data);
        }
    }
}

/// A file of cases is refused with its place, or asks about canonical hosts, and can be compared
/// with what a filter does.
pub fn cases(data: &[u8]) {
    let data = text(data);
    let cases = match Cases::parse(&data, "cases.toml") {
        Ok(cases) => cases,
        Err(error) => return assert_located(&error.to_string(), "cases.toml", &data),
    };
    assert!(!cases.cases.is_empty());
    for host in cases.feeds.values().flatten() {
        assert_canonical(host);
    }
    let lines = data.matches('\n').count() + 1;
    for case in &cases.cases {
        assert!((1..=lines).contains(&case.line));
        match &case.question {
            Question::Host { host, port, .. } => {
                assert_canonical(host);
                assert_ne!(*port, 0);
            }
            Question::Request {
                host,
                port,
                url,
                method,
                ..
            } => {
                assert_canonical(host);
                assert_ne!(*port, 0);
                let url: http::Uri = url.parse().expect("it is a URL");
                assert_eq!(url.scheme_str(), Some("http"));
                assert!(method.parse::<http::Method>().is_ok(), "{method:?}");
            }
            Question::Tick => {}
        }
        for answer in [Answer::Next, Answer::Error(String::new())] {
            let outcome = case.compare(&Observed::new(answer));
            assert_eq!(outcome.ok, outcome.differences.is_empty());
            for difference in outcome.differences {
                assert_ne!(difference.to_string(), "");
            }
        }
    }
}
