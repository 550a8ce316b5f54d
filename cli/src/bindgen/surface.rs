//! The content of a generated file: a plugin's types and functions, in the order in which they are
//! written.

use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{Function, Resource, Side, Type, TypeKind, names};

use super::text;

/// A plugin as its hosts see it.
pub(super) struct Surface<'a> {
    /// The name of its file, as a comment has it.
    pub(super) file: String,
    /// What its interface is called in WIT. That of a module without an interface is called after
    /// its file.
    pub(super) world: String,
    /// Records, enums and variants.
    pub(super) types: &'a [Type],
    /// By their numbers.
    pub(super) exports: Vec<&'a Arc<Function>>,
    pub(super) imports: Vec<Imported<'a>>,
    /// What lives longer than a call, of both sides.
    pub(super) resources: &'a [Resource],
    /// The constructors and methods of the guest's, with their numbers.
    members: Vec<(&'a Arc<Function>, usize)>,
}

/// An interface whose functions the host gives.
pub(super) struct Imported<'a> {
    pub(super) name: &'a str,
    pub(super) functions: Vec<&'a Arc<Function>>,
}

/// A function with its interface, if it is an import, and its number.
pub(super) type Listed<'a> = (Option<&'a str>, &'a Arc<Function>, usize);

impl<'a> Surface<'a> {
    pub(super) fn new(plugin: &'a Plugin) -> Surface<'a> {
        let interface = plugin.interface();
        let file = plugin.name();
        let stem = file.strip_suffix(".wasm").unwrap_or(file);
        let mut imports: Vec<Imported<'_>> = Vec::new();
        for (name, function) in plugin.imports() {
            match imports.iter_mut().find(|import| import.name == name) {
                Some(import) => import.functions.push(function),
                None => imports.push(Imported { name, functions: vec![function] }),
            }
        }
        Surface {
            file: text::one_line(file),
            world: interface.map_or_else(|| names::kebab(stem), |interface| interface.name.clone()),
            types: interface.map_or(&[], |interface| &interface.types),
            exports: plugin.exports().collect(),
            imports,
            resources: interface.map_or(&[], |interface| &interface.resources),
            members: interface
                .iter()
                .flat_map(|interface| &interface.resources)
                .filter(|resource| resource.ty.side == Side::Guest)
                .flat_map(|resource| resource.constructor.iter().chain(&resource.methods))
                .filter_map(|function| Some((function, plugin.member(function)?)))
                .collect(),
        }
    }

    /// All functions, for a table of them: the exports by their numbers, the imports with their
    /// interfaces, and the members of the guest's resources with their numbers, as the plugin has
    /// to have them; then the methods of the host's resources.
    pub(super) fn functions(&self) -> (Vec<Listed<'a>>, usize) {
        let exports = self.exports.iter().enumerate().map(|(number, function)| (None, *function, number));
        let imports = self.imports.iter().flat_map(|import| import.functions.iter().map(|function| (Some(import.name), *function, 0)));
        let members = self.members.iter().map(|(function, number)| (None, *function, *number));
        let mut all: Vec<_> = exports.chain(imports).chain(members).collect();
        let expected = all.len();
        let hosts = self.resources.iter().filter(|resource| resource.ty.side == Side::Host);
        all.extend(hosts.flat_map(|resource| resource.methods.iter().map(|method| (None, method, 0))));
        (all, expected)
    }

    /// What a program calls: the exports, and then the members of the guest's resources.
    pub(super) fn own_functions(&self) -> impl Iterator<Item = &'a Arc<Function>> {
        self.exports.iter().copied().chain(self.members.iter().map(|(function, _)| *function))
    }

    /// The place of a function among these.
    pub(super) fn place_of_own(&self, function: &Arc<Function>) -> usize {
        self.own_functions().position(|known| Arc::ptr_eq(known, function)).unwrap_or_default()
    }

    /// The place of a function in that table.
    pub(super) fn place(&self, function: &Arc<Function>) -> usize {
        self.functions().0.iter().position(|(_, known, _)| Arc::ptr_eq(known, function)).unwrap_or_default()
    }
}

/// The type of an iterator's items.
pub(super) fn item(resource: &Resource) -> Option<&Type> {
    let TypeKind::Tuple(batch) = &resource.methods.first()?.result.as_ref()?.kind else { return None };
    if let TypeKind::List(item) = &batch.items.first()?.kind { Some(item) } else { None }
}
