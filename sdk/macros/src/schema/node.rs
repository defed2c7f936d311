//! Expressions of the type `&'static Node`, and what goes into them besides: names and
//! documentation.

use proc_macro2::TokenStream;
use quote::quote;
use serde_derive_internals::name::Name;
use syn::{Attribute, Expr, Lit, Meta};

/// A reference to a `Node` of this variant.
pub(super) fn node(variant: TokenStream) -> TokenStream {
    quote!(&__portcullis_sdk::Node::#variant)
}

/// The name first, then what is accepted as well.
pub(super) fn names<'a>(
    name: &'a Name,
    aliases: impl IntoIterator<Item = &'a Name>,
) -> Vec<&'a str> {
    let aliases = aliases.into_iter().filter(|alias| *alias != name);
    let names = std::iter::once(name).chain(aliases);
    names.map(|name| name.value.as_str()).collect()
}

/// The node, with what the documentation says of it.
pub(super) fn described(attributes: &[Attribute], of: TokenStream) -> TokenStream {
    let description = documentation(attributes);
    if description.is_empty() {
        return of;
    }
    node(quote!(Described { description: #description, node: #of }))
}

/// Paragraphs, a line each.
pub(super) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        match &meta.value {
            Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        }
    });
    let mut text = String::new();
    for line in lines.collect::<Vec<_>>().join("\n").lines().map(str::trim) {
        match line {
            "" => text.push('\n'),
            _ if text.is_empty() || text.ends_with('\n') => text.push_str(line),
            _ => text.extend([" ", line]),
        }
    }
    text.trim().to_owned()
}
