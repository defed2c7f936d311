//! A table of known keys: the fields of a struct or of a variant. Called for structs, and by
//! `enums`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_derive_internals::ast::{Container, Field, Style};

use super::field;
use super::node::{documentation, names, node};

/// What becomes of keys that the table does not have.
#[derive(Clone, Copy)]
pub(super) enum Unknown {
    Ignored,
    Refused,
    AsMerged,
}

impl Unknown {
    pub(super) fn of(container: &Container<'_>) -> Self {
        if container.attrs.deny_unknown_fields() {
            Self::Refused
        } else {
            Self::Ignored
        }
    }
}

impl ToTokens for Unknown {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Ignored => quote!(__portcullis_sdk::__private::Unknown::Ignored),
            Self::Refused => quote!(__portcullis_sdk::__private::Unknown::Refused),
            Self::AsMerged => quote!(__portcullis_sdk::__private::Unknown::AsMerged),
        });
    }
}

/// The fields of a struct or a variant.
pub(super) fn content(
    style: Style,
    fields: &[Field<'_>],
    all_default: bool,
    unknown: Unknown,
) -> syn::Result<TokenStream> {
    match (style, fields) {
        (Style::Unit, _) => Ok(node(quote!(Nothing))),
        (Style::Newtype, [field]) if !field.attrs.skip_deserializing() => field::node(field),
        (Style::Newtype | Style::Tuple, _) => tuple(fields, all_default),
        (Style::Struct, _) => {
            let mut table = Table::default();
            table.add(fields, all_default)?;
            Ok(table.node(unknown))
        }
    }
}

fn tuple(fields: &[Field<'_>], all_default: bool) -> syn::Result<TokenStream> {
    let read = fields
        .iter()
        .filter(|field| !field.attrs.skip_deserializing());
    let is_required = |field: &&Field<'_>| field.attrs.default().is_none() && !all_default;
    let required = read.clone().filter(is_required).count();
    let places = read.map(field::node).collect::<syn::Result<Vec<_>>>()?;
    Ok(node(quote! {
        Tuple { places: &[#(#places),*], required: #required }
    }))
}

/// A table in the making.
#[derive(Default)]
pub(super) struct Table {
    fields: Vec<TokenStream>,
    pub(super) merged: Vec<TokenStream>,
}

impl Table {
    pub(super) fn add(&mut self, fields: &[Field<'_>], all_default: bool) -> syn::Result<()> {
        for field in fields
            .iter()
            .filter(|field| !field.attrs.skip_deserializing())
        {
            let node = field::node(field)?;
            if field.attrs.flatten() {
                self.merged.push(node);
                continue;
            }
            let names = names(field.attrs.name().deserialize_name(), field.attrs.aliases());
            let description = documentation(&field.original.attrs);
            let required = field.attrs.default().is_none() && !all_default;
            self.add_key(&names, &description, &node, required);
        }
        Ok(())
    }

    pub(super) fn add_key(
        &mut self,
        names: &[&str],
        description: &str,
        node: &TokenStream,
        required: bool,
    ) {
        self.fields.push(quote! {
            __portcullis_sdk::__private::Field {
                names: &[#(#names),*],
                description: #description,
                node: #node,
                required: #required,
            }
        });
    }

    pub(super) fn node(&self, unknown: Unknown) -> TokenStream {
        let Self { fields, merged } = self;
        node(quote! {
            Table(__portcullis_sdk::__private::Table {
                fields: &[#(#fields),*],
                merged: &[#(#merged),*],
                unknown: #unknown,
            })
        })
    }
}
