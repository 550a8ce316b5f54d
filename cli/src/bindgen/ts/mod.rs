//! A TypeScript module for a plugin: interfaces for its records, unions for its enums and variants,
//! classes for its errors, what its imports and exports are, and functions that load it.

mod text;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, Type, TypeKind, VariantType, names};

use super::lines::Lines;
use super::surface::{Imported, Surface};
use text::{Code, key, parameter};
use types::{Direction, Names};

/// The module's text.
pub(super) fn module(plugin: &Plugin) -> String {
    Module::new(plugin).write()
}

/// An interface whose functions the host gives.
struct Import<'a> {
    name: &'a str,
    class: String,
    functions: Vec<&'a Arc<Function>>,
}

/// Who runs a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Guest,
    Host,
}

struct Module<'a> {
    file: String,
    world: String,
    /// The names of the types of an instance, of a pool, of what each is made with, and of their
    /// functions.
    class: String,
    pool: String,
    options: String,
    pool_options: String,
    exports_class: String,
    types: &'a [Type],
    exports: Vec<&'a Arc<Function>>,
    imports: Vec<Import<'a>>,
    names: Names,
    out: Lines,
}

impl<'a> Module<'a> {
    fn new(plugin: &'a Plugin) -> Module<'a> {
        let Surface { file, world, types, exports, imports } = Surface::new(plugin);
        let mut names = Names::new(types);
        let [class, pool, options, pool_options, exports_class] =
            ["", "-pool", "-options", "-pool-options", "-exports"].map(|end| names.class(&format!("{world}{end}")));
        let import = |Imported { name, functions }| Import { name, class: names.class(&names::kebab(name)), functions };
        let imports = imports.into_iter().map(import).collect();
        Module { file, world, class, pool, options, pool_options, exports_class, types, exports, imports, names, out: Lines::new("  ") }
    }

    fn write(mut self) -> String {
        for ty in self.types {
            match &ty.kind {
                TypeKind::Record(record) => self.record(record),
                TypeKind::Enum(cases) => self.cases(cases),
                TypeKind::Variant(variant) => self.variant(variant),
                _ => {}
            }
        }
        self.needed();
        self.given();
        self.loaders();
        let body = self.out.finish();
        self.head(&body) + &body
    }

    fn head(&self, body: &str) -> String {
        let mut out = Lines::new("  ");
        out.line(0, &format!("// Typed access to the plugin {}.", self.file));
        out.line(0, "//");
        out.line(0, "// Written by undergo bindgen; don't edit it, but write it anew.");
        out.line(0, "");
        out.line(0, "import {");
        out.line(1, "Plugin,");
        if self.types.iter().any(is_error) {
            out.line(1, "errorType,");
        }
        let code = body.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
        if code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric())).any(|word| word == "Bytes") {
            out.line(1, "type Bytes,");
        }
        for name in ["Instance", "InstanceOptions", "PluginOptions", "Pool", "PoolOptions"] {
            out.line(1, &format!("type {name}{}", if name == "PoolOptions" { "" } else { "," }));
        }
        out.line(0, "} from 'undergo'");
        out.finish()
    }

    fn record(&mut self, record: &RecordType) {
        let name = self.names.record(&record.name);
        let docs = match record.is_error {
            true => format!("The fields of {}.", self.names.of(&record.name)),
            false => or(&record.docs, &format!("The record {}.", record.name)),
        };
        self.fields(record, &name, &docs, Direction::FromGuest);
        if self.names.has_input(&record.name) {
            let docs = format!("What is accepted for {name}.");
            self.fields(record, &self.names.input(&record.name), &docs, Direction::Within);
        }
        if record.is_error {
            self.error(record);
        }
    }

    /// The class of an error, and the type of that name.
    fn error(&mut self, record: &RecordType) {
        let (name, fields, input) = (self.names.of(&record.name), self.names.record(&record.name), self.names.input(&record.name));
        let types = if input == fields { fields } else { format!("{fields}, {input}") };
        self.out.line(0, "");
        self.out.docs(0, &or(&record.docs, &format!("The error {}.", record.name)));
        let args = [text::literal(&name), text::literal(&types::error_type(&self.world, record))];
        self.out.call(&format!("export const {name} = errorType<{types}>"), &args);
        self.out.line(0, &format!("export type {name} = InstanceType<typeof {name}>"));
    }

    fn fields(&mut self, record: &RecordType, name: &str, docs: &str, direction: Direction) {
        self.out.line(0, "");
        self.out.docs(0, docs);
        self.out.line(0, &format!("export interface {name} {{"));
        for field in &record.fields {
            if !field.docs.is_empty() {
                self.out.docs(1, &field.docs);
            }
            let mark = if matches!(field.ty.kind, TypeKind::Option(_)) { "?" } else { "" };
            self.out.line(1, &format!("{}{mark}: {}", key(&field.name), self.names.show(&field.ty, direction)));
        }
        self.out.line(0, "}");
    }

    fn cases(&mut self, cases: &EnumType) {
        self.out.line(0, "");
        self.out.docs(0, &or(&cases.docs, &format!("The enum {}.", cases.name)));
        self.out.line(0, &format!("export type {} =", self.names.of(&cases.name)));
        for (case, docs) in &cases.cases {
            if !docs.is_empty() {
                self.out.docs(1, docs);
            }
            self.out.line(1, &format!("| {}", text::literal(case)));
        }
    }

    fn variant(&mut self, variant: &VariantType) {
        let name = self.names.of(&variant.name);
        self.union(variant, &name, &or(&variant.docs, &format!("The variant {}.", variant.name)), Direction::FromGuest);
        if self.names.has_input(&variant.name) {
            let docs = format!("What is accepted for {name}.");
            self.union(variant, &self.names.input(&variant.name), &docs, Direction::Within);
        }
    }

    fn union(&mut self, variant: &VariantType, name: &str, docs: &str, direction: Direction) {
        self.out.line(0, "");
        self.out.docs(0, docs);
        self.out.line(0, &format!("export type {name} ="));
        for case in &variant.cases {
            if !case.docs.is_empty() {
                self.out.docs(1, &case.docs);
            }
            let tag = text::literal(&case.name);
            let value = case.ty.as_ref().map(|ty| {
                let mark = if matches!(ty.kind, TypeKind::Option(_)) { "?" } else { "" };
                format!("; val{mark}: {}", self.names.show(ty, direction))
            });
            self.out.line(1, &format!("| {{ tag: {tag}{} }}", value.unwrap_or_default()));
        }
    }

    /// What the host gives.
    fn needed(&mut self) {
        let imports = std::mem::take(&mut self.imports);
        for import in &imports {
            self.out.line(0, "");
            self.out.docs(0, &format!("What the host gives as {}.", import.name));
            self.out.line(0, &format!("export interface {} {{", import.class));
            let mut seen = BTreeSet::new();
            for function in &import.functions {
                if seen.insert(key(&function.name)) {
                    self.function(function, Owner::Host);
                }
            }
            self.out.line(0, "}");
        }
        self.out.line(0, "");
        self.out.docs(0, "What the host gives, by interface.");
        if imports.is_empty() {
            self.out.line(0, "export type Imports = Record<string, never>");
        } else {
            self.out.line(0, "export interface Imports {");
            for import in &imports {
                self.out.line(1, &format!("{}: {}", text::property(import.name), import.class));
            }
            self.out.line(0, "}");
        }
        self.imports = imports;
    }

    /// What the plugin gives.
    fn given(&mut self) {
        self.out.line(0, "");
        self.out.docs(0, &format!("The functions of {}.", self.file));
        self.out.line(0, &format!("export interface {} {{", self.exports_class));
        // In the form of this language two may be the same, and the instance has the first.
        let mut seen = BTreeSet::new();
        for function in std::mem::take(&mut self.exports) {
            if seen.insert(key(&function.name)) {
                self.function(function, Owner::Guest);
            }
        }
        self.out.line(0, "}");
    }

    fn function(&mut self, function: &Function, owner: Owner) {
        let (given, answered) = match owner {
            Owner::Guest => (Direction::ToGuest, Direction::FromGuest),
            Owner::Host => (Direction::FromGuest, Direction::ToGuest),
        };
        let needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_))).map_or(0, |last| last + 1);
        let params = function.params.iter().enumerate().map(|(i, param)| {
            let mark = if owner == Owner::Guest && i >= needed { "?" } else { "" };
            format!("{}{mark}: {}", parameter(&param.name), self.names.show(&param.ty, given))
        });
        let params: Vec<String> = params.collect();
        let result = function.result.as_ref().map_or_else(|| "void".to_owned(), |ty| self.names.show(ty, answered));
        let result = match owner {
            Owner::Guest => format!("Promise<{result}>"),
            Owner::Host => format!("{result} | Promise<{result}>"),
        };
        let fails = match (function.fallible, owner, &function.errors) {
            (false, ..) => String::new(),
            (true, Owner::Guest, None) => "\n\nRejects with a GuestError when the function returns an error.".to_owned(),
            (true, Owner::Guest, Some(errors)) => {
                format!("\n\n@throws by the promise: {}, or another GuestError, when the function returns an error.", self.errors(errors))
            }
            (true, Owner::Host, None) => "\n\nWhat it throws is the error that the plugin gets.".to_owned(),
            (true, Owner::Host, Some(errors)) => {
                format!("\n\nWhat it throws is the error that the plugin gets: {} with its fields.", self.errors(errors))
            }
        };
        self.out.docs(1, &(function.docs.clone() + &fails));
        self.out.signature(1, &key(&function.name), &params, &result);
    }

    /// The classes of errors with fields, as a comment has them.
    fn errors(&self, errors: &VariantType) -> String {
        let classes = errors.cases.iter().filter(|case| matches!(case.ty.as_ref().map(|ty| &ty.kind), Some(TypeKind::Tuple(_))));
        let links: Vec<String> = classes.map(|case| format!("{{@link {}}}", self.names.of(&case.name))).collect();
        links.join(", ")
    }

    fn loaders(&mut self) {
        let Module { class, pool, options: given, pool_options, exports_class, .. } = self;
        let options = |name: &str| {
            if self.imports.is_empty() {
                format!("Omit<{name}<Imports>, 'bigint' | 'imports'>")
            } else {
                format!("Omit<{name}<Imports>, 'bigint' | 'imports'> & {{ imports: Imports }}")
            }
        };
        let default = if self.imports.is_empty() { " = {}" } else { "" };
        self.out.line(0, "");
        self.out.docs(0, &format!("An instance of {}.", self.file));
        self.out.line(0, &format!("export type {class} = Instance<{exports_class}>"));
        self.out.line(0, "");
        self.out.docs(0, &format!("A pool of instances of {}.", self.file));
        self.out.line(0, &format!("export type {pool} = Pool<{exports_class}>"));
        self.out.line(0, "");
        self.out.docs(0, "How an instance is made: its integers of 64 bits are numbers.");
        self.out.line(0, &format!("export type {given} = {}", options("InstanceOptions")));
        self.out.line(0, "");
        self.out.docs(0, "How a pool is made.");
        self.out.line(0, &format!("export type {pool_options} = {}", options("PoolOptions")));
        self.out.line(0, "");
        self.out.docs(0, "Compiles the plugin and makes an instance of it.");
        let params = ["path: string | URL".to_owned(), format!("options: {given}{default}"), "compile: PluginOptions = {}".to_owned()];
        self.out.function(&format!("export async function load{class}"), &params, &format!("Promise<{class}>"));
        self.out.line(1, "const plugin = await Plugin.load(path, compile)");
        self.out.line(1, &format!("return plugin.instantiate<{exports_class}, Imports>(options)"));
        self.out.line(0, "}");
        self.out.line(0, "");
        self.out.docs(0, "Compiles the plugin and makes a pool of at most that many instances.");
        let params = ["path: string | URL".to_owned(), format!("options: {pool_options}"), "compile: PluginOptions = {}".to_owned()];
        self.out.function(&format!("export async function load{pool}"), &params, &format!("Promise<{pool}>"));
        self.out.line(1, "const plugin = await Plugin.load(path, compile)");
        self.out.line(1, &format!("return plugin.pool<{exports_class}, Imports>(options)"));
        self.out.line(0, "}");
    }
}

fn is_error(ty: &Type) -> bool {
    matches!(&ty.kind, TypeKind::Record(record) if record.is_error)
}

fn or(docs: &str, other: &str) -> String {
    if docs.is_empty() { other.to_owned() } else { docs.to_owned() }
}
