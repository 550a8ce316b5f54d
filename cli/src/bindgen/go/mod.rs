//! A Go package for a plugin: structs, enums, an interface for each variant and for each interface
//! of the imports, types for objects of both sides, and a client with a method for each export,
//! none of which uses reflection. `templates/go/plugin.go` is the file that this makes.

mod declared;
mod function;
pub(super) mod text;
mod types;

use askama::Template;
use undergo::Plugin;
use undergo::interface::{Function, Shape, Side, Type, TypeKind, names};

use super::filters;
use super::surface::{Imported, Surface};
use declared::{Declared, Error};
use function::{Export, Hosted, Import, Object};
use types::Names;

/// The name of the package for a plugin: that of its folder, where it has one.
pub(super) fn package(plugin: &Plugin, folder: Option<&str>) -> String {
    folder.map_or_else(|| text::package(&Surface::new(plugin).world), text::package)
}

/// The text of the package's only file. `package` is its name.
pub(super) fn module(plugin: &Plugin, package: String) -> Result<String, askama::Error> {
    Module::new(plugin, package).render()
}

#[derive(Template)]
#[template(path = "go/plugin.go", escape = "none")]
struct Module {
    package: String,
    /// Its file, as a comment has it.
    file: String,
    /// The packages that it imports besides Undergo's.
    imported: Vec<&'static str>,
    imports: Vec<Import>,
    /// The type with the exports, and what makes one.
    class: String,
    make: String,
    exports: Vec<Export>,
    objects: Vec<Object>,
    hosted: Vec<Hosted>,
    /// The records with the fields of errors.
    errors: Vec<Error>,
    /// Whether a function of the host returns such errors.
    has_errors: bool,
    types: Vec<Declared>,
}

impl Module {
    fn new(plugin: &Plugin, package: String) -> Module {
        let surface = Surface::new(plugin);
        let mut names = Names::new(surface.types, surface.resources);
        let class = names.scope.exported(&surface.world);
        let make = names.scope.exported(&format!("New{class}"));
        // The interfaces are named before the cases of enums.
        let import = |import: &Imported<'_>| {
            let class = names.scope.exported(&names::kebab(import.name));
            let with = names.scope.exported(&format!("With{class}"));
            function::import(&names, import, class, with)
        };
        let imports: Vec<Import> = surface.imports.iter().map(import).collect();
        let types = declared::all(&mut names, surface.types);
        let errors = types.iter().filter_map(|ty| if let Declared::Record { error, .. } = ty { error.clone() } else { None }).collect();
        let hosted = function::hosted(&names, surface.resources);
        let functions = imports.iter().flat_map(|import| &import.functions).chain(hosted.iter().flat_map(|hosted| &hosted.methods));
        Module {
            package,
            imported: imported(&surface),
            has_errors: functions.into_iter().any(|function| function.has_errors),
            imports,
            exports: function::exports(&names, &class, &surface.exports, surface.resources),
            objects: function::objects(&names, surface.resources),
            hosted,
            class,
            make,
            errors,
            types,
            file: surface.file,
        }
    }
}

fn imported(surface: &Surface<'_>) -> Vec<&'static str> {
    let has_functions = functions(surface).next().is_some();
    let has_json = has(surface, &|kind| matches!(kind, TypeKind::Json));
    let has_time = has(surface, &|kind| matches!(kind, TypeKind::Duration | TypeKind::Time));
    let hosts = |shapes: &[Shape]| {
        let is = |kind: &TypeKind| match kind {
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => resource.side == Side::Host && shapes.contains(&resource.shape),
            _ => false,
        };
        has(surface, &is)
    };
    let has_streams = hosts(&[Shape::Reader, Shape::Writer]);
    let has_iterators = hosts(&[Shape::Iterator]);
    let all = [("context", has_functions), ("encoding/json", has_json), ("io", has_streams), ("iter", has_iterators), ("time", has_time)];
    all.into_iter().filter_map(|(package, is_used)| is_used.then_some(package)).collect()
}

/// All functions, those of resources included.
fn functions<'s>(surface: &'s Surface<'_>) -> impl Iterator<Item = &'s Function> {
    let members = surface.resources.iter().flat_map(|resource| resource.constructor.iter().chain(&resource.methods));
    let imports = surface.imports.iter().flat_map(|import| &import.functions);
    surface.exports.iter().chain(imports).map(|function| &***function).chain(members.map(|function| &**function))
}

/// Whether there is a type of that kind anywhere.
fn has(surface: &Surface<'_>, is: &dyn Fn(&TypeKind) -> bool) -> bool {
    fn within(ty: &Type, is: &dyn Fn(&TypeKind) -> bool) -> bool {
        is(&ty.kind)
            || match &ty.kind {
                TypeKind::Option(inner) | TypeKind::List(inner) => within(inner, is),
                TypeKind::Map(map) => within(&map.key, is) || within(&map.value, is),
                TypeKind::Tuple(tuple) => tuple.items.iter().any(|item| within(item, is)),
                // Those are among the plugin's types.
                _ => false,
            }
    }
    let of_functions = functions(surface).flat_map(|function| function.own_params().iter().map(|param| &param.ty).chain(&function.result));
    let of_types = surface.types.iter().flat_map(|ty| match &ty.kind {
        TypeKind::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
        TypeKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        _ => Vec::new(),
    });
    of_functions.chain(of_types).any(|ty| within(ty, is))
}

fn or<'t>(docs: &'t str, otherwise: &'t str) -> &'t str {
    if docs.is_empty() { otherwise } else { docs }
}
