//! What stands for resources: a struct for the guest's objects, and a trait for those of the host.

use std::sync::Arc;

use undergo::interface::{Function, Resource as Declared, Shape, Side};

use super::super::scope::Scope;
use super::text::{docs, literal};
use super::types::Names;
use super::{Export, HostFunction, MOST_ARGUMENTS, MOST_PARAMS, export, host_function, or};

/// A resource of the guest.
pub(super) struct Resource {
    pub(super) class: String,
    pub(super) docs: String,
    pub(super) wit: String,
    pub(super) methods: Vec<Export>,
}

/// A resource whose objects are the host's.
pub(super) struct Object {
    /// What its objects are for the plugin.
    pub(super) class: String,
    /// The trait, and the one whose functions are awaited.
    pub(super) name: String,
    pub(super) awaited: String,
    pub(super) docs: String,
    pub(super) wit: String,
    pub(super) methods: Vec<HostFunction>,
    /// Whether all of its methods can be closures.
    pub(super) is_whole: bool,
}

/// Whether a function is left out, because it has more parameters than that; what kind it is comes
/// first.
type Left<'l> = dyn FnMut(&str, &Function, usize) -> bool + 'l;

fn of(side: Side) -> impl Fn(&&Declared) -> bool {
    move |resource| resource.ty.side == side && resource.ty.shape == Shape::Object
}

pub(super) fn resources<'r>(names: &Names<'_>, all: impl Iterator<Item = &'r Declared>, left: &mut Left<'_>) -> Vec<Resource> {
    let resource = |resource: &Declared| {
        let mut scope = Scope::new(["clone", "close", "close_async", "eq", "fmt"]);
        let kept: Vec<&Arc<Function>> = resource.methods.iter().filter(|method| left("method", method, MOST_PARAMS)).collect();
        Resource {
            class: names.object(&resource.ty),
            docs: docs("///", or(&resource.ty.docs, &format!("A {} of the plugin.", resource.ty.name))),
            wit: literal(&resource.ty.name),
            methods: kept.into_iter().map(|method| export(names, &mut scope, method, "new")).collect(),
        }
    };
    all.filter(of(Side::Guest)).map(resource).collect()
}

pub(super) fn objects<'r>(names: &mut Names<'_>, all: impl Iterator<Item = &'r Declared>, left: &mut Left<'_>) -> Vec<Object> {
    let mut objects = Vec::new();
    for resource in all.filter(of(Side::Host)) {
        let (name, awaited) = (names.declare(&resource.ty.name), names.declare(&format!("async-{}", resource.ty.name)));
        let mut scope = Scope::default();
        let kept: Vec<&Arc<Function>> = resource.methods.iter().filter(|method| left("method", method, MOST_ARGUMENTS)).collect();
        let is_whole = kept.len() == resource.methods.len();
        let method = |method: &Arc<Function>| host_function(names, &mut scope, method);
        objects.push(Object {
            class: names.object(&resource.ty),
            docs: docs("///", or(&resource.ty.docs, &format!("What the plugin wants of a {}.", resource.ty.name))),
            wit: literal(&resource.ty.name),
            methods: kept.into_iter().map(method).collect(),
            is_whole,
            name,
            awaited,
        });
    }
    objects
}
