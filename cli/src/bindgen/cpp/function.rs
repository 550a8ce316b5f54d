//! Functions as methods.

use std::collections::BTreeSet;

use undergo::interface::{Function, TypeKind};

use super::types::Types;
use crate::bindgen::c::text::{all_alone, alone, comment};

/// What the classes have themselves.
const MEMBERS: [&str; 8] = ["instance", "load", "make", "pool", "try_load", "try_make", "view", "with"];

pub(super) struct Method {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) result: String,
    /// `const Person &p`
    pub(super) params: Vec<String>,
    /// `, p, shout`
    pub(super) args: String,
}

/// The names of methods for exports: out of the way of the classes' own members, and of each other,
/// with and without `try_`.
pub(super) fn methods<'a>(exports: impl Iterator<Item = &'a str>, classes: &[&str]) -> Vec<String> {
    let mut taken: BTreeSet<String> = MEMBERS.iter().chain(classes).map(|&member| member.to_owned()).collect();
    let name_of = |export| {
        let mut name = alone(export, &[]);
        while taken.contains(&name) || taken.contains(&format!("try_{name}")) {
            name.push('_');
        }
        taken.extend([format!("try_{name}"), name.clone()]);
        name
    };
    exports.map(name_of).collect()
}

/// The method that calls an export.
pub(super) fn export(types: &Types, function: &Function, name: String) -> Method {
    let last_needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_)));
    let mut method = method(types, function, name, "");
    for param in method.params.iter_mut().skip(last_needed.map_or(0, |last| last + 1)) {
        param.push_str(" = std::nullopt");
    }
    method
}

/// The method that a host has for an import, or of an object.
pub(super) fn import(types: &Types, function: &Function, name: String) -> Method {
    if !function.fallible {
        return method(types, function, name, "");
    }
    let mut method = method(types, function, name, "\n\nAn error that it returns, or an exception, is the error that the plugin gets.");
    method.result = format!("undergo::Result<{}>", method.result);
    method
}

pub(super) fn method(types: &Types, function: &Function, name: String, also: &str) -> Method {
    let own = function.own_params();
    let idents = all_alone(own.iter().map(|param| param.name.as_str()), &["instance"]);
    let docs = if function.docs.is_empty() { format!("Calls {}.", function.name) } else { function.docs.clone() };
    Method {
        name,
        docs: comment(2, &(docs + also)),
        result: function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| types.show(ty)),
        params: own.iter().zip(&idents).map(|(param, ident)| types.parameter(&param.ty) + ident).collect(),
        args: idents.iter().map(|ident| format!(", {ident}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_out_of_each_others_way() {
        let found = methods(["greet", "try-greet", "with", "class", "a.b", "Bare"].into_iter(), &["Bare"]);
        assert_eq!(found, ["greet", "try_greet_", "with_", "class_", "a_b", "Bare_"]);
    }
}
