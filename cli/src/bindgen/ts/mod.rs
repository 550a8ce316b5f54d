//! A TypeScript module for a plugin: interfaces for its records, unions for its enums and variants,
//! classes for its errors, what its imports and exports are, and functions that load it.
//! `templates/ts/module.ts` is the file that this makes.

mod function;
mod text;
mod types;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{RecordType, Resource, Shape, Side, Type, TypeKind, VariantType, names};

use super::filters;
use super::surface::{Imported, Surface};
use function::{Method, Owner};
use text::{broken, docs, harmless, key, literal, property};
use types::{Direction, Names};

/// The module's text.
pub(super) fn module(plugin: &Plugin) -> Result<String, askama::Error> {
    Module::new(plugin).render()
}

#[derive(Template)]
#[template(path = "ts/module.ts", escape = "none")]
struct Module {
    /// Its file, as a comment has it.
    file: String,
    has_errors: bool,
    /// The types of the package, and of Node's streams, that are used.
    used: Vec<&'static str>,
    streams: Vec<&'static str>,
    types: Vec<Declared>,
    imports: Vec<Import>,
    exports: Vec<Method>,
    classes: Vec<Class>,
    /// The types of an instance, of a pool, of what each is made with, and of their functions.
    class: String,
    pool: String,
    options: String,
    pool_options: String,
    exports_class: String,
    /// The functions that load an instance and a pool, up to their bodies.
    load: String,
    load_pool: String,
}

enum Declared {
    Record {
        name: String,
        docs: String,
        fields: Vec<Field>,
    },
    /// The class of an error, and how it is made.
    Error {
        name: String,
        docs: String,
        made: String,
    },
    Enum {
        name: String,
        docs: String,
        cases: Vec<Case>,
    },
    Variant {
        name: String,
        docs: String,
        cases: Vec<Case>,
    },
    /// A resource of the plugin: the type of its objects, and of their methods.
    Resource {
        name: String,
        docs: String,
        methods_name: String,
        methods: Vec<Method>,
    },
    /// What an object of the host's has.
    Object {
        name: String,
        docs: String,
        methods: Vec<Method>,
    },
}

/// A resource as a member of an instance.
struct Class {
    docs: String,
    key: String,
    ty: String,
}

struct Field {
    docs: String,
    /// With a question mark, if it may be left out.
    key: String,
    ty: String,
}

struct Case {
    docs: String,
    /// The name in the interface, as a literal.
    wit: String,
    value: Option<Field>,
}

/// An interface whose functions the host gives.
struct Import {
    class: String,
    docs: String,
    key: String,
    functions: Vec<Method>,
}

impl Module {
    fn new(plugin: &Plugin) -> Module {
        let Surface { file, world, types, exports, imports, resources, .. } = Surface::new(plugin);
        let mut names = Names::new(types, resources);
        let [class, pool, options, pool_options, exports_class] =
            ["", "-pool", "-options", "-pool-options", "-exports"].map(|end| names.class(&format!("{world}{end}")));
        let imports: Vec<_> = imports.into_iter().map(|import| (names.class(&names::kebab(import.name)), import)).collect();
        let imports: Vec<Import> = imports.into_iter().map(|(class, found)| import(&names, class, &found)).collect();
        let objects = resources.iter().filter(|resource| resource.ty.shape == Shape::Object);
        let types: Vec<Declared> = types
            .iter()
            .flat_map(|ty| declared(&names, &world, ty))
            .chain(objects.clone().map(|object| resource(&names, object)))
            .collect();
        let classes: Vec<Class> = objects.filter(|object| object.ty.side == Side::Guest).map(|object| class_of(&names, object)).collect();
        let exports = function::methods(&names, &exports, Owner::Guest);
        let default = if imports.is_empty() { " = {}" } else { "" };
        Module {
            file: harmless(&file),
            has_errors: types.iter().any(|ty| matches!(ty, Declared::Error { .. })),
            used: names.used(false),
            streams: names.used(true),
            load: loader(&class, &format!("{options}{default}")),
            load_pool: loader(&pool, &pool_options),
            types,
            imports,
            exports,
            classes,
            class,
            pool,
            options,
            pool_options,
            exports_class,
        }
    }
}

/// A function that loads an instance or a pool.
fn loader(class: &str, options: &str) -> String {
    let params = ["path: string | URL".to_owned(), format!("options: {options}"), "compile: PluginOptions = {}".to_owned()];
    broken("export async function  {".len(), &format!("load{class}"), &params, &format!(": Promise<{class}>"))
}

fn import(names: &Names, class: String, import: &Imported<'_>) -> Import {
    Import {
        class,
        docs: docs(&format!("What the host gives as {}.", import.name)),
        key: property(import.name),
        functions: function::methods(names, &import.functions, Owner::Host),
    }
}

fn declared(names: &Names, world: &str, ty: &Type) -> Vec<Declared> {
    match &ty.kind {
        TypeKind::Record(record) => {
            let what = format!("The record {}.", record.name);
            let said = if record.is_error { format!("The fields of {}.", names.of(&record.name)) } else { or(&record.docs, &what) };
            let made = self::record(names, record, names.record(&record.name), &said, Direction::FromGuest);
            let input = names.has_input(&record.name).then(|| {
                let said = format!("What is accepted for {}.", names.record(&record.name));
                self::record(names, record, names.input(&record.name), &said, Direction::Within)
            });
            [made].into_iter().chain(input).chain(record.is_error.then(|| error(names, world, record))).collect()
        }
        TypeKind::Enum(cases) => {
            let case = |(case, docs): &(String, String)| Case { docs: text::docs(docs), wit: literal(case), value: None };
            let docs = docs(&or(&cases.docs, &format!("The enum {}.", cases.name)));
            vec![Declared::Enum { name: names.of(&cases.name), docs, cases: cases.cases.iter().map(case).collect() }]
        }
        TypeKind::Variant(found) => {
            let name = names.of(&found.name);
            let input = names
                .has_input(&found.name)
                .then(|| variant(names, found, names.input(&found.name), &format!("What is accepted for {name}."), Direction::Within));
            let said = or(&found.docs, &format!("The variant {}.", found.name));
            [variant(names, found, name.clone(), &said, Direction::FromGuest)].into_iter().chain(input).collect()
        }
        _ => Vec::new(),
    }
}

fn record(names: &Names, record: &RecordType, name: String, said: &str, direction: Direction) -> Declared {
    let fields = record.fields.iter().map(|field| self::field(names, &field.docs, key(&field.name), &field.ty, direction));
    Declared::Record { name, docs: docs(said), fields: fields.collect() }
}

fn field(names: &Names, docs: &str, mut key: String, ty: &Type, direction: Direction) -> Field {
    if matches!(ty.kind, TypeKind::Option(_)) {
        key.push('?');
    }
    Field { docs: text::docs(docs), key, ty: names.show(ty, direction) }
}

/// The class of an error, and the type of that name.
fn error(names: &Names, world: &str, record: &RecordType) -> Declared {
    let (name, fields, input) = (names.of(&record.name), names.record(&record.name), names.input(&record.name));
    let types = if input == fields { fields } else { format!("{fields}, {input}") };
    let args = [literal(&name), literal(&types::error_type(world, record))];
    let made = broken(format!("export const {name} = ").len(), &format!("errorType<{types}>"), &args, "");
    Declared::Error { docs: docs(&or(&record.docs, &format!("The error {}.", record.name))), name, made }
}

fn variant(names: &Names, variant: &VariantType, name: String, said: &str, direction: Direction) -> Declared {
    let cases = variant.cases.iter().map(|case| Case {
        docs: docs(&case.docs),
        wit: literal(&case.name),
        value: case.ty.as_ref().map(|ty| field(names, "", "val".to_owned(), ty, direction)),
    });
    Declared::Variant { name, docs: docs(said), cases: cases.collect() }
}

fn resource(names: &Names, resource: &Resource) -> Declared {
    let ty = &resource.ty;
    let methods: Vec<_> = resource.methods.iter().collect();
    let name = names.object(ty).to_owned();
    match ty.side {
        Side::Guest => {
            names.uses("GuestObject");
            Declared::Resource {
                docs: docs(&or(&ty.docs, &format!("The resource {}.", ty.name))),
                methods_name: names.methods(ty).to_owned(),
                methods: function::methods(names, &methods, Owner::Guest),
                name,
            }
        }
        Side::Host => Declared::Object {
            docs: docs(&or(&ty.docs, &format!("What the host gives as {}.", ty.name))),
            methods: function::methods(names, &methods, Owner::Host),
            name,
        },
    }
}

fn class_of(names: &Names, resource: &Resource) -> Class {
    let args = resource.constructor.as_ref().map(|constructor| function::arguments(names, constructor));
    let args = args.map_or_else(String::new, |args| format!(", {args}"));
    Class {
        docs: resource.constructor.as_ref().map_or_else(String::new, |constructor| docs(&constructor.docs)),
        key: property(&names::pascal(&resource.ty.name)),
        ty: format!("{}<{}{args}>", names.uses("GuestClass"), names.methods(&resource.ty)),
    }
}

fn or(docs: &str, other: &str) -> String {
    if docs.is_empty() { other.to_owned() } else { docs.to_owned() }
}
