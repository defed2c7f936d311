//! `#[derive(Schema)]`: from a type, as serde reads it, to the constant that says what its values
//! look like.

mod enums;
mod field;
mod node;
mod table;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_derive_internals::ast::{Container, Data};
use serde_derive_internals::{Ctxt, Derive};
use syn::{DeriveInput, Error, parse_quote};

use self::node::{described, node};
use self::table::{Unknown, content};

/// The implementation of the trait `Schema`.
pub(crate) fn implementation(input: &DeriveInput) -> syn::Result<TokenStream> {
    let context = Ctxt::new();
    let private = Ident::new("private", Span::call_site());
    let container = Container::from_ast(&context, input, Derive::Deserialize, &private);
    context.check()?;
    let Some(container) = container else {
        return Err(Error::new_spanned(input, "this cannot be a configuration"));
    };
    for field in container.data.all_fields() {
        field::check_end(field, &input.ident)?;
    }
    let node = described(&input.attrs, container_node(&container)?);
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter
            .bounds
            .push(parse_quote!(__portcullis_sdk::Schema));
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let name = &input.ident;
    let sdk = field::sdk(&input.attrs)?;
    Ok(quote! {
        const _: () = {
            use #sdk as __portcullis_sdk;

            #[automatically_derived]
            impl #parameters __portcullis_sdk::Schema for #name #arguments #bounds {
                const SCHEMA: &'static __portcullis_sdk::Node = #node;
            }
        };
    })
}

/// An expression of the type `&'static Node`, like all the nodes here.
fn container_node(container: &Container<'_>) -> syn::Result<TokenStream> {
    let attributes = &container.attrs;
    if let Some(remote) = attributes.remote() {
        let message = "this stands for another type in serde alone: write `#[schema(any)]` or `#[schema(string)]` on the fields that use it";
        return Err(Error::new_spanned(remote, message));
    }
    if let Some(source) = attributes.type_from().or(attributes.type_try_from()) {
        return Ok(field::of_type(source));
    }
    match &container.data {
        Data::Enum(variants) => enums::node(container, variants),
        Data::Struct(_, fields) if attributes.transparent() => {
            let mut fields = fields.iter();
            match fields.find(|field| field.attrs.transparent()) {
                Some(field) => field::node(field),
                None => Ok(node(quote!(Nothing))),
            }
        }
        Data::Struct(style, fields) => {
            let unknown = Unknown::of(container);
            let all_default = !attributes.default().is_none();
            content(*style, fields, all_default, unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::node::documentation;
    use super::*;

    fn refusal(input: DeriveInput) -> String {
        implementation(&input).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_described_is_named_with_the_way_out() {
        let read_by_a_function = parse_quote! {
            struct Config { #[serde(with = "humantime_serde")] pause: Duration }
        };
        assert_eq!(
            refusal(read_by_a_function),
            "a function reads `pause`, so its schema is not that of its type: say what is to be written, \
             with `#[schema(string)]`, or with `#[schema(any)]` if only the function can tell"
        );
        let variant_read_by_a_function = parse_quote! {
            enum Config { #[serde(deserialize_with = "read")] Odd(u8), Even }
        };
        assert!(refusal(variant_read_by_a_function).starts_with("a function reads `Odd`"));
        let endless = parse_quote! { enum Rule { Any(Vec<Rule>), Host(String) } };
        assert_eq!(
            refusal(endless),
            "`0` may contain another `Rule`, so its schema would have no end: write `#[schema(any)]` on it"
        );
        let empty = parse_quote! { enum Never { #[serde(skip)] Hidden } };
        assert_eq!(
            refusal(empty),
            "it has no variant that an operator could write"
        );
        let remote = parse_quote! {
            #[serde(remote = "other::Config")]
            struct Config { a: u8 }
        };
        assert!(refusal(remote).contains("on the fields that use it"));
    }

    #[test]
    fn what_no_attribute_says_is_refused() {
        let misspelled = parse_quote! { struct Config { #[schema(text)] a: String } };
        assert_eq!(
            refusal(misspelled),
            "there are `#[schema(any)]` and `#[schema(string)]`"
        );
        let unknown_to_serde = parse_quote! { struct Config { #[serde(skipped)] a: String } };
        assert!(refusal(unknown_to_serde).contains("skipped"));
    }

    #[test]
    fn a_type_of_the_same_name_elsewhere_is_another_one() {
        let other = parse_quote! { struct Config { other: Option<other::Config>, #[schema(any)] own: Vec<Self> } };
        assert!(implementation(&other).is_ok());
    }

    #[test]
    fn documentation_is_paragraphs() {
        let input: DeriveInput = parse_quote! {
            /// One,
            /// and more of it.
            ///
            /// Two.
            struct Config;
        };
        assert_eq!(documentation(&input.attrs), "One, and more of it.\nTwo.");
    }
}
