//! A C header for a plugin: structs, and a typed function for each export, for an instance and for
//! a pool, and for each import; and two for each error with fields.

mod errors;
mod function;
mod places;
pub(super) mod text;
mod types;

use std::fmt::Write as _;

use undergo::Plugin;
use undergo::interface::{Function, TypeKind};

use super::surface::Surface;
pub(crate) use text::prefix;
use text::{comment, literal};
use types::Types;

/// The header's text.
pub(super) fn header(plugin: &Plugin) -> String {
    Header::new(plugin).write()
}

struct Header<'a> {
    surface: Surface<'a>,
    types: Types,
}

impl<'a> Header<'a> {
    fn new(plugin: &'a Plugin) -> Header<'a> {
        let surface = Surface::new(plugin);
        let types = Types::new(&prefix(&surface.world));
        Header { surface, types }
    }

    fn write(mut self) -> String {
        let prefix = self.types.prefix().to_owned();
        // Out of the way of undergo.h's own.
        let guard = format!("UNDERGO_BINDGEN_{}_H", prefix.to_uppercase());
        // Names of types come first, so that it is the others that step aside.
        let [check, load] = ["plugin-check", "plugin-load"].map(|name| self.types.name(name));
        let table = self.types.name("signatures");
        for ty in self.surface.types {
            match &ty.kind {
                TypeKind::Record(record) => drop(self.types.record(record)),
                TypeKind::Enum(cases) => drop(self.types.cases(cases)),
                TypeKind::Variant(variant) => drop(self.types.variant(variant)),
                _ => {}
            }
        }
        let mut functions = String::new();
        errors::functions(&mut self.types, self.surface.types, &mut functions);
        self.signatures(&table, &mut functions);
        self.opening(&check, &load, &table, &mut functions);
        for (number, function) in self.surface.exports.clone().into_iter().enumerate() {
            for owner in ["instance", "pool"] {
                function::export(&mut self.types, function, owner, &format!("{table}[{number}]"), &mut functions);
            }
        }
        let mut number = self.surface.exports.len();
        for import in &self.surface.imports {
            function::imports(&mut self.types, import.name, &import.functions, &table, number, &mut functions);
            number += import.functions.len();
        }
        let mut out = String::new();
        let title =
            format!("Typed access to the plugin {}. Written by undergo bindgen; don't edit it, but write it anew.", self.surface.file);
        comment(&mut out, 0, &title);
        comment(&mut out, 0, "");
        comment(
            &mut out,
            0,
            "All that a result points to lies in the arena that comes with it, and is freed at once by undergo_arena_delete. Each function returns NULL, or an error, which the \
             caller frees with undergo_error_delete; then there is no result, and nothing else to free.",
        );
        let _ =
            write!(out, "\n#ifndef {guard}\n#define {guard}\n\n#include <undergo.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n");
        out += &self.types.finish();
        out += &functions;
        out += "#ifdef __cplusplus\n}  // extern \"C\"\n#endif\n\n#endif\n";
        out
    }

    /// The table by which Undergo knows the functions.
    fn signatures(&self, table: &str, out: &mut String) {
        comment(out, 0, "The functions that this header was generated for: the exports by their numbers, then the imports.");
        let _ = writeln!(out, "static const undergo_signature_t {table}[] = {{");
        let mut row = |interface: Option<&str>, function: &Function, number: usize| {
            let interface = interface.map_or_else(|| "NULL".to_owned(), literal);
            let (name, signature, digest) = (literal(&function.name), literal(&function.to_string()), function.digest());
            let _ = writeln!(out, "  {{{interface}, {name}, {signature}, UINT64_C({digest:#018x}), {number}}},");
        };
        for (number, function) in self.surface.exports.iter().enumerate() {
            row(None, function, number);
        }
        for import in &self.surface.imports {
            for function in &import.functions {
                row(Some(import.name), function, 0);
            }
        }
        if self.surface.exports.is_empty() && self.surface.imports.is_empty() {
            let _ = writeln!(out, "  {{NULL, NULL, NULL, 0, 0}},");
        }
        let _ = writeln!(out, "}};\n");
    }

    /// How the plugin is loaded.
    fn opening(&self, check: &str, load: &str, table: &str, out: &mut String) {
        let count = self.surface.exports.len() + self.surface.imports.iter().map(|import| import.functions.len()).sum::<usize>();
        comment(out, 0, "Fails with signature-mismatch, and all that differs, unless the plugin has what this header was generated for.");
        let _ = writeln!(
            out,
            "static inline undergo_error_t *{check}(const undergo_plugin_t *plugin) {{\n  return undergo_plugin_expect(plugin, {table}, {count});\n}}\n"
        );
        comment(out, 0, &format!("Loads {}, and checks it. The caller frees the plugin with undergo_plugin_delete.", self.surface.file));
        let _ = writeln!(
            out,
            "static inline undergo_error_t *{load}(
    const char *file,
    const undergo_plugin_options_t *options,
    undergo_plugin_t **plugin) {{
  undergo_error_t *error = undergo_plugin_load(file, options, plugin);
  if (error == NULL) {{
    error = {check}(*plugin);
    if (error != NULL) {{
      undergo_plugin_delete(*plugin);
      *plugin = NULL;
    }}
  }}
  return error;
}}
"
        );
    }
}
