//! A Ruby module for a plugin: a Struct for each record, classes for errors and the cases of
//! variants, constants for enums, and classes with the exports as methods. The types are in
//! comments of RBS. `templates/ruby/module.rb` is the file that this makes.

mod text;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, Resource, Shape, Side, Type, TypeKind, VariantType, names};

use super::classes::CaseClass;
use super::filters;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use text::{comment, constant, identifier, is_method, prose, quoted, symbol};
use types::{Direction, Names};

/// The module's text.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    Module::new(plugin).render()
}

/// Methods that the classes have themselves, and those of every object that Ruby or the classes
/// rely on.
#[rustfmt::skip]
const TAKEN: [&str; 27] = [
    "class", "clone", "close", "dup", "exports", "extend", "freeze", "hash", "initialize", "initialize_clone", "initialize_copy", "initialize_dup", "inspect",
    "instance", "load", "method_missing", "object_id", "pool", "send", "to_ary", "to_hash", "to_path", "to_proc", "to_s", "to_str", "using", "wrap",
];

/// Methods that every object has: one of a resource gets an underscore behind its name. The gem has
/// the same list.
#[rustfmt::skip]
const OF_OBJECTS: [&str; 41] = [
    "class", "clone", "close", "define_singleton_method", "display", "dup", "enum_for", "extend", "freeze", "hash", "initialize", "initialize_clone",
    "initialize_copy", "initialize_dup", "inspect", "instance_eval", "instance_exec", "instance_variable_get", "instance_variable_set",
    "instance_variables", "itself", "method", "method_missing", "methods", "object_id", "private_methods", "protected_methods", "public_method",
    "public_methods", "public_send", "raise", "remove_instance_variable", "respond_to_missing", "send", "singleton_class", "singleton_method",
    "singleton_methods", "tap", "then", "to_enum", "to_s",
];

#[derive(Template)]
#[template(path = "ruby/module.rb", escape = "none")]
struct Module {
    /// Its file, as a comment has it.
    file: String,
    module: String,
    types: Vec<Declared>,
    resources: Vec<Object>,
    imports: Vec<Import>,
    /// The classes of an instance and of a pool, and what both are: the class with the exports.
    instance: String,
    pool: String,
    exports_class: String,
    exports: Vec<Method>,
}

enum Declared {
    /// `members` are the symbols of the fields, with commas.
    Record {
        class: String,
        docs: String,
        fields: Vec<Field>,
        members: String,
        is_error: bool,
    },
    Enum {
        class: String,
        docs: String,
        cases: Vec<EnumCase>,
    },
    Case {
        class: String,
        docs: String,
        ty: Option<String>,
    },
    /// The cases are symbols with the names of classes.
    Variant {
        class: String,
        docs: String,
        cases: Vec<(String, String)>,
    },
}

/// A field, as a comment has it.
struct Field {
    name: String,
    ty: String,
    docs: String,
}

struct EnumCase {
    name: String,
    symbol: String,
    docs: String,
}

/// The objects of a resource of the guest.
struct Object {
    class: String,
    docs: String,
    methods: Vec<Method>,
}

/// An interface whose functions the host gives, or a resource whose objects it gives: a module, to
/// be included in a class that has its methods.
struct Import {
    class: String,
    docs: String,
    methods: Vec<HostMethod>,
}

struct HostMethod {
    name: String,
    docs: String,
    is_fallible: bool,
    /// `(Person p) -> String`
    signature: String,
    /// `(_p)`, or nothing.
    params: String,
    /// A literal of what is said where the host has no such method.
    missing: String,
}

struct Method {
    name: String,
    docs: String,
    is_fallible: bool,
    /// Whether its errors have classes of their own.
    has_errors: bool,
    signature: String,
    /// `(p)`, or nothing.
    params: String,
    /// What the exports get of them.
    args: String,
    /// The name in the interface, as a literal.
    wit: String,
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let Surface { file, world, types, exports, imports, resources, .. } = Surface::new(plugin);
        let mut names = Names::new(types, resources);
        let [exports_class, instance, pool] = ["exports", "instance", "pool"].map(|name| names.constant(name));
        let objects = |side| resources.iter().filter(move |resource| resource.ty.shape == Shape::Object && resource.ty.side == side);
        let imports = imports.iter().map(|found| import(&mut names, found)).collect::<Vec<_>>();
        let imports = objects(Side::Host).map(|resource| host_object(&names, resource)).chain(imports).collect();
        let mut scope = Scope::new(TAKEN);
        let mut methods: Vec<Method> = exports.into_iter().filter_map(|function| method(&names, &mut scope, function)).collect();
        let constructors = resources.iter().filter_map(|resource| constructor(&names, &mut scope, resource));
        methods.extend(constructors);
        Module {
            file: prose(&file),
            module: Names::new(&[], &[]).constant(&format!("{world}-plugin")),
            types: types.iter().flat_map(|ty| declared(&names, ty)).collect(),
            resources: objects(Side::Guest).map(|resource| object(&names, resource)).collect(),
            imports,
            instance,
            pool,
            exports_class,
            exports: methods,
        }
    }
}

fn declared(names: &Names<'_>, ty: &Type) -> Vec<Declared> {
    match &ty.kind {
        // No Struct is without fields: the gem has its own.
        TypeKind::Record(record) if record.fields.is_empty() => Vec::new(),
        TypeKind::Record(record) => vec![self::record(names, record)],
        TypeKind::Enum(cases) => vec![enumeration(names, cases)],
        TypeKind::Variant(variant) => self::variant(names, variant),
        _ => Vec::new(),
    }
}

fn record(names: &Names<'_>, record: &RecordType) -> Declared {
    let what = if record.is_error { "error" } else { "record" };
    let fields = record.fields.iter().map(|field| Field {
        name: prose(&names::snake(&field.name)),
        ty: names.show(&field.ty, Direction::FromGuest),
        docs: prose(&field.docs),
    });
    let members: Vec<String> = record.fields.iter().map(|field| symbol(&names::snake(&field.name))).collect();
    Declared::Record {
        class: names.of(&record.name),
        docs: docs(&record.docs, &format!("The {what} {}.", record.name)),
        fields: fields.collect(),
        members: members.join(", "),
        is_error: record.is_error,
    }
}

fn enumeration(names: &Names<'_>, cases: &EnumType) -> Declared {
    let mut scope = Scope::default();
    let case = |(case, docs): &(String, String)| EnumCase {
        name: scope.take(constant(case)),
        symbol: symbol(&names::snake(case)),
        docs: comment(docs),
    };
    Declared::Enum {
        class: names.of(&cases.name),
        docs: docs(&cases.docs, &format!("The enum {}.", cases.name)),
        cases: cases.cases.iter().map(case).collect(),
    }
}

/// The classes of the cases, but for records, which have one, and the module that all of them
/// include.
fn variant(names: &Names<'_>, variant: &VariantType) -> Vec<Declared> {
    let cases = names.cases(variant);
    let table = cases.iter().map(|case| (symbol(&names::snake(&case.case.name)), case.class.clone())).collect();
    let docs = docs(&variant.docs, &format!("The variant {}.", variant.name));
    let module = Declared::Variant { class: names.of(&variant.name), docs, cases: table };
    let case = |found: CaseClass<'_>| Declared::Case {
        class: found.class,
        docs: self::docs(&found.case.docs, &format!("The case {} of {}.", found.case.name, variant.name)),
        ty: found.case.ty.as_ref().map(|ty| names.show(ty, Direction::FromGuest)),
    };
    cases.into_iter().filter(|case| case.is_new).map(case).chain([module]).collect()
}

fn import(names: &mut Names<'_>, import: &Imported<'_>) -> Import {
    let mut seen = BTreeSet::new();
    let first = import.functions.iter().filter(|function| is_method(&function.name) && seen.insert(names::snake(&function.name)));
    let class = names.constant(&names::kebab(import.name));
    Import {
        class,
        docs: comment(&format!("What the host gives as {}. A class that includes it writes the methods.", import.name)),
        methods: first.map(|function| host_method(names, &function.name, import.name, function)).collect(),
    }
}

/// What the host gives for a resource.
fn host_object(names: &Names<'_>, resource: &Resource) -> Import {
    let name = &resource.ty.name;
    let methods = resource.ty.methods.iter().zip(&resource.methods).filter(|(method, _)| is_method(method));
    Import {
        class: names.object(&resource.ty),
        docs: docs(&resource.ty.docs, &format!("What the host gives as {name}. A class that includes it writes the methods.")),
        methods: methods.map(|(method, function)| host_method(names, method, name, function)).collect(),
    }
}

/// The class of a guest's objects.
fn object(names: &Names<'_>, resource: &Resource) -> Object {
    let methods = resource.ty.methods.iter().zip(&resource.methods).filter(|(method, _)| is_method(method));
    let method = |(name, function): (&String, &Arc<Function>)| {
        let mut snake = names::snake(name);
        if OF_OBJECTS.contains(&snake.as_str()) {
            snake.push('_');
        }
        of_guest(names, snake, name, function)
    };
    Object {
        class: names.object(&resource.ty),
        docs: docs(&resource.ty.docs, &format!("The resource {}.", resource.ty.name)),
        methods: methods.map(method).collect(),
    }
}

fn constructor(names: &Names<'_>, scope: &mut Scope, resource: &Resource) -> Option<Method> {
    let function = resource.constructor.as_ref()?;
    let name = format!("new-{}", resource.ty.name);
    let made = of_guest(names, scope.take(names::snake(&name)), &name, function);
    // A block gets the object.
    Some(if takes_block(function) { made } else { with_block(made, function) })
}

fn with_block(method: Method, function: &Function) -> Method {
    let block = block(function);
    let added = |list: &str| match list.strip_suffix(')') {
        Some(list) => format!("{list}, &{block})"),
        None => format!("(&{block})"),
    };
    Method { params: added(&method.params), args: added(&method.args), ..method }
}

/// A name for the block that no parameter has.
fn block(function: &Function) -> String {
    let mut name = "block".to_owned();
    while function.own_params().iter().any(|param| identifier(&param.name) == name) {
        name.push('_');
    }
    name
}

/// Whether the last parameter is a function, as which a block serves.
fn takes_block(function: &Function) -> bool {
    let is_callback =
        |kind: &TypeKind| matches!(kind, TypeKind::Own(resource) | TypeKind::Borrow(resource) if resource.shape == Shape::Callback);
    function.own_params().last().is_some_and(|param| is_callback(&param.ty.kind))
}

fn host_method(names: &Names<'_>, name: &str, interface: &str, function: &Function) -> HostMethod {
    HostMethod {
        name: names::snake(name),
        docs: docs(&function.docs, &format!("Calls {name}.")),
        is_fallible: function.fallible,
        signature: names.signature(function, Direction::FromGuest, Direction::ToGuest),
        params: params(function, |name| format!("_{}", super::text::snake(name))),
        missing: quoted(&format!("the host gives no {interface}.{name}")),
    }
}

fn method(names: &Names<'_>, scope: &mut Scope, function: &Arc<Function>) -> Option<Method> {
    is_method(&function.name).then(|| of_guest(names, scope.take(names::snake(&function.name)), &function.name, function))
}

fn of_guest(names: &Names<'_>, name: String, wit: &str, function: &Function) -> Method {
    let made = Method {
        name,
        docs: docs(&function.docs, &format!("Calls {wit}.")),
        is_fallible: function.fallible,
        has_errors: function.errors.is_some(),
        signature: names.signature(function, Direction::ToGuest, Direction::FromGuest),
        params: params(function, identifier),
        args: params(function, identifier),
        wit: quoted(wit),
    };
    if !takes_block(function) {
        return made;
    }
    let block = block(function);
    // The last parameter is given, or the block takes its place.
    let list = made.params.trim_end_matches(')');
    let params = format!("{list} = nil, &{block})");
    Method { args: format!("{list} || {block})"), params, ..made }
}

fn params(function: &Function, name: impl Fn(&str) -> String) -> String {
    let params: Vec<String> = function.own_params().iter().map(|param| name(&param.name)).collect();
    if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) }
}

fn docs(docs: &str, other: &str) -> String {
    comment(if docs.is_empty() { other } else { docs })
}
