//! The operator's configuration as a filter's own type. Called once an instance, by `exports` and by `testing`.

use serde::de::DeserializeOwned;
use serde_json::Deserializer;

use crate::Error;

/// Reads a JSON object, or nothing, which counts as an empty one. An error names the field.
pub(crate) fn parse<C: DeserializeOwned>(json: &str) -> Result<C, Error> {
    let read = |json| serde_path_to_error::deserialize(&mut Deserializer::from_str(json));
    let json = match json.trim() {
        "" => "{}",
        json => json,
    };
    read(json)
        // To serde, `()` and unit structs are null.
        .or_else(|refused| match json {
            "{}" => read("null").map_err(|_| refused),
            _ => Err(refused),
        })
        .map_err(describe)
}

fn describe(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let cause = error.inner().to_string();
    // The operator wrote TOML: a position in the JSON that was made of it leads nowhere.
    let cause = cause
        .rsplit_once(" at line ")
        .map_or(cause.as_str(), |(cause, _)| cause);
    match error.path().to_string().as_str() {
        "." => Error::new(cause),
        field => Error::new(format_args!("{field}: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Limits {
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        rate: Option<Rate>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Rate {
        each: u8,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    struct Nothing;

    #[test]
    fn no_configuration_is_an_empty_one() {
        let empty = Limits {
            names: Vec::new(),
            rate: None,
        };
        for json in ["", " \n", "{}", " {}"] {
            assert_eq!(parse::<Limits>(json).unwrap(), empty, "{json:?}");
            parse::<()>(json).unwrap();
            assert_eq!(parse::<Nothing>(json).unwrap(), Nothing);
        }
    }

    #[test]
    fn an_error_names_the_field() {
        for (json, message) in [
            (
                r#"{"names": ["a", 3]}"#,
                "names[1]: invalid type: integer `3`, expected a string",
            ),
            (
                r#"{"rate": {"each": 256}}"#,
                "rate.each: invalid value: integer `256`, expected u8",
            ),
            (r#"{"rate": {}}"#, "rate: missing field `each`"),
            (
                r#"{"name": []}"#,
                "name: unknown field `name`, expected `names` or `rate`",
            ),
        ] {
            assert_eq!(parse::<Limits>(json).unwrap_err().to_string(), message);
        }
        assert!(parse::<()>(r#"{"a": 1}"#).is_err());
        assert!(parse::<Limits>("{").is_err());
    }
}
