//! Resources: a class for the plugin's objects, a protocol for those of the host, and what makes a
//! value of a closure.

use undergo::interface::{Resource, Shape, Side};

use super::text::{Scope, docs, literal};
use super::types::Names;
use super::{Method, host_function, method, or};
use crate::bindgen::surface::Surface;

/// A class for objects of the plugin's.
pub(super) struct Guest {
    pub(super) class: String,
    pub(super) docs: String,
    /// The name in the interface, as a literal.
    pub(super) wit: String,
    pub(super) methods: Vec<Method>,
}

/// What the host gives a plugin: an object, or a closure.
pub(super) struct Hosted {
    /// The protocol of an object, or the function that makes a value of a closure.
    pub(super) name: String,
    pub(super) docs: String,
    /// The type of a closure; none of an object.
    pub(super) closure: Option<String>,
    pub(super) methods: Vec<Method>,
}

/// What the classes of objects have themselves.
const OWN: [&str; 11] =
    ["call", "cancel", "close", "handle", "hash", "hashValue", "isClosed", "pluginValue", "resourceName", "timeout", "using"];

/// The classes of the plugin's objects.
pub(super) fn guests(names: &Names, resources: &[Resource]) -> Vec<Guest> {
    let is_object = |resource: &&Resource| resource.ty.side == Side::Guest && resource.ty.shape == Shape::Object;
    let guest = |resource: &Resource| {
        let mut scope = Scope::new(&OWN);
        let methods = resource.methods.iter().zip(&resource.ty.methods);
        Guest {
            class: names.object(&resource.ty),
            docs: docs(or(&resource.ty.docs, &format!("A {} of the plugin.", resource.ty.name))),
            wit: literal(&resource.ty.name),
            methods: methods.map(|(function, name)| method(names, &mut scope, function, name, "self.call")).collect(),
        }
    };
    resources.iter().filter(is_object).map(guest).collect()
}

/// The constructors, as methods beside the exports: `newDocument`.
pub(super) fn constructors(names: &Names, scope: &mut Scope, surface: &Surface<'_>) -> Vec<Method> {
    let guests = surface.resources.iter().filter(|resource| resource.ty.side == Side::Guest);
    let made = guests.filter_map(|resource| Some((resource, resource.constructor.as_ref()?)));
    made.map(|(resource, function)| method(names, scope, function, &format!("new-{}", resource.ty.name), "self.calls.call")).collect()
}

/// What the host gives.
pub(super) fn hosted(names: &Names, resources: &[Resource]) -> Vec<Hosted> {
    let hosts = resources.iter().filter(|resource| resource.ty.side == Side::Host);
    let own = hosts.filter(|resource| matches!(resource.ty.shape, Shape::Object | Shape::Callback));
    own.map(|resource| host(names, resource)).collect()
}

fn host(names: &Names, resource: &Resource) -> Hosted {
    let is_closure = resource.ty.shape == Shape::Callback;
    let mut scope = Scope::new(&["hash", "hashValue", "pluginValue"]);
    let methods = resource.methods.iter().zip(&resource.ty.methods);
    Hosted {
        name: if is_closure { names.closure(&resource.ty) } else { names.object(&resource.ty) },
        docs: docs(or(&resource.ty.docs, &format!("What the plugin wants of a {}.", resource.ty.name))),
        closure: resource.methods.first().filter(|_| is_closure).map(|call| names.closure_type(call)),
        methods: methods
            .map(|(function, name)| host_function(names, &mut scope, function, name, (!is_closure).then_some("self")))
            .collect(),
    }
}
