//! A method of a trait that stands for a resource.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, FnArg, Ident, ItemTrait, LitStr, Pat, Result, ReturnType, TraitItem, TraitItemFn, Type};

/// What a trait says of a method.
pub(crate) struct Method<'t> {
    pub(crate) ident: &'t Ident,
    /// Its name in the interface: what is said, or the identifier with hyphens.
    pub(crate) name: String,
    /// The name of the method that is awaited.
    pub(crate) awaited: Ident,
    /// Documentation, and whatever else stands above it.
    pub(crate) attributes: Vec<&'t Attribute>,
    pub(crate) params: Vec<(&'t Ident, &'t Type)>,
    /// Nothing for none.
    pub(crate) result: Option<&'t Type>,
}

/// The methods of a trait, which are all that it has.
pub(crate) fn methods(of: &ItemTrait) -> Result<Vec<Method<'_>>> {
    if let Some(param) = of.generics.params.first() {
        return Err(Error::new(param.span(), "a resource of an interface has no type parameters"));
    }
    let mut methods = Vec::new();
    for item in &of.items {
        match item {
            TraitItem::Fn(function) => methods.push(method(function)?),
            other => return Err(Error::new(other.span(), "a resource of an interface has methods, and nothing else")),
        }
    }
    Ok(methods)
}

fn method(function: &TraitItemFn) -> Result<Method<'_>> {
    let signature = &function.sig;
    let refused = |span: Span, text| Err(Error::new(span, text));
    if let Some(body) = &function.default {
        return refused(body.span(), "the method is the plugin's, or that of each implementation: it has no code here");
    }
    if let Some(param) = signature.generics.params.first() {
        return refused(param.span(), "a method of an interface has no type parameters");
    }
    if let Some(token) = &signature.asyncness {
        return refused(token.span, "what can be awaited is made of this: it is not async here");
    }
    let mut inputs = signature.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver)) if receiver.reference.is_some() && receiver.mutability.is_none() => {}
        _ => return refused(signature.span(), "a method of an interface takes &self, since others may have the same object"),
    }
    let mut params = Vec::new();
    for input in inputs {
        match input {
            FnArg::Typed(param) => match &*param.pat {
                Pat::Ident(name) => params.push((&name.ident, &*param.ty)),
                other => return refused(other.span(), "a parameter has a name"),
            },
            FnArg::Receiver(other) => return refused(other.span(), "there is one self"),
        }
    }
    let (said, attributes): (Vec<_>, Vec<_>) = function.attrs.iter().partition(|attribute| attribute.path().is_ident("guest"));
    let (mut name, mut awaited) = (None, None);
    for attribute in said {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = Some(text(&meta)?);
            } else if meta.path.is_ident("awaited") {
                awaited = Some(meta.value()?.call(Ident::parse_any)?);
            } else {
                return Err(meta.error("what can be said here is the name in the interface, name = \"…\", and awaited = …"));
            }
            Ok(())
        })?;
    }
    let plain = signature.ident.unraw();
    Ok(Method {
        ident: &signature.ident,
        name: name.unwrap_or_else(|| kebab(&plain)),
        awaited: awaited.unwrap_or_else(|| Ident::new(&format!("{plain}_async"), plain.span())),
        attributes,
        params,
        result: match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty),
        },
    })
}

/// The text that is given for a name.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

/// The name that a function has in an interface.
fn kebab(ident: &Ident) -> String {
    ident.to_string().trim_matches('_').replace('_', "-")
}
