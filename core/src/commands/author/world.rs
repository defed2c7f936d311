//! The world of a filter in JavaScript or Python, `wit/world.wit`: what is not in it is silently left out of the component.

use std::fs;
use std::path::Path;

use wit_parser::Resolve;

use super::BuildError;

/// The name of the world that the templates have.
pub(super) const WORLD: &str = "filter";

/// As the contract names them.
const HOOKS: [&str; 5] = [
    "lifecycle",
    "judge-host",
    "judge-request",
    "judge-response",
    "tick",
];

/// Looks for hooks that `source`, a file in `dir`, has but the world has not. `begins` are the beginnings of a line that such a hook can
/// have, and `spell` makes of a name in the contract that of the language.
pub(super) fn check(
    dir: &Path,
    source: &'static str,
    begins: &[&str],
    spell: fn(&str) -> String,
) -> Result<(), BuildError> {
    let exports = exports(&dir.join("wit"))?;
    let text = fs::read_to_string(dir.join(source)).unwrap_or_default();
    for hook in HOOKS {
        let spelt = spell(hook);
        let is_exported = exports
            .iter()
            .any(|export| export.starts_with(&format!("portcullis:filter/{hook}@")));
        if !is_exported && text.lines().any(|line| declares(line, begins, &spelt)) {
            return Err(BuildError::Hook {
                source_file: source,
                spelt,
                hook,
            });
        }
    }
    Ok(())
}

fn declares(line: &str, begins: &[&str], name: &str) -> bool {
    let mut rests = begins.iter().filter_map(|begin| line.strip_prefix(begin));
    rests.any(|rest| {
        let end = rest.trim_start().strip_prefix(name);
        end.is_some_and(|end| !end.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// The names of the interfaces that the world exports.
fn exports(wit: &Path) -> Result<Vec<String>, BuildError> {
    let mut resolve = Resolve::default();
    let read = resolve.push_dir(wit);
    let (package, _) = read.map_err(|error| BuildError::World(format!("{error:#}")))?;
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .map_err(|error| BuildError::World(format!("{error:#}")))?;
    let exports = resolve.worlds[world].exports.keys();
    Ok(exports.map(|key| resolve.name_world_key(key)).collect())
}

/// `judge-host` is `judgeHost`.
pub(super) fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

/// `judge-host` is `JudgeHost`.
pub(super) fn pascal_case(name: &str) -> String {
    name.split('-').map(capitalized).collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_spelt_as_its_language_spells_it() {
        assert_eq!(camel_case("judge-host"), "judgeHost");
        assert_eq!(pascal_case("judge-host"), "JudgeHost");
        assert_eq!(camel_case("tick"), "tick");
        assert_eq!(pascal_case("tick"), "Tick");
    }

    #[test]
    fn only_a_declaration_counts() {
        let begins = ["export const ", "export class "];
        for line in [
            "export const tick = {",
            "export const  tick={",
            "export class tick {",
        ] {
            assert!(declares(line, &begins, "tick"), "{line}");
        }
        for line in [
            "const tick = {",
            "// export const tick",
            "export const ticks = 1",
            "export const tick_2 = 1",
        ] {
            assert!(!declares(line, &begins, "tick"), "{line}");
        }
    }
}
