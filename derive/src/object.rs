//! Objects of the program: what a plugin gets of those that implement a trait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Ident, ItemTrait, Result};

use crate::method::{self, Method};

/// What is said of a trait.
struct Said {
    /// In the interface.
    name: String,
    /// What the plugin gets, and the trait whose methods are awaited.
    class: Ident,
    awaited: Ident,
    /// Whether the trait lacks methods, so that nothing can be made of it.
    is_partial: bool,
}

/// The trait, the same to be awaited, and what the plugin gets of both.
pub(crate) fn object(said: TokenStream, mut of: ItemTrait) -> Result<TokenStream> {
    let this = of.ident.clone();
    let plain = this.unraw();
    let (class, awaited) = (format_ident!("{plain}Object"), format_ident!("Async{plain}"));
    let mut said_of = Said { name: plain.to_string(), class, awaited, is_partial: false };
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            said_of.name = method::text(&meta)?;
        } else if meta.path.is_ident("class") {
            said_of.class = meta.value()?.parse()?;
        } else if meta.path.is_ident("awaited") {
            said_of.awaited = meta.value()?.parse()?;
        } else if meta.path.is_ident("partial") {
            said_of.is_partial = true;
        } else {
            return Err(meta.error("what can be said here is name = \"…\", class = … and awaited = …"));
        }
        Ok(())
    });
    parser.parse2(said)?;
    let made = made(&said_of, &of)?;
    // What it says of its methods was read.
    for item in &mut of.items {
        if let syn::TraitItem::Fn(function) = item {
            function.attrs.retain(|attribute| !attribute.path().is_ident("guest"));
        }
    }
    Ok(quote! { #of #made })
}

fn made(said: &Said, of: &ItemTrait) -> Result<TokenStream> {
    let Said { name, class, awaited, is_partial } = said;
    let (this, visibility, methods) = (&of.ident, &of.vis, method::methods(of)?);
    let bounds = &of.supertraits;
    let (mut names, mut signatures, mut futures, mut calls, mut awaited_calls) = (vec![], vec![], vec![], vec![], vec![]);
    for Method { ident, name, attributes, params, result, .. } in &methods {
        let (args, types): (Vec<_>, Vec<_>) = params.iter().copied().unzip();
        let result = result.map_or_else(|| quote! { () }, |ty| quote! { #ty });
        names.push(name);
        signatures.push(quote! { fn(#(#types),*) -> #result });
        futures.push(quote! {
            #(#attributes)*
            fn #ident(&self, call: ::undergo::Call, #(#args: #types),*) -> impl ::std::future::Future<Output = #result> + ::std::marker::Send;
        });
        calls.push(quote! {
            ::undergo::typed::HostMethod::new({
                let this = ::std::sync::Arc::clone(&this);
                move |#(#args: #types),*| #this::#ident(&*this, #(#args),*)
            })
        });
        awaited_calls.push(quote! {
            ::undergo::typed::HostMethod::awaited({
                let this = ::std::sync::Arc::clone(&this);
                move |call: ::undergo::Call, #(#args: #types),*| {
                    let this = ::std::sync::Arc::clone(&this);
                    async move { #awaited::#ident(&*this, call, #(#args),*).await }
                }
            })
        });
    }
    let given = format!(" What a plugin gets of a [`{}`]. Clones are the same object.", this.unraw());
    let new = (!is_partial).then(|| {
        quote! {
            impl #class {
                /// The plugin gets this.
                #visibility fn new(this: impl #this + ::std::marker::Send + ::std::marker::Sync + 'static) -> Self {
                    let this = ::std::sync::Arc::new(this);
                    #class(::undergo::typed::HostMethod::object([#(#calls),*]))
                }

                /// The same with futures.
                #visibility fn awaited(this: impl #awaited + ::std::marker::Send + ::std::marker::Sync + 'static) -> Self {
                    let this = ::std::sync::Arc::new(this);
                    #class(::undergo::typed::HostMethod::object([#(#awaited_calls),*]))
                }
            }
        }
    });
    Ok(quote! {
        /// The same with futures, for asynchronous instances.
        #visibility trait #awaited: #bounds {
            #(#futures)*
        }

        #[doc = #given]
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #class(::undergo::HostObject);

        #new

        #[automatically_derived]
        impl ::undergo::GuestType for #class {
            const SIZE: u32 = 4;
            const ALIGN: u32 = 4;

            fn check(ty: &::undergo::interface::Type) -> ::undergo::Result<()> {
                ::undergo::typed::check_object::<Self>(ty, #name, &[#((#names, ::undergo::typed::check_method::<#signatures>)),*])
            }
        }

        #[automatically_derived]
        impl ::undergo::ToGuest for #class {
            fn lower<'to_guest>(&'to_guest self, writer: &mut ::undergo::typed::Writer<'_, 'to_guest>, at: u32) -> ::undergo::Result<()> {
                writer.object(&self.0, #name, at);
                ::std::result::Result::Ok(())
            }
        }

        /// For the structs that have one: what is passed to the plugin in them does not come back.
        #[automatically_derived]
        impl ::undergo::FromGuest for #class {
            fn lift(_: ::undergo::typed::Reader<'_>, _: u32) -> ::undergo::Result<Self> {
                ::std::result::Result::Err(::undergo::typed::no_object())
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(said: TokenStream, code: &str) -> Result<String> {
        let of = syn::parse_str(code).unwrap_or_else(|error| panic!("{code}: {error}"));
        object(said, of).map(|made| made.to_string().replace(' ', ""))
    }

    #[test]
    fn names_are_said_or_made() {
        let code = "trait Store { #[guest(name = \"put\")] fn set(&self, key: String) -> bool; }";
        let plain = made(TokenStream::new(), code).expect("it is made");
        for text in ["traitAsyncStore", "structStoreObject(", "\"put\",::undergo::typed::check_method::<fn(String)->bool>"] {
            assert!(plain.contains(text), "{text}: {plain}");
        }
        assert!(!plain.contains("#[guest"));
        let said = made(quote! { name = "k-v", class = Kv, awaited = Later, partial }, code).expect("it is made");
        for text in ["traitLater", "structKv(", "\"k-v\""] {
            assert!(said.contains(text), "{text}: {said}");
        }
        assert!(!said.contains("fnnew("));
    }

    #[test]
    fn what_no_plugin_calls_is_refused_in_words() {
        for (said, code, text) in [
            (quote! { rename = "s" }, "trait S { fn f(&self); }", "what can be said here"),
            (quote! {}, "trait S { fn f(self); }", "takes &self"),
            (quote! {}, "trait S { type T; }", "methods, and nothing else"),
        ] {
            let refused = made(said, code).expect_err(code).to_string();
            assert!(refused.contains(text), "{code}: {refused}");
        }
    }
}
