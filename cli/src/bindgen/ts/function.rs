//! Functions as methods of an interface.

use std::collections::BTreeSet;
use std::sync::Arc;

use undergo::interface::{Field, Function, TypeKind, VariantType};

use super::text::{broken, docs, key, parameter};
use super::types::{Direction, Names};

/// Who runs a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Guest,
    Host,
}

pub(super) struct Method {
    pub(super) docs: String,
    pub(super) signature: String,
}

/// The methods for functions. In the form of this language two may be the same, and the instance
/// has the first.
pub(super) fn methods(names: &Names, functions: &[&Arc<Function>], owner: Owner) -> Vec<Method> {
    let mut seen = BTreeSet::new();
    let first = functions.iter().filter(|function| seen.insert(key(own_name(function))));
    first.map(|function| method(names, function, owner)).collect()
}

/// The name of a function, without that of its object.
fn own_name(function: &Function) -> &str {
    function.name.rsplit('.').next().unwrap_or_default()
}

/// What a constructor takes, as the type of its arguments.
pub(super) fn arguments(names: &Names, function: &Function) -> String {
    format!("[{}]", params(names, function, Owner::Guest).join(", "))
}

fn params(names: &Names, function: &Function, owner: Owner) -> Vec<String> {
    let direction = if owner == Owner::Guest { Direction::ToGuest } else { Direction::FromGuest };
    let all = function.own_params();
    let needed = all.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_))).map_or(0, |last| last + 1);
    let param = |(i, param): (usize, &Field)| {
        let mark = if owner == Owner::Guest && i >= needed { "?" } else { "" };
        format!("{}{mark}: {}", parameter(&param.name), names.show(&param.ty, direction))
    };
    all.iter().enumerate().map(param).collect()
}

fn method(names: &Names, function: &Function, owner: Owner) -> Method {
    let answered = if owner == Owner::Guest { Direction::FromGuest } else { Direction::ToGuest };
    let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| names.show(ty, answered));
    let result = match owner {
        Owner::Guest => format!(": Promise<{result}>"),
        Owner::Host => format!(": {result} | Promise<{result}>"),
    };
    Method {
        docs: docs(&(function.docs.clone() + &fails(names, function, owner))),
        signature: broken("  ".len(), &key(own_name(function)), &params(names, function, owner), &result),
    }
}

/// What is said of its errors.
fn fails(names: &Names, function: &Function, owner: Owner) -> String {
    match (function.fallible, owner, &function.errors) {
        (false, ..) => String::new(),
        (true, Owner::Guest, None) => "\n\nRejects with a GuestError when the function returns an error.".to_owned(),
        (true, Owner::Guest, Some(errors)) => {
            format!("\n\n@throws by the promise: {}, or another GuestError, when the function returns an error.", links(names, errors))
        }
        (true, Owner::Host, None) => "\n\nWhat it throws is the error that the plugin gets.".to_owned(),
        (true, Owner::Host, Some(errors)) => {
            format!("\n\nWhat it throws is the error that the plugin gets: {} with its fields.", links(names, errors))
        }
    }
}

/// The classes of errors with fields, as a comment has them.
fn links(names: &Names, errors: &VariantType) -> String {
    let classes = errors.cases.iter().filter(|case| matches!(case.ty.as_ref().map(|ty| &ty.kind), Some(TypeKind::Tuple(_))));
    let links: Vec<String> = classes.map(|case| format!("{{@link {}}}", names.of(&case.name))).collect();
    links.join(", ")
}
