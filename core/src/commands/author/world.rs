//! The world of a filter in JavaScript or Python, `wit/world.wit`: a hook that is not in it is silently left out of the component, and an import
//! that is not in it is found out late.

use std::fs;
use std::path::Path;

use wit_parser::{Package, Resolve};

use super::BuildError;
use crate::filter::Hook;

/// The name of the world that the templates have.
pub(super) const WORLD: &str = "filter";

/// How a language says what a filter has and asks for.
pub(super) struct Speech {
    /// The file that is read.
    pub(super) source: &'static str,
    /// The beginnings of a line that a hook can have.
    pub(super) begins: &'static [&'static str],
    /// Makes of a hook's name in the contract that of the language.
    pub(super) spell: fn(&str) -> String,
    /// The interfaces that a line imports, as the contract names them.
    pub(super) imports: fn(&str) -> Vec<String>,
}

/// Looks for hooks and imports that the filter in `dir` has but its world has not.
pub(super) fn check(dir: &Path, speech: &Speech) -> Result<(), BuildError> {
    let source_file = speech.source;
    let world = World::read(&dir.join("wit"))?;
    let text = fs::read_to_string(dir.join(source_file)).unwrap_or_default();
    for hook in ["lifecycle"].into_iter().chain(Hook::ALL.map(Hook::name)) {
        let spelt = (speech.spell)(hook);
        let mut lines = text.lines();
        let has = |line: &str| declares(line, speech.begins, &spelt);
        if !names(&world.exports, hook) && lines.any(has) {
            return Err(BuildError::Hook {
                source_file,
                spelt,
                hook,
            });
        }
    }
    let mut imports = text.lines().flat_map(speech.imports);
    let lacks = |name: &String| world.offered.contains(name) && !names(&world.imports, name);
    match imports.find(lacks) {
        Some(interface) => Err(BuildError::Import {
            source_file,
            interface,
        }),
        None => Ok(()),
    }
}

fn names(interfaces: &[String], name: &str) -> bool {
    let begin = format!("portcullis:filter/{name}@");
    let mut interfaces = interfaces.iter();
    interfaces.any(|interface| interface.starts_with(&begin))
}

fn declares(line: &str, begins: &[&str], name: &str) -> bool {
    let mut rests = begins.iter().filter_map(|begin| line.strip_prefix(begin));
    rests.any(|rest| {
        let end = rest.trim_start().strip_prefix(name);
        end.is_some_and(|end| !end.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// What the filter's world says.
struct World {
    exports: Vec<String>,
    imports: Vec<String>,
    /// The interfaces of the contract, without the package.
    offered: Vec<String>,
}

impl World {
    fn read(wit: &Path) -> Result<Self, BuildError> {
        let mut resolve = Resolve::default();
        let read = resolve.push_dir(wit);
        let (package, _) = read.map_err(|error| BuildError::World(format!("{error:#}")))?;
        let world = resolve
            .select_world(&[package], Some(WORLD))
            .map_err(|error| BuildError::World(format!("{error:#}")))?;
        let world = &resolve.worlds[world];
        let name = |key| resolve.name_world_key(key);
        let is_contract = |package: &&Package| {
            let name = &package.name;
            (&*name.namespace, &*name.name) == ("portcullis", "filter")
        };
        let packages = resolve.packages.iter().map(|(_, package)| package);
        let contract = packages.filter(is_contract);
        Ok(Self {
            exports: world.exports.keys().map(name).collect(),
            imports: world.imports.keys().map(name).collect(),
            offered: contract
                .flat_map(|package| package.interfaces.keys().cloned())
                .collect(),
        })
    }
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
