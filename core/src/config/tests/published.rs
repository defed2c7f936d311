//! What README and the schemas in the repository say of the settings.

use std::fs;
use std::path::Path;

use super::super::declaration::schema_of;
use super::super::{Config, FilterSettings, Grants};
use super::{folder, sources};

/// The first block of the README that begins with this line.
fn readme_block(first: &str) -> &'static str {
    let readme = include_str!("../../../../README.md");
    let start = readme.find(&format!("```toml\n{first}")).unwrap() + "```toml\n".len();
    readme[start..].split("```").next().unwrap()
}

#[test]
fn the_readme_shows_the_defaults() {
    let dir = folder(readme_block("[proxy]\n"));
    let mut expected = Config::default();
    expected.proxy.workers = 2.try_into().unwrap();
    expected.plugins.dir = dir.path().join("plugins");
    expected.plugins.dir_must_exist = true;
    expected.file = Some(dir.path().join("portcullis.toml"));
    let mut read = Config::load(&sources(&dir, &[])).unwrap();
    read.followed = None;
    assert_eq!(read, expected);

    let filter =
        FilterSettings::parse(readme_block("enabled = true"), Path::new("a.toml")).unwrap();
    let expected = FilterSettings {
        grants: Some(Grants::default()),
        ..FilterSettings::default()
    };
    assert_eq!(filter, expected);
}

#[test]
fn the_schemas_in_the_repository_are_those_of_the_declarations() {
    for (name, schema) in [
        ("portcullis", schema_of::<Config>()),
        ("filter", schema_of::<FilterSettings>()),
    ] {
        let file = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let text = format!("{schema:#}\n");
        if std::env::var_os("PORTCULLIS_UPDATE_SCHEMAS").is_some() {
            fs::write(&file, &text).unwrap();
        }
        assert!(
            fs::read_to_string(&file).is_ok_and(|published| published == text),
            "{file} is out of date; to write it anew, run\n  \
             PORTCULLIS_UPDATE_SCHEMAS=1 cargo test -p portcullis --lib schemas_in_the_repository"
        );
    }
}

#[test]
fn the_schemas_take_what_the_proxy_takes() {
    for (schema, good, bad) in [
        (
            schema_of::<Config>(),
            readme_block("[proxy]\n"),
            "[limits]\nidel = \"5m\"",
        ),
        (
            schema_of::<FilterSettings>(),
            readme_block("enabled = true"),
            "mode = \"dark\"",
        ),
    ] {
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let json = |text| toml::from_str::<serde_json::Value>(text).unwrap();
        assert!(schema.is_valid(&json(good)));
        assert!(!schema.is_valid(&json(bad)));
    }
}
