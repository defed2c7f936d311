//! Whether the WIT packages that a core module names can be put in an order. The library that makes
//! a component of the module follows each package to those whose types it uses. It does not notice
//! a circle, nor that a way is long, and its stack overflows. Two versions of one package that use
//! each other are such a circle. `compile` asks before it calls that library.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentType, ComponentTypeDeclaration, ComponentTypeRef, InstanceTypeDeclaration, Parser,
    Payload, TypeBounds,
};

use super::inspect::CompileError;

/// Most packages of a module. Those of one that a person wrote can be counted on two hands.
const PACKAGES: usize = 100;

/// Packages by their numbers.
type Numbers = BTreeSet<usize>;

#[derive(Debug, Default)]
struct Packages {
    /// Name and version.
    numbers: BTreeMap<String, usize>,
    /// The packages whose types each package uses.
    uses: Vec<Numbers>,
}

/// Fails if the packages in the sections of a core module use each other's types in a circle, or
/// are too many. A section that cannot be read is not its business.
pub(crate) fn check(module: &[u8]) -> Result<(), CompileError> {
    let mut packages = Packages::default();
    for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && section.name().starts_with("component-type")
        {
            // The library has better words for what is wrong with it.
            let _ = packages.read(section.data());
        }
    }
    packages.check()
}

impl Packages {
    fn read(&mut self, section: &[u8]) -> Result<(), BinaryReaderError> {
        for payload in Parser::new(0).parse_all(section) {
            if let Payload::ComponentTypeSection(types) = payload? {
                for component in types {
                    if let ComponentType::Component(declarations) = component? {
                        self.read_component(&declarations);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_component(&mut self, declarations: &[ComponentTypeDeclaration<'_>]) {
        let mut scope = Scope::default();
        for declaration in declarations {
            if self.uses.len() > PACKAGES {
                return;
            }
            match declaration {
                ComponentTypeDeclaration::CoreType(_) => {}
                ComponentTypeDeclaration::Type(of) => {
                    if let ComponentType::Component(inner) = of {
                        self.read_component(inner);
                    }
                    scope.types.push(scope.used_by(of));
                }
                ComponentTypeDeclaration::Alias(alias) => scope.alias(alias),
                ComponentTypeDeclaration::Import(import) => {
                    self.name(import.name.name, import.ty, &mut scope);
                }
                ComponentTypeDeclaration::Export { name, ty } => {
                    self.name(name.name, *ty, &mut scope);
                }
            }
        }
    }

    /// Something gets a name, which says of what package it is.
    fn name(&mut self, name: &str, of: ComponentTypeRef, scope: &mut Scope) {
        match of {
            ComponentTypeRef::Instance(of) => {
                let package = package(name).map(|package| self.number(package));
                if let (Some(package), Some(used)) = (package, scope.types.get(of as usize)) {
                    let others = used.iter().filter(|used| **used != package);
                    self.uses[package].extend(others);
                }
                scope.instances.push(package);
            }
            ComponentTypeRef::Type(TypeBounds::Eq(of)) => scope.types.push(scope.type_at(of)),
            ComponentTypeRef::Type(_) => scope.types.push(Numbers::new()),
            _ => {}
        }
    }

    fn number(&mut self, package: String) -> usize {
        let next = self.uses.len();
        let number = *self.numbers.entry(package).or_insert(next);
        if number == next {
            self.uses.push(Numbers::new());
        }
        number
    }

    fn check(mut self) -> Result<(), CompileError> {
        if self.numbers.len() > PACKAGES {
            let error = format!("It names more than {PACKAGES} WIT packages");
            return Err(CompileError::Encode(error));
        }
        // Packages that use no other are put in order first, then those that use only these.
        while let Some(number) = self
            .numbers
            .values()
            .copied()
            .find(|n| self.uses[*n].is_empty())
        {
            self.numbers.retain(|_, n| *n != number);
            for uses in &mut self.uses {
                uses.remove(&number);
            }
        }
        if self.numbers.is_empty() {
            return Ok(());
        }
        let names = self
            .numbers
            .keys()
            .map(|name| name.escape_debug().to_string());
        let names: Vec<_> = names.take(4).collect();
        Err(CompileError::Encode(format!(
            "Its WIT packages use types of each other in a circle: {}",
            names.join(", ")
        )))
    }
}

/// What a component's type has declared so far.
#[derive(Debug, Default)]
struct Scope {
    /// For each type, the packages that it is made with.
    types: Vec<Numbers>,
    /// For each instance, its package.
    instances: Vec<Option<usize>>,
}

impl Scope {
    fn type_at(&self, index: u32) -> Numbers {
        self.types.get(index as usize).cloned().unwrap_or_default()
    }

    fn package_at(&self, index: u32) -> Option<usize> {
        self.instances.get(index as usize).copied().flatten()
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                ..
            } => {
                let package = self.package_at(*instance_index);
                match kind {
                    ComponentExternalKind::Type => self.types.push(package.into_iter().collect()),
                    ComponentExternalKind::Instance => self.instances.push(package),
                    _ => {}
                }
            }
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Type,
                ..
            } => self.types.push(Numbers::new()),
            _ => {}
        }
    }

    /// The packages of the types that a type is made with.
    fn used_by(&self, of: &ComponentType<'_>) -> Numbers {
        match of {
            ComponentType::Instance(declarations) => {
                let mut used = Numbers::new();
                self.add_used(declarations, 1, &mut used);
                used
            }
            // Which ones it is made with is not looked at.
            _ => self.types.iter().flatten().copied().collect(),
        }
    }

    /// `depth` is how far out this scope is.
    fn add_used(&self, of: &[InstanceTypeDeclaration<'_>], depth: u32, used: &mut Numbers) {
        for declaration in of {
            match declaration {
                InstanceTypeDeclaration::Alias(ComponentAlias::Outer {
                    kind: ComponentOuterAliasKind::Type,
                    count,
                    index,
                }) if *count == depth => used.extend(self.type_at(*index)),
                InstanceTypeDeclaration::Type(ComponentType::Instance(inner)) => {
                    self.add_used(inner, depth + 1, used);
                }
                _ => {}
            }
        }
    }
}

/// `namespace:name@version` of an interface's name.
fn package(interface: &str) -> Option<String> {
    let (package, rest) = interface.split_once('/')?;
    let version = rest.split_once('@').map_or("", |(_, version)| version);
    Some(format!("{package}@{version}"))
}

#[cfg(test)]
mod tests {
    use super::super::compile::encode;
    use super::*;

    /// A core module that imports nothing, with a section that says it does.
    fn module(imports: &str) -> Vec<u8> {
        let section = wat::parse_str(format!(
            r#"(component (@custom "wit-component-encoding" "\04\00")
                 (type (component
                   (type (component {imports}))
                   (export "p:w/w" (component (type 0)))))
                 (export "w" (type 0)))"#
        ))
        .unwrap();
        let escaped: String = section.iter().map(|byte| format!("\\{byte:02x}")).collect();
        wat::parse_str(format!(
            r#"(module (@custom "component-type:w" "{escaped}"))"#
        ))
        .unwrap()
    }

    /// Interfaces with one type each, which each has from the one before it.
    fn chain(names: impl IntoIterator<Item = String>) -> Vec<u8> {
        let mut imports = String::new();
        for (n, name) in names.into_iter().enumerate() {
            let (own, used) = (2 * n, (2 * n).wrapping_sub(1));
            let define = match n {
                0 => r#"(type (record (field "a" u8)))"#.to_owned(),
                _ => format!("(alias outer 1 {used} (type))"),
            };
            imports += &format!(
                r#"(type (instance {define} (export "r" (type (eq 0)))))
                   (import "{name}" (instance (type {own})))
                   (alias export {n} "r" (type))"#
            );
        }
        module(&imports)
    }

    fn refusal(module: &[u8]) -> String {
        encode(module).expect_err("it is refused").to_string()
    }

    #[test]
    fn packages_that_use_each_other_are_refused() {
        for [first, second, third] in [
            ["p:f/t@1.0.0", "p:f/u@1.1.0", "p:f/v@1.0.0"],
            ["p:f/t@1.0.0", "p:g/t@1.0.0", "p:f/v@1.0.0"],
            ["p:f/t", "p:f/u@1.1.0", "p:f/v"],
        ] {
            let error = refusal(&chain([first, second, third].map(str::to_owned)));
            assert!(error.contains("in a circle: p:f@"), "{error}");
        }
    }

    #[test]
    fn versions_of_a_package_that_stand_beside_or_on_each_other_are_a_component() {
        for names in [
            ["p:f/t@1.0.0", "p:f/u@1.0.0", "p:f/v@1.1.0"],
            ["p:f/t@1.1.0", "p:f/u@1.0.0", "p:g/v@1.0.0"],
        ] {
            encode(&chain(names.map(str::to_owned))).unwrap();
        }
    }

    #[test]
    fn a_circle_through_several_sections_is_seen() {
        let names = [["p:f/t", "p:g/u"], ["p:g/v", "p:f/w"]];
        let [first, second] = names.map(|names| chain(names.map(str::to_owned)));
        // All but the magic of the second.
        let error = refusal(&[&first, &second[8..]].concat());
        assert!(error.contains("in a circle: p:f@, p:g@"), "{error}");
    }

    #[test]
    fn a_long_way_from_package_to_package_is_refused() {
        let module = |packages| chain((0..packages).map(|n| format!("p:f{n}/t")));
        encode(&module(PACKAGES)).unwrap();
        let error = refusal(&module(10_000));
        assert!(error.contains("more than 100 WIT packages"), "{error}");
    }
}
