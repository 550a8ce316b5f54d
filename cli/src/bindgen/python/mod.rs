//! A Python module for a plugin: dataclasses, enums, unions for variants, exceptions for errors
//! with fields, protocols for imports, and a class with the exports as typed methods.
//! `templates/python/module.py` is the file that this makes.

mod function;
mod text;
mod types;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{EnumType, RecordType, Resource, Shape, Side, Type, TypeKind, VariantType, names};

use super::classes::CaseClass;
use super::filters;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use function::{HostMethod, Method};
use text::{docstring, identifier, literal, prose, signature, tuple, union};
use types::{Direction, Names, Shown, Used};

/// The module's text.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    Module::new(plugin).render()
}

#[derive(Template)]
#[template(path = "python/module.py", escape = "none")]
struct Module {
    /// Its file, as a docstring has it.
    file: String,
    used: Used,
    /// Whether the protocol for objects that lend bytes is used.
    has_buffers: bool,
    types: Vec<Declared>,
    objects: Vec<Object>,
    imports: Vec<Import>,
    /// Whether all imports have names that can be the keys of a class.
    imports_are_keys: bool,
    /// The class for an instance, that for a pool, and what both are: the class with the exports.
    class: String,
    pool: String,
    exports_class: String,
    exports: Vec<Method>,
    /// The classes by the names of their types, as the package wants them.
    table: Vec<Row>,
}

/// A class, or the union that a variant is.
enum Declared {
    Record { class: String, docs: String, fields: Vec<Field> },
    Error { class: String, docs: String, fields: Vec<Field>, match_args: String, signature: String },
    Enum { class: String, docs: String, cases: Vec<EnumCase> },
    Case { class: String, docs: String, ty: Option<String> },
    Variant { alias: String, docs: String },
}

struct Field {
    name: String,
    ty: String,
    /// ` = None`, or nothing.
    default: &'static str,
    docs: String,
}

struct EnumCase {
    name: String,
    /// The name in the interface, as a literal.
    wit: String,
    docs: String,
}

/// A resource, as the protocol of its objects.
struct Object {
    class: String,
    docs: String,
    /// Whether they are the plugin's.
    is_guests: bool,
    methods: Vec<HostMethod>,
}

/// An interface whose functions the host gives.
struct Import {
    class: String,
    docs: String,
    /// Its name, as a key and as a literal.
    key: String,
    wit: String,
    methods: Vec<HostMethod>,
}

struct Row {
    wit: String,
    class: String,
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let Surface { file, world, types, resources, exports, imports, .. } = Surface::new(plugin);
        let mut names = Names::new(types, resources);
        let [class, pool, exports_class] = ["", "-pool", "-exports"].map(|end| names.class(&format!("{world}{end}")));
        let imports: Vec<_> = imports.into_iter().map(|import| (names.class(&names::kebab(import.name)), import)).collect();
        let imports_are_keys = imports.iter().all(|(_, import)| text::is_method(import.name) && identifier(import.name) == import.name);
        let imports: Vec<Import> = imports.into_iter().map(|(class, found)| import(&names, class, &found)).collect();
        let declared = types.iter().flat_map(|ty| declared(&names, ty)).collect();
        let objects: Vec<Object> =
            resources.iter().filter(|found| found.ty.shape == Shape::Object).map(|found| object(&names, found)).collect();
        let mut exports = function::methods(&names, &exports);
        for resource in resources {
            exports.extend(function::constructor(&names, &exports, resource));
        }
        if !objects.is_empty() {
            names.typing("Protocol");
        }
        names.module("copy");
        names.module("os");
        if !imports.is_empty() {
            names.typing("Protocol");
            names.typing("TypedDict");
            names.collection("Callable");
            names.collection("Mapping");
        }
        let table = types.iter().flat_map(|ty| rows(&names, ty)).collect();
        let (used, has_buffers) = names.used();
        Module {
            file: prose(&file),
            used,
            has_buffers,
            types: declared,
            objects,
            imports,
            imports_are_keys,
            class,
            pool,
            exports_class,
            exports,
            table,
        }
    }
}

fn import(names: &Names, class: String, import: &Imported<'_>) -> Import {
    let docs = docstring(&format!("What the host gives as {}.", import.name));
    let methods = function::host_methods(names, &import.functions);
    Import { class, docs, key: identifier(import.name), wit: literal(import.name), methods }
}

fn object(names: &Names, resource: &Resource) -> Object {
    let ty = &resource.ty;
    Object {
        class: names.of_resource(ty).to_owned(),
        docs: docs(&ty.docs, &format!("The resource {}.", ty.name)),
        is_guests: ty.side == Side::Guest,
        methods: function::object_methods(names, resource),
    }
}

fn declared(names: &Names, ty: &Type) -> Vec<Declared> {
    match &ty.kind {
        TypeKind::Record(record) if record.is_error => vec![error(names, record)],
        TypeKind::Record(record) => vec![self::record(names, record)],
        TypeKind::Enum(cases) => vec![enumeration(names, cases)],
        TypeKind::Variant(variant) => self::variant(names, variant),
        _ => Vec::new(),
    }
}

fn record(names: &Names, record: &RecordType) -> Declared {
    names.module("dataclasses");
    let docs = docs(&record.docs, &format!("The record {}.", record.name));
    Declared::Record { class: names.of(&record.name), docs, fields: fields(names, record).1 }
}

/// An error with fields: an exception.
fn error(names: &Names, record: &RecordType) -> Declared {
    let (shown, fields) = fields(names, record);
    let params = [format!("message: {} = \"\"", shown.name("str")), "/".to_owned(), "*".to_owned()];
    let params = params.into_iter().chain(fields.iter().map(|field| format!("{}: {}{}", field.name, field.ty, field.default)));
    let quoted: Vec<String> = fields.iter().map(|field| literal(&field.name)).collect();
    Declared::Error {
        class: names.of(&record.name),
        docs: docs(&record.docs, &format!("The error {}.", record.name)),
        match_args: tuple("__match_args__ = ", &quoted),
        signature: signature("__init__", params, "None"),
        fields,
    }
}

/// The fields, and how types are written beside them.
fn fields<'n>(names: &'n Names, record: &RecordType) -> (Shown<'n>, Vec<Field>) {
    let idents: Vec<String> = record.fields.iter().map(|field| text::field(record, &field.name)).collect();
    let shown = names.shadowed_by(idents.iter().map(String::as_str));
    let fields = record.fields.iter().zip(idents).map(|(field, name)| Field {
        name,
        ty: shown.show(&field.ty, Direction::FromGuest),
        default: if matches!(field.ty.kind, TypeKind::Option(_)) { " = None" } else { "" },
        docs: optional(&field.docs),
    });
    let fields = fields.collect();
    (shown, fields)
}

fn enumeration(names: &Names, cases: &EnumType) -> Declared {
    names.module("enum");
    let mut scope = Scope::default();
    let case = |(case, docs): &(String, String)| EnumCase {
        name: scope.take(super::text::snake(case).to_uppercase()),
        wit: literal(case),
        docs: optional(docs),
    };
    Declared::Enum {
        class: names.of(&cases.name),
        docs: docs(&cases.docs, &format!("The enum {}.", cases.name)),
        cases: cases.cases.iter().map(case).collect(),
    }
}

/// The classes of the cases, and the union of them.
fn variant(names: &Names, variant: &VariantType) -> Vec<Declared> {
    let cases = names.cases(variant);
    let classes: Vec<String> = cases.iter().map(|case| case.class.clone()).collect();
    names.typing("TypeAlias");
    if text::is_long(&classes) {
        names.typing("Union");
    }
    let union = Declared::Variant {
        alias: union(&names.of(&variant.name), &classes),
        docs: docs(&variant.docs, &format!("The variant {}.", variant.name)),
    };
    let case = |found: CaseClass<'_>| {
        names.module("dataclasses");
        let ty = found.case.ty.as_ref().map(|ty| names.shadowed_by([]).show(ty, Direction::FromGuest));
        Declared::Case { class: found.class, docs: docs(&found.case.docs, &format!("The case {}.", found.case.name)), ty }
    };
    cases.into_iter().filter(|case| case.is_new).map(case).chain([union]).collect()
}

fn rows(names: &Names, ty: &Type) -> Vec<Row> {
    let row = |name: &str, class: String| Row { wit: literal(name), class };
    match &ty.kind {
        TypeKind::Record(_) | TypeKind::Enum(_) => vec![row(&ty.to_string(), names.of(&ty.to_string()))],
        TypeKind::Variant(variant) => {
            let cases = names.cases(variant).into_iter().filter(|case| !case.is_record);
            cases.map(|case| row(&format!("{}.{}", variant.name, case.case.name), case.class)).collect()
        }
        _ => Vec::new(),
    }
}

fn docs(docs: &str, other: &str) -> String {
    docstring(if docs.is_empty() { other } else { docs })
}

/// A docstring, unless there are no docs.
fn optional(docs: &str) -> String {
    if docs.is_empty() { String::new() } else { docstring(docs) }
}
