//! A Kotlin file for a plugin: data classes, enums, sealed interfaces, exceptions, interfaces for
//! imports, and classes with the exports as typed methods. `templates/kotlin/Plugin.kt` is the file
//! that this makes.

mod declared;
mod resources;
mod text;
mod types;

use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{self, Function, Shape, TypeKind, names};

use super::filters;
use super::layout::{self, Fields, Place};
use super::scope::Scope;
use super::surface::{Imported, Surface};
use declared::{Declared, Reading};
use resources::{Guest, Hosted};
use text::{docs, harmless, identifier, literal, long};
use types::Names;

/// What every object has.
const OF_ALL: [&str; 8] = ["equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"];

/// What the classes with the exports have themselves.
const OWN: [&str; 5] = ["client", "close", "instance", "pool", "using"];

/// The file's text.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    let module = Module::new(plugin);
    // What the file has to import, above all that needs it, is known once it has been written.
    module.render()?;
    // Askama leaves out the end of a template's last line.
    Ok(module.render()? + "\n")
}

#[derive(Template)]
#[template(path = "kotlin/Plugin.kt", escape = "none")]
struct Module {
    /// The plugin's file, as a comment has it.
    file: String,
    package: String,
    types: Vec<Declared>,
    has_errors: bool,
    /// `RawSignature(…)` of all exports, constructors and methods.
    signatures: Vec<String>,
    methods: Vec<Method>,
    guests: Vec<Guest>,
    hosted: Vec<Hosted>,
    families: [Family; 2],
    results: Vec<Results>,
    /// Those of other packages, for which the template asks, are imported.
    names: Names,
}

/// The interfaces and classes for calls that block, or that suspend.
struct Family {
    suspends: bool,
    /// The classes for an instance, for a pool, and for what both are.
    instance: String,
    pool: String,
    exports: String,
    imports: Vec<Import>,
    /// The function that makes the package's imports.
    give: String,
    /// The parameters for what has the functions, in front of others: `directory: Directory, `.
    params: String,
    /// The package's imports, made of those: `kitchenImports(directory)`.
    given: String,
}

/// An interface whose functions the host gives.
struct Import {
    class: String,
    docs: String,
    /// The parameter for what has the functions.
    param: String,
    functions: Vec<HostFunction>,
}

/// A function of the plugin.
struct Method {
    name: String,
    docs: String,
    wit: String,
    /// Its place among the signatures.
    number: usize,
    /// `p: Person, shout: Boolean`
    params: String,
    result: Option<String>,
    /// Bytes of the struct of the arguments, and of the result.
    size: usize,
    result_size: usize,
    /// Statements that write the arguments.
    puts: Vec<String>,
    /// Reads the result.
    get: String,
}

/// A function that the host gives.
struct HostFunction {
    name: String,
    docs: String,
    signature: String,
    params: String,
    result: Option<String>,
    /// Calls it with what lies in the struct of the arguments.
    call: String,
    /// Statements that write the result.
    puts: Vec<String>,
}

/// A class for more results than a triple has.
struct Results {
    class: String,
    count: usize,
    /// `out T1, out T2`
    types: String,
    /// `val result1: T1, val result2: T2`
    values: String,
}

impl Family {
    /// What differs between calls that block and calls that suspend.
    fn either(&self, blocking: &'static str, suspending: &'static str) -> &'static str {
        if self.suspends { suspending } else { blocking }
    }
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let surface = Surface::new(plugin);
        let (world, types) = (&surface.world, surface.types);
        let mut names = Names::new(types, surface.resources);
        let mut declare = |suspends: bool, name: &str| names.class(&format!("{}{name}", if suspends { "async-" } else { "" }));
        let classes = [false, true].map(|suspends| ["", "-pool", "-exports"].map(|end| declare(suspends, &format!("{world}{end}"))));
        // What stands beside them where they are named.
        let mut params = Scope::new(["args", "imports", "limits", "path", "plugin", "result", "sandbox", "size"]);
        let imports: Vec<_> = surface
            .imports
            .iter()
            .map(|import| {
                let kebab = names::kebab(import.name);
                let param = params.take(identifier(import.name));
                ([false, true].map(|suspends| declare(suspends, &kebab)), param, import)
            })
            .collect();
        let family = |suspends: bool, classes: [String; 3]| {
            let import = |(classes, param, found): &([String; 2], String, &Imported<'_>)| {
                import(&names, found, classes[usize::from(suspends)].clone(), param, suspends)
            };
            family(&names, world, suspends, classes, imports.iter().map(import).collect())
        };
        let [blocking, suspending] = classes;
        let families = [family(false, blocking), family(true, suspending)];
        let types: Vec<Declared> = types.iter().filter_map(|ty| Declared::new(&names, ty)).collect();
        let has_errors = types.iter().any(|ty| matches!(ty, Declared::Error { .. }));
        let mut methods = Scope::new(OWN.into_iter().chain(OF_ALL));
        let exports = surface.exports.iter().enumerate();
        let mut exports: Vec<_> = exports.map(|(number, function)| method(&names, &mut methods, function, number)).collect();
        exports.extend(resources::constructors(&names, &mut methods, &surface));
        Module {
            file: harmless(&surface.file),
            package: package(world),
            signatures: surface.own_functions().map(|function| signature(&names, "", function)).collect(),
            guests: resources::guests(&names, &surface),
            hosted: resources::hosted(&names, &surface),
            types,
            has_errors,
            methods: exports,
            families,
            results: names.results().into_iter().map(|(count, class)| results(count, class)).collect(),
            names,
        }
    }
}

fn package(world: &str) -> String {
    let mut package: String = world.chars().filter(char::is_ascii_alphanumeric).collect();
    if matches!(package.as_str(), "" | "java" | "kotlin") {
        package.push_str("plugin");
    }
    identifier(&package)
}

fn family(names: &Names, world: &str, suspends: bool, [instance, pool, exports]: [String; 3], imports: Vec<Import>) -> Family {
    let give = identifier(&format!("{}{world}-imports", if suspends { "async-" } else { "" }));
    let given: Vec<_> = imports.iter().map(|import| import.param.as_str()).collect();
    let given = if given.is_empty() { format!("{}()", names.lib("Imports")) } else { format!("{give}({})", given.join(", ")) };
    let params = imports.iter().map(|import| format!("{}: {}, ", import.param, import.class)).collect();
    Family { suspends, instance, pool, exports, imports, give, params, given }
}

fn import(names: &Names, import: &Imported<'_>, class: String, param: &str, suspends: bool) -> Import {
    let also = if suspends { ", with functions that suspend" } else { "" };
    let mut methods = Scope::new(OF_ALL);
    Import {
        class,
        docs: docs(&format!("What the host gives as {}{also}.", import.name)),
        param: param.to_owned(),
        functions: import.functions.iter().map(|function| host_function(names, &mut methods, import.name, param, function)).collect(),
    }
}

fn host_function(names: &Names, methods: &mut Scope, module: &str, of: &str, function: &Arc<Function>) -> HostFunction {
    let name = methods.take_quoted(identifier(&function.name));
    let also = if function.fallible { "\n\nAn exception that it throws is the error that the plugin gets." } else { "" };
    let offsets = Fields::of(function.params.iter().map(|param| &param.ty)).offsets;
    let args = function.params.iter().zip(offsets).map(|(param, offset)| names.get(&param.ty, &Place("_args", offset), "_client"));
    HostFunction {
        docs: docs(&format!("{}{also}", or(&function.docs, &format!("The function {}.", function.name)))),
        signature: signature(names, module, function),
        params: declared(names, function, function.params.len()),
        result: function.result.as_ref().map(|ty| names.show(ty)),
        call: format!("{of}.{name}({})", args.collect::<Vec<_>>().join(", ")),
        puts: function.result.as_ref().map_or_else(Vec::new, |ty| names.put(ty, "_room", &Place("_result", 0), "_answer")),
        name,
    }
}

/// The function as the library finds it.
fn signature(names: &Names, module: &str, function: &Function) -> String {
    let (class, digest) = (names.lib("RawSignature"), long(function.digest()));
    format!("{class}({}, {}, {}, {digest})", literal(module), literal(&function.name), literal(&function.to_string()))
}

/// An export, a constructor, or a method of the plugin's, which writes its object first.
fn method(names: &Names, methods: &mut Scope, function: &Arc<Function>, number: usize) -> Method {
    let own = if function.errors.is_some() { ": of the error's own class, where it has fields" } else { "" };
    let throws = format!("\n\n@throws dev.undergo.GuestException when the function returns an error{own}.");
    let throws = if function.fallible { &throws } else { "" };
    let args = Fields::of(function.params.iter().map(|param| &param.ty));
    let put =
        |((param, name), offset): ((&interface::Field, String), &usize)| names.put(&param.ty, "_call", &Place("_args", *offset), &name);
    let before = function.params.len() - function.own_params().len();
    let given = function.own_params().iter().zip(parameters(function)).zip(&args.offsets[before..]);
    let object = (before > 0).then(|| format!("{}.putHandle(_call, _args, this)", names.lib("Raw")));
    let name = function.name.rsplit('.').next().unwrap_or(&function.name);
    // What may be left out is at the end.
    let needed = function.own_params().iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_))).map_or(0, |last| last + 1);
    Method {
        name: methods.take_quoted(identifier(name)),
        docs: docs(&format!("{}{throws}", or(&function.docs, &format!("Calls {}.", function.name)))),
        wit: literal(&function.name),
        number,
        params: declared(names, function, needed),
        result: function.result.as_ref().map(|ty| names.show(ty)),
        size: args.size,
        result_size: function.result.as_ref().map_or(0, layout::size),
        puts: object.into_iter().chain(given.flat_map(put)).collect(),
        get: function.result.as_ref().map_or_else(String::new, |ty| names.get(ty, &Place("_at", 0), "this.client")),
    }
}

fn results(count: usize, class: String) -> Results {
    let join = |each: fn(usize) -> String| (1..=count).map(each).collect::<Vec<_>>().join(", ");
    Results { class, count, types: join(|i| format!("out T{i}")), values: join(|i| format!("val result{i}: T{i}")) }
}

/// The names of a function's parameters.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::default();
    function.own_params().iter().map(|param| scope.take_quoted(identifier(&param.name))).collect()
}

/// `p: Person, shout: Boolean? = null`: those from `optional` on may be left out.
fn declared(names: &Names, function: &Function, optional: usize) -> String {
    let each = |(i, (param, name)): (usize, (&interface::Field, String))| {
        let default = if i >= optional { " = null" } else { "" };
        format!("{name}: {}{default}", names.show(&param.ty))
    };
    function.own_params().iter().zip(parameters(function)).enumerate().map(each).collect::<Vec<_>>().join(", ")
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
