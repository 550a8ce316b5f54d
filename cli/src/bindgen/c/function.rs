//! Functions, typed.

use std::sync::Arc;

use undergo::interface::{Field, Function, Side, Type};

use super::text::{all_alone, comment, identifier};
use super::types::{Member, Types, or, spaced};
use crate::bindgen::surface::Imported;

/// The names that the generated code has beside those of the parameters.
const OWN: &[&str] = &["instance", "pool", "options", "result", "arena", "args", "user_data", "function", "given"];

/// The functions that call an export: of an instance, and of a pool.
pub(super) struct Export {
    /// Its place in the table.
    pub(super) number: usize,
    pub(super) entries: [Entry; 2],
    pub(super) signature: Signature,
}

pub(super) struct Entry {
    /// `instance` or `pool`.
    pub(super) of: &'static str,
    pub(super) name: String,
    pub(super) docs: String,
}

/// What a function takes and gives.
pub(super) struct Signature {
    pub(super) params: Vec<Member>,
    /// The size of a struct of them.
    pub(super) size: String,
    /// The type of the result, up to a star behind it.
    pub(super) result: Option<String>,
    /// Whether the result points to anything.
    pub(super) has_arena: bool,
}

/// The struct of the functions of an interface, and the function that gives them to a plugin.
pub(super) struct Import {
    pub(super) group: String,
    pub(super) about: String,
    pub(super) set: String,
    pub(super) about_set: String,
    pub(super) functions: Vec<HostFunction>,
}

pub(super) struct HostFunction {
    /// Its place in the table.
    pub(super) number: usize,
    pub(super) member: String,
    pub(super) docs: String,
    /// The function by which the library calls it.
    pub(super) adapter: String,
    pub(super) signature: Signature,
}

fn signature(types: &mut Types, params: &[Field], result: Option<&Type>) -> Signature {
    let names = all_alone(params.iter().map(|param| param.name.as_str()), OWN);
    let members = params.iter().zip(names).map(|(param, name)| Member::new(&types.show(&param.ty), name)).collect();
    Signature {
        params: members,
        size: types.places.of_fields(params.iter().map(|param| &param.ty)).size(),
        result: result.map(|ty| spaced(&types.show(ty))),
        has_arena: result.is_some_and(Types::has_nested),
    }
}

/// That of a function of the plugin's: what comes back in its result of the host's objects lies in
/// an arena.
pub(super) fn exported(types: &mut Types, function: &Function) -> Signature {
    let result = function.result.as_ref();
    let signature = signature(types, &function.params, result);
    Signature { has_arena: signature.has_arena || result.is_some_and(|ty| ty.holds_handles_of(Side::Host)), ..signature }
}

/// A function of the host, of an interface or of an object, which gets no object.
pub(super) fn host_function(types: &mut Types, number: usize, function: &Function, member: String, adapter: String) -> HostFunction {
    let signature = signature(types, function.own_params(), function.result.as_ref());
    HostFunction { number, member, docs: comment(2, &function.docs), signature, adapter }
}

pub(super) fn export(types: &mut Types, number: usize, function: &Function) -> Export {
    let signature = exported(types, function);
    let [name, of_pool] = [types.name(&function.name), types.name(&format!("pool-{}", function.name))];
    let about_pool = comment(0, &format!("As {name}, of whichever instance is free."));
    let docs = comment(0, or(&function.docs, &format!("Calls {}.", function.name)));
    let entries = [Entry { of: "instance", name, docs }, Entry { of: "pool", name: of_pool, docs: about_pool }];
    Export { number, entries, signature }
}

/// The functions of an interface, of which the first has that number.
pub(super) fn import(types: &mut Types, first: usize, Imported { name, functions }: &Imported<'_>) -> Import {
    let set = types.name(&format!("set-{name}"));
    let group = types.name(&format!("{name}-t"));
    let members = all_alone(functions.iter().map(|function| function.name.as_str()), &[]);
    let function = |(number, (function, member)): (usize, (&&Arc<Function>, String))| {
        let adapter = types.name(&format!("{name}-{}-adapter", identifier(&function.name)));
        host_function(types, number, function, member, adapter)
    };
    let functions = (first..).zip(functions.iter().zip(members)).map(function).collect();
    let about = format!("What the host gives as {name}. Each function gets the user data that comes with them.");
    let about_set = format!(
        "Gives the functions of {name}. destroy, which may be NULL, is called once with the user data, when the imports and all instances that were made with them are gone."
    );
    Import { group, about: comment(0, &about), set, about_set: comment(0, &about_set), functions }
}
