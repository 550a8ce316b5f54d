//! A Kotlin file for a plugin: data classes, enums, sealed interfaces, exceptions, interfaces for
//! imports, and classes with the exports as typed methods. `templates/kotlin/Plugin.kt` is the file
//! that this makes.

mod declared;
mod text;
mod types;

use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{self, Function, TypeKind, names};

use super::filters;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use declared::Declared;
use text::{docs, harmless, identifier, literal};
use types::Names;

/// What every object has.
const OF_ALL: [&str; 7] = ["equals", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"];

/// What the classes with the exports have themselves, and what they call without a receiver.
const OWN: [&str; 13] =
    ["close", "duration", "emptyList", "exports", "instance", "listOf", "pool", "record", "text", "time", "toPlain", "toValue", "using"];

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
    /// The function that makes the exceptions of the plugin's own errors, if it has any.
    errors: Option<String>,
    methods: Vec<Method>,
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
    /// The name in the interface, as a literal.
    wit: String,
    /// The parameter for what has the functions.
    param: String,
    functions: Vec<Method>,
}

/// A function of the plugin, or one that the host gives.
struct Method {
    name: String,
    docs: String,
    wit: String,
    /// `p: Person, shout: Boolean`
    params: String,
    result: Option<String>,
    /// The call, and what reads its result; of the host's, what goes from arguments to a result.
    body: String,
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
        let mut kept = Vec::new();
        let Surface { file, world, types, exports, imports, .. } = Surface::without_handles(plugin, &mut kept);
        let mut names = Names::new(types);
        let mut declare = |suspends: bool, name: &str| names.class(&format!("{}{name}", if suspends { "async-" } else { "" }));
        let classes = [false, true].map(|suspends| ["", "-pool", "-exports"].map(|end| declare(suspends, &format!("{world}{end}"))));
        // What stands beside them where they are named.
        let mut params = Scope::new(["args", "imports", "limits", "path", "plugin", "result", "sandbox", "size"]);
        let imports: Vec<_> = imports
            .into_iter()
            .map(|import| {
                let kebab = names::kebab(import.name);
                let param = params.take(identifier(import.name));
                ([false, true].map(|suspends| declare(suspends, &kebab)), param, import)
            })
            .collect();
        let family = |suspends: bool, classes: [String; 3]| {
            let import = |(classes, param, found): &([String; 2], String, Imported<'_>)| {
                import(&names, found, classes[usize::from(suspends)].clone(), param, suspends)
            };
            family(&names, &world, suspends, classes, imports.iter().map(import).collect())
        };
        let [blocking, suspending] = classes;
        let families = [family(false, blocking), family(true, suspending)];
        let types: Vec<Declared> = types.iter().filter_map(|ty| Declared::new(&names, ty)).collect();
        let has_errors = types.iter().any(|ty| matches!(ty, Declared::Error { .. }));
        let mut methods = Scope::new(OWN.into_iter().chain(OF_ALL));
        let methods = exports.into_iter().map(|function| method(&names, &mut methods, function)).collect();
        Module {
            file: harmless(&file),
            package: package(&world),
            types,
            errors: has_errors.then(|| identifier(&format!("{world}-errors"))),
            methods,
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
        wit: literal(import.name),
        param: param.to_owned(),
        functions: import.functions.iter().map(|function| host_function(names, &mut methods, param, function)).collect(),
    }
}

fn host_function(names: &Names, methods: &mut Scope, of: &str, function: &Arc<Function>) -> Method {
    let name = methods.take_quoted(identifier(&function.name));
    let also = if function.fallible { "\n\nAn exception that it throws is the error that the plugin gets." } else { "" };
    let read = |(i, param): (usize, &interface::Field)| names.read(&param.ty, &format!("args[{i}]"));
    let args: Vec<String> = function.params.iter().enumerate().map(read).collect();
    let given = if args.is_empty() { "_" } else { "args" };
    let answer = match &function.result {
        Some(ty) => format!("result -> {}", names.make(ty, "result")),
        None => format!("{}.None", names.lib("Value")),
    };
    Method {
        docs: docs(&format!("{}{also}", or(&function.docs, &format!("The function {}.", function.name)))),
        wit: literal(&function.name),
        params: declared(names, function, function.params.len()),
        result: function.result.as_ref().map(|ty| names.show(ty)),
        body: format!("{given} -> {of}.{name}({}).let {{ {answer} }}", args.join(", ")),
        name,
    }
}

fn method(names: &Names, methods: &mut Scope, function: &Arc<Function>) -> Method {
    let own = if function.errors.is_some() { ": of the error's own class, where it has fields" } else { "" };
    let throws = format!("\n\n@throws dev.undergo.GuestException when the function returns an error{own}.");
    let throws = if function.fallible { &throws } else { "" };
    let made = function.params.iter().zip(parameters(function)).map(|(param, name)| names.make(&param.ty, &name));
    let made: Vec<String> = made.collect();
    let args = if made.is_empty() { "emptyList()".to_owned() } else { format!("listOf({})", made.join(", ")) };
    let wit = literal(&function.name);
    let call = format!("this.exports.callValues({wit}, {args})");
    // What may be left out is at the end.
    let needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_))).map_or(0, |last| last + 1);
    Method {
        name: methods.take_quoted(identifier(&function.name)),
        docs: docs(&format!("{}{throws}", or(&function.docs, &format!("Calls {}.", function.name)))),
        params: declared(names, function, needed),
        result: function.result.as_ref().map(|ty| names.show(ty)),
        body: function.result.as_ref().map_or_else(|| call.clone(), |ty| names.read(ty, &call)),
        wit,
    }
}

fn results(count: usize, class: String) -> Results {
    let join = |each: fn(usize) -> String| (1..=count).map(each).collect::<Vec<_>>().join(", ");
    Results { class, count, types: join(|i| format!("out T{i}")), values: join(|i| format!("val result{i}: T{i}")) }
}

/// The names of a function's parameters.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::default();
    function.params.iter().map(|param| scope.take_quoted(identifier(&param.name))).collect()
}

/// `p: Person, shout: Boolean? = null`: those from `optional` on may be left out.
fn declared(names: &Names, function: &Function, optional: usize) -> String {
    let each = |(i, (param, name)): (usize, (&interface::Field, String))| {
        let default = if i >= optional { " = null" } else { "" };
        format!("{name}: {}{default}", names.show(&param.ty))
    };
    function.params.iter().zip(parameters(function)).enumerate().map(each).collect::<Vec<_>>().join(", ")
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
