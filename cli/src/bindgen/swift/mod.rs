//! A Swift file for a plugin: structs, enums, errors, protocols for imports, and types with the
//! exports as typed methods.

mod text;
mod types;

use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{EnumType, Function, RecordType, Type, TypeKind, VariantType, names};

use super::lines::Lines;
use super::surface::{Imported, Surface};
use text::{Docs, Scope, literal, plain};
use types::Names;

/// The file's text.
pub(super) fn module(plugin: &Plugin) -> String {
    Module::new(plugin).write()
}

/// An interface whose functions the host gives.
struct Import<'a> {
    name: &'a str,
    /// Its protocol, that with functions that are awaited, and the parameter for what conforms to
    /// one.
    protocols: [String; 2],
    param: String,
    /// With their names in Swift.
    functions: Vec<(String, &'a Arc<Function>)>,
}

/// The types with the exports, for calls that block or that are awaited.
struct Family {
    is_async: bool,
    instance: String,
    pool: String,
    /// The protocol that has the methods, and what conforms to it for other options.
    exports: String,
    view: String,
}

struct Module<'a> {
    file: String,
    /// The functions that make the package's imports: of functions that block, and of those that
    /// are awaited.
    give: [String; 2],
    families: [Family; 2],
    types: &'a [Type],
    /// With their names in Swift.
    exports: Vec<(String, &'a Arc<Function>)>,
    imports: Vec<Import<'a>>,
    names: Names,
    out: Lines,
}

impl<'a> Module<'a> {
    fn new(plugin: &'a Plugin) -> Module<'a> {
        let Surface { file, world, types, exports, imports } = Surface::new(plugin);
        let mut names = Names::new(types);
        let families = [false, true].map(|is_async| {
            let mut declare = |end: &str| names.declare(&format!("{}{world}{end}", if is_async { "async-" } else { "" }));
            Family { is_async, instance: declare(""), pool: declare("-pool"), exports: declare("-exports"), view: declare("-calls") }
        });
        // What stands beside them where they are named.
        let mut params =
            Scope::new(&["args", "functions", "given", "idle", "limits", "maxCalls", "path", "plugin", "result", "sandbox", "size"]);
        let import = |Imported { name, functions }| {
            let kebab = names::kebab(name);
            let protocols = ["", "async-"].map(|start| names.declare(&format!("{start}{kebab}")));
            Import { name, protocols, param: params.name(name), functions: named(Scope::new(&[]), functions) }
        };
        let imports = imports.into_iter().map(import).collect();
        let exports = named(Scope::new(&["calls", "instance", "pool", "using"]), exports);
        let give = ["", "async-"].map(|start| plain(&format!("{start}{world}-imports")));
        Module { file, give, families, types, exports, imports, names, out: Lines::new("    ") }
    }

    fn write(mut self) -> String {
        self.out.line(0, &format!("// Typed access to the plugin {}.", self.file));
        self.out.line(0, "//");
        self.out.line(0, "// Written by undergo bindgen; don't edit it, but write it anew.");
        self.out.blank();
        self.out.line(0, "import Foundation");
        self.out.line(0, "import Undergo");
        for ty in self.types {
            match &ty.kind {
                TypeKind::Record(record) => self.record(record),
                TypeKind::Enum(cases) => self.cases(cases),
                TypeKind::Variant(variant) => self.variant(variant),
                _ => {}
            }
        }
        for is_async in [false, true] {
            self.protocols(is_async);
            self.imports_function(is_async);
        }
        for number in 0..self.families.len() {
            self.functions(number);
            self.holder(number, false);
            self.holder(number, true);
            self.view(number);
        }
        self.out.finish()
    }

    fn record(&mut self, record: &RecordType) {
        let mut scope = Scope::new(&["errorName", "hashValue", "localizedDescription", "pluginValue"]);
        let fields: Vec<String> = record.fields.iter().map(|field| scope.name(&field.name)).collect();
        let fields: Vec<_> = fields.iter().zip(&record.fields).collect();
        self.out.blank();
        let (what, protocol) = if record.is_error { ("error", "PluginError") } else { ("record", "PluginValue") };
        self.out.docs(0, or(&record.docs, &format!("The {what} {}.", record.name)));
        self.out.line(0, &format!("public struct {}: {protocol}, Hashable, Sendable {{", self.names.of(&record.name)));
        if record.is_error {
            self.out.docs(1, "Its name in WIT.");
            self.out.line(1, &format!("public static let errorName = {}", literal(&record.name)));
            self.out.blank();
        }
        for (name, field) in &fields {
            self.out.docs(1, &field.docs);
            self.out.line(1, &format!("public var {name}: {}", self.names.show(&field.ty)));
        }
        self.out.blank();
        let params: Vec<String> =
            fields.iter().map(|(name, field)| format!("{name}: {}", self.names.show_with_default(&field.ty))).collect();
        self.out.line(1, &format!("public init({}) {{", params.join(", ")));
        for (name, _) in &fields {
            self.out.line(2, &format!("self.{name} = {name}"));
        }
        self.out.line(1, "}");
        self.out.blank();
        self.out.docs(1, "Reads one that a plugin gave.");
        self.out.line(1, "public init(pluginValue: Value) throws {");
        let list = if fields.is_empty() { "_" } else { "let fields" };
        self.out.line(2, &format!("{list} = try pluginValue.readFields({})", fields.len()));
        for (i, (name, field)) in fields.iter().enumerate() {
            self.out.line(2, &format!("self.{name} = try {}", self.names.read(&field.ty, &format!("fields[{i}]"))));
        }
        self.out.line(1, "}");
        self.out.blank();
        self.out.docs(1, "What a plugin is given for it.");
        self.out.line(1, "public var pluginValue: Value {");
        self.out.line(2, ".fields(fields: [");
        for (name, field) in &fields {
            self.out.line(3, &format!("NamedValue(name: {}, value: self.{name}.pluginValue),", literal(&field.name)));
        }
        self.out.line(2, "])");
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    fn variant(&mut self, variant: &VariantType) {
        let mut scope = Scope::new(&["hashValue", "pluginValue"]);
        let cases: Vec<_> = variant.cases.iter().map(|case| (scope.name(&case.name), case)).collect();
        let class = self.names.of(&variant.name);
        self.out.blank();
        self.out.docs(0, or(&variant.docs, &format!("The variant {}.", variant.name)));
        self.out.line(0, &format!("public enum {class}: PluginValue, Hashable, Sendable {{"));
        for (name, case) in &cases {
            self.out.docs(1, &case.docs);
            let value = case.ty.as_ref().map_or_else(String::new, |ty| format!("({})", self.names.show(ty)));
            self.out.line(1, &format!("case {name}{value}"));
        }
        self.out.blank();
        self.out.docs(1, "Reads one that a plugin gave.");
        self.out.line(1, "public init(pluginValue: Value) throws {");
        self.out.line(2, "let given = try pluginValue.readCase()");
        self.out.line(2, "switch given.name {");
        for (name, case) in &cases {
            let made = case.ty.as_ref().map_or_else(String::new, |ty| format!("(try {})", self.names.read(ty, "given.value")));
            self.out.line(2, &format!("case {}: self = .{name}{made}", literal(&case.name)));
        }
        self.out.line(2, &format!("default: throw UnexpectedValue(\"a case of {class}\", pluginValue)"));
        self.out.line(2, "}");
        self.out.line(1, "}");
        self.out.blank();
        self.out.docs(1, "What a plugin is given for it.");
        self.out.line(1, "public var pluginValue: Value {");
        self.out.line(2, "switch self {");
        for (name, case) in &cases {
            let (bound, value) = if case.ty.is_some() { ("(let value)", "value.pluginValue") } else { ("", "nil") };
            self.out.line(2, &format!("case .{name}{bound}: return Value.`case`(name: {}, value: {value})", literal(&case.name)));
        }
        self.out.line(2, "}");
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    fn cases(&mut self, cases: &EnumType) {
        let mut scope = Scope::new(&["allCases"]);
        self.out.blank();
        self.out.docs(0, or(&cases.docs, &format!("The enum {}.", cases.name)));
        let name = self.names.of(&cases.name);
        self.out.line(0, &format!("public enum {name}: String, PluginValue, CaseIterable, Hashable, Sendable {{"));
        for (case, docs) in &cases.cases {
            self.out.docs(1, docs);
            let name = scope.name(case);
            let raw = if name.trim_matches('`') == case { String::new() } else { format!(" = {}", literal(case)) };
            self.out.line(1, &format!("case {name}{raw}"));
        }
        self.out.line(0, "}");
    }

    /// A protocol for each interface of the imports.
    fn protocols(&mut self, is_async: bool) {
        for import in &self.imports {
            self.out.blank();
            self.out.docs(
                0,
                &format!("What the host gives as {}{}. Calls come from any thread.", import.name, if is_async { ", awaited" } else { "" }),
            );
            self.out.line(0, &format!("public protocol {}: Sendable {{", import.protocols[usize::from(is_async)]));
            for (i, (name, function)) in import.functions.iter().enumerate() {
                if i > 0 {
                    self.out.blank();
                }
                let thrown = if function.fallible { "which the plugin gets" } else { "which ends the call, and which the caller gets" };
                let docs = or(&function.docs, &format!("The function {}.", function.name)).trim().to_owned();
                self.out.docs(1, &format!("{docs}\n\n- Throws: an error, {thrown}."));
                self.out.line(1, &signature(&self.names, function, name, is_async, false));
            }
            self.out.line(0, "}");
        }
    }

    /// What makes the package's imports of values that conform to the protocols.
    fn imports_function(&mut self, is_async: bool) {
        if self.imports.is_empty() {
            return;
        }
        self.out.blank();
        let (ty, waits) = if is_async { ("AsyncHostFunctions", "try await") } else { ("HostFunctions", "try") };
        let (give, params) = (&self.give[usize::from(is_async)], self.import_params(is_async).join(", "));
        self.out.docs(0, &format!("The functions that {} needs, from values that have them.", self.file));
        self.out.line(0, &format!("public func {give}({params}) -> {ty} {{"));
        self.out.line(1, &format!("var functions: {ty} = [:]"));
        for import in &self.imports {
            for (name, function) in &import.functions {
                let (module, key) = (literal(import.name), literal(&function.name));
                let count = function.params.len();
                self.out.line(1, &format!("functions[{module}, default: [:]][{key}] = {{ given in"));
                let list = if count == 0 { "_" } else { "let args" };
                self.out.line(2, &format!("{list} = try given.expecting({count})"));
                let labels = parameters(function);
                let arg =
                    |(i, label): (usize, &String)| format!("{label}: {}", self.names.read(&function.params[i].ty, &format!("args[{i}]")));
                let args: Vec<String> = labels.iter().enumerate().map(arg).collect();
                let call = format!("{waits} {}.{name}({})", import.param, args.join(", "));
                match &function.result {
                    None => {
                        self.out.line(2, &call);
                        self.out.line(2, "return Value.none");
                    }
                    Some(Type { kind: TypeKind::Tuple(tuple), .. }) => {
                        let items: Vec<String> = (0..tuple.items.len()).map(|i| format!("result.{i}.pluginValue")).collect();
                        self.out.line(2, &format!("let result = {call}"));
                        self.out.line(2, &format!("return Value.items(items: [{}])", items.join(", ")));
                    }
                    Some(_) => self.out.line(2, &format!("return {call}.pluginValue")),
                }
                self.out.line(1, "}");
            }
        }
        self.out.line(1, "return functions");
        self.out.line(0, "}");
    }

    fn import_params(&self, is_async: bool) -> Vec<String> {
        let number = usize::from(is_async);
        self.imports.iter().map(|import| format!("{}: some {}", import.param, import.protocols[number])).collect()
    }

    /// The protocol that has the exports as methods.
    fn functions(&mut self, number: usize) {
        let Family { is_async, exports, view, .. } = &self.families[number];
        let (calls, waits, also) = if *is_async { ("AsyncCalls", "try await", ", awaited") } else { ("Calls", "try", "") };
        self.out.blank();
        self.out.docs(0, &format!("The functions of {}{also}: of an instance, of a pool, and of a view of either.", self.file));
        self.out.line(0, &format!("public protocol {exports}: Sendable {{"));
        self.out.docs(1, "What runs the calls.");
        self.out.line(1, &format!("var calls: {calls} {{ get }}"));
        self.out.line(0, "}");
        self.out.blank();
        self.out.line(0, &format!("extension {exports} {{"));
        for (name, function) in &self.exports {
            let mut docs = or(&function.docs, &format!("Calls {}.", function.name)).trim().to_owned();
            if function.fallible {
                let own = if function.errors.is_some() { ", with fields in its chain where the plugin's error has any" } else { "" };
                docs.push_str(&format!("\n\n- Throws: `CallError`, whose kind is `guestError` when the function returns an error{own}."));
            }
            self.out.docs(1, &docs);
            self.out.line(1, &format!("public {} {{", signature(&self.names, function, name, *is_async, true)));
            let args: Vec<String> = parameters(function).iter().map(|param| format!("{param}.pluginValue")).collect();
            let call = format!("self.calls.call({}, [{}])", literal(&function.name), args.join(", "));
            match &function.result {
                None => self.out.line(2, &format!("{waits} {call}")),
                Some(Type { kind: TypeKind::Tuple(tuple), .. }) => {
                    let item = |(i, ty): (usize, &Type)| self.names.read(ty, &format!("results[{i}]"));
                    let items: Vec<String> = tuple.items.iter().enumerate().map(item).collect();
                    self.out.line(2, &format!("let results = {waits} {call}.readItems({})", items.len()));
                    self.out.line(2, &format!("return try ({})", items.join(", ")));
                }
                Some(ty) => self.out.line(2, &format!("{waits} {}", self.names.read(ty, &call))),
            }
            self.out.line(1, "}");
            self.out.blank();
        }
        self.out
            .docs(1, "A view of the same thing with other options for its calls.\n\n- Parameter timeout: seconds that a call may take.");
        self.out.line(1, &format!("public func using(timeout: Double? = nil, cancel: CancelToken? = nil) -> {view} {{"));
        self.out.line(2, &format!("{view}(calls: self.calls.using(timeout: timeout, cancel: cancel))"));
        self.out.line(1, "}");
        self.out.line(0, "}");
    }

    /// The type that holds an instance or a pool.
    fn holder(&mut self, number: usize, is_pool: bool) {
        let Family { is_async, instance, pool, exports, .. } = &self.families[number];
        let is_async = *is_async;
        let calls = if is_async { "AsyncCalls" } else { "Calls" };
        let (own, member, article) = if is_pool { (pool, "pool", "A pool of instances") } else { (instance, "instance", "An instance") };
        let (held, make) = match (is_async, is_pool) {
            (false, false) => ("Instance", "instantiate"),
            (true, false) => ("AsyncInstance", "instantiateAsync"),
            (false, true) => ("Pool", "pool"),
            (true, true) => ("AsyncPool", "asyncPool"),
        };
        let (effects, waits) = if is_async && !is_pool { ("async throws", "try await") } else { ("throws", "try") };
        let also = if is_async { ", whose calls are awaited" } else { "" };

        let mut params = Vec::new();
        let mut passed = Vec::new();
        if is_pool {
            params.push("size: UInt64".to_owned());
            passed.push("size: size".to_owned());
        }
        params.extend(self.import_params(is_async));
        let given: Vec<String> = self.imports.iter().map(|import| format!("{0}: {0}", import.param)).collect();
        if !given.is_empty() {
            let label = if is_async { "asyncFunctions" } else { "functions" };
            passed.push(format!("{label}: {}({})", self.give[usize::from(is_async)], given.join(", ")));
        }
        for (name, default) in [("sandbox", "Sandbox = .of()"), ("limits", "Limits = Limits()")] {
            params.push(format!("{name}: {default}"));
            passed.push(format!("{name}: {name}"));
        }
        if is_pool {
            for (name, default) in [("maxCalls", "UInt64? = nil"), ("idle", "Double? = nil")] {
                params.push(format!("{name}: {default}"));
                passed.push(format!("{name}: {name}"));
            }
        }
        let (params, passed) = (params.join(", "), passed.join(", "));

        self.out.blank();
        self.out.docs(0, &format!("{article} of {}{also}.", self.file));
        self.out.line(0, &format!("public struct {own}: {exports} {{"));
        self.out.docs(1, &format!("The {member} itself."));
        self.out.line(1, &format!("public let {member}: {held}"));
        self.out.line(1, &format!("public let calls: {calls}"));
        self.out.blank();
        let size = if is_pool { " Of at most `size` instances; `maxCalls` and `idle` (seconds) say when one is replaced." } else { "" };
        self.out.docs(1, &format!("Makes one of a plugin that is loaded.{size}"));
        self.out.line(1, &format!("public init(_ plugin: Plugin, {params}) {effects} {{"));
        self.out.line(2, &format!("self.{member} = {waits} plugin.{make}({passed})"));
        self.out.line(2, &format!("self.calls = {calls}(self.{member})"));
        self.out.line(1, "}");
        if !is_pool {
            let mut again = vec!["Plugin.load(path)".to_owned()];
            again.extend(given);
            again.extend(["sandbox: sandbox".to_owned(), "limits: limits".to_owned()]);
            self.out.blank();
            self.out.docs(1, "Compiles the plugin and makes an instance of it.");
            self.out.line(1, &format!("public static func load(_ path: String, {params}) {effects} -> {own} {{"));
            self.out.line(2, &format!("{waits} {own}({})", again.join(", ")));
            self.out.line(1, "}");
        }
        self.out.line(0, "}");
    }

    /// The type for other options.
    fn view(&mut self, number: usize) {
        let Family { is_async, exports, view, .. } = &self.families[number];
        self.out.blank();
        self.out.docs(0, &format!("A view of an instance or a pool of {} with options for its calls.", self.file));
        self.out.line(0, &format!("public struct {view}: {exports} {{"));
        self.out.line(1, &format!("public let calls: {}", if *is_async { "AsyncCalls" } else { "Calls" }));
        self.out.line(0, "}");
    }
}

/// The names of a function's parameters in Swift.
fn parameters(function: &Function) -> Vec<String> {
    let mut scope = Scope::new(&["results"]);
    function.params.iter().map(|param| scope.name(&param.name)).collect()
}

/// `func greet(p: Person, shout: Bool) throws -> String`
fn signature(names: &Names, function: &Function, name: &str, is_async: bool, with_defaults: bool) -> String {
    let show = |ty: &Type| if with_defaults { names.show_with_default(ty) } else { names.show(ty) };
    let labels = parameters(function);
    let params: Vec<String> = labels.iter().zip(&function.params).map(|(label, param)| format!("{label}: {}", show(&param.ty))).collect();
    let effects = if is_async { "async throws" } else { "throws" };
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", names.show_result(ty)));
    format!("func {name}({}) {effects}{result}", params.join(", "))
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}

/// Functions with their names in Swift, in one place.
fn named(mut scope: Scope, functions: Vec<&Arc<Function>>) -> Vec<(String, &Arc<Function>)> {
    functions.into_iter().map(|function| (scope.name(&function.name), function)).collect()
}
