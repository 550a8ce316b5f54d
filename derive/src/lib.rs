//! What the crate `undergo` exports of macros: the derive of `GuestType`, and the attributes
//! `resource` and `object` for traits.

mod method;
mod object;
mod resource;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Ident, LitStr, Result, Type, Variant};

/// Makes a struct stand for a record of the interface, or for an error with fields, and an enum for
/// an enum or a variant: see `undergo::GuestType` and `undergo::GuestError`.
#[proc_macro_derive(GuestType, attributes(guest))]
pub fn guest_type(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

/// Makes of a trait a struct for objects of a plugin: see `undergo::resource`.
#[proc_macro_attribute]
pub fn resource(said: proc_macro::TokenStream, input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as syn::ItemTrait);
    resource::resource(said.into(), &input).unwrap_or_else(Error::into_compile_error).into()
}

/// Makes of a trait what a plugin can call: see `undergo::object`.
#[proc_macro_attribute]
pub fn object(said: proc_macro::TokenStream, input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as syn::ItemTrait);
    object::object(said.into(), input).unwrap_or_else(Error::into_compile_error).into()
}

fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if let Some(param) = input.generics.type_params().next() {
        return Err(Error::new(param.span(), "a type of an interface has no type parameters"));
    }
    let said = said(&input.attrs)?;
    if let (Some(span), None) = (said.named, said.error) {
        return Err(Error::new(span, "only an error is known by its name: #[guest(error, name = \"…\")]"));
    }
    match (&input.data, said.error) {
        (Data::Struct(data), _) => of_struct(input, data, said),
        (Data::Enum(data), None) => of_enum(input, data),
        (Data::Enum(_), Some(span)) => Err(Error::new(span, "an error is a struct: an interface declares each by itself")),
        (Data::Union(data), _) => Err(Error::new(data.union_token.span, "an interface has no unions")),
    }
}

/// A field of a struct: its identifier, its name in the interface, its type.
struct Field<'i> {
    ident: &'i Ident,
    name: String,
    ty: &'i Type,
}

fn of_struct(input: &DeriveInput, data: &DataStruct, said: Said) -> Result<TokenStream> {
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new(input.ident.span(), "a record's fields have names: give the struct some, or use a tuple"));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        fields.push(Field { ident, name: attributes(&field.attrs)?.name(ident), ty: &field.ty });
    }
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let types: Vec<_> = fields.iter().map(|field| field.ty).collect();
    let offsets: Vec<_> = (0..fields.len()).map(|i| format_ident!("at_{i}")).collect();

    let (this, generics) = (&input.ident, input.generics.split_for_impl());
    let (params, args, bounds) = &generics;
    let layout = quote! {
        ::undergo::typed::Layout::of([#((<#types as ::undergo::GuestType>::SIZE, <#types as ::undergo::GuestType>::ALIGN)),*])
    };
    let guest_type = quote! {
        #[automatically_derived]
        impl #params ::undergo::GuestType for #this #args #bounds {
            const SIZE: u32 = #layout.size;
            const ALIGN: u32 = #layout.align;

            fn check(ty: &::undergo::interface::Type) -> ::undergo::Result<()> {
                ::undergo::typed::check_record::<Self>(ty, &[#((#names, <#types as ::undergo::GuestType>::check)),*])
            }
        }

        #[automatically_derived]
        impl #params ::undergo::ToGuest for #this #args #bounds {
            fn lower<'to_guest>(&'to_guest self, writer: &mut ::undergo::typed::Writer<'_, 'to_guest>, at: u32) -> ::undergo::Result<()> {
                let [#(#offsets),*] = const { #layout.offsets };
                #(writer.field(#names, &self.#idents, at + #offsets)?;)*
                ::std::result::Result::Ok(())
            }
        }
    };
    // What is borrowed can't come from a guest.
    if let Some(lifetime) = input.generics.lifetimes().next() {
        return match said.error {
            Some(_) => Err(Error::new(lifetime.span(), "an error owns its fields: it goes where the call has ended")),
            None => Ok(guest_type),
        };
    }
    let guest_error = said.error.map(|_| {
        let name = said.name(this);
        quote! {
            #[automatically_derived]
            impl ::undergo::GuestError for #this {
                const NAME: &'static str = #name;
            }
        }
    });
    Ok(quote! {
        #guest_type

        #guest_error

        #[automatically_derived]
        impl ::undergo::FromGuest for #this {
            fn lift(reader: ::undergo::typed::Reader<'_>, at: u32) -> ::undergo::Result<Self> {
                let [#(#offsets),*] = const { #layout.offsets };
                ::std::result::Result::Ok(#this { #(#idents: reader.field(#names, at + #offsets)?),* })
            }
        }
    })
}

fn of_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let mut cases = Vec::new();
    for variant in &data.variants {
        cases.push(Case { ident: &variant.ident, name: attributes(&variant.attrs)?.name(&variant.ident), ty: value(variant)? });
    }
    if cases.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum has at least one case"));
    }
    let (this, generics) = (&input.ident, input.generics.split_for_impl());
    let (params, args, bounds) = &generics;
    let (count, types): (_, Vec<_>) = (cases.len(), cases.iter().filter_map(|case| case.ty).collect());
    let layout = quote! {
        ::undergo::typed::Cases::of(#count, [#((<#types as ::undergo::GuestType>::SIZE, <#types as ::undergo::GuestType>::ALIGN)),*])
    };
    let names = cases.iter().map(|case| &case.name);
    let check = if types.is_empty() {
        quote! { ::undergo::typed::check_enum::<Self>(ty, &[#(#names),*]) }
    } else {
        let checks = cases.iter().map(|case| match case.ty {
            Some(ty) => quote! { ::std::option::Option::Some(<#ty as ::undergo::GuestType>::check) },
            None => quote! { ::std::option::Option::None },
        });
        quote! { ::undergo::typed::check_variant::<Self>(ty, &[#((#names, #checks)),*]) }
    };
    let lowered = (0_u32..).zip(&cases).map(|(number, Case { ident, name, ty })| match ty {
        Some(_) => quote! {
            #this::#ident(value) => {
                writer.case(cases, #number, at);
                writer.value(#name, value, at + cases.value)
            }
        },
        None => quote! {
            #this::#ident => {
                writer.case(cases, #number, at);
                ::std::result::Result::Ok(())
            }
        },
    });
    let guest_type = quote! {
        #[automatically_derived]
        impl #params ::undergo::GuestType for #this #args #bounds {
            const SIZE: u32 = #layout.size;
            const ALIGN: u32 = #layout.align;

            fn check(ty: &::undergo::interface::Type) -> ::undergo::Result<()> {
                #check
            }
        }

        #[automatically_derived]
        impl #params ::undergo::ToGuest for #this #args #bounds {
            fn lower<'to_guest>(&'to_guest self, writer: &mut ::undergo::typed::Writer<'_, 'to_guest>, at: u32) -> ::undergo::Result<()> {
                let cases = const { #layout };
                match self {
                    #(#lowered)*
                }
            }
        }
    };
    if input.generics.lifetimes().next().is_some() {
        return Ok(guest_type);
    }
    let lifted = (0_u32..).zip(&cases).map(|(number, Case { ident, name, ty })| match ty {
        Some(_) => quote! { #number => reader.value(#name, at + cases.value).map(#this::#ident), },
        None => quote! { #number => ::std::result::Result::Ok(#this::#ident), },
    });
    Ok(quote! {
        #guest_type

        #[automatically_derived]
        impl ::undergo::FromGuest for #this {
            fn lift(reader: ::undergo::typed::Reader<'_>, at: u32) -> ::undergo::Result<Self> {
                let cases = const { #layout };
                match reader.case(cases, at) {
                    #(#lifted)*
                    other => ::std::result::Result::Err(::undergo::typed::no_case(other)),
                }
            }
        }
    })
}

/// A case of an enum: its identifier, its name in the interface, the type of its value.
struct Case<'i> {
    ident: &'i Ident,
    name: String,
    ty: Option<&'i Type>,
}

/// The type of the value that a case has.
fn value(variant: &Variant) -> Result<Option<&Type>> {
    match &variant.fields {
        Fields::Unit => Ok(None),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Ok(fields.unnamed.first().map(|field| &field.ty)),
        Fields::Unnamed(fields) if fields.unnamed.is_empty() => {
            Err(Error::new(variant.span(), "a case without a value has no parentheses"))
        }
        Fields::Unnamed(_) => {
            Err(Error::new(variant.span(), "a case has one value at most: several are a tuple, or a struct that derives GuestType"))
        }
        Fields::Named(_) => {
            Err(Error::new(variant.span(), "the value of a case has no fields here: give it a struct that derives GuestType"))
        }
    }
}

/// What `#[guest(…)]` says of a field, a case, or a type.
#[derive(Default)]
struct Said {
    name: Option<String>,
    named: Option<Span>,
    /// Where it is said that a struct is an error.
    error: Option<Span>,
}

impl Said {
    /// The name in the interface: what is said, or the identifier.
    fn name(self, ident: &Ident) -> String {
        self.name.unwrap_or_else(|| ident.unraw().to_string())
    }
}

/// The attributes of a field or a case.
fn attributes(attributes: &[Attribute]) -> Result<Said> {
    let said = said(attributes)?;
    match said.error {
        Some(span) => Err(Error::new(span, "what can be said here is the name in the interface: name = \"…\"")),
        None => Ok(said),
    }
}

fn said(attributes: &[Attribute]) -> Result<Said> {
    let mut said = Said::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("guest")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                said.name = Some(meta.value()?.parse::<LitStr>()?.value());
                said.named = Some(meta.path.span());
            } else if meta.path.is_ident("error") {
                said.error = Some(meta.path.span());
            } else {
                return Err(
                    meta.error("what can be said here is the name in the interface, name = \"…\", and of a struct that it is an error")
                );
            }
            Ok(())
        })?;
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str) -> String {
        let input = syn::parse_str(code).unwrap_or_else(|error| panic!("{code}: {error}"));
        derive(&input).expect_err(code).to_string()
    }

    #[test]
    fn what_has_no_counterpart_is_refused_in_words() {
        for (code, text) in [
            ("enum E { A(u8, u8) }", "a case has one value at most"),
            ("enum E { A { x: u8 } }", "the value of a case has no fields here"),
            ("enum E { A() }", "a case without a value has no parentheses"),
            ("enum E {}", "an enum has at least one case"),
            ("enum E<T> { A(T) }", "no type parameters"),
            ("struct S(u8);", "a record's fields have names"),
            ("union U { x: u8 }", "no unions"),
            ("#[guest(error)] enum E { A }", "an error is a struct"),
            ("#[guest(error)] struct S<'a> { x: &'a str }", "an error owns its fields"),
            ("#[guest(name = \"s\")] struct S { x: u8 }", "only an error is known by its name"),
            ("#[guest(rename = \"s\")] struct S { x: u8 }", "what can be said here"),
            ("struct S { #[guest(error)] x: u8 }", "what can be said here is the name"),
            ("enum E { #[guest(skip)] A }", "what can be said here"),
        ] {
            assert!(refusal(code).contains(text), "{code}: {}", refusal(code));
        }
    }

    #[test]
    fn what_is_borrowed_is_only_passed() {
        let written = |code: &str| derive(&syn::parse_str(code).expect("code")).expect("it derives").to_string();
        for code in ["enum E<'a> { A(&'a str), B }", "struct S<'a> { x: &'a str }"] {
            assert!(written(code).contains("ToGuest for") && !written(code).contains("FromGuest"), "{code}");
        }
        assert!(written("#[guest(error, name = \"s\")] struct T { x: u8 }").contains("NAME : & 'static str = \"s\""));
    }
}
