//! Resources: a class for the plugin's objects, and an interface for those of the host.

use std::sync::Arc;

use undergo::interface::{Function, Resource, Shape, Side};

use super::super::layout::{Fields, Place, size};
use super::text::{OF_OBJECTS, docs, identifier};
use super::types::Names;
use super::{Export, declared, export, host_result, or, returns, signature};
use crate::bindgen::scope::Scope;
use crate::bindgen::surface::{Surface, item};

/// A class for objects of the plugin's.
pub(super) struct Guest {
    pub(super) class: String,
    pub(super) docs: Vec<String>,
    pub(super) methods: Vec<Export>,
}

/// What the host gives a plugin.
pub(super) struct Hosted {
    /// What it is called in the names of what writes it.
    pub(super) class: String,
    /// What it is in Java.
    pub(super) ty: String,
    /// The methods as the library finds them.
    pub(super) signatures: Vec<String>,
    /// The interface, if there is one.
    pub(super) interface: Option<Interface>,
    /// Writes what is not an interface: `Raw.putReader`, and what it gets behind the value.
    pub(super) put: String,
    pub(super) also: String,
}

pub(super) struct Interface {
    pub(super) docs: Vec<String>,
    pub(super) is_function: bool,
    pub(super) methods: Vec<Method>,
}

pub(super) struct Method {
    pub(super) name: String,
    pub(super) docs: Vec<String>,
    pub(super) returns: String,
    pub(super) params: String,
    /// Statements that call it.
    pub(super) body: Vec<String>,
}

/// The classes of the plugin's objects.
pub(super) fn guests(names: &Names, surface: &Surface<'_>) -> Vec<Guest> {
    let is_object = |resource: &&Resource| resource.ty.side == Side::Guest && resource.ty.shape == Shape::Object;
    let guest = |resource: &Resource| {
        let mut scope = Scope::new(OF_OBJECTS.into_iter().chain(["close", "isClosed"]));
        let method = |function: &Arc<Function>| export(names, &mut scope, function, surface.place_of_own(function));
        Guest {
            class: names.living(&resource.ty),
            docs: docs(or(&resource.ty.docs, &format!("A {} of the plugin.", resource.ty.name))),
            methods: resource.methods.iter().map(method).collect(),
        }
    };
    surface.resources.iter().filter(is_object).map(guest).collect()
}

/// The constructors, as methods of the file's class: `newDocument`.
pub(super) fn constructors(names: &Names, scope: &mut Scope, surface: &Surface<'_>) -> Vec<Export> {
    let guests = surface.resources.iter().filter(|resource| resource.ty.side == Side::Guest);
    let made = guests.filter_map(|resource| Some((resource, resource.constructor.as_ref()?)));
    let constructor = |(resource, function): (&Resource, &Arc<Function>)| {
        let name = scope.take(format!("new{}", names.living(&resource.ty)));
        Export { name, ..export(names, &mut Scope::default(), function, surface.place_of_own(function)) }
    };
    made.map(constructor).collect()
}

/// What the host gives.
pub(super) fn hosted(names: &Names, surface: &Surface<'_>) -> Vec<Hosted> {
    surface.resources.iter().filter(|resource| resource.ty.side == Side::Host).map(|resource| host(names, resource)).collect()
}

fn host(names: &Names, resource: &Resource) -> Hosted {
    let (put, also) = match resource.ty.shape {
        Shape::Iterator => {
            let also = item(resource).map(|item| format!(", {}, {}", size(item), names.putter(item, 0)));
            ("Raw.putItems", also.unwrap_or_default())
        }
        Shape::Reader => ("Raw.putReader", String::new()),
        Shape::Writer => ("Raw.putWriter", String::new()),
        Shape::Object | Shape::Callback => ("Raw.putObject", String::new()),
    };
    Hosted {
        class: names.class_of(&resource.ty),
        ty: names.living(&resource.ty),
        signatures: resource.methods.iter().map(|method| signature("", method)).collect(),
        interface: matches!(resource.ty.shape, Shape::Object | Shape::Callback).then(|| interface(names, resource)),
        put: put.to_owned(),
        also,
    }
}

fn interface(names: &Names, resource: &Resource) -> Interface {
    let mut scope = Scope::new(OF_OBJECTS);
    let is_function = resource.ty.shape == Shape::Callback;
    let method = |function: &Arc<Function>| {
        let wit = function.name.rsplit('.').next().unwrap_or(&function.name);
        let name = scope.take(identifier(wit));
        let offsets = Fields::of(function.own_params().iter().map(|param| &param.ty)).offsets;
        let read = function.own_params().iter().zip(offsets).map(|(param, offset)| names.get(&param.ty, &Place("args", offset), 0));
        let call = format!("value.{name}({})", read.collect::<Vec<_>>().join(", "));
        let also = if function.fallible { "\n\nAn exception that it throws is the error that the plugin gets." } else { "" };
        Method {
            docs: docs(&format!("{}{also}", or(&function.docs, &format!("The function {}.", function.name)))),
            returns: returns(names, function),
            params: declared(names, function),
            body: host_result(names, function, call),
            name,
        }
    };
    let about = if is_function {
        format!("The function {}.", resource.ty.name)
    } else {
        format!("What the plugin wants of a {}.", resource.ty.name)
    };
    Interface { docs: docs(or(&resource.ty.docs, &about)), is_function, methods: resource.methods.iter().map(method).collect() }
}
