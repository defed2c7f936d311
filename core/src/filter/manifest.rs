//! What a filter says of itself, in a section of its file. The SDK writes it, or the tool that
//! builds a filter in another language. It is read before anything of the file runs. It is not
//! believed where the file itself shows the truth: hooks and imports are read from the file's
//! exports and imports. `plugins` and `commands` read it.

use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Section};
use wasmparser::{Parser, Payload};

/// The name of the section, in a component or in the core module inside it.
const SECTION: &str = "portcullis-manifest";

/// The form of manifests that is read here. Keys that are added to it do not change the number.
const FORM: u32 = 1;

/// Longest manifest in bytes. The largest known schema of a filter has a fortieth of it.
const MAX_BYTES: usize = 256 << 10;

/// Longest name, version or description, in bytes.
const MAX_TEXT: usize = 500;

/// What a filter says of itself. Fields are empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    /// The number of its form, which [`append`] sets.
    pub(crate) manifest: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The version of the contract that it is built against.
    pub(crate) api: String,
    pub(crate) description: String,
    /// Its hooks, by the contract's names.
    pub(crate) hooks: Vec<String>,
    /// The interfaces that it imports, by the contract's names. Only a package says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) imports: Option<Vec<String>>,
    /// The kinds of verdicts that its cases expect. Only a package says so, if there are cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdicts: Option<Vec<String>>,
    /// What `[config]` may say, as JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<serde_json::Value>,
}

/// Why this proxy cannot read a manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidManifest {
    #[error("it is larger than {} KiB", MAX_BYTES >> 10)]
    Large,
    #[error("it is not the JSON that it should be")]
    Json(#[from] serde_json::Error),
    #[error("it has the form {0}, and this proxy reads form {FORM}")]
    Form(u32),
}

impl Manifest {
    /// Reads the manifest in a file, which may be anything. The last one counts: a manifest that
    /// was added to a component stands behind those inside.
    pub(crate) fn find(wasm: &[u8]) -> Result<Option<Self>, InvalidManifest> {
        let payloads = Parser::new(0).parse_all(wasm).map_while(Result::ok);
        let section = payloads.filter_map(|payload| match payload {
            Payload::CustomSection(section) if section.name() == SECTION => Some(section.data()),
            _ => None,
        });
        section.last().map(Self::read).transpose()
    }

    fn read(json: &[u8]) -> Result<Self, InvalidManifest> {
        if json.len() > MAX_BYTES {
            return Err(InvalidManifest::Large);
        }
        let found: Self = serde_json::from_slice(json)?;
        if found.manifest != FORM {
            return Err(InvalidManifest::Form(found.manifest));
        }
        Ok(Self {
            name: one_line(&found.name),
            version: one_line(&found.version),
            description: one_line(&found.description),
            ..found
        })
    }
}

/// Adds a manifest to a component, for languages whose compilers cannot write one, in place of one
/// that was added before. The same component and manifest always make the same bytes.
pub(crate) fn append(component: &[u8], manifest: &Manifest) -> Vec<u8> {
    let mut component = without_added(component);
    let manifest = Manifest {
        manifest: FORM,
        ..manifest.clone()
    };
    let json = serde_json::to_vec(&manifest).expect("texts and JSON are JSON");
    let section = CustomSection {
        name: SECTION.into(),
        data: json.into(),
    };
    section.append_to(&mut component);
    component
}

/// The file without manifests of its outermost component. Those of the modules inside stay, as the
/// SDK has put them there.
fn without_added(component: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(component.len());
    let (mut copied, mut depth) = (0, 0_usize);
    // Where a section begins is where the one before it ends, header included.
    let mut end_of_last = 0;
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        match &payload {
            Payload::Version { range, .. } => {
                depth += 1;
                end_of_last = range.end;
            }
            Payload::End(offset) => {
                depth = depth.saturating_sub(1);
                end_of_last = *offset;
            }
            Payload::CustomSection(section) if depth == 1 => {
                if section.name() == SECTION {
                    kept.extend_from_slice(&component[copied..end_of_last]);
                    copied = section.range().end;
                }
                end_of_last = section.range().end;
            }
            other => {
                if let Some((_, range)) = other.as_section() {
                    end_of_last = range.end;
                }
            }
        }
    }
    kept.extend_from_slice(&component[copied..]);
    kept
}

/// Cuts a text and replaces control characters, as it is also written to terminals.
fn one_line(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT.min(text.len()));
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text[..end].chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::builtin::BUILTINS;

    fn blocklist() -> Vec<u8> {
        let mut builtins = BUILTINS.iter();
        let blocklist = builtins.find(|builtin| builtin.name == "blocklist");
        blocklist.unwrap().component.to_vec()
    }

    fn with(json: &[u8]) -> Vec<u8> {
        let mut wasm = blocklist();
        let section = CustomSection {
            name: SECTION.into(),
            data: json.into(),
        };
        section.append_to(&mut wasm);
        wasm
    }

    #[test]
    fn the_sdk_writes_what_is_read_here() {
        let manifest = Manifest::find(&blocklist()).unwrap().unwrap();
        assert_eq!(manifest.name, "portcullis-blocklist");
        assert_eq!(manifest.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(manifest.hooks, ["judge-host"]);
        let status = &manifest.config.unwrap()["properties"]["status"];
        assert_eq!(status["maximum"], json!(u16::MAX));
    }

    #[test]
    fn what_is_added_to_a_file_stands_above_what_is_in_it() {
        let manifest = Manifest {
            name: "guard".into(),
            config: Some(json!({"type": "object"})),
            ..Manifest::default()
        };
        let found = Manifest::find(&append(&blocklist(), &manifest));
        let manifest = Manifest {
            manifest: FORM,
            ..manifest
        };
        assert_eq!(found.unwrap(), Some(manifest));
    }

    #[test]
    fn what_was_added_before_is_replaced_and_nothing_else_is_touched() {
        let named = |name: &str| Manifest {
            name: name.into(),
            ..Manifest::default()
        };
        let once = append(&blocklist(), &named("guard"));
        assert!(once.starts_with(&blocklist()));
        let twice = append(&append(&blocklist(), &named("other")), &named("guard"));
        assert!(once == twice);
        // Something stands behind it.
        let mut followed = append(&blocklist(), &named("other"));
        let note = CustomSection {
            name: "note".into(),
            data: b"x"[..].into(),
        };
        note.append_to(&mut followed);
        let mut expected = blocklist();
        note.append_to(&mut expected);
        assert!(without_added(&followed) == expected);
    }

    #[test]
    fn files_without_a_manifest_have_none() {
        for file in [
            &b""[..],
            b"hello",
            b"\0asm\x0d\0\x01\0",
            b"\0asm\x01\0\0\0\xff",
        ] {
            assert_eq!(Manifest::find(file).unwrap(), None);
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_an_error_and_nothing_worse() {
        let refusal = |json: &[u8]| Manifest::find(&with(json)).unwrap_err().to_string();
        assert_eq!(refusal(b"\xff{"), "it is not the JSON that it should be");
        assert_eq!(refusal(b"[1, 2]"), "it is not the JSON that it should be");
        assert_eq!(
            refusal("[".repeat(100_000).as_bytes()),
            "it is not the JSON that it should be"
        );
        assert_eq!(
            refusal(b"{}"),
            "it has the form 0, and this proxy reads form 1"
        );
        assert_eq!(refusal(&[b' '; MAX_BYTES + 1]), "it is larger than 256 KiB");
        let deep = format!(r#"{{"manifest": 1, "config": {}"#, "[".repeat(200));
        assert_eq!(
            refusal(deep.as_bytes()),
            "it is not the JSON that it should be"
        );
    }

    #[test]
    fn what_it_says_fits_into_a_line() {
        let json = json!({
            "manifest": 1,
            "name": "a\u{1b}[2Jb",
            "description": "é".repeat(1000),
            "more": [],
        });
        let found = Manifest::find(&with(json.to_string().as_bytes()));
        let found = found.unwrap().unwrap();
        assert_eq!(found.name, "a [2Jb");
        assert_eq!(found.description, "é".repeat(MAX_TEXT / 2));
    }
}
