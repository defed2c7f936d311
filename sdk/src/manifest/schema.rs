//! From the tree of a type to JSON Schema, draft 2020-12. It says what TOML can say: there is no
//! `null`, so an optional value is its content under a key that is not required.

mod table;

use super::json::Writer;
use crate::schema::Node;

/// Where a schema stands.
#[derive(Clone, Copy)]
enum Place {
    /// A value of its own.
    Own,
    /// In a table with other keys, which it does not know.
    Merged,
}

/// The schema of all of `[config]`.
pub(super) const fn write_root(node: &Node, to: &mut Writer<'_>) {
    to.open(b'{');
    to.key("$schema");
    to.text("https://json-schema.org/draft/2020-12/schema");
    match node.value() {
        // What serde takes for nothing is an empty table to the operator.
        Node::Nothing => {
            type_is("object", to);
            to.key("additionalProperties");
            to.boolean(false);
        }
        _ => write_keywords(node, Place::Own, to),
    }
    to.close(b'}');
}

const fn write(node: &Node, place: Place, to: &mut Writer<'_>) {
    to.open(b'{');
    write_keywords(node, place, to);
    to.close(b'}');
}

const fn write_keywords(node: &Node, place: Place, to: &mut Writer<'_>) {
    match node {
        Node::Any => {}
        Node::Nothing => type_is("null", to),
        Node::Boolean => type_is("boolean", to),
        Node::Integer { minimum, maximum } => integer(*minimum, *maximum, to),
        Node::Number => type_is("number", to),
        Node::Text => type_is("string", to),
        Node::Formatted(format) => {
            type_is("string", to);
            to.key("format");
            to.text(format);
        }
        Node::Character => {
            type_is("string", to);
            lengths("minLength", 1, "maxLength", 1, to);
        }
        Node::Word([word]) => {
            to.key("const");
            to.text(word);
        }
        Node::Word(words) => {
            to.key("enum");
            to.texts(words);
        }
        Node::List(item) => {
            type_is("array", to);
            to.key("items");
            write(item, Place::Own, to);
        }
        Node::Array { item, length } => {
            write_keywords(&Node::List(item), place, to);
            lengths("minItems", *length, "maxItems", *length, to);
        }
        Node::Tuple { places, required } => {
            type_is("array", to);
            to.key("prefixItems");
            write_list(places, Place::Own, to);
            lengths("minItems", *required, "maxItems", places.len(), to);
        }
        Node::Map { key, value } => {
            type_is("object", to);
            write_map(key, value, to);
        }
        Node::Table(table) => table::write_keywords(table, place, to),
        Node::Optional(node) => write_keywords(node, place, to),
        Node::Either(nodes) => {
            to.key("anyOf");
            write_list(nodes, place, to);
        }
        Node::Described { description, node } => {
            to.key("description");
            to.text(description);
            write_keywords(node.value(), place, to);
        }
    }
}

const fn integer(minimum: i128, maximum: i128, to: &mut Writer<'_>) {
    type_is("integer", to);
    to.key("minimum");
    to.integer(minimum);
    to.key("maximum");
    to.integer(maximum);
}

const fn type_is(name: &str, to: &mut Writer<'_>) {
    to.key("type");
    to.text(name);
}

const fn lengths(least: &str, minimum: usize, most: &str, maximum: usize, to: &mut Writer<'_>) {
    to.key(least);
    to.integer(minimum as i128);
    to.key(most);
    to.integer(maximum as i128);
}

const fn write_list(nodes: &[&Node], place: Place, to: &mut Writer<'_>) {
    to.open(b'[');
    let mut at = 0;
    while at < nodes.len() {
        write(nodes[at], place, to);
        at += 1;
    }
    to.close(b']');
}

const fn write_map(key: &Node, value: &Node, to: &mut Writer<'_>) {
    match key.value() {
        Node::Word(_) | Node::Either(_) | Node::Formatted(_) | Node::Character => {
            to.key("propertyNames");
            write(key, Place::Own, to);
        }
        Node::Integer { .. } => {
            to.key("propertyNames");
            to.open(b'{');
            to.key("pattern");
            to.text("^-?[0-9]+$");
            to.close(b'}');
        }
        _ => {}
    }
    to.key("additionalProperties");
    write(value, Place::Own, to);
}
