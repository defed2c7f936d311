//! The forms that serde gives an enum.

use proc_macro2::TokenStream;
use quote::quote;
use serde_derive_internals::ast::{Container, Style, Variant};
use serde_derive_internals::attr::TagType;
use syn::Error;

use super::field;
use super::node::{described, documentation, names, node as plain};
use super::table::{Table, Unknown, content};

pub(super) fn node(
    container: &Container<'_>,
    variants: &[Variant<'_>],
) -> syn::Result<TokenStream> {
    let unknown = Unknown::of(container);
    let read = variants
        .iter()
        .filter(|variant| !variant.attrs.skip_deserializing());
    let (untagged, tagged): (Vec<_>, Vec<_>) = read.partition(|variant| variant.attrs.untagged());
    let mut forms = match container.attrs.tag() {
        TagType::External => external(&tagged, unknown)?,
        TagType::Internal { tag } => each(&tagged, |variant| internal(tag, variant, unknown))?,
        TagType::Adjacent { tag, content } => {
            each(&tagged, |variant| adjacent(tag, content, variant, unknown))?
        }
        TagType::None => each(&tagged, |variant| value(variant, unknown))?,
    };
    forms.extend(each(&untagged, |variant| value(variant, unknown))?);
    match forms.as_slice() {
        [] => Err(Error::new_spanned(
            container.original,
            "it has no variant that an operator could write",
        )),
        [form] => Ok(form.clone()),
        forms => Ok(plain(quote!(Either(&[#(#forms),*])))),
    }
}

fn each(
    variants: &[&Variant<'_>],
    form: impl Fn(&Variant<'_>) -> syn::Result<TokenStream>,
) -> syn::Result<Vec<TokenStream>> {
    let forms = variants.iter().map(|variant| {
        let form = form(variant)?;
        Ok(described(&variant.original.attrs, form))
    });
    forms.collect()
}

/// The name alone, or a table with the name as its key. Names about which there is nothing to say
/// stand together.
fn external(variants: &[&Variant<'_>], unknown: Unknown) -> syn::Result<Vec<TokenStream>> {
    let (words, others): (Vec<_>, Vec<_>) = variants.iter().partition(|variant| is_word(variant));
    let is_silent = |variant: &&&Variant<'_>| documentation(&variant.original.attrs).is_empty();
    let mut forms = Vec::new();
    if words.iter().all(|variant| is_silent(&variant)) {
        let words: Vec<&str> = words
            .iter()
            .flat_map(|variant| variant_names(variant))
            .collect();
        if !words.is_empty() {
            forms.push(plain(quote!(Word(&[#(#words),*]))));
        }
    } else {
        forms.extend(each(&words, |variant| Ok(tag(variant)))?);
    }
    forms.extend(each(&others, |variant| {
        if variant.attrs.other() {
            return Ok(plain(quote!(Text)));
        }
        let mut table = Table::default();
        table.add_key(&variant_names(variant), "", &value(variant, unknown)?, true);
        Ok(table.node(Unknown::Refused))
    })?);
    Ok(forms)
}

/// The tag stands among the fields.
fn internal(key: &str, variant: &Variant<'_>, unknown: Unknown) -> syn::Result<TokenStream> {
    let mut table = Table::default();
    table.add_key(&[key], "", &tag(variant), true);
    let unknown = match variant.style {
        Style::Struct => {
            table.add(&variant.fields, false)?;
            unknown
        }
        Style::Newtype => {
            table.merged.push(value(variant, unknown)?);
            Unknown::AsMerged
        }
        // Serde does not look at what else is there.
        Style::Unit | Style::Tuple => Unknown::Ignored,
    };
    Ok(table.node(unknown))
}

/// The content has a key of its own.
fn adjacent(
    key: &str,
    content: &str,
    variant: &Variant<'_>,
    unknown: Unknown,
) -> syn::Result<TokenStream> {
    let mut table = Table::default();
    table.add_key(&[key], "", &tag(variant), true);
    if !matches!(variant.style, Style::Unit) {
        table.add_key(&[content], "", &value(variant, unknown)?, true);
    }
    Ok(table.node(unknown))
}

/// The content, without a name.
fn value(variant: &Variant<'_>, unknown: Unknown) -> syn::Result<TokenStream> {
    let attributes = &variant.original.attrs;
    let reader = variant.attrs.deserialize_with();
    match field::node_in_place_of(attributes, reader, variant.original)? {
        Some(node) => Ok(node),
        None => content(variant.style, &variant.fields, false, unknown),
    }
}

/// What stands for the variant.
fn tag(variant: &Variant<'_>) -> TokenStream {
    if variant.attrs.other() {
        return plain(quote!(Text));
    }
    let names = variant_names(variant);
    plain(quote!(Word(&[#(#names),*])))
}

fn variant_names<'a>(variant: &'a Variant<'_>) -> Vec<&'a str> {
    names(
        variant.attrs.name().deserialize_name(),
        variant.attrs.aliases(),
    )
}

fn is_word(variant: &Variant<'_>) -> bool {
    matches!(variant.style, Style::Unit)
        && variant.attrs.deserialize_with().is_none()
        && !variant.attrs.other()
}
