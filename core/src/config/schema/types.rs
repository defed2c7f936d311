//! The types of values as TOML tells them apart. To JSON Schema `1.0` is an integer; to a filter that reads one it is none, and it could only
//! say so without the place. Called by `schema`.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

use super::expected::{either, found};

/// The keyword that this stands in for.
pub(super) const KEYWORD: &str = "type";

/// The types that a value may have.
struct Types(Vec<String>);

/// Makes the keyword of what stands behind it in a schema.
pub(super) fn compile<'a>(
    _: &'a Map<String, Value>,
    value: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let names = match value {
        Value::Array(names) => names.iter().collect(),
        name => vec![name],
    };
    let names = names.into_iter().map(|name| name.as_str().map(Into::into));
    let names: Option<Vec<String>> = names.collect();
    let names = names.ok_or_else(|| ValidationError::schema("types are strings"))?;
    Ok(Box::new(Types(names)))
}

/// Whether a value has another type than it may have.
pub(super) fn is_mismatch(error: &ValidationError<'_>) -> bool {
    // There is no other keyword of ours.
    matches!(error.kind(), Kind::Custom { .. })
}

impl<'i> Keyword<'i> for Types {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(value) {
            return Ok(());
        }
        let names = either(self.0.iter().cloned());
        let problem = format!("{} is not of the type {names}", found(value));
        Err(ValidationError::custom(problem))
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.0.iter().any(|name| is(name, value))
    }
}

fn is(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}
