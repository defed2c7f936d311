//! What a filter's project says of the filter: its name, and what goes into the manifest of its
//! file where no compiler puts it. Called by the modules of the languages.

use crate::error::Escaped;
use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::BuildError;
use crate::config::Schema;
use crate::filter::{API, Description, Manifest, append};

/// Beside the file that describes the project, if there is one: what `[config]` may say.
const SCHEMA: &str = "config.schema.json";

/// A project, as the file says that describes it to the tools of its language.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    version: String,
    description: String,
}

/// What a language's tools have made.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Project {
    /// Reads that file. `table` finds the part with the name in the text.
    pub(super) fn read(
        file: PathBuf,
        table: impl FnOnce(&str) -> Result<Value, Box<dyn StdError>>,
    ) -> Result<Self, BuildError> {
        let text = fs::read_to_string(&file).map_err(|source| BuildError::Files {
            action: format!("read {}", Escaped(file.display())),
            source,
        })?;
        let table = table(&text).map_err(|error| {
            let is_json = file
                .extension()
                .is_some_and(|extension| extension == "json");
            BuildError::Syntax {
                format: if is_json { "JSON" } else { "TOML" },
                problem: error.to_string().trim_end().to_owned(),
                file: file.clone(),
            }
        })?;
        let text = |key: &str| table[key].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        // It becomes the name of a file.
        if Path::new(&name).file_name() != Some(name.as_ref()) {
            let problem = if name.is_empty() {
                "there is no name".to_owned()
            } else {
                format!("`{name}` cannot be the name of a file")
            };
            return Err(BuildError::Manifest { file, problem });
        }
        Ok(Self {
            name,
            version: text("version"),
            description: text("description"),
        })
    }

    /// The component with a manifest that says this, and by `config` what the settings may be.
    pub(super) fn label(&self, config: Option<Value>, component: &[u8]) -> Vec<u8> {
        let description = Description::of(component);
        let hooks = description.map(|description| description.hooks());
        let manifest = Manifest {
            name: self.name.clone(),
            version: self.version.clone(),
            api: API.to_owned(),
            description: self.description.clone(),
            hooks: hooks.unwrap_or_default(),
            config,
            ..Manifest::default()
        };
        append(component, &manifest)
    }
}

/// The schema of the settings in the folder `dir`, where there need not be one. It is read before
/// the filter is built, as that takes a while.
pub(super) fn schema(dir: &Path) -> Result<Option<Value>, BuildError> {
    let file = dir.join(SCHEMA);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(BuildError::Files {
                action: format!("read {}", Escaped(file.display())),
                source,
            });
        }
    };
    let read = serde_json::from_str(&text).map_err(|error| error.to_string());
    let checked = read.and_then(|schema: Value| match Schema::new(schema.clone()) {
        Ok(usable) => usable.doubt().map_or(Ok(schema), Err),
        Err(error) => Err(error.to_string()),
    });
    checked
        .map(Some)
        .map_err(|problem| BuildError::Schema { file, problem })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ErrorChain;
    use crate::plugins::builtin::BUILTINS;

    fn project(text: &str) -> Result<Project, BuildError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("package.json");
        fs::write(&file, text).unwrap();
        Project::read(file, |text| Ok(serde_json::from_str(text)?))
    }

    #[test]
    fn a_project_must_have_a_name_that_a_file_can_have() {
        assert_eq!(project(r#"{"name": "guard"}"#).unwrap().name, "guard");
        for (text, problem) in [
            ("{}", "there is no name"),
            (r#"{"name": "../a"}"#, "`../a` cannot be the name of a file"),
            (
                "{",
                "package.json is not valid JSON, so the filter cannot be built: EOF while parsing",
            ),
        ] {
            let error = project(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_from_one_that_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let read = |file: &str| Project::read(dir.path().join(file), |_| Ok(json!({})));
        fs::write(dir.path().join("Cargo.toml"), b"\xff").unwrap();
        for (file, cause) in [("Cargo.toml", "UTF-8"), ("package.json", "No such file")] {
            let error = read(file).unwrap_err();
            let said = ErrorChain(&error).to_string();
            assert!(said.starts_with("cannot read "), "{said}");
            assert!(said.contains(file) && said.contains(cause), "{said}");
        }
    }

    #[test]
    fn a_component_says_what_its_project_says() {
        let project = project(r#"{"name": "guard", "version": "1.2.0"}"#).unwrap();
        let component = BUILTINS[0].component;
        let manifest = Manifest::find(&project.label(None, component));
        let manifest = manifest.unwrap().unwrap();
        assert_eq!((&*manifest.name, &*manifest.version), ("guard", "1.2.0"));
        assert_eq!((&*manifest.api, manifest.config), (API, None));
        assert!(!manifest.hooks.is_empty());

        let config = Some(json!({"type": "object", "properties": {}}));
        let labelled = project.label(config.clone(), component);
        let manifest = Manifest::find(&labelled).unwrap().unwrap();
        assert_eq!(manifest.config, config);
    }

    #[test]
    fn a_schema_that_is_there_must_be_one_that_a_proxy_uses() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(schema(dir.path()).unwrap(), None);

        let right = json!({"type": "object", "properties": {}});
        fs::write(dir.path().join(SCHEMA), right.to_string()).unwrap();
        assert_eq!(schema(dir.path()).unwrap(), Some(right));

        fs::write(dir.path().join(SCHEMA), r##"{"$ref": "#"}"##).unwrap();
        let error = schema(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("config.schema.json cannot be used: it uses `$ref`"),
            "{error}"
        );

        let misspelt = json!({"properties": {"block": {"format": "hosts"}}});
        fs::write(dir.path().join(SCHEMA), misspelt.to_string()).unwrap();
        let error = schema(dir.path()).unwrap_err().to_string();
        let problem = "the proxy does not know the format `hosts`; did you mean `host`?";
        assert!(error.ends_with(problem), "{error}");
    }
}
