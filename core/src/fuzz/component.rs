//! Files that are dropped into the folder, before a process of its own compiles them.

use crate::config::Schema;
use crate::filter::inspect::{CompileError, inspect};
use crate::filter::packages;
use crate::filter::{Description, Hook, Manifest};

/// A file that may be compiled is whole: what is cut off of it is told from what is broken. What
/// the file says of itself fits into lines, and a schema in it can be used or is refused.
pub fn component(data: &[u8]) {
    let inspected = inspect(data);
    if let Err(error) = &inspected {
        let told = error.to_string();
        assert!(!told.contains('\n'), "{told:?}");
    }
    if inspected.is_ok() {
        for end in [data.len() / 2, data.len() - 1] {
            let cut = inspect(&data[..end]);
            assert!(
                matches!(cut, Ok(()) | Err(CompileError::Truncated)),
                "{end} of {} bytes: {cut:?}",
                data.len()
            );
        }
    }
    if let Err(error) = packages::check(data) {
        let told = error.to_string();
        assert!(!told.contains('\n'), "{told:?}");
    }
    if let Some(description) = Description::of(data) {
        let known = Hook::ALL.map(Hook::name);
        let hooks = description.hooks();
        assert!(hooks.iter().all(|hook| known.contains(&&**hook)));
    }
    if let Ok(Some(manifest)) = Manifest::find(data) {
        for text in [&manifest.name, &manifest.version, &manifest.description] {
            assert!(!text.contains(|c: char| c.is_control()) && text.len() <= 500);
        }
        check_schema(manifest);
    }
}

/// Compares small configurations with the schema, as the proxy does with an operator's.
fn check_schema(manifest: Manifest) {
    let Some(schema) = manifest.config else {
        return;
    };
    let schema = match Schema::new(schema) {
        Ok(schema) => schema,
        Err(error) => {
            let told = error.to_string();
            assert!(!told.contains('\n'), "{told:?}");
            return;
        }
    };
    let file = std::path::Path::new("a.toml");
    for text in ["[config]\n", "[config]\na = 1\nlist = [\"a\"]\n"] {
        let table: toml::Table = text.parse().expect("it is TOML");
        let config = serde_json::to_value(&table["config"]).expect("it has no dates");
        for text in [Some(text), None] {
            if let Err(error) = schema.check(&config, file, text) {
                assert!(error.to_string().contains("a.toml"), "{error}");
            }
        }
    }
}
