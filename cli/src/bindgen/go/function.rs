//! Functions: those of the plugin as methods, and the host's.

use std::sync::Arc;

use undergo::interface::{Field, Function, Type, TypeKind};

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

pub(super) struct Export {
    pub(super) function: Typed,
    /// Expressions that write the arguments for C.
    pub(super) lowered: Vec<String>,
    pub(super) results: Vec<Returned>,
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

pub(super) struct HostFunction {
    pub(super) function: Typed,
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
    let params: String = parameters(function).iter().zip(&function.params).map(param).collect();
    let returned: String = results(function).into_iter().map(|ty| names.show(ty) + ", ").collect();
    let returned = if returned.is_empty() { "error".to_owned() } else { format!("({returned}error)") };
    let interface = interface.map_or_else(String::new, |name| format!("Interface: {}, ", literal(name)));
    let (wit, text_of_it, digest) = (literal(&function.name), literal(&function.to_string()), function.digest());
    Typed {
        docs: docs(or(&function.docs, &format!("{name} {text} {}.", function.name))),
        name,
        signature: format!("(ctx context.Context{params}) {returned}"),
        known: format!("{{{interface}Name: {wit}, Signature: {text_of_it}, Digest: {digest:#018x}}}"),
        raw_args: names.raw_fields(function.params.iter().map(|param| &param.ty)),
        raw_result: function.result.as_ref().map_or_else(|| "undergo.RawEmpty".to_owned(), |ty| names.raw(ty)),
    }
}

/// The exports as methods of one type.
pub(super) fn exports(names: &Names, functions: &[&Arc<Function>]) -> Vec<Export> {
    let export = |(name, function): (String, &Function)| {
        let lower = |(param, field): (&String, &Field)| names.lower(&field.ty, param, "&c.Writer");
        let result = |(i, ty)| {
            let from = if is_tuple(function) { format!("c.Result.V{i}") } else { "c.Result".to_owned() };
            Returned { ty: names.show(ty), lifted: names.lift(ty, &from) }
        };
        Export {
            lowered: parameters(function).iter().zip(&function.params).map(lower).collect(),
            results: results(function).into_iter().enumerate().map(result).collect(),
            function: typed(names, None, function, name, "calls"),
        }
    };
    named(functions).map(export).collect()
}

pub(super) fn import(names: &Names, import: &Imported<'_>, class: String, with: String) -> Import {
    let function = |(name, function): (String, &Function)| {
        let lift = |(i, param): (usize, &Field)| format!(", {}", names.lift(&param.ty, &format!("a.V{i}")));
        let result = |(i, ty)| {
            let (name, place) =
                if is_tuple(function) { (format!("v{i}"), format!("r.V{i}")) } else { ("result".to_owned(), "*r".to_owned()) };
            HostResult { lowered: names.lower(ty, &name, "w"), name, place }
        };
        HostFunction {
            lifted: function.params.iter().enumerate().map(lift).collect(),
            results: results(function).into_iter().enumerate().map(result).collect(),
            has_errors: function.errors.is_some(),
            function: typed(names, Some(import.name), function, name, "is the function"),
        }
    };
    let functions = named(&import.functions).map(function).collect();
    let about = docs(&format!("{class} is what the host gives as {}.", import.name));
    Import { class, with, docs: about, functions }
}

/// Functions with the names of their methods.
fn named<'f>(functions: &[&'f Arc<Function>]) -> impl Iterator<Item = (String, &'f Function)> {
    let mut scope = Scope::new([]);
    functions.iter().map(move |function| (scope.exported(&function.name), &***function))
}

/// The names of a function's parameters in Go.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::of_params();
    function.params.iter().map(|param| scope.param(&param.name)).collect()
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
