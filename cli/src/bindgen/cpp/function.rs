//! Functions as methods.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use undergo::interface::{Function, TypeKind};

use super::types::Types;
use crate::bindgen::c::text::{all_alone, alone};

/// The width that methods are kept to.
const WIDTH: usize = 120;

/// What the classes have themselves.
const MEMBERS: [&str; 8] = ["instance", "load", "make", "pool", "try_load", "try_make", "view", "with"];

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

/// Writes the two methods of an export: one that throws, and one that gives a result.
pub(super) fn export(types: &Types, function: &Function, name: &str, signature: &str, out: &mut String) {
    let idents = all_alone(function.params.iter().map(|param| param.name.as_str()), &[]);
    let last_needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_)));
    let params: Vec<String> = function
        .params
        .iter()
        .zip(&idents)
        .enumerate()
        .map(|(i, (param, ident))| {
            let default = if last_needed.is_none_or(|last| i > last) { " = std::nullopt" } else { "" };
            format!("{}{ident}{default}", types.parameter(&param.ty))
        })
        .collect();
    let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| types.show(ty));
    let _ = writeln!(out, "#if UNDERGO_EXCEPTIONS");
    crate::bindgen::cpp::comment(out, 1, &docs(function));
    let arguments: String = idents.iter().map(|ident| format!(", {ident}")).collect();
    let how = |how: &str| format!("return undergo::typed::{how}<{result}>(view_, {signature}{arguments});");
    body(out, &format!("{result} {name}"), &params, " const", &how("call"));
    let _ = writeln!(out, "#endif");
    body(out, &format!("undergo::Result<{result}> try_{name}"), &params, " const", &how("invoke"));
    out.push('\n');
}

/// Writes the method that a host has for an import.
pub(super) fn import(types: &Types, function: &Function, name: &str, out: &mut String) {
    let idents = all_alone(function.params.iter().map(|param| param.name.as_str()), &[]);
    let params: Vec<String> = function.params.iter().zip(&idents).map(|(param, ident)| types.parameter(&param.ty) + ident).collect();
    let value = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| types.show(ty));
    let result = if function.fallible { format!("undergo::Result<{value}>") } else { value };
    let mut text = docs(function);
    if function.fallible {
        text.push_str("\n\nAn error that it returns, or an exception, is the error that the plugin gets.");
    }
    crate::bindgen::cpp::comment(out, 1, &text);
    signature(out, &format!("virtual {result} {name}"), &params, " = 0;");
}

fn docs(function: &Function) -> String {
    if function.docs.is_empty() { format!("Calls {}.", function.name) } else { function.docs.clone() }
}

/// `head(params)end`, in lines where it is long.
fn signature(out: &mut String, head: &str, params: &[String], end: &str) {
    let one = format!("  {head}({}){end}", params.join(", "));
    if one.chars().count() <= WIDTH || params.is_empty() {
        let _ = writeln!(out, "{one}");
    } else {
        let _ = writeln!(out, "  {head}(\n      {}){end}", params.join(",\n      "));
    }
}

fn body(out: &mut String, head: &str, params: &[String], qualifier: &str, statement: &str) {
    let one = format!("  {head}({}){qualifier} {{ {statement} }}", params.join(", "));
    if one.chars().count() <= WIDTH {
        let _ = writeln!(out, "{one}");
    } else {
        signature(out, head, params, &format!("{qualifier} {{"));
        let _ = writeln!(out, "    {statement}\n  }}");
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
