//! Filters in JavaScript: npm gets componentize-js, which the folder's own script calls.

use std::path::Path;

use super::project::{self, Component, Project};
use super::{BuildError, tool};

/// What makes a folder one.
pub(super) const MANIFEST: &str = "package.json";

/// What npm writes when it has installed everything.
const INSTALLED: &str = "node_modules/.package-lock.json";

pub(super) async fn build(dir: &Path) -> Result<Component, BuildError> {
    let project = Project::read(dir.join(MANIFEST), |text| Ok(serde_json::from_str(text)?))?;
    let schema = project::schema(dir)?;
    // npm needs it too, but says so less well.
    tool::NODE.command(dir)?;
    let mut npm = tool::NPM.command(dir)?;
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
        bytes: project.label(schema, &bytes),
        name: project.name,
    })
}
