//! Objects of a plugin: the struct that a trait becomes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{
    AngleBracketedGenericArguments, Error, GenericArgument, ItemTrait, ParenthesizedGenericArguments, PathArguments, PathSegment, Result,
    Token, TraitBound, Type, TypeParamBound,
};

use crate::method::{self, Method};

/// The struct, with its methods.
pub(crate) fn resource(said: TokenStream, of: &ItemTrait) -> Result<TokenStream> {
    let class = &of.ident;
    let mut name = class.unraw().to_string();
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("what can be said here is the name in the interface: name = \"…\""));
        }
        name = method::text(&meta)?;
        Ok(())
    });
    parser.parse2(said)?;
    if let Some(bound) = of.supertraits.first() {
        return Err(Error::new(bound.span(), "it becomes a struct, which has no bounds"));
    }
    let (attributes, visibility) = (&of.attrs, &of.vis);
    let methods = method::methods(of)?.iter().map(|method| both(method, visibility)).collect::<Result<Vec<_>>>()?;
    Ok(quote! {
        #(#attributes)*
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #class(::undergo::Object);

        impl #class {
            /// Closes it, which its last clone does as well when it is dropped.
            #visibility fn close(&self) -> ::undergo::Result<()> {
                self.0.close()
            }

            /// The same for an asynchronous instance.
            #visibility async fn close_async(&self) -> ::undergo::Result<()> {
                self.0.close_async().await
            }

            #(#methods)*
        }

        #[automatically_derived]
        impl ::undergo::GuestType for #class {
            const SIZE: u32 = 4;
            const ALIGN: u32 = 4;

            fn check(ty: &::undergo::interface::Type) -> ::undergo::Result<()> {
                ::undergo::typed::check_resource::<Self>(ty, #name)
            }
        }

        #[automatically_derived]
        impl ::undergo::ToGuest for #class {
            fn lower<'to_guest>(&'to_guest self, writer: &mut ::undergo::typed::Writer<'_, 'to_guest>, at: u32) -> ::undergo::Result<()> {
                writer.handle(self.0.handle(), at);
                ::std::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl ::undergo::FromGuest for #class {
            fn lift(reader: ::undergo::typed::Reader<'_>, at: u32) -> ::undergo::Result<Self> {
                ::undergo::Object::lift(reader, #name, at).map(#class)
            }
        }
    })
}

/// A method, and the same to be awaited.
fn both(method: &Method<'_>, visibility: &syn::Visibility) -> Result<TokenStream> {
    let Method { ident, name, awaited, attributes, params, result } = method;
    let Some(value) = result.and_then(fallible) else {
        return Err(Error::new(
            result.map_or(ident.span(), |ty| ty.span()),
            "a call can fail: what the method gives is an undergo::Result",
        ));
    };
    let given: Vec<_> = params.iter().map(|(ident, ty)| quote! { #ident: #ty }).collect();
    let (types, args): (Vec<_>, Vec<_>) = params.iter().map(|(ident, ty)| passed(ident, ty)).unzip();
    let args = quote! { (#(#args,)*) };
    let declared = quote! { static METHOD: ::undergo::Method<(#(#types,)*), #value> = ::undergo::Method::new(#name); };
    let options = quote! { &::undergo::CallOptions::default() };
    Ok(quote! {
        #(#attributes)*
        #visibility fn #ident(&self, #(#given),*) -> #result {
            #declared
            METHOD.call(&self.0, #args, #options)
        }

        /// The same for an asynchronous instance.
        #visibility async fn #awaited(&self, #(#given),*) -> #result {
            #declared
            METHOD.call_async(&self.0, #args, #options).await
        }
    })
}

/// The type of the value, if that of a result is given.
fn fallible(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) = &last.arguments else { return None };
    match args.first() {
        Some(GenericArgument::Type(value)) if args.len() == 1 => Some(value),
        _ => None,
    }
}

/// The type of an argument, and what makes it of the parameter: closures, iterators, readers and
/// writers are taken as they are.
fn passed(ident: &syn::Ident, ty: &Type) -> (TokenStream, TokenStream) {
    let made = |class: TokenStream, args: TokenStream| (quote! { #class #args }, quote! { #class::new(#ident) });
    let bounds = match ty {
        Type::ImplTrait(given) => given.bounds.iter(),
        _ => return (quote! { #ty }, quote! { #ident }),
    };
    for bound in bounds {
        let TypeParamBound::Trait(TraitBound { path, .. }) = bound else { continue };
        let Some(PathSegment { ident: name, arguments }) = path.segments.last() else { continue };
        match arguments {
            PathArguments::Parenthesized(ParenthesizedGenericArguments { inputs, output, .. }) if name == "Fn" => {
                return made(quote! { ::undergo::Callback }, quote! { ::<fn(#inputs) #output> });
            }
            PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) if name == "IntoIterator" => {
                if let Some(item) = item(args) {
                    return made(quote! { ::undergo::HostItems }, quote! { ::<#item> });
                }
            }
            PathArguments::None if name == "Read" => return made(quote! { ::undergo::HostReader }, TokenStream::new()),
            PathArguments::None if name == "Write" => return made(quote! { ::undergo::HostWriter }, TokenStream::new()),
            _ => {}
        }
    }
    (quote! { #ty }, quote! { #ident })
}

/// The type that is given for `Item`.
fn item(args: &Punctuated<GenericArgument, Token![,]>) -> Option<&Type> {
    args.iter().find_map(|arg| match arg {
        GenericArgument::AssocType(given) if given.ident == "Item" => Some(&given.ty),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(code: &str) -> Result<String> {
        let of = syn::parse_str(code).unwrap_or_else(|error| panic!("{code}: {error}"));
        resource(TokenStream::new(), &of).map(|made| made.to_string().replace(' ', ""))
    }

    #[test]
    fn what_is_taken_as_it_is_becomes_what_the_plugin_takes() {
        for (taken, types, args) in [
            ("n: i64", "(i64,)", "(n,)"),
            ("a: &str, b: &[Note]", "(&str,&[Note],)", "(a,b,)"),
            ("f: impl Fn(i64) -> bool + Send", "(::undergo::Callback::<fn(i64)->bool>,)", "(::undergo::Callback::new(f),)"),
            ("f: impl Send + Fn(String)", "(::undergo::Callback::<fn(String)>,)", "(::undergo::Callback::new(f),)"),
            (
                "xs: impl IntoIterator<Item = u8, IntoIter: Send + 'static>",
                "(::undergo::HostItems::<u8>,)",
                "(::undergo::HostItems::new(xs),)",
            ),
            ("r: impl std::io::Read + Send + 'static", "(::undergo::HostReader,)", "(::undergo::HostReader::new(r),)"),
            ("w: impl Write + Send + 'static", "(::undergo::HostWriter,)", "(::undergo::HostWriter::new(w),)"),
        ] {
            let made = made(&format!("trait Note {{ fn put_all(&self, {taken}) -> Result<()>; }}"))
                .unwrap_or_else(|error| panic!("{taken}: {error}"));
            assert!(made.contains(&format!("staticMETHOD:::undergo::Method<{types},()>=::undergo::Method::new(\"put-all\");")), "{made}");
            assert!(made.contains(&format!("METHOD.call(&self.0,{args},")), "{made}");
        }
    }

    #[test]
    fn what_no_plugin_has_is_refused_in_words() {
        for (code, text) in [
            ("trait Note { fn f(&self) -> i64; }", "a call can fail"),
            ("trait Note { fn f(&self); }", "a call can fail"),
            ("trait Note { fn f(&self) -> Result<i64, String>; }", "a call can fail"),
            ("trait Note { fn f(&mut self) -> Result<i64>; }", "takes &self"),
            ("trait Note { fn f() -> Result<i64>; }", "takes &self"),
            ("trait Note { async fn f(&self) -> Result<i64>; }", "not async here"),
            ("trait Note { fn f<T>(&self) -> Result<i64>; }", "no type parameters"),
            ("trait Note<T> { fn f(&self) -> Result<i64>; }", "no type parameters"),
            ("trait Note { fn f(&self) -> Result<i64> { Ok(1) } }", "no code here"),
            ("trait Note { const N: i64; }", "methods, and nothing else"),
            ("trait Note { fn f(&self, (a, b): (i64, i64)) -> Result<i64>; }", "has a name"),
            ("trait Note: Send { fn f(&self) -> Result<i64>; }", "no bounds"),
            ("trait Note { #[guest(rename = \"g\")] fn f(&self) -> Result<i64>; }", "what can be said here"),
        ] {
            let refused = made(code).expect_err(code).to_string();
            assert!(refused.contains(text), "{code}: {refused}");
        }
        let said = resource(quote! { rename = "note" }, &syn::parse_str("trait Note {}").expect("a trait"));
        assert!(said.is_err_and(|error| error.to_string().contains("what can be said here")));
    }
}
