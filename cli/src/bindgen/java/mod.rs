//! A Java file for a plugin: records, enums, sealed interfaces, exceptions, interfaces for imports,
//! and a class with the exports as methods, without reflection. `templates/java/Plugin.java` is the
//! file that this makes.

mod errors;
mod resources;
mod text;
mod types;
mod variants;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use askama::Template;
use undergo::Plugin;
use undergo::interface::{EnumType, Field, Function, RecordType, Side, Type, TypeKind, names};

use super::layout::{self, Fields, Place};
use super::scope::Scope;
use super::surface::{Imported, Surface};
use errors::ErrorClass;
use resources::{Guest, Hosted};
use text::{OF_OBJECTS, docs, identifier, literal};
use types::Names;
use variants::{CaseRecord, Variant};

/// The file's text. Its class is called after the file, where that has the name of a class.
pub(super) fn module(plugin: &Plugin, file: Option<&Path>, package: Option<&str>) -> Result<String> {
    if let Some(package) = package
        && !text::is_package(package)
    {
        bail!("{package:?} is no name of a package; write small letters, digits and dots, as com.example.app");
    }
    let stem = file.and_then(Path::file_stem).and_then(|stem| stem.to_str()).filter(|stem| text::is_class(stem));
    Ok(Module::new(plugin, stem, package).render()?)
}

#[derive(Template)]
#[template(path = "java/Plugin.java", escape = "none")]
struct Module {
    package: Option<String>,
    imported: Vec<&'static str>,
    class: String,
    docs: Vec<String>,
    /// `new RawSignature(…)` of all exports, constructors and methods.
    signatures: Vec<String>,
    exports: Vec<Export>,
    guests: Vec<Guest>,
    hosted: Vec<Hosted>,
    imports: Vec<Import>,
    records: Vec<Record>,
    enums: Vec<Enum>,
    variants: Vec<Variant>,
    case_records: Vec<CaseRecord>,
    errors: Vec<ErrorClass>,
    tuples: Vec<Tuple>,
}

struct Export {
    name: String,
    docs: Vec<String>,
    /// The name in the interface, as a literal.
    wit: String,
    /// Its place among the signatures.
    number: usize,
    returns: String,
    /// `Person p, boolean shout`
    params: String,
    /// Bytes of the struct of the arguments, and of the result.
    size: usize,
    result_size: usize,
    /// Statements that write the arguments.
    puts: Vec<String>,
    /// Reads the result.
    get: Option<String>,
}

/// An interface whose functions the host gives.
struct Import {
    class: String,
    docs: Vec<String>,
    /// The parameter for what has the functions.
    param: String,
    functions: Vec<HostFunction>,
}

struct HostFunction {
    name: String,
    docs: Vec<String>,
    signature: String,
    returns: String,
    params: String,
    /// Statements that call it.
    body: Vec<String>,
}

struct Record {
    name: String,
    docs: Vec<String>,
    components: String,
    /// ` implements Shape`
    implements: String,
    puts: Vec<String>,
    /// Makes it.
    gets: String,
    /// What `gets` takes before the place: `RawClient client$, `.
    client: &'static str,
}

struct Enum {
    name: String,
    docs: Vec<String>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    docs: Vec<String>,
}

/// A record for so many values.
struct Tuple {
    class: String,
    count: usize,
    /// `T0, T1`
    types: String,
    /// `T0 v0, T1 v1`
    components: String,
}

/// What each file imports, and what it does only where the plugin has errors with fields.
const IMPORTED: [&str; 13] = [
    "dev.undergo.java.Exports",
    "dev.undergo.java.Json",
    "dev.undergo.java.Options",
    "dev.undergo.java.Raw",
    "dev.undergo.java.RawCall",
    "dev.undergo.java.RawClient",
    "dev.undergo.java.RawFunction",
    "dev.undergo.java.RawRoom",
    "dev.undergo.java.RawSignature",
    "java.time.Duration",
    "java.time.OffsetDateTime",
    "java.util.List",
    "java.util.Map",
];
const OF_HANDLES: [&str; 5] =
    ["dev.undergo.java.GuestObject", "dev.undergo.java.Items", "dev.undergo.java.RawHandle", "java.io.InputStream", "java.io.OutputStream"];
const OF_ERRORS: [&str; 3] = ["dev.undergo.java.GuestException", "dev.undergo.java.RawError", "dev.undergo.java.RawFields"];

impl Module {
    fn new(plugin: &Plugin, stem: Option<&str>, package: Option<&str>) -> Module {
        let surface = Surface::new(plugin);
        let (world, types, imports) = (&surface.world, surface.types, &surface.imports);
        let class = stem.map_or_else(|| text::class(&format!("{world}-plugin")), str::to_owned);
        let mut names = Names::new(types, surface.resources, &class);
        let mut methods = Scope::new(OF_OBJECTS.into_iter().chain(["exports", "imports"]));
        // The interfaces are named before their functions, whose types may be called like them.
        let named: Vec<(&Imported<'_>, String)> = imports
            .iter()
            .map(|import| {
                let class = names.class(&names::kebab(import.name));
                (import, class)
            })
            .collect();
        let errors = errors::all(&mut names, types);
        let functions = surface.functions().0;
        let of_values = errors::of_values(types, functions.iter().map(|(_, function, _)| &***function));
        let mut params = Scope::new(["args", "options", "result", "room"]);
        let mut exports: Vec<_> =
            surface.exports.iter().enumerate().map(|(number, function)| export(&names, &mut methods, function, number)).collect();
        exports.extend(resources::constructors(&names, &mut methods, &surface));
        let imports = named.into_iter().map(|(import, class)| self::import(&names, &mut params, import, class)).collect();
        let (mut records, mut enums) = (Vec::new(), Vec::new());
        for ty in types {
            match &ty.kind {
                TypeKind::Record(found) if of_values.contains(found.name.as_str()) => records.push(record(&names, ty, found)),
                TypeKind::Enum(found) => enums.push(cases(&names, found)),
                _ => {}
            }
        }
        let (variants, case_records) = variants::all(&names, types);
        let (guests, hosted) = (resources::guests(&names, &surface), resources::hosted(&names, &surface));
        let about =
            format!("Typed access to the plugin {}.\n\nWritten by undergo bindgen; don't edit it, but write it anew.", surface.file);
        let tuples = names.tuples().into_iter().map(|(count, class)| tuple(count, class)).collect();
        Module {
            package: package.map(str::to_owned),
            imported: imported(!errors.is_empty(), !surface.resources.is_empty()),
            class,
            docs: docs(&about),
            signatures: surface.own_functions().map(|function| signature("", function)).collect(),
            exports,
            guests,
            hosted,
            imports,
            records,
            enums,
            variants,
            case_records,
            errors,
            tuples,
        }
    }
}

fn imported(has_errors: bool, has_handles: bool) -> Vec<&'static str> {
    let of_errors: &[&str] = if has_errors { &OF_ERRORS } else { &[] };
    let of_handles: &[&str] = if has_handles { &OF_HANDLES } else { &[] };
    let mut all = [&IMPORTED[..], of_errors, of_handles].concat();
    all.sort_unstable();
    all
}

/// The function as the library finds it.
fn signature(module: &str, function: &Function) -> String {
    let (module, name, text) = (literal(module), literal(&function.name), literal(&function.to_string()));
    format!("new RawSignature({module}, {name}, {text}, {:#018x}L)", function.digest())
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.trim().is_empty() { otherwise } else { docs }
}

/// The parameters of a function, which don't hide what its body uses.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::new(["args", "call", "error"]);
    function.own_params().iter().map(|param| scope.take(identifier(&param.name))).collect()
}

/// `Person p, boolean shout`
fn declared(names: &Names, function: &Function) -> String {
    let each = |(param, name): (&Field, String)| format!("{} {name}", names.show(&param.ty));
    function.own_params().iter().zip(parameters(function)).map(each).collect::<Vec<_>>().join(", ")
}

fn returns(names: &Names, function: &Function) -> String {
    function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| names.show(ty))
}

/// An export, a constructor, or a method of the plugin's, which writes its object first.
fn export(names: &Names, methods: &mut Scope, function: &Arc<Function>, number: usize) -> Export {
    let throws = function.fallible.then_some("dev.undergo.java.GuestException when the function returns an error.");
    let args = Fields::of(function.params.iter().map(|param| &param.ty));
    let put = |((param, name), offset): ((&Field, String), &usize)| names.put(&param.ty, "call", &Place("args", *offset), &name, 0);
    let before = function.params.len() - function.own_params().len();
    let given = function.own_params().iter().zip(parameters(function)).zip(&args.offsets[before..]);
    let object = (before > 0).then(|| "Raw.putHandle(call, args, this);".to_owned());
    let wit = function.name.rsplit('.').next().unwrap_or(&function.name);
    Export {
        name: methods.take(identifier(wit)),
        docs: text::documented(or(&function.docs, &format!("Calls {}.", function.name)), throws),
        wit: literal(&function.name),
        number,
        returns: returns(names, function),
        params: declared(names, function),
        size: args.size,
        result_size: function.result.as_ref().map_or(0, layout::size),
        puts: object.into_iter().chain(given.flat_map(put)).collect(),
        get: function.result.as_ref().map(|ty| names.get(ty, &Place("call.result()", 0), 0)),
    }
}

fn import(names: &Names, params: &mut Scope, import: &Imported<'_>, class: String) -> Import {
    let mut methods = Scope::new(OF_OBJECTS);
    let param = params.take(identifier(import.name));
    let function = |function: &&Arc<Function>| {
        let name = methods.take(identifier(&function.name));
        let offsets = Fields::of(function.params.iter().map(|param| &param.ty)).offsets;
        let read = function.params.iter().zip(offsets).map(|(param, offset)| names.get(&param.ty, &Place("args", offset), 0));
        let call = format!("{param}.{name}({})", read.collect::<Vec<_>>().join(", "));
        let also = if function.fallible { "\n\nAn exception that it throws is the error that the plugin gets." } else { "" };
        HostFunction {
            name,
            docs: docs(&format!("{}{also}", or(&function.docs, &format!("The function {}.", function.name)))),
            signature: signature(import.name, function),
            returns: returns(names, function),
            params: declared(names, function),
            body: host_result(names, function, call),
        }
    };
    let functions = import.functions.iter().map(function).collect();
    Import { class, docs: docs(&format!("What the host gives as {}.", import.name)), param, functions }
}

/// Statements that call a host function, and write its result.
fn host_result(names: &Names, function: &Function, call: String) -> Vec<String> {
    match &function.result {
        Some(ty) => {
            let first = format!("{} answer$ = {call};", names.show(ty));
            [first].into_iter().chain(names.put(ty, "room", &Place("result", 0), "answer$", 0)).collect()
        }
        None => vec![call + ";"],
    }
}

fn record(names: &Names, ty: &Type, record: &RecordType) -> Record {
    let mut scope = Scope::new(OF_OBJECTS);
    let components: Vec<String> = record.fields.iter().map(|field| scope.take(identifier(&field.name))).collect();
    let offsets = Fields::of(record.fields.iter().map(|field| &field.ty)).offsets;
    let mut about = vec![or(&record.docs, &format!("The record {}.", record.name)).to_owned()];
    let described = record.fields.iter().zip(&components).filter(|(field, _)| !field.docs.trim().is_empty());
    about.extend(described.map(|(field, name)| format!("{name}: {}", crate::bindgen::text::one_line(&field.docs))));
    let (mut declared, mut puts, mut gets) = (Vec::new(), Vec::new(), Vec::new());
    for ((field, name), offset) in record.fields.iter().zip(&components).zip(offsets) {
        declared.push(format!("{} {name}", names.show(&field.ty)));
        puts.extend(names.put(&field.ty, "room", &Place("at", offset), &format!("value.{name}()"), 0));
        gets.push(names.get(&field.ty, &Place("at", offset), 0));
    }
    let name = names.of(&record.name);
    let implements = variants::implements(names, &name);
    Record {
        name,
        docs: docs(&about.join("\n\n")),
        components: declared.join(", "),
        implements,
        puts,
        gets: gets.join(", "),
        client: client(ty),
    }
}

/// What a function takes first that reads such a value.
fn client(ty: &Type) -> &'static str {
    if ty.holds_handles_of(Side::Guest) { "RawClient client$, " } else { "" }
}

fn cases(names: &Names, cases: &EnumType) -> Enum {
    let mut scope = Scope::new(["CASES$"]);
    let mut case = |(wit, about): &(String, String)| {
        let name = crate::bindgen::text::snake(wit).to_uppercase();
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        Case { name: scope.take(if starts { name } else { format!("_{name}") }), docs: docs(about) }
    };
    Enum {
        name: names.of(&cases.name),
        docs: docs(or(&cases.docs, &format!("The enum {}.", cases.name))),
        cases: cases.cases.iter().map(&mut case).collect(),
    }
}

fn tuple(count: usize, class: String) -> Tuple {
    let join = |each: fn(usize) -> String| (0..count).map(each).collect::<Vec<_>>().join(", ");
    Tuple { class, count, types: join(|i| format!("T{i}")), components: join(|i| format!("T{i} v{i}")) }
}
