//! Resources, typed: handles of the guest's objects, and what makes objects of the host's.

use std::sync::Arc;

use undergo::interface::{Function, Resource, ResourceType, Shape, Side, Type, TypeKind};

use super::function::{HostFunction, Signature, exported, host_function};
use super::text::{comment, identifier};
use super::types::{Types, or, spaced};
use crate::bindgen::surface::Surface;

/// A resource of the guest's: the functions of its handles.
pub(super) struct Guest {
    /// The type of the handles.
    pub(super) ty: String,
    pub(super) delete: String,
    pub(super) about_delete: String,
    pub(super) close: String,
    pub(super) is_open: String,
    pub(super) constructor: Option<Constructor>,
    pub(super) methods: Vec<Method>,
    pub(super) next: Option<Next>,
}

pub(super) struct Constructor {
    /// Its place in the table.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) signature: Signature,
}

pub(super) struct Method {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) docs: String,
    /// The first parameter is the object.
    pub(super) signature: Signature,
}

/// What takes the items of an iterator, or gives them.
pub(super) struct Next {
    pub(super) number: usize,
    pub(super) name: String,
    /// The type of an item, up to a star behind it.
    pub(super) item: String,
}

/// A resource of the host's: what makes an object.
pub(super) struct Hosted {
    /// The type of the objects.
    pub(super) ty: String,
    pub(super) make: String,
    pub(super) about_make: String,
    pub(super) delete: String,
    pub(super) about_delete: String,
    pub(super) kind: Kind,
}

/// What an object of the host's is made of.
pub(super) enum Kind {
    /// A struct of functions.
    Object { group: String, about: String, methods: Vec<HostFunction> },
    /// A function, with the name of its type.
    Callback { function: String, about: String, method: HostFunction },
    /// The function that gives the next item, with the name of its type.
    Items { function: String, about: String, adapter: String, next: Next },
}

/// What is said of the type of a resource.
pub(super) fn about(resource: &ResourceType) -> String {
    let what = match (resource.side, resource.shape) {
        (Side::Guest, Shape::Iterator) => format!("The iterator {}.", resource.name),
        (Side::Guest, _) => format!("The resource {}.", resource.name),
        (Side::Host, Shape::Callback) => format!("The function {} of the host.", resource.name),
        (Side::Host, Shape::Iterator) => format!("The iterable {} of the host.", resource.name),
        (Side::Host, _) => format!("The resource {} of the host.", resource.name),
    };
    let is_a = if resource.side == Side::Guest { "undergo_handle_t" } else { "undergo_object_t" };
    format!("{}\n\nA pointer to it is one to an {is_a}.", or(&resource.docs, &what))
}

/// Those of the guest's that have functions of their own: streams have those of undergo.h.
pub(super) fn guests(types: &mut Types, surface: &Surface<'_>) -> Vec<Guest> {
    let has_own = |resource: &&Resource| resource.ty.side == Side::Guest && !matches!(resource.ty.shape, Shape::Reader | Shape::Writer);
    surface.resources.iter().filter(has_own).map(|resource| guest(types, surface, resource)).collect()
}

fn guest(types: &mut Types, surface: &Surface<'_>, resource: &Resource) -> Guest {
    let (ty, name) = (types.resource(&resource.ty), &resource.ty.name);
    let named = |types: &mut Types, function: &str| types.name(&format!("{name}-{function}"));
    let is_iterator = resource.ty.shape == Shape::Iterator;
    let constructor = resource.constructor.as_ref().map(|function| Constructor {
        number: surface.place(function),
        name: named(types, "new"),
        docs: comment(0, &format!("{}\n\nThe caller frees the object.", or(&function.docs, &format!("Makes a {name}.")))),
        signature: exported(types, function),
    });
    let method = |(function, method): (&Arc<Function>, &String)| Method {
        number: surface.place(function),
        name: named(types, method),
        docs: comment(0, or(&function.docs, &format!("Calls {}.", function.name))),
        signature: exported(types, function),
    };
    let methods = if is_iterator { Vec::new() } else { resource.methods.iter().zip(&resource.ty.methods).map(method).collect() };
    let next = is_iterator.then(|| resource.methods.first()).flatten().and_then(|function| next(types, surface, name, function));
    Guest {
        about_delete: comment(0, &format!("Frees a {name}, as undergo_handle_delete does. NULL is accepted.")),
        delete: named(types, "delete"),
        close: named(types, "close"),
        is_open: named(types, "is-open"),
        ty,
        constructor,
        methods,
        next,
    }
}

fn next(types: &mut Types, surface: &Surface<'_>, resource: &str, function: &Arc<Function>) -> Option<Next> {
    let item = item(function)?;
    Some(Next { number: surface.place(function), name: types.name(&format!("{resource}-next")), item: spaced(&types.show(item)) })
}

/// The type of an iterator's items.
fn item(function: &Function) -> Option<&Type> {
    let TypeKind::Tuple(tuple) = &function.result.as_ref()?.kind else { return None };
    if let TypeKind::List(item) = &tuple.items.first()?.kind { Some(item) } else { None }
}

/// Those of the host's that are made by functions of their own: streams have those of undergo.h.
pub(super) fn hosted(types: &mut Types, surface: &Surface<'_>) -> Vec<Hosted> {
    let hosts = surface.resources.iter().filter(|resource| resource.ty.side == Side::Host);
    hosts.filter_map(|resource| host(types, surface, resource)).collect()
}

fn host(types: &mut Types, surface: &Surface<'_>, resource: &Resource) -> Option<Hosted> {
    let name = &resource.ty.name;
    let ends = "drop, which may be NULL, is called once with the data, on any thread, when neither the program nor the plugin has it any more, or at once if this fails.";
    let kind = match resource.ty.shape {
        Shape::Object => {
            let members = super::text::all_alone(resource.ty.methods.iter().map(String::as_str), &[]);
            let method = |(function, member): (&Arc<Function>, String)| {
                let adapter = types.name(&format!("{name}-{}-adapter", identifier(&member)));
                host_function(types, surface.place(function), function, member, adapter)
            };
            let methods = resource.methods.iter().zip(members).map(method).collect();
            Kind::Object {
                group: types.name(&format!("{name}-methods-t")),
                about: comment(0, &format!("The methods of a {name}. Each gets the data that comes with them.")),
                methods,
            }
        }
        Shape::Callback => {
            let function = resource.methods.first()?;
            let adapter = types.name(&format!("{name}-adapter"));
            Kind::Callback {
                function: types.name(&format!("{name}-fn")),
                about: comment(0, &format!("What is called as {name}.")),
                method: host_function(types, surface.place(function), function, "call".to_owned(), adapter),
            }
        }
        Shape::Iterator => Kind::Items {
            function: types.name(&format!("{name}-fn")),
            about: comment(
                0,
                &format!("Gives the next item of {name}: it fills the item and sets has_item, or leaves that false at the end."),
            ),
            adapter: types.name(&format!("{name}-adapter")),
            next: next(types, surface, name, resource.methods.first()?)?,
        },
        Shape::Reader | Shape::Writer => return None,
    };
    Some(Hosted {
        ty: types.resource(&resource.ty),
        make: types.name(&format!("{name}-new")),
        about_make: comment(0, &format!("Makes a {name} of the host, which the caller frees, as undergo_object_new does. {ends}")),
        delete: types.name(&format!("{name}-delete")),
        about_delete: comment(0, &format!("Frees a {name}, as undergo_object_delete does. NULL is accepted.")),
        kind,
    })
}
