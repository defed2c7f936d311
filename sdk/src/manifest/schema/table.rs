//! A table as JSON Schema: its own keys, and those of the tables that are merged into it.

use super::{Place, type_is, write};
use crate::manifest::json::Writer;
use crate::schema::{Field, Node, Table, Unknown};

pub(super) const fn write_keywords(table: &Table, place: Place, to: &mut Writer<'_>) {
    type_is("object", to);
    to.key("properties");
    to.open(b'{');
    write_properties(table, to);
    to.close(b'}');
    to.key("required");
    to.open(b'[');
    write_required(table, to);
    to.close(b']');
    let has_parts = has_parts(table);
    if has_parts {
        to.key("allOf");
        to.open(b'[');
        write_parts(table, to);
        to.close(b']');
    }
    match (place, rest(table)) {
        (Place::Merged, _) => {}
        (Place::Own, Some(node)) => {
            to.key("additionalProperties");
            write(node, Place::Own, to);
        }
        (Place::Own, None) if refuses_unknown(table) => {
            // Keys that only a part knows are additional to this schema, but not unevaluated.
            to.key(if has_parts {
                "unevaluatedProperties"
            } else {
                "additionalProperties"
            });
            to.boolean(false);
        }
        (Place::Own, None) => {}
    }
}

/// What a merged value is to the table that it is merged into.
enum Merged<'a> {
    /// More keys.
    Table(&'a Table),
    /// All other keys.
    Rest(&'a Node),
    /// A schema of its own that holds as well.
    Part(&'a Node),
}

const fn merged(node: &Node) -> Merged<'_> {
    match node.value() {
        Node::Table(table) => Merged::Table(table),
        Node::Map { value, .. } => Merged::Rest(value),
        Node::Any | Node::Nothing => Merged::Rest(&Node::Any),
        _ if node.is_optional() => Merged::Rest(&Node::Any),
        other => Merged::Part(other),
    }
}

const fn write_properties(table: &Table, to: &mut Writer<'_>) {
    let mut at = 0;
    while at < table.fields.len() {
        write_field(&table.fields[at], to);
        at += 1;
    }
    let mut at = 0;
    while at < table.merged.len() {
        if let Merged::Table(table) = merged(table.merged[at]) {
            write_properties(table, to);
        }
        at += 1;
    }
}

const fn write_field(field: &Field, to: &mut Writer<'_>) {
    let described = Node::Described {
        description: field.description,
        node: field.node,
    };
    let node = if field.description.is_empty() {
        field.node
    } else {
        &described
    };
    let mut at = 0;
    while at < field.names.len() {
        to.key(field.names[at]);
        write(node, Place::Own, to);
        at += 1;
    }
}

/// The keys that must be there, but for those that have several names.
const fn write_required(table: &Table, to: &mut Writer<'_>) {
    let mut at = 0;
    while at < table.fields.len() {
        let field = &table.fields[at];
        if let [name] = field.names
            && is_required(field)
        {
            to.text(name);
        }
        at += 1;
    }
    let mut at = 0;
    while at < table.merged.len() {
        let node = table.merged[at];
        if let (Merged::Table(table), false) = (merged(node), node.is_optional()) {
            write_required(table, to);
        }
        at += 1;
    }
}

/// What cannot be said by keys alone: merged values that are not tables, and keys that must be
/// there under any of several names.
const fn write_parts(table: &Table, to: &mut Writer<'_>) {
    let mut at = 0;
    while at < table.fields.len() {
        let field = &table.fields[at];
        if field.names.len() > 1 && is_required(field) {
            write_one_of(field.names, to);
        }
        at += 1;
    }
    let mut at = 0;
    while at < table.merged.len() {
        let node = table.merged[at];
        match merged(node) {
            Merged::Table(table) if !node.is_optional() => write_parts(table, to),
            Merged::Part(part) => write(part, Place::Merged, to),
            _ => {}
        }
        at += 1;
    }
}

const fn write_one_of(names: &[&str], to: &mut Writer<'_>) {
    to.open(b'{');
    to.key("anyOf");
    to.open(b'[');
    let mut at = 0;
    while at < names.len() {
        to.open(b'{');
        to.key("required");
        to.texts(&[names[at]]);
        to.close(b'}');
        at += 1;
    }
    to.close(b']');
    to.close(b'}');
}

const fn has_parts(table: &Table) -> bool {
    let mut counter = Writer::new(&mut []);
    write_parts(table, &mut counter);
    counter.length() > 0
}

/// What all keys without a schema of their own look like, if they may be there.
const fn rest(table: &Table) -> Option<&Node> {
    let mut at = 0;
    while at < table.merged.len() {
        let found = match merged(table.merged[at]) {
            Merged::Table(table) => rest(table),
            Merged::Rest(node) => Some(node),
            Merged::Part(_) => None,
        };
        if found.is_some() {
            return found;
        }
        at += 1;
    }
    None
}

const fn refuses_unknown(table: &Table) -> bool {
    match (table.unknown, table.merged) {
        (Unknown::Ignored, _) => false,
        (Unknown::Refused, _) => true,
        (Unknown::AsMerged, [node]) => match merged(node) {
            Merged::Table(table) => refuses_unknown(table),
            _ => false,
        },
        (Unknown::AsMerged, _) => false,
    }
}

const fn is_required(field: &Field) -> bool {
    field.required && !field.node.is_optional()
}
