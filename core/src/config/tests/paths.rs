//! Paths in the file are meant from where the file is.

use std::path::PathBuf;

use super::super::declaration::{Declaration, schema_of};
use super::super::request::Secret;
use super::super::{AccessLogTo, Config};
use super::{folder, sources};

/// Every key that has a path, or a secret that may stand in a file.
const PATHS: &str = r#"
    [auth]
    users = "a"
    [plugins]
    dir = "a"
    [cache]
    dir = "a"
    [state]
    dir = "a"
    [egress]
    resolvers = ["tls://9.9.9.9"]
    resolver_ca = "a"
    [log.access]
    to = "a"
    [feeds.x]
    entries = ["a.example"]
    headers = ["Auth-Key: file:a", "Other:\tenv:file:"]
    post = "file:a"
    [upstream.x]
    proxy = "https://parent.example:3128"
    ca = "a"
    credentials = "file:a"
"#;

/// The keys of a declaration that may have a path.
fn keys_with_paths(declaration: Declaration<'_>, keys: &str, found: &mut Vec<String>) {
    let parts = declaration.keys().collect::<Vec<_>>();
    let each = declaration.each().map(|each| ("*", each));
    let items = declaration.items().map(|items| ("[]", items));
    for (key, below) in parts.into_iter().chain(each).chain(items) {
        keys_with_paths(below, &format!("{keys}.{key}"), found);
    }
    let formats = ["path", "secret", "secret-field"];
    if formats
        .into_iter()
        .any(|format| declaration.has_format(format))
    {
        found.push(keys.trim_start_matches('.').to_owned());
    }
}

#[test]
fn the_default_folder_of_plugins_is_beside_the_file() {
    let dir = folder("[proxy]\n");
    let config = Config::load(&sources(&dir, &[])).unwrap();
    assert_eq!(config.plugins.dir, dir.path().join("plugins"));
    assert!(!config.plugins.dir_must_exist);
}

#[test]
fn each_path_of_the_file_is_meant_from_its_folder() {
    let schema = schema_of::<Config>();
    let mut found = Vec::new();
    keys_with_paths(Declaration(&schema), "", &mut found);
    found.sort();
    let expected = [
        "auth.users",
        "cache.dir",
        "egress.resolver_ca",
        "feeds.*.headers.[]",
        "feeds.*.post",
        "log.access.to",
        "plugins.dir",
        "state.dir",
        "upstream.*.ca",
        "upstream.*.credentials",
    ];
    assert_eq!(found, expected, "PATHS has others");

    let dir = folder(PATHS);
    let config = Config::load(&sources(&dir, &[])).unwrap();
    let path = dir.path().join("a");
    let secret = Secret::File(path.clone());
    let (feed, upstream) = (&config.feeds["x"], &config.upstream["x"]);
    let paths: [&PathBuf; 6] = [
        config.auth.users.as_ref().unwrap(),
        &config.plugins.dir,
        &config.cache.dir,
        &config.state.dir,
        config.egress.resolver_ca.as_ref().unwrap(),
        upstream.ca.as_ref().unwrap(),
    ];
    assert_eq!(paths, [&path; 6]);
    assert_eq!(config.log.access.to, AccessLogTo::File(path));
    assert_eq!(feed.headers[0].value, secret);
    assert_eq!(feed.headers[1].value, Secret::Variable("file:".into()));
    assert_eq!(feed.post.as_ref(), Some(&secret));
    assert_eq!(upstream.credentials.as_ref(), Some(&secret));
}
