//! A Ruby module for a plugin: a Struct for each record, classes for errors and the cases of
//! variants, constants for enums, and classes with the exports as methods. The types are in
//! comments of RBS. `templates/ruby/module.rb` is the file that this makes.

mod text;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, Type, TypeKind, VariantType, names};

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

#[derive(Template)]
#[template(path = "ruby/module.rb", escape = "none")]
struct Module {
    /// Its file, as a comment has it.
    file: String,
    module: String,
    types: Vec<Declared>,
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

/// An interface whose functions the host gives: a module, to be included in a class that has its
/// methods.
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
    /// The name in the interface, as a literal.
    wit: String,
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let Surface { file, world, types, exports, imports, .. } = Surface::new(plugin);
        let mut names = Names::new(types);
        let [exports_class, instance, pool] = ["exports", "instance", "pool"].map(|name| names.constant(name));
        let imports = imports.iter().map(|found| import(&mut names, found)).collect();
        let mut scope = Scope::new(TAKEN);
        Module {
            file: prose(&file),
            module: Names::new(&[]).constant(&format!("{world}-plugin")),
            types: types.iter().flat_map(|ty| declared(&names, ty)).collect(),
            imports,
            instance,
            pool,
            exports_class,
            exports: exports.into_iter().filter_map(|function| method(&names, &mut scope, function)).collect(),
        }
    }
}

fn declared(names: &Names, ty: &Type) -> Vec<Declared> {
    match &ty.kind {
        // No Struct is without fields: the gem has its own.
        TypeKind::Record(record) if record.fields.is_empty() => Vec::new(),
        TypeKind::Record(record) => vec![self::record(names, record)],
        TypeKind::Enum(cases) => vec![enumeration(names, cases)],
        TypeKind::Variant(variant) => self::variant(names, variant),
        _ => Vec::new(),
    }
}

fn record(names: &Names, record: &RecordType) -> Declared {
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

fn enumeration(names: &Names, cases: &EnumType) -> Declared {
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
fn variant(names: &Names, variant: &VariantType) -> Vec<Declared> {
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

fn import(names: &mut Names, import: &Imported<'_>) -> Import {
    let mut seen = BTreeSet::new();
    let first = import.functions.iter().filter(|function| is_method(&function.name) && seen.insert(names::snake(&function.name)));
    let class = names.constant(&names::kebab(import.name));
    Import {
        class,
        docs: comment(&format!("What the host gives as {}. A class that includes it writes the methods.", import.name)),
        methods: first.map(|function| host_method(names, import.name, function)).collect(),
    }
}

fn host_method(names: &Names, interface: &str, function: &Function) -> HostMethod {
    HostMethod {
        name: names::snake(&function.name),
        docs: docs(&function.docs, &format!("Calls {}.", function.name)),
        is_fallible: function.fallible,
        signature: names.signature(function, Direction::FromGuest, Direction::ToGuest),
        params: params(function, |name| format!("_{}", super::text::snake(name))),
        missing: quoted(&format!("the host gives no {interface}.{}", function.name)),
    }
}

fn method(names: &Names, scope: &mut Scope, function: &Arc<Function>) -> Option<Method> {
    is_method(&function.name).then(|| Method {
        name: scope.take(names::snake(&function.name)),
        docs: docs(&function.docs, &format!("Calls {}.", function.name)),
        is_fallible: function.fallible,
        has_errors: function.errors.is_some(),
        signature: names.signature(function, Direction::ToGuest, Direction::FromGuest),
        params: params(function, identifier),
        wit: quoted(&function.name),
    })
}

fn params(function: &Function, name: impl Fn(&str) -> String) -> String {
    let params: Vec<String> = function.params.iter().map(|param| name(&param.name)).collect();
    if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) }
}

fn docs(docs: &str, other: &str) -> String {
    comment(if docs.is_empty() { other } else { docs })
}
