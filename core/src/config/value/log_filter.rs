//! How the directives of `[log] filter` are written.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::FromText;

/// What is logged, in the words of `EnvFilter`.
pub(in crate::config) struct LogFilter;

impl FromText for LogFilter {
    type Value = String;

    const EXPECTED: &'static str =
        r#"a level (error, warn, info, debug or trace) or a list such as "info,portcullis=debug""#;

    fn parse(text: &str) -> Option<String> {
        // `EnvFilter` cuts directives that have spaces before them in the wrong places, even inside
        // a letter.
        let trimmed: Vec<&str> = directives(text).collect();
        let filter = trimmed.join(",");
        EnvFilter::builder().parse(&filter).ok()?;
        // A level that is misspelt would be taken for the name of a module, and everything else
        // fall silent.
        let is_level_or_directive = |directive: &str| {
            directive.contains(['=', ':', '['])
                || directive.parse::<tracing::Level>().is_ok()
                || directive == "off"
        };
        let is_right = |directive| is_level_or_directive(directive) && !is_for_access(directive);
        trimmed.into_iter().all(is_right).then_some(filter)
    }

    fn write(filter: &String) -> Value {
        filter.as_str().into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        let Some(directive) = directives(text).find(|directive| is_for_access(directive)) else {
            return format!("`{text}` is not {}", Self::EXPECTED);
        };
        let level = directive.rsplit('=').next().unwrap_or_default().trim();
        let advice = if ["off", "error", "warn"].contains(&&*level.to_ascii_lowercase()) {
            format!("instead of `{directive}`, write [log.access] to = \"off\"")
        } else {
            format!(
                "remove `{directive}`, since access lines are written unless [log.access] says to = \"off\""
            )
        };
        format!("the access log has settings of its own; {advice}")
    }
}

fn directives(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

/// Whether a directive names the target that access lines once had.
fn is_for_access(directive: &str) -> bool {
    let target = directive.split(['=', '[']).next().unwrap_or_default();
    target.trim() == "access"
}
