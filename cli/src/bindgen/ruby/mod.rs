//! A Ruby module for a plugin: a Struct for each record, classes for errors and the cases of
//! variants, constants for enums, and classes with the exports as methods. The types are in
//! comments of RBS.

mod text;
mod types;

use std::collections::BTreeSet;

use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, TypeKind, VariantType, names};

use super::lines::Lines;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use text::{Docs, constant, identifier, is_identifier, quoted, symbol};
use types::{Direction, Names};

/// The module's text.
pub(super) fn module(plugin: &Plugin) -> String {
    let surface = Surface::new(plugin);
    let mut constants = Names::new(surface.types);
    let classes = [constants.constant("exports"), constants.constant("instance"), constants.constant("pool")];
    Module { surface, names: constants, classes, out: Lines::new("  ") }.write()
}

/// Methods that the classes have themselves, and those of every object that Ruby or the classes
/// rely on.
const TAKEN: [&str; 27] = [
    "class",
    "clone",
    "close",
    "dup",
    "exports",
    "extend",
    "freeze",
    "hash",
    "initialize",
    "initialize_clone",
    "initialize_copy",
    "initialize_dup",
    "inspect",
    "instance",
    "load",
    "method_missing",
    "object_id",
    "pool",
    "send",
    "to_ary",
    "to_hash",
    "to_path",
    "to_proc",
    "to_s",
    "to_str",
    "using",
    "wrap",
];

struct Module<'a> {
    surface: Surface<'a>,
    names: Names,
    /// Those of the exports, an instance and a pool.
    classes: [String; 3],
    out: Lines,
}

impl Module<'_> {
    fn write(mut self) -> String {
        self.out.line(0, "# frozen_string_literal: true");
        self.out.line(0, "");
        self.out.comment(0, &format!("Typed access to the plugin {}.", self.surface.file));
        self.out.line(0, "#");
        self.out.comment(0, "Written by undergo bindgen; don't edit it, but write it anew.");
        self.out.line(0, "");
        self.out.line(0, "require \"undergo\"");
        self.out.line(0, "");
        let name = Names::new(&[]).constant(&format!("{}-plugin", self.surface.world));
        self.out.comment(0, &format!("The plugin {}.", self.surface.file));
        self.out.line(0, &format!("module {name}"));
        for ty in self.surface.types {
            match &ty.kind {
                TypeKind::Record(record) => self.record(record),
                TypeKind::Enum(cases) => self.cases(cases),
                TypeKind::Variant(variant) => self.variant(variant),
                _ => {}
            }
        }
        self.imports();
        self.exports();
        self.instance(&name);
        self.pool(&name);
        self.out.line(0, "end");
        self.out.finish()
    }

    fn record(&mut self, record: &RecordType) {
        if record.fields.is_empty() {
            // No Struct is like that: the gem has its own.
            return;
        }
        let what = if record.is_error { "error" } else { "record" };
        let docs = if record.docs.is_empty() { format!("The {what} {}.", record.name) } else { record.docs.clone() };
        self.out.comment(1, &docs);
        self.out.line(1, "#");
        for field in &record.fields {
            let shown = self.names.show(&field.ty, Direction::FromGuest);
            let docs = super::text::one_line(&field.docs);
            let separator = if docs.is_empty() { "" } else { ": " };
            self.out.comment(1, &format!("- {} ({shown}){separator}{docs}", names::snake(&field.name)));
        }
        let fields: Vec<String> = record.fields.iter().map(|field| symbol(&names::snake(&field.name))).collect();
        let (name, fields) = (self.names.of(&record.name), fields.join(", "));
        let made = if record.is_error {
            format!("::Undergo::GuestError.define({fields})")
        } else {
            format!("::Struct.new({fields}, keyword_init: true)")
        };
        self.out.line(1, &format!("{name} = {made}"));
        self.out.line(0, "");
    }

    fn cases(&mut self, cases: &EnumType) {
        let docs = if cases.docs.is_empty() { format!("The enum {}.", cases.name) } else { cases.docs.clone() };
        self.out.comment(1, &docs);
        self.out.line(1, &format!("module {}", self.names.of(&cases.name)));
        let mut scope = Scope::default();
        for (case, docs) in &cases.cases {
            if !docs.is_empty() {
                self.out.comment(2, docs);
            }
            self.out.line(2, &format!("{} = {}", scope.take(constant(case)), symbol(&names::snake(case))));
        }
        self.out.line(1, "end");
        self.out.line(0, "");
    }

    /// The classes of the cases, but for records, which have one, and the module that all of them
    /// include.
    fn variant(&mut self, variant: &VariantType) {
        let cases = self.names.cases(variant);
        for case in cases.iter().filter(|case| case.is_new) {
            let docs = format!("The case {} of {}.", case.case.name, variant.name);
            self.out.comment(1, if case.case.docs.is_empty() { &docs } else { &case.case.docs });
            let made = match &case.case.ty {
                Some(ty) => {
                    self.out.line(1, "#");
                    self.out.comment(1, &format!("- value ({})", self.names.show(ty, Direction::FromGuest)));
                    "::Struct.new(:value)"
                }
                None => "::Class.new(::Undergo::Empty)",
            };
            self.out.line(1, &format!("{} = {made}", case.class));
            self.out.line(0, "");
        }
        let docs = if variant.docs.is_empty() { format!("The variant {}.", variant.name) } else { variant.docs.clone() };
        self.out.comment(1, &docs);
        self.out.line(1, &format!("module {}", self.names.of(&variant.name)));
        self.out.comment(2, "The class of each case.");
        self.out.line(2, "CASES = {");
        for case in &cases {
            self.out.line(3, &format!("{} => {},", symbol(&names::snake(&case.case.name)), case.class));
        }
        self.out.line(2, "}.freeze");
        self.out.line(2, "CASES.each_value { |type| type.include(self) }");
        self.out.line(1, "end");
        self.out.line(0, "");
    }

    /// What the host gives: a module for each interface, to be included in a class that has its
    /// methods.
    fn imports(&mut self) {
        for Imported { name: interface, functions } in std::mem::take(&mut self.surface.imports) {
            let constant = self.names.constant(&names::kebab(interface));
            self.out.comment(1, &format!("What the host gives as {interface}. A class that includes it writes the methods."));
            self.out.line(1, &format!("module {constant}"));
            let mut is_first = true;
            let mut seen = BTreeSet::new();
            for function in functions {
                let name = names::snake(&function.name);
                // Names that begin with two underscores mean something to Ruby.
                if !is_identifier(&name) || name.starts_with("__") || !seen.insert(name.clone()) {
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    self.out.line(0, "");
                }
                self.docs(function, "An exception that it raises is the error that the plugin gets.");
                self.out.line(2, &format!("#: {}", self.names.signature(function, Direction::FromGuest, Direction::ToGuest)));
                let params: Vec<String> = function.params.iter().map(|param| format!("_{}", super::text::snake(&param.name))).collect();
                let params = if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) };
                self.out.line(2, &format!("def {name}{params}"));
                let text = quoted(&format!("the host gives no {interface}.{}", function.name));
                self.out.line(3, &format!("::Kernel.raise ::NotImplementedError, {text}"));
                self.out.line(2, "end");
            }
            self.out.line(1, "end");
            self.out.line(0, "");
        }
    }

    fn docs(&mut self, function: &Function, fails: &str) {
        let docs = if function.docs.is_empty() { format!("Calls {}.", function.name) } else { function.docs.clone() };
        self.out.comment(2, &docs);
        if function.fallible {
            self.out.line(2, "#");
            self.out.comment(2, fails);
        }
    }

    fn exports(&mut self) {
        self.out.comment(1, &format!("The functions of {}, for an instance or a pool to run.", self.surface.file));
        self.out.line(1, &format!("class {}", self.classes[0]));
        self.out.comment(2, "All exports, whatever their names.");
        self.out.line(2, "attr_reader :exports");
        self.out.line(0, "");
        self.out.line(2, "def initialize(callee)");
        self.out.line(3, "@exports = callee.exports");
        self.out.line(2, "end");
        let mut scope = Scope::new(TAKEN);
        for function in std::mem::take(&mut self.surface.exports) {
            let name = names::snake(&function.name);
            if !is_identifier(&name) || name.starts_with("__") {
                continue;
            }
            let name = scope.take(name);
            self.out.line(0, "");
            let more = if function.errors.is_some() { ": of the error's own class, where it has fields" } else { "" };
            self.docs(function, &format!("Raises Undergo::GuestError when the function returns an error{more}."));
            self.out.line(2, &format!("#: {}", self.names.signature(function, Direction::ToGuest, Direction::FromGuest)));
            let params: Vec<String> = function.params.iter().map(|param| identifier(&param.name)).collect();
            let params = params.join(", ");
            let declared = if params.is_empty() { String::new() } else { format!("({params})") };
            self.out.line(2, &format!("def {name}{declared}"));
            self.out.line(3, &format!("@exports[{}].call{declared}", quoted(&function.name)));
            self.out.line(2, "end");
        }
        self.out.line(1, "end");
        self.out.line(0, "");
    }

    fn instance(&mut self, module: &str) {
        let [exports, instance, _] = self.classes.clone();
        self.out.comment(1, &format!("An instance of {}.", self.surface.file));
        self.out.line(1, &format!("class {instance} < {exports}"));
        self.out.comment(2, "The instance that the methods call.");
        self.out.line(2, "attr_reader :instance");
        self.out.line(0, "");
        self.out.comment(2, "Compiles the plugin and makes an instance of it.");
        self.out.line(2, "def self.load(path, **options)");
        self.out.line(3, &format!("new(::Undergo::Plugin.load(path, types: {module}).instantiate(**options))"));
        self.out.line(2, "end");
        self.out.line(0, "");
        self.wrapping("instance");
        self.out.line(1, "end");
        self.out.line(0, "");
    }

    fn pool(&mut self, module: &str) {
        let [exports, _, pool] = self.classes.clone();
        self.out.comment(1, &format!("A pool of instances of {}.", self.surface.file));
        self.out.line(1, &format!("class {pool} < {exports}"));
        self.out.comment(2, "The pool that the methods call.");
        self.out.line(2, "attr_reader :pool");
        self.out.line(0, "");
        self.out.comment(2, "Compiles the plugin and makes a pool of at most that many instances. With a block, gives it the pool, and closes that at its end.");
        self.out.line(2, "def self.load(path, size:, **options)");
        self.out.line(3, &format!("pool = new(::Undergo::Plugin.load(path, types: {module}).pool(size: size, **options))"));
        self.out.line(3, "return pool unless block_given?");
        self.out.line(0, "");
        self.out.line(3, "begin");
        self.out.line(4, "yield pool");
        self.out.line(3, "ensure");
        self.out.line(4, "pool.close");
        self.out.line(3, "end");
        self.out.line(2, "end");
        self.out.line(0, "");
        self.wrapping("pool");
        self.out.line(0, "");
        self.out.comment(2, "Closes the pool, and waits for the calls that run.");
        self.out.line(2, "def close(timeout: nil)");
        self.out.line(3, "@pool.close(timeout: timeout)");
        self.out.line(2, "end");
        self.out.line(1, "end");
    }

    fn wrapping(&mut self, noun: &str) {
        self.out.line(2, &format!("def initialize({noun})"));
        self.out.line(3, &format!("super({noun})"));
        self.out.line(3, &format!("@{noun} = {noun}"));
        self.out.line(2, "end");
        self.out.line(0, "");
        self.out.comment(2, "The same functions, called with other options: seconds, and an Undergo::CancelToken.");
        self.out.line(2, "def using(timeout: nil, cancel: nil)");
        self.out.line(3, &format!("{}.new(@{noun}.using(timeout: timeout, cancel: cancel))", self.classes[0]));
        self.out.line(2, "end");
    }
}
