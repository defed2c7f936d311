//! The operator's configuration as a filter's own type. Called once an instance, by `exports` and
//! by `testing`.

use serde::de::DeserializeOwned;
use serde_json::Deserializer;
use serde_path_to_error::Segment;

use crate::Error;

/// Reads a JSON object, or nothing, which counts as an empty one. An error names the field.
pub(crate) fn parse<C: DeserializeOwned>(json: &str) -> Result<C, Error> {
    let json = match json.trim() {
        "" => "{}",
        json => json,
    };
    let mut reader = Deserializer::from_str(json);
    match serde_path_to_error::deserialize(&mut reader) {
        Ok(config) => reader.end().map(|()| config).map_err(Error::new),
        // To serde, `()` and unit structs are null.
        Err(error) if json == "{}" => serde_json::from_str("null").map_err(|_| located(&error)),
        Err(error) => Err(located(&error)),
    }
}

/// The error with the setting that is at fault in front of it.
fn located(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let (path, error) = (error.path(), error.inner());
    // The place in the JSON is not one that the operator knows.
    let text = format!("{error}");
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = Error::new(text.strip_suffix(&place).unwrap_or(&text));
    let mut setting = format!("{path}");
    match path.iter().next_back() {
        None => message,
        // A variant is not a setting of its own.
        Some(Segment::Enum { variant }) => {
            setting.truncate(setting.len() - variant.len());
            message.at(setting.trim_end_matches('.'))
        }
        Some(_) => message.at(setting),
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
        for json in ["{", "{} {}", &"[".repeat(100_000)] {
            assert!(parse::<Limits>(json).is_err(), "{json:.10}");
        }
    }

    #[test]
    fn an_error_about_a_variant_names_the_setting_that_has_it() {
        #[derive(Deserialize, Debug)]
        #[serde(rename_all = "kebab-case")]
        enum Action {
            Refuse,
            Redirect { to: String },
        }
        #[derive(Deserialize, Debug)]
        struct Rules {
            rules: Vec<Action>,
        }
        let json = r#"{"rules": ["refuse", {"redirect": {"to": "a"}}]}"#;
        let [Action::Refuse, Action::Redirect { to }] = &parse::<Rules>(json).unwrap().rules[..]
        else {
            panic!("both are read");
        };
        assert_eq!(to, "a");
        for (json, message) in [
            (
                r#"{"rules": ["drop"]}"#,
                "rules[0]: unknown variant `drop`, expected `refuse` or `redirect`",
            ),
            (
                r#"{"rules": ["refuse", {"redirect": {"to": 1.5}}]}"#,
                "rules[1].redirect.to: invalid type: floating point `1.5`, expected a string",
            ),
        ] {
            assert_eq!(parse::<Rules>(json).unwrap_err().to_string(), message);
        }
    }
}
