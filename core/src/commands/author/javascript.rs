//! Filters in JavaScript: npm gets componentize-js, which the folder's own script calls.

use std::path::Path;

use super::project::{Component, Project};
use super::world::Speech;
use super::{BuildError, tool, world};

/// What makes a folder one.
pub(super) const MANIFEST: &str = "package.json";

const SOURCE: &str = "src/filter.js";

/// What npm writes when it has installed everything.
const INSTALLED: &str = "node_modules/.package-lock.json";

const SPEECH: Speech = Speech {
    source: SOURCE,
    begins: &[
        "export const ",
        "export let ",
        "export var ",
        "export class ",
    ],
    spell: world::camel_case,
    imports,
};

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let project = Project::read(dir.join(MANIFEST), |text| Ok(serde_json::from_str(text)?))?;
    // npm needs it too, but says so less well.
    tool::NODE.command(dir)?;
    let mut npm = tool::NPM.command(dir)?;
    world::check(dir, &SPEECH)?;
    let needs = [dir.join(MANIFEST), dir.join("package-lock.json")];
    if !tool::is_current(&dir.join(INSTALLED), &needs) {
        let quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
        tool::run(npm.arg("install").args(quietly), "npm install").await?;
        npm = tool::NPM.command(dir)?;
    }
    // The script need not care that others may be reading the old file.
    let aside = tempfile::tempdir().map_err(tool::cannot_write_aside)?;
    let file = aside.path().join("filter.wasm");
    npm.args(["run", "--silent", "build", "--"]).arg(&file);
    tool::run(&mut npm, "npm run build").await?;
    let bytes = std::fs::read(&file).map_err(|_| BuildError::Nothing("npm run build"))?;
    Ok(Component {
        bytes: project.label(dir, bytes)?,
        name: project.name,
    })
}

/// Of `import { now } from 'portcullis:filter/clock@0.1.0';`.
fn imports(line: &str) -> Vec<String> {
    let begins = ["import ", "export ", "}"];
    if !begins.iter().any(|begin| line.starts_with(begin)) {
        return Vec::new();
    }
    let named = line.split_once("from 'portcullis:filter/");
    let named = named.or_else(|| line.split_once("from \"portcullis:filter/"));
    let name = named.and_then(|(_, rest)| rest.split_once('@'));
    name.map(|(name, _)| name.to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_is_named_as_in_the_contract() {
        for (line, names) in [
            (
                "import { now } from 'portcullis:filter/clock@0.1.0';",
                vec!["clock"],
            ),
            (
                "} from \"portcullis:filter/request-headers@0.1.0\";",
                vec!["request-headers"],
            ),
            ("import { next } from './portcullis.js';", vec![]),
            (
                "// import { now } from 'portcullis:filter/clock@0.1.0';",
                vec![],
            ),
        ] {
            assert_eq!(imports(line), names, "{line}");
        }
    }
}
