//! A Kotlin file for a plugin: data classes, enums, sealed interfaces, exceptions, interfaces for
//! imports, and classes with the exports as typed methods.

mod text;
mod types;

use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, Type, TypeKind, VariantType, names};

use super::lines::Lines;
use super::scope::Scope;
use super::surface::{Imported, Surface};
use text::{Docs, identifier, literal};
use types::Names;

/// The file's text.
pub(super) fn module(plugin: &Plugin) -> String {
    Module::new(plugin).write()
}

/// An interface whose functions the host gives.
struct Import<'a> {
    name: &'a str,
    class: String,
    suspending: String,
    /// The parameter for what has the functions.
    param: String,
    /// With their names in Kotlin.
    functions: Vec<(String, &'a Arc<Function>)>,
}

struct Module<'a> {
    file: String,
    world: String,
    /// The classes for an instance, for a pool, and for what both are; then the same for calls that
    /// suspend.
    blocking: [String; 3],
    suspending: [String; 3],
    types: &'a [Type],
    /// With their names in Kotlin.
    exports: Vec<(String, &'a Arc<Function>)>,
    imports: Vec<Import<'a>>,
    names: Names,
    out: Lines,
}

impl<'a> Module<'a> {
    fn new(plugin: &'a Plugin) -> Module<'a> {
        let Surface { file, world, types, exports, imports } = Surface::new(plugin);
        let mut names = Names::new(types);
        let blocking = ["", "-pool", "-exports"].map(|end| names.class(&format!("{world}{end}")));
        let suspending = ["", "-pool", "-exports"].map(|end| names.class(&format!("async-{world}{end}")));
        // What stands beside them where they are named.
        let mut params = Scope::new(["args", "imports", "limits", "path", "plugin", "result", "sandbox", "size"]);
        let import = |Imported { name, functions }| {
            let kebab = names::kebab(name);
            let [class, suspending] = ["", "async-"].map(|start| names.class(&format!("{start}{kebab}")));
            Import { name, class, suspending, param: params.take(identifier(name)), functions: named(Scope::new(OF_ALL), functions) }
        };
        let imports = imports.into_iter().map(import).collect();
        let exports = named(Scope::new(OWN.into_iter().chain(OF_ALL)), exports);
        Module { file, world, blocking, suspending, types, exports, imports, names, out: Lines::new("    ") }
    }

    fn write(mut self) -> String {
        for ty in self.types {
            match &ty.kind {
                TypeKind::Record(record) if record.is_error => self.error(record),
                TypeKind::Record(record) => self.record(record),
                TypeKind::Enum(cases) => self.cases(cases),
                TypeKind::Variant(variant) => self.variant(variant),
                _ => {}
            }
        }
        self.errors();
        for suspend in [false, true] {
            self.interfaces(suspend);
            self.functions(suspend);
            self.holder(suspend, false);
            self.holder(suspend, true);
        }
        self.results();
        let body = self.out.finish();
        let mut head = Lines::new("    ");
        head.line(0, &format!("// Typed access to the plugin {}.", self.file));
        head.line(0, "//");
        head.line(0, "// Written by undergo bindgen; don't edit it, but write it anew.");
        head.blank();
        head.line(0, "@file:Suppress(\"unused\", \"RemoveRedundantQualifierName\")");
        head.blank();
        let mut package: String = self.world.chars().filter(char::is_ascii_alphanumeric).collect();
        if matches!(package.as_str(), "" | "java" | "kotlin") {
            package.push_str("plugin");
        }
        head.line(0, &format!("package {}", identifier(&package)));
        head.blank();
        for import in self.names.imported() {
            head.line(0, &format!("import {import}"));
        }
        head.finish() + &body
    }

    fn record(&mut self, record: &RecordType) {
        let (class, value) = (self.names.of(&record.name), self.names.lib("Value"));
        let mut scope = Scope::default();
        let fields: Vec<String> = record.fields.iter().map(|field| scope.take_quoted(identifier(&field.name))).collect();
        self.out.blank();
        self.out.docs(0, or(&record.docs, &format!("The record {}.", record.name)));
        self.out.line(0, &format!("data class {class}("));
        for (field, name) in record.fields.iter().zip(&fields) {
            self.out.docs(1, &field.docs);
            let default = if matches!(field.ty.kind, TypeKind::Option(_)) { " = null" } else { "" };
            self.out.line(1, &format!("val {name}: {}{default},", self.names.show(&field.ty)));
        }
        let supers = self.supers(Some(self.names.lib("ToValue")), &class);
        self.out.line(0, &format!("){supers} {{"));
        self.out.line(1, &format!("override fun toValue(): {value} = {}(", self.names.lib("record")));
        for (field, name) in record.fields.iter().zip(&fields) {
            let made = self.names.make(&field.ty, name);
            self.out.line(2, &format!("{} to {made},", literal(&field.name)));
        }
        self.out.line(1, ")");
        self.out.blank();
        self.out.line(1, "companion object {");
        self.out.docs(2, "Reads one that a plugin gave.");
        self.out.line(2, &format!("fun of(value: {value}): {class} = value.{}().let {{ fields ->", self.names.lib("asFields")));
        self.out.line(3, &format!("{class}("));
        for (i, (field, name)) in record.fields.iter().zip(&fields).enumerate() {
            let read = self.names.read(&field.ty, &format!("fields[{i}]"));
            self.out.line(4, &format!("{name} = {read},"));
        }
        self.out.line(3, ")");
        self.out.line(2, "}");
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    /// What a class is besides itself, as its head has it.
    fn supers(&self, base: Option<String>, class: &str) -> String {
        let supers: Vec<String> = base.into_iter().chain(self.names.variants_of(class)).collect();
        if supers.is_empty() { String::new() } else { format!(" : {}", supers.join(", ")) }
    }

    /// The exception for an error with fields.
    fn error(&mut self, record: &RecordType) {
        let (class, value) = (self.names.of(&record.name), self.names.lib("Value"));
        let mut scope = Scope::new(OF_EXCEPTIONS);
        let fields: Vec<String> = record.fields.iter().map(|field| scope.take_quoted(identifier(&field.name))).collect();
        let (string, throwable) = (self.names.std("String"), self.names.std("Throwable"));
        self.out.blank();
        self.out.docs(0, or(&record.docs, &format!("The error {}.", record.name)));
        self.out.line(0, &format!("class {class}("));
        for (field, name) in record.fields.iter().zip(&fields) {
            self.out.docs(1, &field.docs);
            let default = if matches!(field.ty.kind, TypeKind::Option(_)) { " = null" } else { "" };
            self.out.line(1, &format!("val {name}: {}{default},", self.names.show(&field.ty)));
        }
        self.out.line(1, &format!("message: {string}? = null,"));
        self.out.line(1, &format!("cause: {throwable}? = null,"));
        let made: Vec<String> = record
            .fields
            .iter()
            .zip(&fields)
            .map(|(field, name)| format!("{} to {}", literal(&field.name), self.names.make(&field.ty, name)))
            .collect();
        let own = format!("{}({})", self.names.lib("record"), made.join(", "));
        let base = format!("{}({}, {own}, message, cause)", self.names.lib("GuestException"), literal(&record.name));
        let supers = self.supers(Some(base), &class);
        self.out.line(0, &format!("){supers} {{"));
        self.out.line(1, "companion object {");
        self.out.docs(2, "Reads one that a plugin gave.");
        let params = format!("value: {value}, message: {string}? = null, cause: {throwable}? = null");
        self.out.line(2, &format!("fun of({params}): {class} = value.{}().let {{ fields ->", self.names.lib("asFields")));
        self.out.line(3, &format!("{class}("));
        for (i, (field, name)) in record.fields.iter().zip(&fields).enumerate() {
            let read = self.names.read(&field.ty, &format!("fields[{i}]"));
            self.out.line(4, &format!("{name} = {read},"));
        }
        self.out.line(4, "message = message,");
        self.out.line(4, "cause = cause,");
        self.out.line(3, ")");
        self.out.line(2, "}");
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    /// The errors of the plugin, as its types have them.
    fn declared_errors(&self) -> Vec<&'a RecordType> {
        let error = |ty: &'a Type| match &ty.kind {
            TypeKind::Record(record) if record.is_error => Some(&**record),
            _ => None,
        };
        self.types.iter().filter_map(error).collect()
    }

    /// What makes the exceptions for the errors of a call.
    fn errors(&mut self) {
        let errors = self.declared_errors();
        if errors.is_empty() {
            return;
        }
        let (value, string, throwable) = (self.names.lib("Value"), self.names.std("String"), self.names.std("Throwable"));
        let params = format!("name: {string}, fields: {value}, text: {string}, cause: {throwable}?");
        self.out.blank();
        self.out
            .line(0, &format!("private fun {}({params}): {}? = when (name) {{", self.errors_function(), self.names.lib("GuestException")));
        for record in errors {
            self.out.line(1, &format!("{} -> {}.of(fields, text, cause)", literal(&record.name), self.names.of(&record.name)));
        }
        self.out.line(1, "else -> null");
        self.out.line(0, "}");
    }

    fn errors_function(&self) -> String {
        identifier(&format!("{}-errors", self.world))
    }

    /// The sealed interface of a variant, and the classes of its cases, but for records, which have
    /// one.
    fn variant(&mut self, variant: &VariantType) {
        let (class, value) = (self.names.of(&variant.name), self.names.lib("Value"));
        let cases = self.names.cases(variant);
        self.out.blank();
        self.out.docs(0, or(&variant.docs, &format!("The variant {}.", variant.name)));
        self.out.line(0, &format!("sealed interface {class} {{"));
        self.out.line(1, "companion object {");
        self.out.docs(2, "Reads one that a plugin gave.");
        self.out.line(2, &format!("fun of(value: {value}): {class} = value.{}().let {{ (name, of) ->", self.names.lib("asCase")));
        self.out.line(3, "when (name) {");
        for case in &cases {
            let name = &case.class;
            let made = match &case.case.ty {
                Some(ty) if case.is_record => self.names.read(ty, "of"),
                Some(ty) => format!("{name}({})", self.names.read(ty, "of")),
                None => name.clone(),
            };
            self.out.line(4, &format!("{} -> {made}", literal(&case.case.name)));
        }
        self.out.line(4, &format!("else -> {}(name)", self.names.lib("unknownCase")));
        self.out.line(3, "}");
        self.out.line(2, "}");
        self.out.blank();
        self.out.docs(2, "The value that stands for one.");
        self.out.line(2, &format!("fun toValue(of: {class}): {value} = when (of) {{"));
        for case in &cases {
            let made = match &case.case.ty {
                Some(ty) if case.is_record => self.names.make(ty, "of"),
                Some(ty) => self.names.make(ty, "of.value"),
                None => "null".to_owned(),
            };
            let is = if case.case.ty.is_some() { "is " } else { "" };
            self.out.line(3, &format!("{is}{} -> {value}.Case({}, {made})", case.class, literal(&case.case.name)));
        }
        self.out.line(2, "}");
        self.out.line(1, "}");
        self.out.line(0, "}");
        for case in cases.iter().filter(|case| case.is_new) {
            let supers = self.supers(None, &case.class);
            self.out.blank();
            self.out.docs(0, or(&case.case.docs, &format!("The case {} of {}.", case.case.name, variant.name)));
            let head = match &case.case.ty {
                Some(ty) => format!("data class {}(val value: {}){supers}", case.class, self.names.show(ty)),
                None => format!("data object {}{supers}", case.class),
            };
            self.out.line(0, &head);
        }
    }

    fn cases(&mut self, cases: &EnumType) {
        let (class, value) = (self.names.of(&cases.name), self.names.lib("Value"));
        self.out.blank();
        self.out.docs(0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let string = self.names.std("String");
        self.out.line(0, &format!("enum class {class}(val wit: {string}) : {} {{", self.names.lib("ToValue")));
        let mut scope = Scope::default();
        for (case, docs) in &cases.cases {
            self.out.docs(1, docs);
            let name = super::text::snake(case).to_uppercase();
            let name = scope.take(if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name });
            self.out.line(1, &format!("{name}({}),", literal(case)));
        }
        self.out.line(1, ";");
        self.out.blank();
        self.out.line(1, &format!("override fun toValue(): {value} = {value}.Text(wit)"));
        self.out.blank();
        self.out.line(1, "companion object {");
        self.out.docs(2, "Reads one that a plugin gave.");
        let read = self.names.lib("asText");
        self.out.line(2, &format!("fun of(value: {value}): {class} = value.{read}().let {{ wit -> entries.first {{ it.wit == wit }} }}"));
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    /// The interfaces of the imports, and what makes the package's imports of objects that have
    /// them.
    fn interfaces(&mut self, suspend: bool) {
        if self.imports.is_empty() {
            return;
        }
        for import in &self.imports {
            self.out.blank();
            let (class, also) = if suspend { (&import.suspending, ", with functions that suspend") } else { (&import.class, "") };
            self.out.docs(0, &format!("What the host gives as {}{also}.", import.name));
            self.out.line(0, &format!("interface {class} {{"));
            for (i, (name, function)) in import.functions.iter().enumerate() {
                if i > 0 {
                    self.out.blank();
                }
                let mut docs = or(&function.docs, &format!("The function {}.", function.name)).to_owned();
                if function.fallible {
                    docs.push_str("\n\nAn exception that it throws is the error that the plugin gets.");
                }
                self.out.docs(1, &docs);
                self.out.line(1, &signature(&self.names, function, name, suspend, false));
            }
            self.out.line(0, "}");
        }
        let params: Vec<String> = self.parameters(suspend);
        let class = self.names.lib("Imports");
        let name = self.imports_function(suspend);
        self.out.blank();
        self.out.docs(0, &format!("The functions that {} needs, from objects that have them.", self.file));
        self.out.line(0, &format!("fun {name}({}): {class} {{", params.join(", ")));
        self.out.line(1, &format!("val imports = {class}()"));
        let give = if suspend { "suspendingOfValues" } else { "functionOfValues" };
        for import in &self.imports {
            for (name, function) in &import.functions {
                let read = |(i, param): (usize, &undergo::interface::Field)| self.names.read(&param.ty, &format!("args[{i}]"));
                let args: Vec<String> = function.params.iter().enumerate().map(read).collect();
                let call = format!("{}.{name}({})", import.param, args.join(", "));
                let body = match &function.result {
                    Some(ty) => format!("{call}.let {{ result -> {} }}", self.names.make(ty, "result")),
                    None => format!("{call}.let {{ {}.None }}", self.names.lib("Value")),
                };
                let args = if function.params.is_empty() { "_" } else { "args" };
                let (module, name) = (literal(import.name), literal(&function.name));
                self.out.line(1, &format!("imports.{give}({module}, {name}) {{ {args} -> {body} }}"));
            }
        }
        self.out.line(1, "return imports");
        self.out.line(0, "}");
    }

    fn imports_function(&self, suspend: bool) -> String {
        let name = identifier(&format!("{}-imports", self.world));
        if suspend { identifier(&format!("async-{}-imports", self.world)) } else { name }
    }

    fn parameters(&self, suspend: bool) -> Vec<String> {
        let class = |import: &Import<'_>| if suspend { import.suspending.clone() } else { import.class.clone() };
        self.imports.iter().map(|import| format!("{}: {}", import.param, class(import))).collect()
    }

    /// The class with the exports as methods.
    fn functions(&mut self, suspend: bool) {
        let class = if suspend { &self.suspending[2] } else { &self.blocking[2] };
        let target = self.names.lib(if suspend { "AsyncExports" } else { "Exports" });
        self.out.blank();
        let suspends = if suspend { ", which suspend" } else { "" };
        self.out.docs(0, &format!("The functions of {}{suspends}, for an instance or a pool to run.", self.file));
        if self.declared_errors().is_empty() {
            self.out.line(0, &format!("open class {class}(private val exports: {target}) {{"));
        } else {
            let typed = self.names.lib("withErrors");
            self.out.line(0, &format!("open class {class}(exports: {target}) {{"));
            self.out.line(1, &format!("private val exports: {target} = exports.{typed}(::{})", self.errors_function()));
            self.out.blank();
        }
        for (i, (name, function)) in self.exports.iter().enumerate() {
            if i > 0 {
                self.out.blank();
            }
            let mut docs = or(&function.docs, &format!("Calls {}.", function.name)).to_owned();
            if function.fallible {
                let own = if function.errors.is_some() { ": of the error's own class, where it has fields" } else { "" };
                docs.push_str(&format!("\n\n@throws dev.undergo.GuestException when the function returns an error{own}."));
            }
            self.out.docs(1, &docs);
            let params = parameters(function);
            let made: Vec<String> = function.params.iter().zip(&params).map(|(param, name)| self.names.make(&param.ty, name)).collect();
            let args = if made.is_empty() { "emptyList()".to_owned() } else { format!("listOf({})", made.join(", ")) };
            let call = format!("this.exports.callValues({}, {args})", literal(&function.name));
            let head = signature(&self.names, function, name, suspend, true);
            match &function.result {
                Some(ty) => {
                    self.out.line(1, &format!("{head} ="));
                    self.out.line(2, &self.names.read(ty, &call));
                }
                None => {
                    self.out.line(1, &format!("{head} {{"));
                    self.out.line(2, &call);
                    self.out.line(1, "}");
                }
            }
        }
        self.out.line(0, "}");
    }

    /// The class that holds an instance or a pool.
    fn holder(&mut self, suspend: bool, is_pool: bool) {
        let classes = if suspend { &self.suspending } else { &self.blocking };
        let (class, exports) = (&classes[usize::from(is_pool)], &classes[2]);
        let (member, article) = if is_pool { ("pool", "A pool of instances") } else { ("instance", "An instance") };
        let held = self.names.lib(match (suspend, is_pool) {
            (false, false) => "Instance",
            (false, true) => "Pool",
            (true, false) => "AsyncInstance",
            (true, true) => "AsyncPool",
        });
        let closeable = self.names.std("AutoCloseable");
        self.out.blank();
        let suspends = if suspend { ", whose calls suspend" } else { "" };
        self.out.docs(0, &format!("{article} of {}{suspends}.", self.file));
        self.out.line(0, &format!("class {class}(val {member}: {held}) : {exports}({member}), {closeable} {{"));
        self.out.docs(1, "A view of the same thing with other options for its calls.");
        let token = self.names.lib("CancelToken");
        self.out.line(1, &format!("fun using(timeout: kotlin.time.Duration? = null, cancel: {token}? = null): {exports} ="));
        self.out.line(2, &format!("{exports}({member}.using(timeout, cancel))"));
        self.out.blank();
        self.out.line(1, &format!("override fun close() = {member}.close()"));
        self.out.blank();
        self.out.line(1, "companion object {");
        let (plugin, sandbox, limits) = (self.names.lib("Plugin"), self.names.lib("Sandbox"), self.names.lib("Limits"));
        let mut params = if is_pool { vec![format!("size: {}", self.names.std("Int"))] } else { Vec::new() };
        params.extend(self.parameters(suspend));
        params.extend([format!("sandbox: {sandbox} = {sandbox}()"), format!("limits: {limits} = {limits}()")]);
        let given: Vec<String> = self.imports.iter().map(|import| import.param.clone()).collect();
        let imports = if given.is_empty() {
            format!("{}()", self.names.lib("Imports"))
        } else {
            format!("{}({})", self.imports_function(suspend), given.join(", "))
        };
        let (make, size) = match (suspend, is_pool) {
            (false, false) => ("instantiate", ""),
            (true, false) => ("instantiateAsync", ""),
            (false, true) => ("pool", "size, "),
            (true, true) => ("asyncPool", "size, "),
        };
        let suspends = if suspend && !is_pool { "suspend " } else { "" };
        self.out.docs(2, "Makes one of a plugin that is loaded.");
        self.out.line(2, &format!("{suspends}fun of(plugin: {plugin}, {}): {class} =", params.join(", ")));
        self.out.line(3, &format!("{class}(plugin.{make}({size}{imports}, sandbox, limits))"));
        if !is_pool {
            let mut passed = vec![format!("{plugin}.load(path)")];
            passed.extend(given);
            passed.extend(["sandbox".to_owned(), "limits".to_owned()]);
            self.out.blank();
            self.out.docs(2, "Compiles the plugin and makes an instance of it.");
            let string = self.names.std("String");
            self.out.line(2, &format!("{suspends}fun load(path: {string}, {}): {class} =", params.join(", ")));
            self.out.line(3, &format!("of({})", passed.join(", ")));
        }
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    /// Classes for more results than a triple has.
    fn results(&mut self) {
        for count in self.names.results.borrow().iter() {
            let letters: Vec<String> = (1..=*count).map(|i| format!("out T{i}")).collect();
            let values: Vec<String> = (1..=*count).map(|i| format!("val result{i}: T{i}")).collect();
            self.out.blank();
            self.out.docs(0, &format!("{count} results."));
            self.out.line(0, &format!("data class {}<{}>({})", self.names.results_class(*count), letters.join(", "), values.join(", ")));
        }
    }
}

/// What every object has.
const OF_ALL: [&str; 7] = ["equals", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"];

/// What every exception has that a plugin's error becomes, and what makes one.
const OF_EXCEPTIONS: [&str; 20] = [
    "addSuppressed",
    "cause",
    "denied",
    "errorFields",
    "errorName",
    "exitCode",
    "fillInStackTrace",
    "frames",
    "initCause",
    "javaClass",
    "kind",
    "localizedMessage",
    "message",
    "origin",
    "path",
    "sentence",
    "stackTrace",
    "stderr",
    "suppressed",
    "toValue",
];

/// What the classes with the exports have themselves, and what they call without a receiver.
const OWN: [&str; 13] =
    ["close", "duration", "emptyList", "exports", "instance", "listOf", "pool", "record", "text", "time", "toPlain", "toValue", "using"];

/// Functions with their names in Kotlin, in one place.
fn named(mut scope: Scope, functions: Vec<&Arc<Function>>) -> Vec<(String, &Arc<Function>)> {
    functions.into_iter().map(|function| (scope.take_quoted(identifier(&function.name)), function)).collect()
}

/// The names of a function's parameters.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::default();
    function.params.iter().map(|param| scope.take_quoted(identifier(&param.name))).collect()
}

/// `fun greet(p: Person, shout: Boolean): String`
fn signature(names: &Names, function: &Function, name: &str, suspend: bool, with_defaults: bool) -> String {
    let last_needed = function.params.iter().rposition(|param| !matches!(param.ty.kind, TypeKind::Option(_)));
    let params: Vec<String> = function
        .params
        .iter()
        .zip(parameters(function))
        .enumerate()
        .map(|(i, (param, name))| {
            let default = if with_defaults && last_needed.is_none_or(|last| i > last) { " = null" } else { "" };
            format!("{name}: {}{default}", names.show(&param.ty))
        })
        .collect();
    let suspend = if suspend { "suspend " } else { "" };
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(": {}", names.show(ty)));
    format!("{suspend}fun {name}({}){result}", params.join(", "))
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
