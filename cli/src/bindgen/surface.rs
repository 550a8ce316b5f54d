//! The content of a generated file: a plugin's types and functions, in the order in which they are
//! written.

use std::sync::Arc;

use undergo::Plugin;
use undergo::interface::{Function, Type, names};

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
}

/// An interface whose functions the host gives.
pub(super) struct Imported<'a> {
    pub(super) name: &'a str,
    pub(super) functions: Vec<&'a Arc<Function>>,
}

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
        }
    }

    /// The same without what has handles, for a language that has no form for them yet. `types` is
    /// where the types are kept.
    pub(super) fn without_handles(plugin: &'a Plugin, types: &'a mut Vec<Type>) -> Surface<'a> {
        let mut surface = Surface::new(plugin);
        types.extend(surface.types.iter().filter(|ty| !ty.holds_handles()).cloned());
        surface.types = types;
        let left_out = surface.exports.iter().filter(|function| function.holds_handles()).map(|function| function.name.as_str());
        let left_out = left_out.collect::<Vec<_>>().join(", ");
        if !left_out.is_empty() {
            eprintln!(
                "warning: what takes or gives handles of resources is left out, since this language has no form for it yet: {left_out}"
            );
        }
        surface.exports.retain(|function| !function.holds_handles());
        for import in &mut surface.imports {
            import.functions.retain(|function| !function.holds_handles());
        }
        surface.imports.retain(|import| !import.functions.is_empty());
        surface
    }
}
