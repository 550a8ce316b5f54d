//! Finds the resources of a world: before any type is read, because their functions may have each
//! other's handles.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use wit_parser::{FunctionKind, InterfaceId, Resolve, TypeDefKind, TypeId, WorldId, WorldItem, WorldKey};

use super::errors::unaliased;
use super::{Sort, check_names, docs, invalid, is_go_type, is_wasi, waited_for};
use crate::error::Result;
use crate::interface::resource::{ResourceType, Shape, Side};
use crate::interface::types::{Extension, Function, Holds, Scalar, Type, TypeKind};

const HOST_STREAMS: &str = "undergo:go/host-streams";
const GUEST_STREAMS: &str = "undergo:go/guest-streams";

/// How many resources there have been.
static RESOURCES: AtomicU32 = AtomicU32::new(0);

/// The resources of the interfaces that a world imports and exports.
pub(super) fn resources(
    resolve: &Resolve,
    world: WorldId,
    renamed: &HashMap<TypeId, String>,
) -> Result<HashMap<TypeId, Arc<ResourceType>>> {
    let world = &resolve.worlds[world];
    let package = world.package.map(|id| &resolve.packages[id].name);
    let callbacks = package.map(|name| name.interface_id("callbacks"));
    let mut found = HashMap::new();
    let mut seen = HashSet::new();
    for (items, side) in [(&world.imports, Side::Host), (&world.exports, Side::Guest)] {
        for (key, item) in items {
            let WorldItem::Interface { id, .. } = item else { continue };
            if is_wasi(resolve, key) {
                continue;
            }
            let name = interface_name(resolve, key);
            let types = resolve.interfaces[*id].types.iter().filter(|(_, ty)| matches!(resolve.types[**ty].kind, TypeDefKind::Resource));
            for (resource, ty) in types {
                if !seen.insert(*ty) {
                    return Err(invalid(format!("the interface {name} has resources, and is both imported and exported")));
                }
                let methods = methods(resolve, *id, *ty);
                check_names("a method", methods.iter().map(String::as_str))?;
                let shape = if name == HOST_STREAMS || name == GUEST_STREAMS {
                    if resource == "reader" { Shape::Reader } else { Shape::Writer }
                } else if side == Side::Host && (Some(&name) == callbacks.as_ref() || methods == ["call"] && is_of_plugin(&name)) {
                    Shape::Callback
                } else if methods == ["next"] && takes_batch(resolve, *id, resource) {
                    Shape::Iterator
                } else {
                    Shape::Object
                };
                let docs = docs(&resolve.types[*ty].docs);
                let number = found.len();
                let (core_name, interface, extension) = (resource.clone(), name.clone(), Extension::default());
                let name = renamed.get(ty).unwrap_or(resource).clone();
                let (id, functions) = (RESOURCES.fetch_add(1, Ordering::Relaxed), OnceLock::new());
                let made =
                    Arc::new(ResourceType { name, docs, side, shape, methods, extension, number, interface, core_name, id, functions });
                found.insert(*ty, made);
            }
        }
    }
    Ok(found)
}

/// Whether an interface is that of a plugin's callbacks. The world of a component is in a package
/// of its own.
fn is_of_plugin(interface: &str) -> bool {
    interface.strip_prefix("undergo:").is_some_and(|rest| rest.ends_with("/callbacks"))
}

/// The interface as core names have it.
pub(super) fn interface_name(resolve: &Resolve, key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => resolve.id_of(*id).unwrap_or_default(),
    }
}

/// The names of a resource's methods.
fn methods(resolve: &Resolve, interface: InterfaceId, resource: TypeId) -> Vec<String> {
    let functions = resolve.interfaces[interface].functions.values();
    let own = functions.filter(|function| waited_for(&function.kind) == FunctionKind::Method(resource));
    own.map(|function| method_name(&function.name).to_owned()).collect()
}

/// `title` of `[method]document.title`.
pub(super) fn method_name(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// Whether the method `next` of a resource takes the number of items that `undergo:go` has a type
/// for: this is how iterators are told from other resources with a method of that name.
fn takes_batch(resolve: &Resolve, interface: InterfaceId, resource: &str) -> bool {
    let next = resolve.interfaces[interface].functions.get(&format!("[method]{resource}.next"));
    next.is_some_and(|next| match next.params.as_slice() {
        [_, most] => is_go_type(resolve, most.ty, "batch"),
        _ => false,
    })
}

/// The resource of a handle.
pub(super) fn resource_of(resolve: &Resolve, handle: wit_parser::Handle) -> Option<(TypeId, bool)> {
    let (id, is_own) = match handle {
        wit_parser::Handle::Own(id) => (id, true),
        wit_parser::Handle::Borrow(id) => (id, false),
    };
    Some((unaliased(resolve, wit_parser::Type::Id(id))?, is_own))
}

/// Checks that a method has the types that its resource's shape promises.
pub(super) fn check_shape(resource: &ResourceType, methods: &[Arc<Function>]) -> Result<()> {
    let fits = match resource.shape {
        Shape::Object => true,
        Shape::Callback => resource.methods == ["call"],
        Shape::Iterator => methods.iter().all(|next| !next.fallible && next.result.as_ref().is_some_and(is_batch)),
        Shape::Reader => {
            resource.methods == ["read", "close"]
                && is(&methods[0], &[&|ty| is_scalar(ty, Scalar::U32)], |result| result.is_some_and(is_bytes))
                && is(&methods[1], &[], |result| result.is_none())
        }
        Shape::Writer => {
            resource.methods == ["write", "close"]
                && is(&methods[0], &[&is_bytes], |result| result.is_none())
                && is(&methods[1], &[], |result| result.is_none())
        }
    };
    if fits {
        Ok(())
    } else {
        Err(invalid(format!("the resource {} of {} has other methods than these have", resource.name, resource.interface)))
    }
}

/// Whether a function that can fail with a text has these types.
fn is(function: &Function, params: &[&dyn Fn(&Type) -> bool], result: impl FnOnce(Option<&Type>) -> bool) -> bool {
    let own = function.own_params();
    own.len() == params.len()
        && own.iter().zip(params).all(|(param, fits)| fits(&param.ty))
        && function.fallible
        && function.errors.is_none()
        && result(function.result.as_ref())
}

fn is_scalar(ty: &Type, scalar: Scalar) -> bool {
    matches!(ty.kind, TypeKind::Scalar(own) if own == scalar)
}

fn is_bytes(ty: &Type) -> bool {
    matches!(&ty.kind, TypeKind::List(item) if is_scalar(item, Scalar::U8))
}

/// What an iterator gives: items, and whether there are no more.
fn is_batch(ty: &Type) -> bool {
    match &ty.kind {
        TypeKind::Tuple(both) => match both.items.as_slice() {
            [items, end] => matches!(items.kind, TypeKind::List(_)) && matches!(end.kind, TypeKind::Bool),
            _ => false,
        },
        _ => false,
    }
}

/// Which handles a function may take and give: see docs/abi.md, section 10.
pub(super) fn check_handles(function: &Function, side: Side, sort: Sort) -> Result<()> {
    let any = [Holds::GUEST_OWN, Holds::GUEST_BORROW, Holds::HOST_OWN, Holds::HOST_BORROW].into_iter().fold(Holds::NONE, Holds::with);
    let own = Holds::GUEST_OWN.with(Holds::HOST_OWN);
    let (taken, given) = match (side, sort) {
        (Side::Guest, Sort::Module) => (any, Holds::GUEST_OWN),
        (Side::Host, Sort::Module) => (Holds::HOST_OWN.with(Holds::HOST_BORROW), Holds::HOST_OWN),
        (Side::Guest, Sort::Component) => (any, own),
        (Side::Host, Sort::Component) => (own.with(Holds::HOST_BORROW), own),
    };
    let fits = function.own_params().iter().all(|param| param.ty.holds.is_within(taken))
        && function.result.as_ref().is_none_or(|result| result.holds.is_within(given));
    if fits {
        return Ok(());
    }
    let text = match side {
        _ if sort == Sort::Component => "it lends an object of the component to the host",
        Side::Guest => "it gives a handle of an object of the host, or a borrowed one",
        Side::Host => "functions of the host take and give handles of objects of the host only",
    };
    Err(invalid(format!("function {}: {text}", function.name)))
}
