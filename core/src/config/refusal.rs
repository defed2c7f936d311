//! What a filter itself has against its configuration, with the place in the file that it speaks
//! of. Called by `plugins`.

use std::path::Path;

use super::ConfigError;
use super::document::Document;
use super::schema::TABLE;

/// The same with file, line and column, if `said` begins with the path of something in `[config]`,
/// as in `networks[0]: …` or `rate.limit: …`. `refusal` is what the operator reads there.
pub(crate) fn located(said: &str, refusal: &str, file: &Path, text: &str) -> Option<ConfigError> {
    let (path, _) = said.split_once(": ")?;
    let keys: Vec<&str> = [TABLE].into_iter().chain(keys(path)).collect();
    let document = Document { path: file, text };
    let place = document.value_position(&keys)?;
    Some(document.problem_at(place, refusal.to_owned()))
}

/// `a.b[0].c` as `a`, `b`, `0` and `c`. Other text gives keys that the file does not have.
fn keys(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').flat_map(|part| {
        let (key, places) = part.split_once('[').unwrap_or((part, ""));
        let places = places
            .split('[')
            .filter_map(|place| place.strip_suffix(']'));
        std::iter::once(key).chain(places)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_that_of_the_value_which_the_filter_names() {
        let text = "[config]\nnetworks = [\"a\", \"b\"]\nrate = { limit = 0 }\n[[config.rules]]\nports = [[1, 2]]";
        for (said, expected) in [
            ("networks[1]: not a network", Some("a.toml:2:18: refused")),
            ("rate.limit: too low", Some("a.toml:3:18: refused")),
            (
                "rules[0].ports[0][1]: a port: 2",
                Some("a.toml:5:14: refused"),
            ),
            ("networks[2]: not a network", None),
            ("rates: too low", None),
            ("what is this: too low", None),
            ("too low", None),
        ] {
            let error = located(said, "refused", Path::new("a.toml"), text);
            let told = error.map(|error| error.to_string());
            assert_eq!(told.as_deref(), expected, "{said}");
        }
    }
}
