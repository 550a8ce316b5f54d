//! A C++ header for a plugin: structs, enums, variants, a class for each import, and classes for an
//! instance and for a pool with a typed method for each export.

mod function;
mod types;

use std::fmt::Write as _;
use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{Function, names};

use super::c::text::{all_alone, alone, literal};
use super::surface::{Imported, Surface};
use types::Types;

/// The namespace of a plugin's header. Functions that C's usual headers declare are none.
pub(crate) fn namespace(world: &str) -> String {
    alone(
        world,
        &[
            "abs", "clock", "close", "div", "exit", "index", "link", "log", "open", "pipe", "posix", "rand", "read", "remove", "rename",
            "select", "send", "signal", "std", "system", "time", "undergo", "write",
        ],
    )
}

/// The header's text.
pub(super) fn header(plugin: &Plugin) -> String {
    Header::new(plugin).write()
}

/// An interface whose functions the host gives.
struct Import<'a> {
    name: &'a str,
    class: String,
    /// As a parameter.
    ident: String,
    functions: Vec<&'a Arc<Function>>,
}

struct Header<'a> {
    file: String,
    namespace: String,
    /// The name of the class for an instance.
    class: String,
    /// The name of the class for a pool.
    pool: String,
    /// The name of what both are: the class with the exports.
    exports_class: String,
    exports: Vec<&'a Arc<Function>>,
    imports: Vec<Import<'a>>,
    types: Types,
}

impl<'a> Header<'a> {
    fn new(plugin: &'a Plugin) -> Header<'a> {
        let Surface { file, world, types: known, exports, imports } = Surface::new(plugin);
        let namespace = namespace(&world);
        let mut types = Types::new(&namespace, known);
        let class = types.class(&world);
        let (pool, exports_class) = (types.class(&format!("{world}-pool")), types.class(&format!("{world}-exports")));
        let idents = all_alone(imports.iter().map(|import| import.name), &["options", "plugin", "pool_options"]);
        let import = |(Imported { name, functions }, ident)| Import { name, class: types.class(&names::kebab(name)), ident, functions };
        let imports = imports.into_iter().zip(idents).map(import).collect();
        for ty in known {
            types.define(ty);
        }
        Header { file, namespace, class, pool, exports_class, exports, imports, types }
    }

    fn write(&self) -> String {
        // Out of the way of undergo.hpp's own, which has a header for plugins, say.
        let guard = format!("UNDERGO_BINDGEN_{}_HPP", self.namespace.to_uppercase());
        let mut out = String::new();
        comment(&mut out, 0, &format!("Typed access to the plugin {}, over undergo.hpp.", self.file));
        comment(&mut out, 0, "");
        comment(&mut out, 0, "Written by undergo bindgen; don't edit it, but write it anew.");
        let _ = writeln!(out, "\n#ifndef {guard}\n#define {guard}\n");
        for header in ["cstdint", "map", "memory", "optional", "string", "string_view", "tuple", "utility", "variant", "vector"] {
            let _ = writeln!(out, "#include <{header}>");
        }
        let _ = writeln!(out, "\n#include <undergo.hpp>\n\nnamespace {} {{\n", self.namespace);
        let (types, codecs) = self.types.finish();
        out += types;
        for import in &self.imports {
            self.import(import, &mut out);
        }
        self.signatures(&mut out);
        let _ = writeln!(out, "}}  // namespace {}\n", self.namespace);
        if !codecs.is_empty() {
            let _ = writeln!(out, "namespace undergo {{\n\n{codecs}}}  // namespace undergo\n");
        }
        let _ = writeln!(out, "namespace {} {{\n", self.namespace);
        self.functions(&mut out);
        self.provide(&mut out);
        self.instance(&mut out);
        self.pool(&mut out);
        let _ = writeln!(out, "}}  // namespace {}\n\n#endif  // {guard}", self.namespace);
        out
    }

    fn import(&self, import: &Import<'_>, out: &mut String) {
        let text = format!("What the host gives as {}. For a pool, several threads call it at once.", import.name);
        comment(out, 0, &text);
        let _ = writeln!(out, "class {} {{\n public:\n  virtual ~{}() = default;", import.class, import.class);
        for (function, name) in import.functions.iter().zip(methods_of(import)) {
            out.push('\n');
            function::import(&self.types, function, &name, out);
        }
        let _ = writeln!(out, "}};\n");
    }

    /// The table by which Undergo knows the functions.
    fn signatures(&self, out: &mut String) {
        let _ = writeln!(out, "namespace wit {{\n");
        comment(out, 0, "The functions that this header was generated for: the exports by their numbers, then the imports.");
        let _ = writeln!(out, "inline constexpr undergo_signature_t signatures[] = {{");
        let mut row = |interface: Option<&str>, function: &Function, number: usize| {
            let interface = interface.map_or_else(|| "nullptr".to_owned(), literal);
            let (name, signature, digest) = (literal(&function.name), literal(&function.to_string()), function.digest());
            let _ = writeln!(out, "    {{{interface}, {name}, {signature}, UINT64_C({digest:#018x}), {number}}},");
        };
        for (number, function) in self.exports.iter().enumerate() {
            row(None, function, number);
        }
        for import in &self.imports {
            import.functions.iter().for_each(|function| row(Some(import.name), function, 0));
        }
        if self.count() == 0 {
            let _ = writeln!(out, "    {{nullptr, nullptr, nullptr, 0, 0}},");
        }
        let _ = writeln!(out, "}};\n\n}}  // namespace wit\n");
    }

    fn count(&self) -> usize {
        self.exports.len() + self.imports.iter().map(|import| import.functions.len()).sum::<usize>()
    }

    /// The table, as an argument.
    fn table(&self) -> String {
        format!("undergo::Span<undergo_signature_t>(wit::signatures, {})", self.count())
    }

    fn functions(&self, out: &mut String) {
        let class = &self.exports_class;
        let text = format!(
            "The functions of {}, for an instance or a pool to run. Those that begin with try_ give the error instead of throwing it. It must not be used when the instance or the pool is gone.",
            self.file
        );
        comment(out, 0, &text);
        let _ = writeln!(out, "class {class} {{\n public:");
        comment(out, 1, "Of an instance or a pool that is known to have these functions.");
        let _ = writeln!(out, "  explicit {class}(undergo::View view) : view_(std::move(view)) {{}}\n");
        // A method that is called as its class would be a constructor.
        let classes = [class.as_str(), &self.class, &self.pool];
        let names = function::methods(self.exports.iter().map(|export| export.name.as_str()), &classes);
        for (number, (export, name)) in self.exports.iter().zip(names).enumerate() {
            function::export(&self.types, export, &name, &format!("wit::signatures[{number}]"), out);
        }
        comment(out, 1, "The same with options for calls, such as a timeout: with(100ms).");
        let _ = writeln!(out, "  {class} with(undergo::CallOptions options) const {{ return {class}(view_.with(std::move(options))); }}\n");
        let _ = writeln!(out, " private:\n  undergo::View view_;\n}};\n");
    }

    /// How the hosts of imports are given.
    fn provide(&self, out: &mut String) {
        let mut number = self.exports.len();
        for import in &self.imports {
            let text = format!(
                "Gives the functions of {}, which live as long as they can be called. Null leaves the imports as they are.",
                import.name
            );
            comment(out, 0, &text);
            let class = &import.class;
            let _ = writeln!(out, "inline void provide(undergo::Imports &imports, std::shared_ptr<{class}> host) {{");
            let _ = writeln!(out, "  undergo::typed::provide(imports, std::move(host), {{");
            for name in methods_of(import) {
                let _ = writeln!(out, "      {{&wit::signatures[{number}], undergo::typed::Adapter<&{class}::{name}>::call}},");
                number += 1;
            }
            let _ = writeln!(out, "  }});\n}}\n");
        }
    }

    /// The hosts of imports as parameters, each with a comma behind it.
    fn hosts(&self) -> String {
        self.imports.iter().map(|import| format!("std::shared_ptr<{}> {}, ", import.class, import.ident)).collect()
    }

    /// The same as arguments.
    fn moved(&self) -> String {
        self.imports.iter().map(|import| format!("std::move({}), ", import.ident)).collect()
    }

    /// The statements that give them.
    fn provided(&self) -> String {
        self.imports.iter().map(|import| format!("    provide(options.imports(), std::move({}));\n", import.ident)).collect()
    }

    fn instance(&self, out: &mut String) {
        let (class, hosts, moved, table) = (&self.class, self.hosts(), self.moved(), self.table());
        comment(out, 0, &format!("An instance of {}. Its functions are methods.", self.file));
        let _ = writeln!(out, "class {class} : public {} {{\n public:", self.exports_class);
        let _ = writeln!(out, "#if UNDERGO_EXCEPTIONS");
        comment(
            out,
            1,
            "Makes an instance of a plugin, which must have the functions of this header: else the error is signature-mismatch.",
        );
        let _ = writeln!(out, "  explicit {class}(const undergo::Plugin &plugin, {hosts}undergo::Options options = {{}})");
        let _ = writeln!(out, "      : {class}(try_make(plugin, {moved}std::move(options)).value()) {{}}\n");
        comment(out, 1, "Loads a plugin from a file, and makes an instance.");
        let _ = writeln!(out, "  static {class} load(const std::string &file, {hosts}undergo::Options options = {{}}) {{");
        let _ = writeln!(out, "    return {class}(undergo::Plugin(file), {moved}std::move(options));\n  }}\n#endif\n");
        let _ = writeln!(
            out,
            "  static undergo::Result<{class}> try_make(const undergo::Plugin &plugin, {hosts}undergo::Options options = {{}}) {{"
        );
        let _ = write!(out, "{}", self.provided());
        let _ = writeln!(out, "    undergo::Result<undergo::Instance> made = undergo::typed::instantiate(plugin, {table}, options);");
        let _ = writeln!(
            out,
            "    return made ? undergo::Result<{class}>({class}(std::move(*made))) : undergo::Result<{class}>(made.error());\n  }}\n"
        );
        let _ =
            writeln!(out, "  static undergo::Result<{class}> try_load(const std::string &file, {hosts}undergo::Options options = {{}}) {{");
        let _ = writeln!(out, "    const undergo::Result<undergo::Plugin> plugin = undergo::Plugin::try_load(file);");
        let _ = writeln!(
            out,
            "    return plugin ? try_make(*plugin, {moved}std::move(options)) : undergo::Result<{class}>(plugin.error());\n  }}\n"
        );
        comment(out, 1, "The instance, for what is not a function of the plugin.");
        let _ = writeln!(out, "  const undergo::Instance &instance() const noexcept {{ return instance_; }}\n");
        let _ = writeln!(out, " private:\n  explicit {class}(undergo::Instance instance)");
        let _ = writeln!(out, "      : {}(instance.view()), instance_(std::move(instance)) {{}}\n", self.exports_class);
        let _ = writeln!(out, "  undergo::Instance instance_;\n}};\n");
    }

    fn pool(&self, out: &mut String) {
        let (class, hosts, moved, table) = (&self.pool, self.hosts(), self.moved(), self.table());
        let params =
            format!("const undergo::Plugin &plugin, const undergo::PoolOptions &pool_options, {hosts}undergo::Options options = {{}}");
        comment(out, 0, &format!("A pool of instances of {}, for many threads. Its functions are methods.", self.file));
        let _ = writeln!(out, "class {class} : public {} {{\n public:", self.exports_class);
        let _ = writeln!(out, "#if UNDERGO_EXCEPTIONS");
        comment(out, 1, "Makes a pool of a plugin, which must have the functions of this header: else the error is signature-mismatch.");
        let _ = writeln!(out, "  explicit {class}({params})");
        let _ = writeln!(out, "      : {class}(try_make(plugin, pool_options, {moved}std::move(options)).value()) {{}}\n#endif\n");
        let _ = writeln!(out, "  static undergo::Result<{class}> try_make({params}) {{");
        let _ = write!(out, "{}", self.provided());
        let _ = writeln!(out, "    undergo::Result<undergo::Pool> made = undergo::typed::pool(plugin, {table}, pool_options, options);");
        let _ = writeln!(
            out,
            "    return made ? undergo::Result<{class}>({class}(std::move(*made))) : undergo::Result<{class}>(made.error());\n  }}\n"
        );
        comment(out, 1, "The pool, for what is not a function of the plugin.");
        let _ = writeln!(out, "  const undergo::Pool &pool() const noexcept {{ return pool_; }}\n");
        let _ = writeln!(
            out,
            " private:\n  explicit {class}(undergo::Pool pool) : {}(pool.view()), pool_(std::move(pool)) {{}}\n",
            self.exports_class
        );
        let _ = writeln!(out, "  undergo::Pool pool_;\n}};\n");
    }
}

/// The names of the methods of an import's class.
fn methods_of(import: &Import<'_>) -> Vec<String> {
    // A method that is called as its class would be a constructor.
    all_alone(import.functions.iter().map(|function| function.name.as_str()), &[&import.class])
}

/// Writes a comment, in lines. An empty one is an empty line of it.
pub(super) fn comment(out: &mut String, indent: usize, text: &str) {
    let lines = if text.is_empty() { vec!["//".to_owned()] } else { super::c::text::comment(2 * indent, text) };
    lines.iter().for_each(|line| *out += &format!("{}{line}\n", "  ".repeat(indent)));
}
