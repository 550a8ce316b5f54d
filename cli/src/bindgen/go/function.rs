//! Functions: those of the plugin as methods, and the host's.

use std::sync::Arc;

use undergo::interface::{Field, Function, Resource, Shape, Side, Type, TypeKind};

use super::or;
use super::text::{Scope, docs, literal};
use super::types::Names;
use crate::bindgen::surface::Imported;

/// What a function is in all places.
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) docs: String,
    /// `(ctx context.Context, p Person, shout bool) (string, error)`
    pub(super) signature: String,
    /// The fields by which the package's runtime knows it.
    pub(super) known: String,
    /// The struct of its arguments, and its result, as C has them.
    pub(super) raw_args: String,
    pub(super) raw_result: String,
}

/// An export, or a constructor or a method of a resource of the plugin's.
pub(super) struct Export {
    pub(super) function: Typed,
    /// The variable that has it.
    pub(super) variable: String,
    /// `client *Guest`, and what has the client: `client.client`.
    pub(super) receiver: String,
    pub(super) client: &'static str,
    /// Expressions that write the arguments for C.
    pub(super) lowered: Vec<String>,
    pub(super) results: Vec<Returned>,
    /// Whether the results have handles.
    pub(super) gives_handles: bool,
}

/// What a function returns besides its error.
pub(super) struct Returned {
    pub(super) ty: String,
    /// An expression that reads it from C.
    pub(super) lifted: String,
}

/// An interface whose functions the host gives.
pub(super) struct Import {
    /// Its interface in Go, and the function that gives its methods to the plugin.
    pub(super) class: String,
    pub(super) with: String,
    pub(super) docs: String,
    pub(super) functions: Vec<HostFunction>,
}

/// An object of the plugin's.
pub(super) struct Object {
    pub(super) class: String,
    pub(super) docs: String,
    /// Its name in WIT, as a literal.
    pub(super) wit: String,
}

/// An object or a function of the host's.
pub(super) struct Hosted {
    pub(super) class: String,
    pub(super) docs: String,
    pub(super) wit: String,
    /// Whether it is a function, which is the only method then.
    pub(super) is_function: bool,
    pub(super) methods: Vec<HostFunction>,
}

pub(super) struct HostFunction {
    pub(super) function: Typed,
    /// What is called: `functions.Lookup`.
    pub(super) called: String,
    pub(super) digest: String,
    /// `, liftShape(a.V0)`
    pub(super) lifted: String,
    pub(super) results: Vec<HostResult>,
    /// Whether its errors may have fields.
    pub(super) has_errors: bool,
}

/// What a function of the host returns besides its error.
pub(super) struct HostResult {
    pub(super) name: String,
    /// Where C wants it, and an expression that writes it.
    pub(super) place: String,
    pub(super) lowered: String,
}

fn typed(names: &Names, interface: Option<&str>, function: &Function, name: String, text: &str) -> Typed {
    let param = |(name, field): (&String, &Field)| format!(", {name} {}", names.show(&field.ty));
    let params: String = parameters(function).iter().zip(function.own_params()).map(param).collect();
    let returned: String = results(function).into_iter().map(|ty| names.show(ty) + ", ").collect();
    let returned = if returned.is_empty() { "error".to_owned() } else { format!("({returned}error)") };
    let interface = interface.map_or_else(String::new, |name| format!("Interface: {}, ", literal(name)));
    let (wit, text_of_it, digest) = (literal(&function.name), literal(&function.to_string()), function.digest());
    Typed {
        docs: docs(or(&function.docs, &format!("{name} {text} {}.", function.name))),
        name,
        signature: format!("(ctx context.Context{params}) {returned}"),
        known: format!("{{{interface}Name: {wit}, Signature: {text_of_it}, Digest: {digest:#018x}}}"),
        raw_args: names.raw_fields(passed(function).iter().map(|param| &param.ty)),
        raw_result: function.result.as_ref().map_or_else(|| "undergo.RawEmpty".to_owned(), |ty| names.raw(ty)),
    }
}

/// The exports as methods of one type, with what makes objects; then the methods of these.
pub(super) fn exports(names: &Names, class: &str, functions: &[&Arc<Function>], resources: &[Resource]) -> Vec<Export> {
    let (mut scope, mut variables) = (Scope::new([]), Scope::new([]));
    let mut all = Vec::new();
    for function in functions {
        let name = scope.exported(&function.name);
        let variable = variables.take(format!("export{name}"));
        all.push(export(names, function, name, variable, format!("client *{class}"), "calls"));
    }
    let objects = || resources.iter().filter(|resource| resource.ty.side == Side::Guest && resource.ty.shape == Shape::Object);
    for (resource, constructor) in objects().filter_map(|resource| Some((resource, resource.constructor.as_ref()?))) {
        let name = scope.take(format!("New{}", names.of_resource(&resource.ty)));
        let variable = variables.take(format!("export{name}"));
        all.push(export(names, constructor, name, variable, format!("client *{class}"), "makes a"));
    }
    for resource in objects() {
        let class = names.of_resource(&resource.ty);
        // What all objects have.
        let mut scope = Scope::new(["Close", "Do", "IsOpen", "Object", "Plugin", "Resource", "String"]);
        for method in &resource.methods {
            let name = scope.exported(own_name(method));
            let variable = variables.take(format!("method{class}{name}"));
            all.push(export(names, method, name, variable, format!("object *{class}"), "calls"));
        }
    }
    all
}

fn export(names: &Names, function: &Function, name: String, variable: String, receiver: String, does: &str) -> Export {
    let lower = |(param, field): (&String, &Field)| names.lower(&field.ty, param, "&c.Writer");
    let result = |(i, ty)| {
        let from = if is_tuple(function) { format!("c.Result.V{i}") } else { "c.Result".to_owned() };
        Returned { ty: names.show(ty), lifted: names.lift(ty, &from) }
    };
    let this = function.is_method.then(|| names.lower(&function.params[0].ty, "object", "&c.Writer"));
    let own = parameters(function);
    Export {
        lowered: this.into_iter().chain(own.iter().zip(function.own_params()).map(lower)).collect(),
        results: results(function).into_iter().enumerate().map(result).collect(),
        gives_handles: function.result.as_ref().is_some_and(|ty| ty.holds_handles_of(Side::Guest)),
        client: if function.is_method { "object.client" } else { "client.client" },
        function: typed(names, None, function, name, does),
        variable,
        receiver,
    }
}

/// The types of the plugin's objects.
pub(super) fn objects(names: &Names, resources: &[Resource]) -> Vec<Object> {
    let object = |resource: &Resource| {
        let class = names.of_resource(&resource.ty);
        Object {
            docs: docs(or(&resource.ty.docs, &format!("{class} is an object of the resource {}.", resource.ty.name))),
            wit: literal(&resource.ty.name),
            class,
        }
    };
    let guests = resources.iter().filter(|resource| resource.ty.side == Side::Guest && resource.ty.shape == Shape::Object);
    guests.map(object).collect()
}

/// The types of the host's objects and functions.
pub(super) fn hosted(names: &Names, resources: &[Resource]) -> Vec<Hosted> {
    let hosted = |resource: &Resource| {
        let class = names.of_resource(&resource.ty);
        let is_function = resource.ty.shape == Shape::Callback;
        let mut scope = Scope::new([]);
        let method = |method: &Arc<Function>| {
            let name = scope.exported(own_name(method));
            let called = if is_function { "v".to_owned() } else { format!("v.{name}") };
            host_function(names, Some(&resource.ty.name), method, name, called)
        };
        let what = if is_function { "a function" } else { "an object" };
        Hosted {
            docs: docs(or(&resource.ty.docs, &format!("{class} is {what} of the host: {}.", resource.ty.name))),
            wit: literal(&resource.ty.name),
            methods: resource.methods.iter().map(method).collect(),
            is_function,
            class,
        }
    };
    let hosts = resources.iter().filter(|resource| resource.ty.side == Side::Host);
    hosts.filter(|resource| matches!(resource.ty.shape, Shape::Object | Shape::Callback)).map(hosted).collect()
}

pub(super) fn import(names: &Names, import: &Imported<'_>, class: String, with: String) -> Import {
    let function = |(name, function): (String, &Function)| {
        let called = format!("functions.{name}");
        host_function(names, Some(import.name), function, name, called)
    };
    let functions = named(&import.functions).map(function).collect();
    let about = docs(&format!("{class} is what the host gives as {}.", import.name));
    Import { class, with, docs: about, functions }
}

fn host_function(names: &Names, interface: Option<&str>, function: &Function, name: String, called: String) -> HostFunction {
    let lift = |(i, param): (usize, &Field)| format!(", {}", names.lift(&param.ty, &format!("a.V{i}")));
    let result = |(i, ty)| {
        let (name, place) = if is_tuple(function) { (format!("v{i}"), format!("r.V{i}")) } else { ("result".to_owned(), "*r".to_owned()) };
        HostResult { lowered: names.lower(ty, &name, "w"), name, place }
    };
    HostFunction {
        lifted: function.own_params().iter().enumerate().map(lift).collect(),
        results: results(function).into_iter().enumerate().map(result).collect(),
        has_errors: function.errors.is_some(),
        digest: format!("{:#018x}", function.digest()),
        function: typed(names, interface, function, name, "is the function"),
        called,
    }
}

/// What the struct of the arguments has: a method of the host's gets no object, which it knows.
fn passed(function: &Function) -> &[Field] {
    let is_hosts = |param: &Field| matches!(&param.ty.kind, TypeKind::Borrow(resource) if resource.side == Side::Host);
    if function.is_method && function.params.first().is_some_and(is_hosts) { function.own_params() } else { &function.params }
}

/// The name of a method without its resource.
fn own_name(function: &Function) -> &str {
    function.name.split_once('.').map_or(&function.name, |(_, name)| name)
}

/// Functions with the names of their methods.
fn named<'f>(functions: &[&'f Arc<Function>]) -> impl Iterator<Item = (String, &'f Function)> {
    let mut scope = Scope::new([]);
    functions.iter().map(move |function| (scope.exported(&function.name), &***function))
}

/// The names of a function's parameters in Go.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::of_params();
    function.own_params().iter().map(|param| scope.param(&param.name)).collect()
}

fn results(function: &Function) -> Vec<&Type> {
    match &function.result {
        None => Vec::new(),
        Some(Type { kind: TypeKind::Tuple(tuple), .. }) => tuple.items.iter().collect(),
        Some(ty) => vec![ty],
    }
}

fn is_tuple(function: &Function) -> bool {
    matches!(function.result, Some(Type { kind: TypeKind::Tuple(_), .. }))
}
