//! Functions as typed methods.

use std::sync::Arc;

use undergo::interface::{Field, Function, Resource, Side, TypeKind};

use super::text::{call, docstring, identifier, is_method, signature};
use super::types::{Direction, Names, Shown};
use crate::bindgen::scope::Scope;

/// An export: a method that calls it.
pub(super) struct Method {
    pub(super) name: String,
    pub(super) signature: String,
    pub(super) docs: String,
    /// The statement that calls the function.
    pub(super) call: String,
    /// The variable that has what it gave.
    pub(super) result: Option<&'static str>,
}

/// An import: a method of a protocol.
pub(super) struct HostMethod {
    pub(super) signature: String,
    pub(super) docs: String,
}

/// The methods of a resource's objects. Those of a guest's are called like the functions of the
/// plugin, and those of a host's are called by it.
pub(super) fn object_methods(names: &Names, resource: &Resource) -> Vec<HostMethod> {
    let (is_guests, ty) = (resource.ty.side == Side::Guest, &resource.ty);
    let mut scope = Scope::default();
    let named = ty.methods.iter().zip(&resource.methods).filter(|(name, _)| is_method(name));
    let named = named.map(|(name, method)| (method, if is_guests { of_object(name) } else { identifier(name) }));
    let named: Vec<_> = named.filter(|(_, name)| scope.take(name.clone()) == *name).collect();
    let hidden = if is_guests { &["close", "closed"][..] } else { &[] };
    let shown = names.shadowed_by(named.iter().map(|(_, name)| &**name).chain(hidden.iter().copied()));
    let one = |(method, name): &(&Arc<Function>, String)| {
        if is_guests { guest_method(names, &shown, method, name) } else { host_method(&shown, method, name) }
    };
    named.iter().map(one).collect()
}

fn guest_method(names: &Names, shown: &Shown<'_>, function: &Function, name: &str) -> HostMethod {
    let params = parameters(shown, function.own_params());
    let params = params.into_iter().map(|(_, text)| text);
    HostMethod {
        signature: signature(name, params, &shown.result(function, Direction::FromGuest)),
        docs: docstring(&docs(names, function)),
    }
}

/// The name of a method, beside what every object of a guest has.
fn of_object(kebab: &str) -> String {
    let name = identifier(kebab);
    if ["aclose", "close", "closed"].contains(&name.as_str()) { name + "_" } else { name }
}

/// The method that calls a constructor.
pub(super) fn constructor(names: &Names, taken: &[Method], resource: &Resource) -> Option<Method> {
    let function = resource.constructor.as_ref()?;
    let name = format!("new_{}", identifier(&resource.ty.name));
    let shown = names.shadowed_by(taken.iter().map(|method| &*method.name).chain([&*name]));
    Some(method(names, &shown, function, &name, &run_time_class(&resource.ty.name)))
}

/// The name of a resource's class among the exports.
fn run_time_class(kebab: &str) -> String {
    let name = undergo::interface::names::pascal(kebab);
    if super::text::KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// The methods for exports, whose names are out of the way of each other and of the classes' own
/// members. Without those that can't be methods.
pub(super) fn methods(names: &Names, exports: &[&Arc<Function>]) -> Vec<Method> {
    let mut scope = Scope::new(["_exports", "_instance", "_pool", "instance", "load", "pool", "using"]);
    let named = exports.iter().filter(|export| is_method(&export.name)).map(|export| (export, scope.take(identifier(&export.name))));
    let named: Vec<_> = named.collect();
    let shown = names.shadowed_by(named.iter().map(|(_, name)| &**name));
    named.iter().map(|(export, name)| method(names, &shown, export, name, &identifier(&export.name))).collect()
}

/// The methods for imports, whose names are what the package looks for: of two that are the same
/// the second is left out.
pub(super) fn host_methods(names: &Names, imports: &[&Arc<Function>]) -> Vec<HostMethod> {
    let mut scope = Scope::default();
    let named = imports.iter().filter(|import| is_method(&import.name)).map(|import| (import, identifier(&import.name)));
    let named: Vec<_> = named.filter(|(_, name)| scope.take(name.clone()) == *name).collect();
    let shown = names.shadowed_by(named.iter().map(|(_, name)| &**name));
    named.iter().map(|(import, name)| host_method(&shown, import, name)).collect()
}

/// Parameters with their names.
fn parameters(shown: &Shown<'_>, params: &[Field]) -> Vec<(String, String)> {
    let last_needed = params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_)));
    let one = |(i, param): (usize, &Field)| {
        let (ident, default) = (parameter(&param.name), if last_needed.is_none_or(|last| i > last) { " = None" } else { "" });
        let text = format!("{ident}: {}{default}", shown.show(&param.ty, Direction::ToGuest));
        (ident, text)
    };
    params.iter().enumerate().map(one).collect()
}

/// `shown` is how types are written in the class, `export` the name among the exports.
fn method(names: &Names, shown: &Shown<'_>, function: &Function, name: &str, export: &str) -> Method {
    let (idents, params): (Vec<String>, Vec<String>) = parameters(shown, &function.params).into_iter().unzip();
    let result = function.result.as_ref().map(|ty| {
        let local = if idents.iter().any(|ident| ident == "result") { "result_" } else { "result" };
        let inner = names.shadowed_by(idents.iter().map(String::as_str));
        (local, format!("{local}: {} = ", inner.show(ty, Direction::FromGuest)))
    });
    Method {
        name: name.to_owned(),
        signature: signature(name, params.into_iter(), &shown.result(function, Direction::FromGuest)),
        docs: docstring(&docs(names, function)),
        call: call(8, result.as_ref().map_or("", |(_, assigned)| assigned), &format!("self._exports.{export}("), &idents.join(", ")),
        result: result.map(|(local, _)| local),
    }
}

fn host_method(shown: &Shown<'_>, function: &Function, name: &str) -> HostMethod {
    let params = function.params.iter().map(|param| format!("{}: {}", parameter(&param.name), shown.show(&param.ty, Direction::FromGuest)));
    // The plugin passes them by position, so that a host may name them as it likes.
    let params = params.chain((!function.params.is_empty()).then(|| "/".to_owned()));
    let fails = if function.fallible { "\n\nAn exception that it raises is the error that the plugin gets." } else { "" };
    HostMethod {
        signature: signature(name, params, &shown.result(function, Direction::ToGuest)),
        docs: docstring(&(said(function) + fails)),
    }
}

/// A parameter's name: `self` is taken.
fn parameter(kebab: &str) -> String {
    let name = identifier(kebab);
    if name == "self" { "self_".to_owned() } else { name }
}

fn docs(names: &Names, function: &Function) -> String {
    let mut docs = said(function);
    if function.fallible {
        docs.push_str("\n\nRaises:\n    undergo.GuestError: the function returned an error.");
        // The first has a text alone.
        let declared: Vec<String> = function.errors.iter().flat_map(|errors| &errors.cases[1..]).map(|case| names.of(&case.name)).collect();
        if !declared.is_empty() {
            docs.push_str(&format!("\n    {}: the same with fields.", declared.join(", ")));
        }
    }
    docs
}

fn said(function: &Function) -> String {
    if function.docs.is_empty() { format!("Call {}.", function.name) } else { function.docs.clone() }
}
