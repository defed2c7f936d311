//! What a filter says of itself: written into a section of the WASM file, where the proxy reads it
//! before it runs anything. `#[filter]` makes the constants; everything here happens while the
//! filter is compiled.

mod json;
mod schema;

use self::json::Writer;
use crate::schema::Node;

/// The contract in `wit/`.
const API: &str = "1.0.0";

/// Implemented by `#[filter]`, which alone knows the hooks and sees the crate's own variables.
pub trait Described {
    /// Of the filter and its crate.
    const MANIFEST: Manifest;
}

/// What a filter says of itself.
#[derive(Debug)]
pub struct Manifest {
    /// The crate's.
    pub name: &'static str,
    /// The crate's.
    pub version: &'static str,
    /// The crate's, empty if it has none.
    pub description: &'static str,
    /// As the contract names them.
    pub hooks: &'static [&'static str],
    /// What `[config]` may say.
    pub config: &'static Node,
}

impl Manifest {
    /// The length of its JSON, in bytes.
    pub const fn length(&self) -> usize {
        let mut counter = Writer::new(&mut []);
        self.write(&mut counter);
        counter.length()
    }

    /// Its JSON. `N` is its length.
    pub const fn json<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.write(&mut Writer::new(&mut bytes));
        bytes
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn to_json(&self) -> String {
        let mut bytes = vec![0; self.length()];
        self.write(&mut Writer::new(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    const fn write(&self, to: &mut Writer<'_>) {
        to.open(b'{');
        to.key("manifest");
        to.integer(1);
        to.key("name");
        to.text(self.name);
        to.key("version");
        to.text(self.version);
        to.key("api");
        to.text(API);
        to.key("description");
        to.text(self.description);
        to.key("hooks");
        to.texts(self.hooks);
        to.key("config");
        schema::write_root(self.config, to);
        to.close(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;

    #[test]
    fn it_names_the_contract_that_the_filter_is_built_against() {
        let contract = include_str!("../wit/filter.wit");
        assert!(contract.contains(&format!("package portcullis:filter@{API};")));
    }

    #[test]
    fn what_a_constant_holds_is_json_whatever_the_description_says() {
        const MANIFEST: Manifest = Manifest {
            name: "a",
            version: "1.0.0",
            description: "say \"no\"\\\n\t\u{1f}é\u{1f600}",
            hooks: &["judge-host", "tick"],
            config: <()>::SCHEMA,
        };
        const JSON: [u8; MANIFEST.length()] = MANIFEST.json();
        assert_eq!(JSON, MANIFEST.to_json().as_bytes());
        let found: serde_json::Value = serde_json::from_slice(&JSON).unwrap();
        let expected = serde_json::json!({
            "manifest": 1,
            "name": "a",
            "version": "1.0.0",
            "api": API,
            "description": MANIFEST.description,
            "hooks": MANIFEST.hooks,
            "config": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
            },
        });
        assert_eq!(found, expected);
    }
}
