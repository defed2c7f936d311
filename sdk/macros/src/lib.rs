//! The macros of portcullis-sdk, which re-exports them. `#[filter]` sees which hooks an author
//! wrote, and nothing else can; `#[derive(Schema)]` is in `schema`.

mod schema;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Expr, ExprLit, ImplItem, ItemImpl, Lit, MetaNameValue, Path, parse_quote};

/// The hooks of the trait `Filter`; the module of the bindings is named after the hook.
const HOOKS: [&str; 5] = [
    "judge_host",
    "judge_request",
    "judge_response",
    "exchange_ended",
    "tick",
];

/// Makes an implementation of `Filter` the filter of its crate, of which there can be one.
///
/// The WASM module exports the hooks that are written here and no others, so the proxy does not
/// call, or prepare for, what the filter does not do. Without WASM the attribute only checks.
///
/// `#[filter(crate = "path")]` says where the SDK is, if not at `::portcullis_sdk`.
#[proc_macro_attribute]
pub fn filter(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let written = TokenStream::from(item.clone());
    let exports = syn::parse(item)
        .and_then(|implementation| exports(&arguments.into(), &implementation))
        .unwrap_or_else(Error::into_compile_error);
    quote! {
        #written
        #exports
    }
    .into()
}

/// Implements the trait `Schema`, by the attributes that serde's `Deserialize` reads and the
/// documentation.
#[proc_macro_derive(Schema, attributes(schema, serde))]
pub fn schema(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    syn::parse(item)
        .and_then(|input| schema::implementation(&input))
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// What connects the implementation to the border.
fn exports(arguments: &TokenStream, implementation: &ItemImpl) -> syn::Result<TokenStream> {
    check(implementation)?;
    let sdk = sdk(arguments)?;
    let filter = &implementation.self_ty;
    let hooks = hooks(implementation)?;
    let names = hooks.iter().map(|hook| hook.replace('_', "-"));
    let macros = hooks.iter().map(|hook| format_ident!("{hook}_hook"));
    let private: syn::Path = parse_quote!(#sdk::__private);
    Ok(quote! {
        impl #private::Described for #filter {
            const MANIFEST: #private::Manifest = #private::Manifest {
                name: ::core::env!("CARGO_PKG_NAME"),
                version: ::core::env!("CARGO_PKG_VERSION"),
                description: ::core::env!("CARGO_PKG_DESCRIPTION"),
                hooks: &[#(#names),*],
                config: <<#filter as #sdk::Filter>::Config as #sdk::Schema>::SCHEMA,
            };
        }

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = #private::used::<#filter>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: #private::Instance<#filter> = const { #private::Instance::new() };
            }

            #[unsafe(link_section = "portcullis-manifest")]
            static MANIFEST: [u8; <#filter as #private::Described>::MANIFEST.length()] =
                <#filter as #private::Described>::MANIFEST.json();

            struct Exports;

            impl #private::Exports for Exports {
                type Filter = #filter;

                fn with<R>(call: impl FnOnce(&#private::Instance<#filter>) -> R) -> R {
                    INSTANCE.with(call)
                }
            }

            #private::lifecycle_hook::export!(Exports with_types_in #private::lifecycle_hook);
            #(#private::#macros::export!(Exports with_types_in #private::#macros);)*
        };
    })
}

/// Where the SDK is.
fn sdk(arguments: &TokenStream) -> syn::Result<Path> {
    if arguments.is_empty() {
        return Ok(parse_quote!(::portcullis_sdk));
    }
    let refusal = || {
        let message =
            "`#[filter]` takes nothing but `crate = \"path\"`, which says where the SDK is";
        Error::new_spanned(arguments, message)
    };
    let named: MetaNameValue = syn::parse2(arguments.clone()).map_err(|_| refusal())?;
    match &named.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(path),
            ..
        }) if named.path.is_ident("crate") => path.parse(),
        _ => Err(refusal()),
    }
}

fn check(implementation: &ItemImpl) -> syn::Result<()> {
    if implementation.trait_.is_none() {
        return Err(Error::new_spanned(
            &implementation.self_ty,
            "`#[filter]` stands before `impl Filter for …`",
        ));
    }
    if !implementation.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &implementation.generics,
            "the filter of a module is one type: it cannot have parameters",
        ));
    }
    Ok(())
}

/// The hooks that are written.
fn hooks(implementation: &ItemImpl) -> syn::Result<Vec<String>> {
    let hooks: Vec<String> = implementation
        .items
        .iter()
        .filter_map(|item| match item {
            ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        })
        .filter(|name| HOOKS.contains(&name.as_str()))
        .collect();
    if hooks.is_empty() {
        return Err(Error::new_spanned(
            &implementation.self_ty,
            format!("the filter has no hook: write one of {}", HOOKS.join(", ")),
        ));
    }
    Ok(hooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(arguments: TokenStream, implementation: ItemImpl) -> String {
        exports(&arguments, &implementation)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn only_the_hooks_that_are_written_are_exported() {
        let implementation = parse_quote! {
            impl Filter for Suffixes {
                type Config = ();
                fn new(_: ()) -> Result<Self, Error> { Ok(Self) }
                fn judge_request(&self, _: &Exchange, _: &Request) -> Result<Verdict, Error> { Ok(Verdict::next()) }
            }
        };
        let exports = exports(&TokenStream::new(), &implementation)
            .unwrap()
            .to_string();
        assert!(exports.contains("lifecycle_hook"));
        assert!(exports.contains("judge_request_hook"));
        assert!(!exports.contains("judge_host_hook"));
    }

    #[test]
    fn what_cannot_be_a_filter_is_refused_with_a_hint() {
        let hookless = parse_quote! { impl Filter for Idle { type Config = (); } };
        assert_eq!(
            refusal(TokenStream::new(), hookless),
            "the filter has no hook: write one of judge_host, judge_request, judge_response, exchange_ended, tick"
        );
        let inherent = parse_quote! { impl Idle { fn judge_host(&self) {} } };
        assert_eq!(
            refusal(TokenStream::new(), inherent),
            "`#[filter]` stands before `impl Filter for …`"
        );
        let generic = parse_quote! { impl<T> Filter for Many<T> { fn judge_host(&self) {} } };
        assert_eq!(
            refusal(TokenStream::new(), generic),
            "the filter of a module is one type: it cannot have parameters"
        );
        let sound = parse_quote! { impl Filter for One { fn judge_host(&self) {} } };
        let said = refusal(quote!(name = "one"), sound);
        assert!(said.contains("takes nothing but `crate ="), "{said}");
    }

    #[test]
    fn the_sdk_may_have_another_name() {
        let implementation = parse_quote! { impl Filter for One { fn judge_host(&self) {} } };
        let exports = exports(&quote!(crate = "deps::sdk"), &implementation).unwrap();
        let exports = exports.to_string();
        assert!(exports.contains("deps :: sdk :: __private"), "{exports}");
        assert!(!exports.contains("portcullis_sdk"), "{exports}");
    }
}
