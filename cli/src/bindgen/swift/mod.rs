//! A Swift file for a plugin: structs, enums, errors, protocols for imports and objects of the
//! host, classes for objects of the plugin, and types with the exports as typed methods.
//! `templates/swift/Plugin.swift` is the file that this makes.

mod declared;
mod resources;
mod text;
mod types;

use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{self, Function, Type, TypeKind, names};

use super::filters;
use super::surface::{Imported, Surface};
use declared::Declared;
use resources::{Guest, Hosted};
use text::{Scope, docs, harmless, literal, plain};
use types::Names;

/// The file's text. Askama leaves out the end of a template's last line.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    Ok(Module::new(plugin).render()? + "\n")
}

#[derive(Template)]
#[template(path = "swift/Plugin.swift", escape = "none")]
struct Module {
    /// The plugin's file, as a comment has it.
    file: String,
    types: Vec<Declared>,
    guests: Vec<Guest>,
    hosted: Vec<Hosted>,
    methods: Vec<Method>,
    families: [Family; 2],
}

/// The types and protocols for calls that block, or that are awaited.
struct Family {
    is_async: bool,
    instance: String,
    pool: String,
    /// The protocol that has the methods, and what conforms to it for other options.
    exports: String,
    view: String,
    imports: Vec<Import>,
    /// The function that makes the package's imports.
    give: String,
    /// The parameters for what has the functions, in front of others: `index: some Index, `.
    params: String,
    /// The argument that is made of them: `functions: shapesImports(index: index), `.
    functions: String,
}

/// An interface whose functions the host gives.
struct Import {
    protocol: String,
    docs: String,
    /// The name in the interface, as a literal.
    wit: String,
    /// The parameter for what conforms to the protocol.
    param: String,
    functions: Vec<Method>,
}

/// A function of the plugin, or one that the host gives.
struct Method {
    name: String,
    docs: String,
    wit: String,
    /// `p: Person, shout: Bool`, and how many they are.
    params: String,
    takes: usize,
    result: Option<String>,
    /// The call; of the plugin's, with what reads its result unless that is several, and of the
    /// host's, with what writes it.
    call: String,
    /// The call alone.
    plain: String,
    /// Expressions of the items of several results.
    items: Option<Vec<String>>,
}

impl Family {
    /// What differs between calls that block and calls that are awaited.
    fn either(&self, blocking: &'static str, awaited: &'static str) -> &'static str {
        if self.is_async { awaited } else { blocking }
    }
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let surface = Surface::new(plugin);
        let mut names = Names::new(surface.types, surface.resources);
        let mut declare = |is_async: bool, name: &str| names.declare(&format!("{}{name}", if is_async { "async-" } else { "" }));
        let world = &surface.world;
        let own = [false, true].map(|is_async| ["", "-pool", "-exports", "-calls"].map(|end| declare(is_async, &format!("{world}{end}"))));
        // What stands beside them where they are named.
        let mut params =
            Scope::new(&["args", "functions", "given", "idle", "limits", "maxCalls", "path", "plugin", "result", "sandbox", "size"]);
        let imports: Vec<_> = surface
            .imports
            .iter()
            .map(|import| {
                let kebab = names::kebab(import.name);
                ([false, true].map(|is_async| declare(is_async, &kebab)), params.name(import.name), import)
            })
            .collect();
        let family = |is_async: bool, own: [String; 4]| {
            let import = |(protocols, param, found): &([String; 2], String, &Imported<'_>)| {
                import(&names, found, protocols[usize::from(is_async)].clone(), param, is_async)
            };
            family(world, is_async, own, imports.iter().map(import).collect())
        };
        let [blocking, awaited] = own;
        let families = [family(false, blocking), family(true, awaited)];
        let mut methods = Scope::new(&["calls", "instance", "pool", "using"]);
        let exports = surface.exports.iter();
        let mut exports: Vec<_> =
            exports.map(|function| method(&names, &mut methods, function, &function.name, "self.calls.call")).collect();
        exports.extend(resources::constructors(&names, &mut methods, &surface));
        Module {
            file: harmless(&surface.file),
            types: surface.types.iter().filter_map(|ty| Declared::new(&names, ty)).collect(),
            guests: resources::guests(&names, surface.resources),
            hosted: resources::hosted(&names, surface.resources),
            methods: exports,
            families,
        }
    }
}

fn family(world: &str, is_async: bool, [instance, pool, exports, view]: [String; 4], imports: Vec<Import>) -> Family {
    let (start, label) = if is_async { ("async-", "asyncFunctions") } else { ("", "functions") };
    let give = plain(&format!("{start}{world}-imports"));
    let params = imports.iter().map(|import| format!("{}: some {}, ", import.param, import.protocol)).collect();
    let given: Vec<_> = imports.iter().map(|import| format!("{0}: {0}", import.param)).collect();
    let functions = if given.is_empty() { String::new() } else { format!("{label}: {give}({}), ", given.join(", ")) };
    Family { is_async, instance, pool, exports, view, imports, give, params, functions }
}

fn import(names: &Names, import: &Imported<'_>, protocol: String, param: &str, is_async: bool) -> Import {
    let also = if is_async { ", awaited" } else { "" };
    let mut methods = Scope::new(&[]);
    Import {
        protocol,
        docs: docs(&format!("What the host gives as {}{also}. Calls come from any thread.", import.name)),
        wit: literal(import.name),
        param: param.to_owned(),
        functions: import
            .functions
            .iter()
            .map(|function| host_function(names, &mut methods, function, &function.name, Some(param)))
            .collect(),
    }
}

/// A function of the host: a method of what is called `of` there, by its name in WIT; a closure
/// otherwise, which takes its arguments without labels.
fn host_function(names: &Names, methods: &mut Scope, function: &Arc<Function>, wit: &str, of: Option<&str>) -> Method {
    let name = methods.name(wit);
    let thrown = if function.fallible { "which the plugin gets" } else { "which ends the call, and which the caller gets" };
    let about = or(&function.docs, &format!("The function {wit}.")).trim().to_owned();
    let labels = parameters(function);
    let read = |(i, (label, param)): (usize, (&String, &interface::Field))| {
        let value = names.read(&param.ty, &format!("args[{i}]"));
        if of.is_some() { format!("{label}: {value}") } else { value }
    };
    let args: Vec<String> = labels.iter().zip(function.own_params()).enumerate().map(read).collect();
    let callee = of.map_or_else(|| "run".to_owned(), |of| format!("{of}.{name}"));
    Method {
        docs: docs(&format!("{about}\n\n- Throws: an error, {thrown}.")),
        wit: literal(wit),
        params: declared(function, |ty| names.show(ty)),
        takes: labels.len(),
        result: function.result.as_ref().map(|ty| names.show_result(ty)),
        call: function.result.as_ref().map_or_else(String::new, |ty| names.write(ty, "result")),
        items: several(function, |i, ty| names.write(ty, &format!("result.{i}"))),
        plain: format!("{callee}({})", args.join(", ")),
        name,
    }
}

/// A function of the plugin, by the name with which `callee` calls it.
fn method(names: &Names, methods: &mut Scope, function: &Arc<Function>, wit: &str, callee: &str) -> Method {
    let mut about = or(&function.docs, &format!("Calls {wit}.")).trim().to_owned();
    if function.fallible {
        let own = if function.errors.is_some() { ", with fields in its chain where the plugin's error has any" } else { "" };
        about.push_str(&format!("\n\n- Throws: `CallError`, whose kind is `guestError` when the function returns an error{own}."));
    }
    let name = methods.name(wit);
    let wit = literal(wit);
    let labels = parameters(function);
    let args: Vec<String> = labels.iter().zip(function.own_params()).map(|(label, param)| names.write(&param.ty, label)).collect();
    let plain = format!("{callee}({wit}, [{}])", args.join(", "));
    let items = several(function, |i, ty| names.read(ty, &format!("results[{i}]")));
    Method {
        name,
        docs: docs(&about),
        wit,
        params: declared(function, |ty| names.show_with_default(ty)),
        takes: args.len(),
        result: function.result.as_ref().map(|ty| names.show_result(ty)),
        call: match &function.result {
            Some(ty) if items.is_none() => names.read(ty, &plain),
            _ => plain.clone(),
        },
        plain,
        items,
    }
}

/// An expression for each of several results.
fn several(function: &Function, each: impl Fn(usize, &Type) -> String) -> Option<Vec<String>> {
    let TypeKind::Tuple(tuple) = &function.result.as_ref()?.kind else { return None };
    Some(tuple.items.iter().enumerate().map(|(i, ty)| each(i, ty)).collect())
}

/// The names of a function's parameters in Swift.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::new(&["results"]);
    function.own_params().iter().map(|param| scope.name(&param.name)).collect()
}

/// `p: Person, shout: Bool`
fn declared(function: &Function, show: impl Fn(&Type) -> String) -> String {
    let each = |(label, param): (String, &interface::Field)| format!("{label}: {}", show(&param.ty));
    parameters(function).into_iter().zip(function.own_params()).map(each).collect::<Vec<_>>().join(", ")
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
