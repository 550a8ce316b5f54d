//! The derive of `undergo::GuestType`, which the crate `undergo` exports.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Ident, LitStr, Result, Type};

/// Makes a struct stand for a record of the interface, and an enum for an enum: see
/// `undergo::GuestType`.
#[proc_macro_derive(GuestType, attributes(guest))]
pub fn guest_type(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if let Some(param) = input.generics.type_params().next() {
        return Err(Error::new(param.span(), "a type of an interface has no type parameters"));
    }
    match &input.data {
        Data::Struct(data) => of_struct(input, data),
        Data::Enum(data) => of_enum(input, data),
        Data::Union(data) => Err(Error::new(data.union_token.span, "an interface has no unions")),
    }
}

/// A field of a struct: its identifier, its name in the interface, its type.
struct Field<'i> {
    ident: &'i Ident,
    name: String,
    ty: &'i Type,
}

fn of_struct(input: &DeriveInput, data: &DataStruct) -> Result<TokenStream> {
    let Fields::Named(named) = &data.fields else {
        return Err(Error::new(input.ident.span(), "a record's fields have names: give the struct some, or use a tuple"));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        fields.push(Field { ident, name: name(ident, &field.attrs)?, ty: &field.ty });
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
    if input.generics.lifetimes().next().is_some() {
        return Ok(guest_type);
    }
    Ok(quote! {
        #guest_type

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
    let mut names = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(variant.span(), "a case of an enum has no fields"));
        }
        names.push(name(&variant.ident, &variant.attrs)?);
    }
    if names.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum has at least one case"));
    }
    let this = &input.ident;
    let cases: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let numbers: Vec<_> = (0_u32..).take(cases.len()).collect();
    let size: u32 = match cases.len() {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::undergo::GuestType for #this {
            const SIZE: u32 = #size;
            const ALIGN: u32 = #size;

            fn check(ty: &::undergo::interface::Type) -> ::undergo::Result<()> {
                ::undergo::typed::check_enum::<Self>(ty, &[#(#names),*])
            }
        }

        #[automatically_derived]
        impl ::undergo::ToGuest for #this {
            fn lower<'to_guest>(&'to_guest self, writer: &mut ::undergo::typed::Writer<'_, 'to_guest>, at: u32) -> ::undergo::Result<()> {
                let case = match self {
                    #(#this::#cases => #numbers,)*
                };
                writer.case::<Self>(case, at);
                ::std::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl ::undergo::FromGuest for #this {
            fn lift(reader: ::undergo::typed::Reader<'_>, at: u32) -> ::undergo::Result<Self> {
                match reader.case::<Self>(at) {
                    #(#numbers => ::std::result::Result::Ok(#this::#cases),)*
                    other => ::std::result::Result::Err(::undergo::typed::no_case(other)),
                }
            }
        }
    })
}

/// The name in the interface: that of `#[guest(name = "…")]`, or the identifier.
fn name(ident: &Ident, attributes: &[Attribute]) -> Result<String> {
    let mut name = ident.unraw().to_string();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("guest")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("what can be said here is the name in the interface: name = \"…\""));
            }
            name = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        })?;
    }
    Ok(name)
}
