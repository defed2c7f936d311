//! Says in words which rule of the contract a change breaks. Whether one is broken is for
//! `wit_component::semver_check` to say, which has no words for it.

use wit_parser::{
    Function, FunctionKind, Interface, InterfaceId, PackageId, Resolve, Type, TypeDefKind, TypeId,
    WorldId, WorldItem, WorldKey,
};

/// The rules that `new` breaks for filters that were built for `old`.
pub(super) fn broken(resolve: &Resolve, old: PackageId, new: PackageId) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, &before) in &resolve.packages[old].interfaces {
        match resolve.packages[new].interfaces.get(name) {
            None => broken.push(format!("the interface {name} is gone")),
            Some(&after) => {
                let is_exported = is_exported(resolve, old, before);
                compare(resolve, before, after, is_exported, &mut broken);
            }
        }
    }
    compare_worlds(resolve, old, new, &mut broken);
    broken
}

/// What filters were built with for a world they must find there. An interface that is gone is
/// told of already.
fn compare_worlds(resolve: &Resolve, old: PackageId, new: PackageId, broken: &mut Vec<String>) {
    let (old, new) = (&resolve.packages[old], &resolve.packages[new]);
    for (world, &before) in &old.worlds {
        let Some(&after) = new.worlds.get(world) else {
            broken.push(format!("the world {world} is gone"));
            continue;
        };
        let left = imports(resolve, after);
        for interface in imports(resolve, before) {
            if new.interfaces.contains_key(interface) && !left.contains(&interface) {
                broken.push(format!(
                    "the world {world} does not import {interface} any more"
                ));
            }
        }
    }
}

/// The names of the interfaces that a world imports.
fn imports(resolve: &Resolve, world: WorldId) -> Vec<&str> {
    let imports = resolve.worlds[world].imports.values();
    let names = imports.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.as_deref(),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    });
    names.collect()
}

/// Whether filters export it, which makes it a hook.
fn is_exported(resolve: &Resolve, package: PackageId, interface: InterfaceId) -> bool {
    let worlds = resolve.packages[package].worlds.values();
    let mut exports = worlds.flat_map(|&world| resolve.worlds[world].exports.iter());
    exports.any(|(key, item)| {
        matches!(item, WorldItem::Interface { id, .. } if *id == interface)
            || matches!(key, WorldKey::Interface(id) if *id == interface)
    })
}

fn compare(
    resolve: &Resolve,
    before: InterfaceId,
    after: InterfaceId,
    is_exported: bool,
    broken: &mut Vec<String>,
) {
    let (before, after) = (&resolve.interfaces[before], &resolve.interfaces[after]);
    let interface = before.name.as_deref().unwrap_or_default();
    if is_exported && after.functions.len() > before.functions.len() {
        broken.push(format!(
            "filters export {interface}, so it has one function for ever"
        ));
    }
    for (name, function) in &before.functions {
        let place = format!("{interface}.{name}");
        match after.functions.get(name) {
            None => broken.push(format!("the function {place} is gone")),
            Some(now) => broken.extend(changed(resolve, &place, function, now)),
        }
    }
    compare_types(resolve, interface, before, after, broken);
}

/// How a function has changed, which none does once it is released.
fn changed(resolve: &Resolve, place: &str, was: &Function, is: &Function) -> Option<String> {
    let types = |function: &Function| -> Vec<String> {
        let parameters = function.params.iter();
        parameters
            .map(|parameter| shape(resolve, &parameter.ty))
            .collect()
    };
    let names = |function: &Function| -> Vec<String> {
        let parameters = function.params.iter();
        parameters.map(|parameter| parameter.name.clone()).collect()
    };
    let result = |function: &Function| function.result.map(|result| shape(resolve, &result));
    let is_async = |function: &Function| matches!(function.kind, FunctionKind::AsyncFreestanding);
    let what = if types(was) != types(is) {
        "other parameters"
    } else if names(was) != names(is) {
        "a parameter of another name"
    } else if result(was) != result(is) {
        "another result"
    } else if is_async(was) != is_async(is) {
        return Some(format!("the function {place} is not synchronous any more"));
    } else {
        return None;
    };
    Some(format!("the function {place} has {what}"))
}

fn compare_types(
    resolve: &Resolve,
    interface: &str,
    before: &Interface,
    after: &Interface,
    broken: &mut Vec<String>,
) {
    for (name, &was) in &before.types {
        let kind = resolve.types[was].kind.as_str();
        match after.types.get(name) {
            None => broken.push(format!("the {kind} {interface}.{name} is gone")),
            Some(&is) if definition(resolve, was) != definition(resolve, is) => {
                broken.push(format!("the {kind} {interface}.{name} is closed"));
            }
            Some(_) => {}
        }
    }
}

/// What a type is made of, as text that two types share only if they are the same.
fn definition(resolve: &Resolve, id: TypeId) -> String {
    let ty = |ty: &Type| shape(resolve, ty);
    let parts: Vec<String> = match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            fields
                .map(|field| format!("{}: {}", field.name, ty(&field.ty)))
                .collect()
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            cases
                .map(|case| format!("{}({})", case.name, optional(resolve, case.ty.as_ref())))
                .collect()
        }
        TypeDefKind::Enum(words) => words.cases.iter().map(|case| case.name.clone()).collect(),
        other => vec![structure(resolve, other)],
    };
    parts.join("; ")
}

/// A type by its name, or by its structure if it has none.
fn shape(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return format!("{ty:?}");
    };
    let definition = &resolve.types[*id];
    match &definition.name {
        Some(name) => name.clone(),
        None => structure(resolve, &definition.kind),
    }
}

fn structure(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let ty = |ty: &Type| shape(resolve, ty);
    match kind {
        TypeDefKind::Option(inner) => format!("option<{}>", ty(inner)),
        TypeDefKind::List(inner) => format!("list<{}>", ty(inner)),
        TypeDefKind::Result(result) => format!(
            "result<{}, {}>",
            optional(resolve, result.ok.as_ref()),
            optional(resolve, result.err.as_ref())
        ),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<String> = tuple.types.iter().map(ty).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Type(alias) => ty(alias),
        // The contract has no others.
        other => format!("{other:?}"),
    }
}

fn optional(resolve: &Resolve, ty: Option<&Type>) -> String {
    ty.map_or("_".into(), |ty| shape(resolve, ty))
}
