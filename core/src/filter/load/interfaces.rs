//! Whether this proxy has what a component imports and exports, told in words for the operator
//! where the linker would speak of missing implementations. Called by `load`.

use super::super::capability::{Import, granting, numbers, parse_interface};
use super::{API, LoadError, LoadRequest};
use crate::config::Grants;
use crate::error::Escaped;

/// Fails unless the major number is that of the proxy's contract. Whether there is everything that
/// the file asks for is seen later.
pub(super) fn check_version(name: &str) -> Result<(), LoadError> {
    let major = |version: &str| version.split_once('.').map(|(major, _)| major.to_owned());
    match parse_interface(name) {
        Some((_, version)) if major(version) != major(API) => Err(LoadError::Version {
            interface: name.to_owned(),
            version: version.to_owned(),
        }),
        _ => Ok(()),
    }
}

pub(super) fn check_import(name: &str) -> Result<(), LoadError> {
    if name.starts_with("wasi:") {
        return Err(LoadError::Wasi(name.to_owned()));
    }
    if Import::of(name, &Grants::ALL) != Import::Unknown {
        return Ok(());
    }
    match parse_interface(name) {
        Some((_, version)) if is_later(version) => Err(LoadError::Later {
            contract: version.to_owned(),
            lacks: format!("`{name}`"),
        }),
        _ => Err(LoadError::Import(name.to_owned())),
    }
}

/// Why a component that is for that version of the contract does not link.
pub(super) fn unlinked(contract: String, error: wasmtime::Error) -> LoadError {
    if is_later(&contract) {
        let lacks = lacking(&error);
        LoadError::Later { contract, lacks }
    } else {
        LoadError::Contract(error.into())
    }
}

fn is_later(version: &str) -> bool {
    numbers(version) > numbers(API)
}

/// What the linker has not found, by the names that it says.
fn lacking(error: &wasmtime::Error) -> String {
    let said: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
    let named = |said: &str| said.split('`').nth(1).unwrap_or_default().to_owned();
    match &said[..] {
        [interface, function, why] if why == "function implementation is missing" => {
            format!("`{}` of `{}`", named(function), named(interface))
        }
        _ => format!("what it asks for ({})", said.join(": ")),
    }
}

/// Fails with all imports that are not granted, so that they can be granted at once.
pub(super) fn check_grants(imports: &[String], request: &LoadRequest) -> Result<(), LoadError> {
    let missing = imports
        .iter()
        .filter_map(|name| match Import::of(name, &request.grants) {
            Import::Missing(line) => Some((name.clone(), line.to_owned())),
            _ => None,
        });
    let (capabilities, lines): (Vec<String>, Vec<String>) = missing.unzip();
    if capabilities.is_empty() {
        return Ok(());
    }
    // There may be no such file yet.
    let file = format!("{}.toml beside the filter", Escaped(&request.name));
    Err(LoadError::Grant {
        capabilities,
        how: request.grants.how_to_have(&lines, &file),
        table: granting(imports, &request.grants).lines(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::FilterSettings;
    use crate::filter::{CachedFailure, Manifest};

    fn request(grants: Grants) -> LoadRequest {
        LoadRequest {
            name: "guard".into(),
            wasm: [].into(),
            hash: [0; 32],
            settings: FilterSettings::default(),
            grants,
            is_builtin: false,
            manifest: Manifest::default(),
            cached_failure: CachedFailure::Use,
        }
    }

    #[test]
    fn another_version_is_named_beside_the_proxys_own() {
        assert!(check_version("portcullis:filter/judge-host@1.7.3").is_ok());
        assert!(check_version("wasi:cli/environment@0.2.0").is_ok());
        for version in ["0.2.0", "2.0.0", "10.0.0"] {
            let error = check_version(&format!("portcullis:filter/judge-host@{version}"));
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains(&format!("version {version} of the filter API")),
                "{error}"
            );
            assert!(error.contains("this proxy speaks 1.0.0"), "{error}");
        }
    }

    #[test]
    fn an_import_must_be_offered_and_granted() {
        let refusal = |import| check_import(import).unwrap_err().to_string();
        assert!(check_import("portcullis:filter/log@1.0.3").is_ok());
        assert!(
            refusal("wasi:clocks/wall-clock@0.2.0").contains("through the proxy or not at all")
        );
        assert!(
            refusal("portcullis:filter/http@1.0.0")
                .contains("there are types, exchange, client, request, outcome,")
        );
        assert_eq!(
            refusal("portcullis:filter/http@1.10.0"),
            "it was built for portcullis:filter@1.10.0, and this proxy speaks 1.0.0, which does not \
             have `portcullis:filter/http@1.10.0`; update the proxy, or build the filter with the \
             SDK of this proxy"
        );
        let imports = ["log", "feeds", "state"];
        let imports = imports.map(|interface| format!("portcullis:filter/{interface}@1.0.0"));
        let granted = |imports, grants| {
            let granted = check_grants(imports, &request(grants));
            granted.map_err(|error| error.to_string())
        };
        assert_eq!(
            granted(&imports[..2], Grants::default()).unwrap_err(),
            "it wants `portcullis:filter/feeds@1.0.0`, which is not granted; if it may have it, \
             begin guard.toml beside the filter with:  grants.feeds = ['*']"
        );
        assert_eq!(
            granted(&imports, Grants::default()).unwrap_err(),
            "it wants `portcullis:filter/feeds@1.0.0` and `portcullis:filter/state@1.0.0`, which are not granted; if it may \
             have them, begin guard.toml beside the filter with:  grants = { feeds = ['*'], state = true }"
        );
        let text = "[grants]\nfeeds = ['*']";
        let settings = FilterSettings::parse(text, Path::new("guard.toml")).unwrap();
        let feeds_only = request(settings.grants(false));
        let refused = check_grants(&imports[2..], &feeds_only).unwrap_err();
        let advice = "if it may have it, write below [grants] in guard.toml beside the filter:  state = true";
        assert!(refused.to_string().ends_with(advice), "{refused}");
        assert_eq!(granted(&imports, Grants::ALL), Ok(()));
    }
}
