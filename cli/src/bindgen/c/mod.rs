//! A C header for a plugin: structs, and a typed function for each export, for an instance and for
//! a pool, and for each import; and two for each error with fields. `templates/c/plugin.h` is the
//! file that this makes.

mod errors;
mod function;
mod places;
mod resource;
pub(super) mod text;
mod types;

use askama::Template;
use undergo::Plugin;

use super::filters;
use super::surface::{Imported, Surface};
use errors::Error;
use function::{Export, Import};
use resource::{Guest, Hosted, Kind};
use text::comment;
pub(crate) use text::prefix;
use types::{Declared, Types};

/// The width that declarations are kept to.
const WIDTH: usize = 109;

/// The header's text.
pub(super) fn header(plugin: &Plugin) -> Result<String, askama::Error> {
    Header::new(plugin).render()
}

#[derive(Template)]
#[template(path = "c/plugin.h", escape = "none")]
struct Header {
    title: String,
    guard: String,
    types: Vec<Declared>,
    errors: Vec<Error>,
    /// The table by which the library knows the functions.
    table: String,
    signatures: Vec<String>,
    /// The functions that check the plugin, and load it.
    check: String,
    load: String,
    about_load: String,
    exports: Vec<Export>,
    imports: Vec<Import>,
    guests: Vec<Guest>,
    hosted: Vec<Hosted>,
    /// How many functions the plugin has to have.
    expected: usize,
}

impl Header {
    fn new(plugin: &Plugin) -> Header {
        let surface = Surface::new(plugin);
        let prefix = prefix(&surface.world);
        // Out of the way of undergo.h's own.
        let guard = format!("UNDERGO_BINDGEN_{}_H", prefix.to_uppercase());
        let mut types = Types::new(&prefix);
        let [check, load, table] = ["plugin-check", "plugin-load", "signatures"].map(|name| types.name(name));
        // Names of types come first, so that it is the others that step aside.
        for ty in surface.types {
            types.show(ty);
        }
        let errors = errors::all(&mut types, surface.types);
        let exports: Vec<Export> =
            surface.exports.iter().enumerate().map(|(number, export)| function::export(&mut types, number, export)).collect();
        let mut number = exports.len();
        let import = |import: &Imported<'_>| {
            let first = number;
            number += import.functions.len();
            function::import(&mut types, first, import)
        };
        let imports = surface.imports.iter().map(import).collect();
        let guests = resource::guests(&mut types, &surface);
        let hosted = resource::hosted(&mut types, &surface);
        let text::Table { rows: signatures, expected } = text::table(&surface, "NULL");
        let file = &surface.file;
        let title = format!("Typed access to the plugin {file}. Written by undergo bindgen; don't edit it, but write it anew.");
        let about_load = format!("Loads {file}, and checks it. The caller frees the plugin with undergo_plugin_delete.");
        Header {
            title: comment(0, &title),
            guard,
            types: types.finish(),
            errors,
            table,
            signatures,
            check,
            load,
            about_load: comment(0, &about_load),
            exports,
            imports,
            guests,
            hosted,
            expected,
        }
    }
}
