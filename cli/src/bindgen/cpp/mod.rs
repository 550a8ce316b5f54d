//! A C++ header for a plugin: structs, enums, variants, a class for each import, and classes for an
//! instance and for a pool with a typed method for each export. `templates/cpp/plugin.hpp` is the
//! file that this makes.

mod function;
mod resource;
mod types;

use askama::Template;
use undergo::Plugin;
use undergo::interface::names;

use super::c::text::{Table, all_alone, alone, comment, table};
use super::filters;
use super::surface::{Imported, Surface};
use function::Method;
use resource::{Guest, Hosted, Kind};
use types::{Declared, Types};

/// The width that methods are kept to.
const WIDTH: usize = 120;

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
pub(super) fn header(plugin: &Plugin) -> Result<String, askama::Error> {
    Header::new(plugin).render()
}

#[derive(Template)]
#[template(path = "cpp/plugin.hpp", escape = "none")]
struct Header {
    title: String,
    guard: String,
    namespace: String,
    types: Vec<Declared>,
    /// Whether undergo.hpp is told how any of them lies.
    has_structs: bool,
    /// The table by which the library knows the functions.
    signatures: Vec<String>,
    /// How many of them the plugin has to have.
    expected: usize,
    /// The class for an instance.
    class: String,
    about_instance: String,
    /// The class for a pool.
    pool: String,
    about_pool: String,
    /// What both are: the class with the exports.
    exports_class: String,
    about_exports: String,
    exports: Vec<Method>,
    imports: Vec<Import>,
    guests: Vec<Guest>,
    hosted: Vec<Hosted>,
    /// The hosts of imports as parameters, each with a comma behind it.
    hosts: String,
    /// The same as arguments.
    moved: String,
}

/// An interface whose functions the host gives.
struct Import {
    class: String,
    about: String,
    about_provide: String,
    param: String,
    methods: Vec<Method>,
    /// The number of the first of them in the table.
    first: usize,
}

impl Header {
    fn new(plugin: &Plugin) -> Header {
        let surface = Surface::new(plugin);
        let (file, world) = (&surface.file, &surface.world);
        let namespace = namespace(world);
        let mut types = Types::new(surface.types, surface.resources);
        let class = types.class(world);
        let (pool, exports_class) = (types.class(&format!("{world}-pool")), types.class(&format!("{world}-exports")));
        let params = all_alone(surface.imports.iter().map(|import| import.name), &["options", "plugin", "pool_options"]);
        let classes: Vec<String> = surface.imports.iter().map(|import| types.class(&names::kebab(import.name))).collect();
        for ty in surface.types {
            types.define(ty);
        }
        let mut number = surface.exports.len();
        let import = |((Imported { name, functions }, class), param): ((&Imported<'_>, String), String)| {
            let first = number;
            number += functions.len();
            // A method that is called as its class would be a constructor.
            let methods = all_alone(functions.iter().map(|function| function.name.as_str()), &[&class]);
            let about = format!("What the host gives as {name}. For a pool, several threads call it at once.");
            let about_provide =
                format!("Gives the functions of {name}, which live as long as they can be called. Null leaves the imports as they are.");
            Import {
                class,
                about: comment(0, &about),
                about_provide: comment(0, &about_provide),
                param,
                methods: functions.iter().zip(methods).map(|(function, name)| function::import(&types, function, name)).collect(),
                first,
            }
        };
        let imports: Vec<Import> = surface.imports.iter().zip(classes).zip(params).map(import).collect();
        let methods = function::methods(surface.exports.iter().map(|export| export.name.as_str()), &[&exports_class, &class, &pool]);
        let Table { rows: signatures, expected } = table(&surface, "nullptr");
        let about_exports = format!(
            "The functions of {file}, for an instance or a pool to run. Those that begin with try_ give the error instead of throwing it. It must not be used when the instance or the pool is gone."
        );
        Header {
            title: comment(0, &format!("Typed access to the plugin {file}, over undergo.hpp.")),
            // Out of the way of undergo.hpp's own, which has a header for plugins, say.
            guard: format!("UNDERGO_BINDGEN_{}_HPP", namespace.to_uppercase()),
            namespace,
            signatures,
            expected,
            class,
            about_instance: comment(0, &format!("An instance of {file}. Its functions are methods.")),
            pool,
            about_pool: comment(0, &format!("A pool of instances of {file}, for many threads. Its functions are methods.")),
            exports_class,
            about_exports: comment(0, &about_exports),
            exports: surface.exports.iter().zip(methods).map(|(export, name)| function::export(&types, export, name)).collect(),
            hosts: imports.iter().map(|import| format!("std::shared_ptr<{}> {}, ", import.class, import.param)).collect(),
            moved: imports.iter().map(|import| format!("std::move({}), ", import.param)).collect(),
            imports,
            guests: resource::guests(&types, &surface),
            hosted: resource::hosted(&types, &surface),
            has_structs: types.declared.iter().any(|ty| matches!(ty, Declared::Record { .. } | Declared::Case { .. })),
            types: types.declared,
        }
    }
}
