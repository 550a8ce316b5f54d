//! A Python module for a plugin: dataclasses, enums, unions for variants, exceptions for errors
//! with fields, protocols for imports, and a class with the exports as typed methods.

mod function;
mod text;
mod types;

use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{Case, EnumType, Field, Function, RecordType, Type, TypeKind, VariantType, names};

use super::scope::Scope;
use super::surface::{Imported, Surface};
use function::Owner;
use text::{Lines, identifier, literal};
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

struct Module<'a> {
    file: String,
    /// The name of the class for an instance.
    class: String,
    /// The name of the class for a pool.
    pool: String,
    /// The name of what both are: the class with the exports.
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
        let class = names.class(&world);
        let (pool, exports_class) = (names.class(&format!("{world}-pool")), names.class(&format!("{world}-exports")));
        let import = |Imported { name, functions }| Import { name, class: names.class(&names::kebab(name)), functions };
        let imports = imports.into_iter().map(import).collect();
        Module { file, class, pool, exports_class, types, exports, imports, names, out: Lines::default() }
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
        for i in 0..self.imports.len() {
            self.protocol(i);
        }
        self.imports_type();
        self.functions();
        self.instance();
        self.pool();
        self.table();
        let body = std::mem::take(&mut self.out);
        self.head(body.code()) + &body.finish()
    }

    /// What comes first, but depends on what the rest uses.
    fn head(&self, code: &str) -> String {
        let mut out = Lines::default();
        let title = format!("Typed access to the plugin {}.\n\nWritten by undergo bindgen; don't edit it, but write it anew.", self.file);
        out.docstring(0, &title);
        out.line(0, "");
        out.line(0, "from __future__ import annotations");
        out.line(0, "");
        let mentions = |word: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
        for module in ["builtins", "copy", "dataclasses", "datetime", "enum", "os"] {
            if code
                .match_indices(&format!("{module}."))
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
            {
                out.line(0, &format!("import {module}"));
            }
            if module == "datetime" && mentions(types::HIDDEN_DATETIME) {
                out.line(0, &format!("import datetime as {}", types::HIDDEN_DATETIME));
            }
        }
        for (module, known) in [
            ("collections.abc", &["Callable", "Mapping", "Sequence"][..]),
            ("typing", &["Any", "Protocol", "TypeAlias", "TypedDict", "Union"]),
        ] {
            let used: Vec<&str> = known.iter().copied().filter(|name| mentions(name)).collect();
            if !used.is_empty() {
                out.line(0, &format!("from {module} import {}", used.join(", ")));
            }
        }
        out.line(0, "");
        out.line(0, "import undergo");
        if mentions(types::BUFFER) {
            self.buffer(&mut out);
        }
        out.finish()
    }

    fn buffer(&self, out: &mut Lines) {
        out.blank(2);
        out.line(0, &format!("class {}(Protocol):", types::BUFFER));
        out.docstring(1, "What lends its bytes: bytes, bytearray, memoryview, array.array, a NumPy array.");
        out.line(0, "");
        out.line(1, "def __buffer__(self, flags: int, /) -> memoryview: ...");
    }

    fn record(&mut self, record: &RecordType) {
        let fields: Vec<String> = record.fields.iter().map(|field| identifier(&field.name)).collect();
        let shown = self.names.shadowed_by(fields.iter().map(String::as_str));
        self.out.blank(2);
        self.out.line(0, "@dataclasses.dataclass(kw_only=True, slots=True)");
        self.out.line(0, &format!("class {}:", self.names.of(&record.name)));
        self.out.docstring(1, or(&record.docs, &format!("The record {}.", record.name)));
        self.out.line(0, "");
        for (field, name) in record.fields.iter().zip(&fields) {
            self.out.line(1, &format!("{name}: {}{}", shown.show(&field.ty, Direction::FromGuest), default(field)));
            if !field.docs.is_empty() {
                self.out.docstring(1, &field.docs);
            }
        }
    }

    /// An error with fields: an exception.
    fn error(&mut self, record: &RecordType) {
        let fields: Vec<String> = record.fields.iter().map(|field| text::field(record, &field.name)).collect();
        let shown = self.names.shadowed_by(fields.iter().map(String::as_str));
        self.out.blank(2);
        self.out.line(0, &format!("class {}(undergo.GuestError):", self.names.of(&record.name)));
        self.out.docstring(1, or(&record.docs, &format!("The error {}.", record.name)));
        self.out.line(0, "");
        let quoted: Vec<String> = fields.iter().map(|name| literal(name)).collect();
        self.out.tuple(1, "__match_args__ = ", &quoted);
        let mut params = vec!["self".to_owned(), format!("message: {} = \"\"", shown.name("str")), "/".to_owned(), "*".to_owned()];
        self.out.line(0, "");
        for (field, name) in record.fields.iter().zip(&fields) {
            let declared = format!("{name}: {}", shown.show(&field.ty, Direction::FromGuest));
            self.out.line(1, &declared);
            if !field.docs.is_empty() {
                self.out.docstring(1, &field.docs);
            }
            params.push(declared + default(field));
        }
        self.out.line(0, "");
        self.out.signature(1, "__init__", &params, "None", ":");
        self.out.docstring(2, "Make one, which the plugin gets from a host function that raises it.");
        self.out.line(2, "super().__init__(message)");
        for name in &fields {
            self.out.line(2, &format!("self.{name} = {name}"));
        }
    }

    fn variant(&mut self, variant: &VariantType) {
        let cases = self.names.cases(variant);
        for case in cases.iter().filter(|case| case.is_new) {
            self.case(case.case, &case.class);
        }
        self.out.blank(2);
        self.out.union(&self.names.of(&variant.name), &cases.into_iter().map(|case| case.class).collect::<Vec<_>>());
        self.out.docstring(0, or(&variant.docs, &format!("The variant {}.", variant.name)));
    }

    fn case(&mut self, case: &Case, class: &str) {
        self.out.blank(2);
        self.out.line(0, "@dataclasses.dataclass(slots=True)");
        self.out.line(0, &format!("class {class}:"));
        self.out.docstring(1, or(&case.docs, &format!("The case {}.", case.name)));
        if let Some(ty) = &case.ty {
            self.out.line(0, "");
            self.out.line(1, &format!("value: {}", self.names.shadowed_by([]).show(ty, Direction::FromGuest)));
        }
    }

    fn cases(&mut self, cases: &EnumType) {
        self.out.blank(2);
        self.out.line(0, &format!("class {}(enum.Enum):", self.names.of(&cases.name)));
        self.out.docstring(1, or(&cases.docs, &format!("The enum {}.", cases.name)));
        self.out.line(0, "");
        let mut scope = Scope::default();
        for (case, docs) in &cases.cases {
            let name = scope.take(super::text::snake(case).to_uppercase());
            self.out.line(1, &format!("{name} = {}", literal(case)));
            if !docs.is_empty() {
                self.out.docstring(1, docs);
            }
        }
    }

    fn protocol(&mut self, i: usize) {
        let import = &self.imports[i];
        self.out.blank(2);
        self.out.line(0, &format!("class {}(Protocol):", import.class));
        self.out.docstring(1, &format!("What the host gives as {}.", import.name));
        let methods = function::host_methods(import.functions.iter().map(|function| function.name.as_str()));
        let shown = self.names.shadowed_by(methods.iter().flatten().map(String::as_str));
        for (function, name) in import.functions.iter().zip(&methods) {
            if let Some(name) = name {
                self.out.line(0, "");
                function::write(&mut self.out, function, name, &shown, &self.names, Owner::Host);
            }
        }
    }

    fn imports_type(&mut self) {
        if self.imports.is_empty() {
            return;
        }
        let value = |import: &Import<'_>| format!("{} | Mapping[str, Callable[..., object]]", import.class);
        self.out.blank(2);
        if self.imports.iter().all(|import| text::is_method(import.name) && identifier(import.name) == import.name) {
            self.out.line(0, "class Imports(TypedDict):");
            self.out.docstring(1, "What the host gives: for each interface an object with its methods, or a mapping of functions.");
            self.out.line(0, "");
            for import in &self.imports {
                self.out.line(1, &format!("{}: {}", import.name, value(import)));
            }
            return;
        }
        self.out.line(0, "Imports = TypedDict(");
        self.out.line(1, "\"Imports\",");
        self.out.line(1, "{");
        for import in &self.imports {
            self.out.line(2, &format!("{}: {},", literal(import.name), literal(&value(import))));
        }
        self.out.line(1, "},");
        self.out.line(0, ")");
        self.out.docstring(0, "What the host gives: for each interface an object with its methods, or a mapping of functions.");
    }

    fn functions(&mut self) {
        let methods = function::methods(self.exports.iter().map(|function| function.name.as_str()));
        let shown = self.names.shadowed_by(methods.iter().flatten().map(String::as_str));
        self.out.blank(2);
        self.out.line(0, &format!("class {}:", self.exports_class));
        self.out.docstring(1, &format!("The functions of {}, for an instance or a pool to run.", self.file));
        self.out.line(0, "");
        self.out.line(1, "def __init__(self, exports: undergo.Exports) -> None:");
        self.out.docstring(2, "Wrap the exports of a plugin that was made with types=TYPES.");
        self.out.line(2, "self._exports = exports");
        for (function, name) in self.exports.iter().zip(&methods) {
            if let Some(name) = name {
                self.out.line(0, "");
                function::write(&mut self.out, function, name, &shown, &self.names, Owner::Guest);
            }
        }
    }

    fn instance(&mut self) {
        let class = self.class.clone();
        self.wrapper(&class, "instance", "undergo.Instance", "An instance");
        let (parameter, argument) = self.given();
        self.out.line(1, "@classmethod");
        let mut params = vec!["cls".to_owned(), "path: str | os.PathLike[str]".to_owned(), "*".to_owned()];
        params.extend(parameter);
        self.out.signature(1, "load", &params, &class, ":");
        self.out.docstring(2, "Compile the plugin and make an instance of it.");
        self.out.line(2, "plugin = undergo.Plugin(path, types=TYPES)");
        self.out.line(2, &format!("return cls(plugin.instantiate({argument}sandbox=sandbox, limits=limits))"));
        self.out.line(0, "");
        self.using(&class, "instance");
    }

    fn pool(&mut self) {
        let class = self.pool.clone();
        self.wrapper(&class, "pool", "undergo.Pool", "A pool of instances");
        let (parameter, _) = self.given();
        self.out.line(1, "@classmethod");
        let mut params = vec!["cls".to_owned(), "path: str | os.PathLike[str]".to_owned(), "size: int".to_owned(), "*".to_owned()];
        params.extend(parameter);
        params.push("max_calls: int | None = None".to_owned());
        params.push("idle: float | None = None".to_owned());
        params.push("warm: int = 0".to_owned());
        self.out.signature(1, "load", &params, &class, ":");
        self.out.docstring(2, "Compile the plugin and make a pool of at most that many instances.");
        self.out.line(2, "plugin = undergo.Plugin(path, types=TYPES)");
        self.out.line(2, "pool = plugin.pool(");
        self.out.line(3, "size,");
        for name in self.imports.first().map(|_| "imports").into_iter().chain(["sandbox", "limits", "max_calls", "idle", "warm"]) {
            self.out.line(3, &format!("{name}={name},"));
        }
        self.out.line(2, ")");
        self.out.line(2, "return cls(pool)");
        self.out.line(0, "");
        self.using(&class, "pool");
        self.out.line(0, "");
        self.out.line(1, &format!("def __enter__(self) -> {class}:"));
        self.out.docstring(2, "Give the pool itself.");
        self.out.line(2, "return self");
        self.out.line(0, "");
        self.out.line(1, "def __exit__(self, *raised: object) -> None:");
        self.out.docstring(2, "Close the pool, and wait for the calls that run.");
        self.out.line(2, "self._pool.close()");
    }

    /// A class around an instance or a pool, as far as they are alike.
    fn wrapper(&mut self, class: &str, noun: &str, of: &str, what: &str) {
        self.out.blank(2);
        self.out.line(0, &format!("class {class}({}):", self.exports_class));
        self.out.docstring(1, &format!("{what} of {}.", self.file));
        self.out.line(0, "");
        self.out.line(1, &format!("def __init__(self, {noun}: {of}) -> None:"));
        self.out
            .docstring(2, &format!("Wrap {} {noun} whose plugin was made with types=TYPES.", if noun == "instance" { "an" } else { "a" }));
        self.out.line(2, &format!("super().__init__({noun}.exports)"));
        self.out.line(2, &format!("self._{noun} = {noun}"));
        self.out.line(0, "");
        self.out.line(1, "@property");
        self.out.line(1, &format!("def {noun}(self) -> {of}:"));
        self.out.docstring(2, &format!("The {noun} that the methods call."));
        self.out.line(2, &format!("return self._{noun}"));
        self.out.line(0, "");
    }

    /// The parameters that an instance is made with, and how the imports among them are passed on.
    fn given(&self) -> (Vec<String>, &'static str) {
        let mut params = vec!["sandbox: undergo.Sandbox | None = None".to_owned(), "limits: undergo.Limits | None = None".to_owned()];
        if self.imports.is_empty() {
            return (params, "");
        }
        params.insert(0, "imports: Imports".to_owned());
        (params, "imports=imports, ")
    }

    fn using(&mut self, class: &str, noun: &str) {
        let params = [
            "self".to_owned(),
            "*".to_owned(),
            "timeout: float | None = None".to_owned(),
            "cancel: undergo.CancelToken | None = None".to_owned(),
        ];
        self.out.signature(1, "using", &params, class, ":");
        self.out
            .docstring(2, &format!("Give the same {noun} with other options for its calls: a timeout in seconds, a token to cancel them."));
        self.out.line(2, "view = copy.copy(self)");
        self.out.line(2, &format!("view._exports = self._{noun}.using(timeout=timeout, cancel=cancel).exports"));
        self.out.line(2, "return view");
    }

    /// The classes by the WIT names of their types, as the package wants them.
    fn table(&mut self) {
        self.out.blank(2);
        if self.types.is_empty() {
            self.out.line(0, "TYPES: dict[str, type] = {}");
        } else {
            self.out.line(0, "TYPES: dict[str, type] = {");
            for ty in self.types {
                let mut row = |name: &str, class: &str| self.out.line(1, &format!("{}: {class},", literal(name)));
                match &ty.kind {
                    TypeKind::Record(_) | TypeKind::Enum(_) => row(&ty.to_string(), &self.names.of(&ty.to_string())),
                    TypeKind::Variant(variant) => {
                        for case in self.names.cases(variant).iter().filter(|case| !case.is_record) {
                            row(&format!("{}.{}", variant.name, case.case.name), &case.class);
                        }
                    }
                    _ => {}
                }
            }
            self.out.line(0, "}");
        }
        self.out.docstring(0, "The classes of this module, by the names of their types in the plugin's interface.");
    }
}

/// What a field has that is not given.
fn default(field: &Field) -> &'static str {
    if matches!(field.ty.kind, TypeKind::Option(_)) { " = None" } else { "" }
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}
