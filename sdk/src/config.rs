//! The operator's configuration as a filter's own type. Called once an instance, by `exports` and by `testing`.

mod json;

use serde::de::DeserializeOwned;

use crate::Error;

/// Reads a JSON object, or nothing, which counts as an empty one. An error names the field.
pub(crate) fn parse<C: DeserializeOwned>(json: &str) -> Result<C, Error> {
    let json = match json.trim() {
        "" => "{}",
        json => json,
    };
    let read = json::from_str(json).or_else(|refused| match json {
        // To serde, `()` and unit structs are null.
        "{}" => json::from_str("null").map_err(|_| refused),
        _ => Err(refused),
    });
    Ok(read?)
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
