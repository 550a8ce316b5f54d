//! Resources as classes.

use undergo::interface::{Function, Resource, Shape, Side, Type, TypeKind};

use super::function::{self, Method};
use super::types::Types;
use crate::bindgen::c::text::{all_alone, comment};
use crate::bindgen::surface::Surface;

/// What the class of a resource has itself.
const MEMBERS: [&str; 12] =
    ["begin", "close", "end", "get", "is_open", "iterator", "make", "next", "try_close", "try_make", "try_next", "undergo"];

/// A class for objects of the guest's.
pub(super) struct Guest {
    pub(super) class: String,
    pub(super) docs: String,
    /// What it derives from.
    pub(super) base: String,
    /// The place of an iterator's `next` in the table.
    pub(super) next: Option<usize>,
    pub(super) constructor: Option<Member>,
    pub(super) methods: Vec<Member>,
}

/// A constructor or a method, and its place in the table.
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) method: Method,
}

/// A class for what a program gives to a guest.
pub(super) struct Hosted {
    pub(super) class: String,
    pub(super) docs: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// An abstract class.
    Object { methods: Vec<Member> },
    /// What is made of a function.
    Callback { number: usize, result: String, params: String },
    /// What is made of a range.
    Items { number: usize, item: String },
}

pub(super) fn guests(types: &Types, surface: &Surface<'_>) -> Vec<Guest> {
    let has_class = |resource: &&Resource| resource.ty.side == Side::Guest && !matches!(resource.ty.shape, Shape::Reader | Shape::Writer);
    surface.resources.iter().filter(has_class).map(|resource| guest(types, surface, resource)).collect()
}

fn guest(types: &Types, surface: &Surface<'_>, resource: &Resource) -> Guest {
    let class = types.class_of(&resource.ty).to_owned();
    let item = if resource.ty.shape == Shape::Iterator { resource.methods.first().and_then(|next| item(next)) } else { None };
    let constructor = resource.constructor.as_ref().map(|function| Member {
        number: surface.place(function),
        method: function::method(types, function, class.clone(), "\n\nThe instance is the one that it belongs to."),
    });
    let mut taken = MEMBERS.to_vec();
    taken.push(&class);
    let names = all_alone(resource.ty.methods.iter().map(String::as_str), &taken);
    let method = |(function, name)| Member { number: surface.place(function), method: function::method(types, function, name, "") };
    Guest {
        docs: comment(0, &or(&resource.ty.docs, &format!("The resource {} of the plugin.", resource.ty.name))),
        base: item.map_or_else(|| "undergo::Handle".to_owned(), |item| format!("undergo::typed::Iterator<{}>", types.show(item))),
        next: item.and(resource.methods.first()).map(|next| surface.place(next)),
        constructor,
        methods: if item.is_some() { Vec::new() } else { resource.methods.iter().zip(names).map(method).collect() },
        class,
    }
}

pub(super) fn hosted(types: &Types, surface: &Surface<'_>) -> Vec<Hosted> {
    let hosts = surface.resources.iter().filter(|resource| resource.ty.side == Side::Host);
    hosts.filter_map(|resource| host(types, surface, resource)).collect()
}

fn host(types: &Types, surface: &Surface<'_>, resource: &Resource) -> Option<Hosted> {
    let class = types.class_of(&resource.ty).to_owned();
    let name = &resource.ty.name;
    let (about, kind) = match resource.ty.shape {
        Shape::Object => {
            let names = all_alone(resource.ty.methods.iter().map(String::as_str), &[&class]);
            let method = |(function, name)| Member { number: surface.place(function), method: function::import(types, function, name) };
            let methods = resource.methods.iter().zip(names).map(method).collect();
            (format!("The resource {name}, which the program implements."), Kind::Object { methods })
        }
        Shape::Callback => {
            let function = resource.methods.first()?;
            let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| types.show(ty));
            let params = function.own_params().iter().map(|param| format!(", {}", types.show(&param.ty))).collect();
            let about = format!("What is called as {name}: made of any function, which may give an undergo::Result.");
            (about, Kind::Callback { number: surface.place(function), result, params })
        }
        Shape::Iterator => {
            let next = resource.methods.first()?;
            let about = format!("What {name} is taken from: made of any range.");
            (about, Kind::Items { number: surface.place(next), item: types.show(item(next)?) })
        }
        Shape::Reader | Shape::Writer => return None,
    };
    Some(Hosted { class, docs: comment(0, &or(&resource.ty.docs, &about)), kind })
}

/// The type of an iterator's items.
fn item(function: &Function) -> Option<&Type> {
    let TypeKind::Tuple(tuple) = &function.result.as_ref()?.kind else { return None };
    if let TypeKind::List(item) = &tuple.items.first()?.kind { Some(item) } else { None }
}

fn or(docs: &str, otherwise: &str) -> String {
    if docs.is_empty() { otherwise.to_owned() } else { docs.to_owned() }
}
