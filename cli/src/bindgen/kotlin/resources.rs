//! Resources: a class for the plugin's objects, and an interface or a type of functions for what
//! the host gives.

use std::sync::Arc;

use undergo::interface::{Function, Resource, Shape, Side};

use super::text::{docs, identifier};
use super::types::Names;
use super::{HostFunction, Method, OF_ALL, declared, method, or, signature};
use crate::bindgen::layout::{Fields, Place, size};
use crate::bindgen::scope::Scope;
use crate::bindgen::surface::{Surface, item};

/// A class for objects of the plugin's.
pub(super) struct Guest {
    pub(super) class: String,
    pub(super) docs: String,
    /// Each with the name of the one that suspends.
    pub(super) methods: Vec<(Method, String)>,
}

/// What the host gives a plugin.
pub(super) struct Hosted {
    /// What it is called in the names of what writes it.
    pub(super) class: String,
    /// What it is in Kotlin.
    pub(super) ty: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
    /// The methods as the library finds them.
    pub(super) signatures: Vec<String>,
    /// Those of an object, or the only one of a function.
    pub(super) methods: Vec<HostFunction>,
    /// The type of a function: `(Long) -> Long`.
    pub(super) function: String,
    /// Writes what has no methods of the file's own.
    pub(super) put: String,
}

/// The classes of the plugin's objects.
pub(super) fn guests(names: &Names, surface: &Surface<'_>) -> Vec<Guest> {
    let is_object = |resource: &&Resource| resource.ty.side == Side::Guest && resource.ty.shape == Shape::Object;
    let guest = |resource: &Resource| {
        let mut scope = Scope::new(OF_ALL.into_iter().chain(["client", "close", "isClosed"]));
        let mut blocking = |function: &Arc<Function>| method(names, &mut scope, function, surface.place_of_own(function));
        let methods: Vec<_> = resource.methods.iter().map(&mut blocking).collect();
        let mut suspending = |method: Method| {
            let name = scope.take(format!("{}Async", method.name.trim_matches('`')));
            (method, name)
        };
        Guest {
            class: names.living(&resource.ty),
            docs: docs(or(&resource.ty.docs, &format!("A {} of the plugin.", resource.ty.name))),
            methods: methods.into_iter().map(&mut suspending).collect(),
        }
    };
    surface.resources.iter().filter(is_object).map(guest).collect()
}

/// The constructors, as methods beside the exports: `newDocument`.
pub(super) fn constructors(names: &Names, scope: &mut Scope, surface: &Surface<'_>) -> Vec<Method> {
    let guests = surface.resources.iter().filter(|resource| resource.ty.side == Side::Guest);
    let made = guests.filter_map(|resource| Some((resource, resource.constructor.as_ref()?)));
    let constructor = |(resource, function): (&Resource, &Arc<Function>)| {
        let name = scope.take(format!("new{}", names.living(&resource.ty)));
        Method { name, ..method(names, &mut Scope::default(), function, surface.place_of_own(function)) }
    };
    made.map(constructor).collect()
}

/// What the host gives.
pub(super) fn hosted(names: &Names, surface: &Surface<'_>) -> Vec<Hosted> {
    surface.resources.iter().filter(|resource| resource.ty.side == Side::Host).map(|resource| host(names, resource)).collect()
}

fn host(names: &Names, resource: &Resource) -> Hosted {
    let (class, shape, raw) = (names.class_of(&resource.ty), resource.ty.shape, names.lib("Raw"));
    let put = match (shape, item(resource)) {
        (Shape::Iterator, Some(item)) => {
            format!("{raw}.putItems(_to, _at, of{class}, _value.asIterable(), {}, {})", size(item), names.putter(item))
        }
        (Shape::Reader, _) => format!("{raw}.putReader(_to, _at, of{class}, _value)"),
        (Shape::Writer, _) => format!("{raw}.putWriter(_to, _at, of{class}, _value)"),
        _ => String::new(),
    };
    let has_methods = matches!(shape, Shape::Object | Shape::Callback);
    let mut scope = Scope::new(OF_ALL);
    let methods = if has_methods { &resource.methods[..] } else { &[] };
    let about = match shape {
        Shape::Callback => format!("The function {}.", resource.ty.name),
        _ => format!("What the plugin wants of a {}.", resource.ty.name),
    };
    Hosted {
        ty: names.living(&resource.ty),
        docs: docs(or(&resource.ty.docs, &about)),
        signatures: resource.methods.iter().map(|method| signature(names, "", method)).collect(),
        methods: methods.iter().map(|function| host_method(names, &mut scope, shape, function)).collect(),
        function: methods.first().map_or_else(String::new, |function| function_type(names, function)),
        class,
        shape,
        put,
    }
}

/// `(Long) -> Long`
fn function_type(names: &Names, function: &Function) -> String {
    let params: Vec<String> = function.own_params().iter().map(|param| names.show(&param.ty)).collect();
    let result = function.result.as_ref().map_or_else(|| names.std("Unit"), |ty| names.show(ty));
    format!("({}) -> {result}", params.join(", "))
}

fn host_method(names: &Names, scope: &mut Scope, shape: Shape, function: &Function) -> HostFunction {
    let wit = function.name.rsplit('.').next().unwrap_or(&function.name);
    let name = scope.take_quoted(identifier(wit));
    let offsets = Fields::of(function.own_params().iter().map(|param| &param.ty)).offsets;
    let args = function.own_params().iter().zip(offsets).map(|(param, offset)| names.get(&param.ty, &Place("_args", offset), "_client"));
    let args = args.collect::<Vec<_>>().join(", ");
    let also = if function.fallible { "\n\nAn exception that it throws is the error that the plugin gets." } else { "" };
    HostFunction {
        docs: docs(&format!("{}{also}", or(&function.docs, &format!("The function {wit}.")))),
        signature: String::new(),
        params: declared(names, function, function.own_params().len()),
        result: function.result.as_ref().map(|ty| names.show(ty)),
        call: if shape == Shape::Callback { format!("_value({args})") } else { format!("_value.{name}({args})") },
        puts: function.result.as_ref().map_or_else(Vec::new, |ty| names.put(ty, "_room", &Place("_result", 0), "_answer")),
        name,
    }
}
