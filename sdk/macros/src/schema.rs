//! `#[derive(Schema)]`: from a type, as serde reads it, to the constant that says what its values look like.

mod enums;
mod field;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use serde_derive_internals::ast::{Container, Data, Field, Style};
use serde_derive_internals::name::Name;
use serde_derive_internals::{Ctxt, Derive};
use syn::{Attribute, DeriveInput, Error, Expr, Lit, Meta, parse_quote};

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
            .push(parse_quote!(::portcullis_sdk::Schema));
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::portcullis_sdk::Schema for #name #arguments #bounds {
            const SCHEMA: &'static ::portcullis_sdk::Node = #node;
        }
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

/// What becomes of keys that nobody knows.
#[derive(Clone, Copy)]
enum Unknown {
    Ignored,
    Refused,
    AsMerged,
}

impl Unknown {
    fn of(container: &Container<'_>) -> Self {
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
            Self::Ignored => quote!(::portcullis_sdk::__private::Unknown::Ignored),
            Self::Refused => quote!(::portcullis_sdk::__private::Unknown::Refused),
            Self::AsMerged => quote!(::portcullis_sdk::__private::Unknown::AsMerged),
        });
    }
}

/// The fields of a struct or a variant.
fn content(
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
struct Table {
    fields: Vec<TokenStream>,
    merged: Vec<TokenStream>,
}

impl Table {
    fn add(&mut self, fields: &[Field<'_>], all_default: bool) -> syn::Result<()> {
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

    fn add_key(&mut self, names: &[&str], description: &str, node: &TokenStream, required: bool) {
        self.fields.push(quote! {
            ::portcullis_sdk::__private::Field {
                names: &[#(#names),*],
                description: #description,
                node: #node,
                required: #required,
            }
        });
    }

    fn node(&self, unknown: Unknown) -> TokenStream {
        let Self { fields, merged } = self;
        node(quote! {
            Table(::portcullis_sdk::__private::Table {
                fields: &[#(#fields),*],
                merged: &[#(#merged),*],
                unknown: #unknown,
            })
        })
    }
}

/// A reference to a `Node` of this variant.
fn node(variant: TokenStream) -> TokenStream {
    quote!(&::portcullis_sdk::Node::#variant)
}

/// The name first, then what is accepted as well.
fn names<'a>(name: &'a Name, aliases: impl IntoIterator<Item = &'a Name>) -> Vec<&'a str> {
    let aliases = aliases.into_iter().filter(|alias| *alias != name);
    let names = std::iter::once(name).chain(aliases);
    names.map(|name| name.value.as_str()).collect()
}

/// The node, with what the documentation says of it.
fn described(attributes: &[Attribute], of: TokenStream) -> TokenStream {
    let description = documentation(attributes);
    if description.is_empty() {
        return of;
    }
    node(quote!(Described { description: #description, node: #of }))
}

/// Paragraphs, a line each.
fn documentation(attributes: &[Attribute]) -> String {
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

#[cfg(test)]
mod tests {
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
