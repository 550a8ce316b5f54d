//! Functions as typed methods.

use undergo::interface::{Function, TypeKind};

use super::text::{Lines, identifier, is_method};
use super::types::{Direction, Names, Shown};
use crate::bindgen::scope::Scope;

/// Who runs the function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// An export: a method that calls it.
    Guest,
    /// An import: a method of a protocol.
    Host,
}

/// The names of the methods for exports: out of the way of each other and of the classes' own
/// members. `None` for one that can't be a method.
pub(super) fn methods<'n>(exports: impl Iterator<Item = &'n str>) -> Vec<Option<String>> {
    let mut scope = Scope::new(["_exports", "_instance", "_pool", "instance", "load", "pool", "using"]);
    exports.map(|export| is_method(export).then(|| scope.take(identifier(export)))).collect()
}

/// The names of a host's methods for imports: these are what the package looks for, so that of two
/// that are the same the second is left out.
pub(super) fn host_methods<'n>(imports: impl Iterator<Item = &'n str>) -> Vec<Option<String>> {
    let mut scope = Scope::default();
    let name = |import| Some(identifier(import)).filter(|name| is_method(import) && scope.take(name.clone()) == *name);
    imports.map(name).collect()
}

/// Writes a method. `shown` is how types are written in the class.
pub(super) fn write(out: &mut Lines, function: &Function, name: &str, shown: &Shown, names: &Names, owner: Owner) {
    let (given, answered) = match owner {
        Owner::Guest => (Direction::ToGuest, Direction::FromGuest),
        Owner::Host => (Direction::FromGuest, Direction::ToGuest),
    };
    let idents: Vec<String> = function.params.iter().map(|param| parameter(&param.name)).collect();
    let last_needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_)));
    let mut params = vec!["self".to_owned()];
    for (i, (param, ident)) in function.params.iter().zip(&idents).enumerate() {
        let optional = owner == Owner::Guest && last_needed.is_none_or(|last| i > last);
        let default = if optional { " = None" } else { "" };
        params.push(format!("{ident}: {}{default}", shown.show(&param.ty, given)));
    }
    if owner == Owner::Host && !idents.is_empty() {
        // The plugin passes them by position, so that a host may name them as it likes.
        params.push("/".to_owned());
    }
    let result = function.result.as_ref().map_or_else(|| "None".to_owned(), |ty| shown.show(ty, answered));
    out.signature(1, name, &params, &result, ":");
    let docs = docs(function, names, owner);
    out.docstring(2, &docs);
    if owner == Owner::Host {
        return;
    }
    let target = format!("self._exports.{}(", identifier(&function.name));
    let arguments = idents.join(", ");
    match &function.result {
        None => out.call(2, "", &target, &arguments),
        Some(ty) => {
            let inner = names.shadowed_by(idents.iter().map(String::as_str));
            let local = if idents.iter().any(|ident| ident == "result") { "result_" } else { "result" };
            out.call(2, &format!("{local}: {} = ", inner.show(ty, answered)), &target, &arguments);
            out.line(2, &format!("return {local}"));
        }
    }
}

/// A parameter's name: `self` is taken.
fn parameter(kebab: &str) -> String {
    let name = identifier(kebab);
    if name == "self" { "self_".to_owned() } else { name }
}

fn docs(function: &Function, names: &Names, owner: Owner) -> String {
    let mut docs = if function.docs.is_empty() { format!("Call {}.", function.name) } else { function.docs.clone() };
    if function.fallible {
        docs.push_str(match owner {
            Owner::Guest => "\n\nRaises:\n    undergo.GuestError: the function returned an error.",
            Owner::Host => "\n\nAn exception that it raises is the error that the plugin gets.",
        });
        // The first has a text alone.
        let declared: Vec<String> = function.errors.iter().flat_map(|errors| &errors.cases[1..]).map(|case| names.of(&case.name)).collect();
        if !declared.is_empty() && owner == Owner::Guest {
            docs.push_str(&format!("\n    {}: the same with fields.", declared.join(", ")));
        }
    }
    docs
}
