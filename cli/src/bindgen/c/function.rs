//! Functions, typed.

use std::fmt::Write as _;
use std::sync::Arc;

use undergo::interface::{Function, Type};

use super::places::assertion;
use super::text::{all_alone, comment, identifier};
use super::types::{Types, spaced};

/// The names that the generated code has beside those of the parameters.
const OWN: &[&str] = &["instance", "pool", "options", "result", "arena", "args", "user_data", "function", "given"];

/// A function's parameters, each as its type and name.
fn parameters(types: &mut Types, function: &Function) -> Vec<(String, String)> {
    let names = all_alone(function.params.iter().map(|param| param.name.as_str()), OWN);
    function.params.iter().zip(names).map(|(param, name)| (types.show(&param.ty), name)).collect()
}

/// `head(parameters)tail`, with a line for each parameter where one line would be too long.
fn declare(indent: usize, head: &str, params: &[(String, String)], tail: &str) -> String {
    const WIDTH: usize = 110;
    let shown: Vec<String> = params.iter().map(|(ty, name)| format!("{}{name}", spaced(ty))).collect();
    let start = "  ".repeat(indent);
    let one = format!("{start}{head}({}){tail}\n", shown.join(", "));
    if one.len() <= WIDTH {
        return one;
    }
    let between = format!(",\n{start}    ");
    format!("{start}{head}(\n{start}    {}){tail}\n", shown.join(&between))
}

fn has_nested(function: &Function) -> bool {
    function.result.as_ref().is_some_and(Types::has_nested)
}

/// Writes the function that calls an export, of an instance or of a pool.
pub(super) fn export(types: &mut Types, function: &Function, owner: &str, signature: &str, out: &mut String) {
    let params = parameters(types, function);
    let result = function.result.as_ref().map(|ty| types.show(ty));
    let name = if owner == "pool" { types.name(&format!("pool-{}", function.name)) } else { types.name(&function.name) };
    let mut all = vec![(format!("const undergo_{owner}_t *"), owner.to_owned())];
    all.extend(params.iter().cloned());
    all.push(("const undergo_call_options_t *".to_owned(), "options".to_owned()));
    if let Some(result) = &result {
        all.push((format!("{}*", spaced(result)), "result".to_owned()));
    }
    if has_nested(function) {
        all.push(("undergo_arena_t **".to_owned(), "arena".to_owned()));
    }
    let docs = if function.docs.is_empty() { format!("Calls {}.", function.name) } else { function.docs.clone() };
    if owner == "pool" {
        comment(out, 0, &format!("As {}, of whichever instance is free.", name.replacen("_pool_", "_", 1)));
    } else {
        comment(out, 0, &docs);
    }
    *out += &declare(0, &format!("static inline undergo_error_t *{name}"), &all, " {");
    let args = if params.is_empty() {
        "NULL"
    } else {
        let _ = writeln!(out, "  struct {{");
        for (ty, name) in &params {
            let _ = writeln!(out, "    {}{name};", spaced(ty));
        }
        let _ = writeln!(out, "  }} args;");
        let parts = types.places.of_fields(function.params.iter().map(|param| &param.ty));
        *out += &assertion("args", &parts, &[]);
        for (_, name) in &params {
            let _ = writeln!(out, "  args.{name} = {name};");
        }
        "&args"
    };
    let place = if result.is_some() { "result" } else { "NULL" };
    let arena = if has_nested(function) { "arena" } else { "NULL" };
    let _ = writeln!(out, "  return undergo_{owner}_invoke({owner}, &{signature}, {args}, options, {place}, {arena});\n}}\n");
}

/// Writes the struct of the functions of an interface, and the function that gives them to a
/// plugin.
pub(super) fn imports(types: &mut Types, interface: &str, functions: &[&Arc<Function>], table: &str, first: usize, out: &mut String) {
    let set = types.name(&format!("set-{interface}"));
    let group = types.name(&format!("{interface}-t"));
    let members = all_alone(functions.iter().map(|function| function.name.as_str()), &[]);
    let mut adapters = String::new();
    let mut calls = String::new();
    comment(out, 0, &format!("What the host gives as {interface}. Each function gets the user data that comes with them."));
    comment(
        out,
        0,
        "Arguments live as long as the call; a result, too: what it points to may lie in the arena (undergo_arena_alloc, undergo_arena_copy). It returns NULL, or an error.",
    );
    let _ = writeln!(out, "typedef struct {group} {{");
    for (i, (function, member)) in functions.iter().zip(&members).enumerate() {
        let params = parameters(types, function);
        let result: Option<&Type> = function.result.as_ref();
        let shown = result.map(|ty| types.show(ty));
        let mut all = vec![("void *".to_owned(), "user_data".to_owned())];
        all.extend(params.iter().cloned());
        if let Some(shown) = &shown {
            all.push((format!("{}*", spaced(shown)), "result".to_owned()));
        }
        if has_nested(function) {
            all.push(("undergo_arena_t *".to_owned(), "arena".to_owned()));
        }
        if !function.docs.is_empty() {
            comment(out, 1, &function.docs);
        }
        *out += &declare(1, &format!("undergo_error_t *(*{member})"), &all, ";");

        let adapter = types.name(&format!("{interface}-{}-adapter", identifier(&function.name)));
        let given: Vec<(String, String)> = [
            ("undergo_any_fn", "function"),
            ("void *", "user_data"),
            ("const void *", "args"),
            ("void *", "result"),
            ("undergo_arena_t *", "arena"),
        ]
        .map(|(ty, name)| (ty.to_owned(), name.to_owned()))
        .into();
        adapters += &declare(0, &format!("static inline undergo_error_t *{adapter}"), &given, " {");
        adapters += &declare(1, "typedef undergo_error_t *(*call_t)", &all, ";");
        let mut passed = vec!["user_data".to_owned()];
        if params.is_empty() {
            let _ = writeln!(adapters, "  (void)args;");
        } else {
            let _ = writeln!(adapters, "  typedef struct {{");
            for (ty, name) in &params {
                let _ = writeln!(adapters, "    {}{name};", spaced(ty));
            }
            let _ = writeln!(adapters, "  }} given_t;");
            let parts = types.places.of_fields(function.params.iter().map(|param| &param.ty));
            adapters += &assertion("given_t", &parts, &[]);
            let _ = writeln!(adapters, "  const given_t *given = (const given_t *)args;");
            passed.extend(params.iter().map(|(_, name)| format!("given->{name}")));
        }
        match &shown {
            Some(shown) => passed.push(format!("({}*)result", spaced(shown))),
            None => adapters += "  (void)result;\n",
        }
        if has_nested(function) {
            passed.push("arena".to_owned());
        } else {
            adapters += "  (void)arena;\n";
        }
        let _ = writeln!(adapters, "  return ((call_t)function)({});\n}}\n", passed.join(", "));
        let _ = writeln!(
            calls,
            "  if (error == NULL) {{\n    error = undergo_imports_set_typed(\n        imports, &{table}[{}], {adapter}, (undergo_any_fn)functions->{member}, user_data);\n  }}",
            first + i
        );
    }
    let _ = writeln!(out, "}} {group};\n");
    *out += &adapters;
    comment(
        out,
        0,
        &format!(
            "Gives the functions of {interface}. destroy, which may be NULL, is called once with the user data, when the imports and all instances that were made with them are gone."
        ),
    );
    let given: Vec<(String, String)> = [
        ("undergo_imports_t *", "imports"),
        (&format!("const {group} *"), "functions"),
        ("void *", "user_data"),
        ("undergo_destroy_fn", "destroy"),
    ]
    .map(|(ty, name)| (ty.to_owned(), name.to_owned()))
    .into();
    *out += &declare(0, &format!("static inline undergo_error_t *{set}"), &given, " {");
    let _ = writeln!(out, "  undergo_error_t *error = undergo_imports_keep(imports, user_data, destroy);\n{calls}  return error;\n}}\n");
}
