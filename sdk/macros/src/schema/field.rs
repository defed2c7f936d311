//! What one field's value looks like.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use serde_derive_internals::ast::Field;
use syn::spanned::Spanned;
use syn::{Attribute, Error, ExprPath, LitStr, Member, Path, Type, parse_quote};

use super::node::node as plain;

/// What the author says in place of the type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Any,
    Text,
}

/// What its type says, unless `#[schema(…)]` says something else.
pub(super) fn node(field: &Field<'_>) -> syn::Result<TokenStream> {
    let reader = field.attrs.deserialize_with();
    let Some(written) = written(&field.original.attrs)? else {
        if reader.is_some_and(is_the_authors) {
            return Err(Error::new_spanned(field.original, unknown(&name(field))));
        }
        return Ok(of_type(field.ty));
    };
    let written = written_node(written);
    // Serde lets a field be missing by its type, unless a function reads it.
    if reader.is_none() && is_option(field.ty) {
        return Ok(plain(quote!(Optional(#written))));
    }
    Ok(written)
}

/// Refuses a field that contains what contains it. The compiler would speak of a cycle among
/// constants.
pub(super) fn check_end(field: &Field<'_>, within: &Ident) -> syn::Result<()> {
    let is_read = !field.attrs.skip_deserializing();
    let ty = field.ty.to_token_stream();
    if is_read && names(ty, within) && written(&field.original.attrs)?.is_none() {
        return Err(Error::new_spanned(
            field.original,
            format!(
                "`{}` may contain another `{within}`, so its schema would have no end: write `#[schema(any)]` on it",
                name(field)
            ),
        ));
    }
    Ok(())
}

/// What `#[schema(…)]` says of a variant that a function of the author's reads.
pub(super) fn node_in_place_of(
    attributes: &[Attribute],
    reader: Option<&ExprPath>,
    variant: &syn::Variant,
) -> syn::Result<Option<TokenStream>> {
    match (written(attributes)?, reader) {
        (Some(written), _) => Ok(Some(written_node(written))),
        (None, Some(_)) => Err(Error::new_spanned(
            variant,
            unknown(&variant.ident.to_string()),
        )),
        (None, None) => Ok(None),
    }
}

/// The schema of a type. An error that it has none points at the type.
pub(super) fn of_type(ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as __portcullis_sdk::Schema>::SCHEMA)
}

/// Where the SDK is: what `#[schema(crate = "…")]` on the type says, or the usual place.
pub(super) fn sdk(attributes: &[Attribute]) -> syn::Result<Path> {
    let mut sdk = parse_quote!(::portcullis_sdk);
    for attribute in attributes {
        if !attribute.path().is_ident("schema") {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("a type has `#[schema(crate = \"path\")]` at most"));
            }
            let path: LitStr = meta.value()?.parse()?;
            sdk = path.parse()?;
            Ok(())
        })?;
    }
    Ok(sdk)
}

fn written(attributes: &[Attribute]) -> syn::Result<Option<Written>> {
    let mut written = None;
    for attribute in attributes {
        if !attribute.path().is_ident("schema") {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            written = Some(if meta.path.is_ident("any") {
                Written::Any
            } else if meta.path.is_ident("string") {
                Written::Text
            } else {
                return Err(meta.error("there are `#[schema(any)]` and `#[schema(string)]`"));
            });
            Ok(())
        })?;
    }
    Ok(written)
}

fn written_node(written: Written) -> TokenStream {
    plain(match written {
        Written::Any => quote!(Any),
        Written::Text => quote!(Text),
    })
}

fn unknown(name: &str) -> String {
    format!(
        "a function reads `{name}`, so its schema is not that of its type: say what is to be written, \
         with `#[schema(string)]`, or with `#[schema(any)]` if only the function can tell"
    )
}

/// Whether a type names another one, without a path.
fn names(ty: TokenStream, other: &Ident) -> bool {
    let mut is_in_path = false;
    ty.into_iter().any(|token| {
        let was_in_path = is_in_path;
        is_in_path = matches!(&token, TokenTree::Punct(colon) if colon.as_char() == ':');
        match token {
            TokenTree::Ident(ident) => !was_in_path && (ident == *other || ident == "Self"),
            TokenTree::Group(group) => names(group.stream(), other),
            _ => false,
        }
    })
}

/// Serde has functions of its own to borrow with.
fn is_the_authors(reader: &ExprPath) -> bool {
    let first = reader.path.segments.first();
    first.is_none_or(|segment| segment.ident != "_serde")
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(ty) = ty else { return false };
    let last = ty.path.segments.last();
    last.is_some_and(|segment| segment.ident == "Option")
}

fn name(field: &Field<'_>) -> String {
    match &field.member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
