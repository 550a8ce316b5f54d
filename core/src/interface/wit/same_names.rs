//! How what several interfaces declare by the same name is told apart: by the names of these.

use std::collections::HashMap;

use wit_parser::{PackageId, Resolve, TypeDef, TypeDefKind, TypeId, TypeOwner, World, WorldItem, WorldKey};

use super::both_ways::BothWays;
use super::{Sort, is_wasi};
use crate::interface::names;

/// The types of packages other than the interface's own that are called as another type is: each
/// has the names of its package and its interface before its own. Of a component, resources are
/// told apart as well, and the types of interfaces without a package. What an interface that is
/// also exported has on the host's side is named as what it exports, with `host` before it.
pub(super) fn of_types(resolve: &Resolve, own: PackageId, world: &World, sort: Sort, both_ways: &BothWays) -> HashMap<TypeId, String> {
    let all = world.imports.iter().chain(&world.exports).filter(|(key, _)| sort == Sort::Component && !is_wasi(resolve, key));
    let keys: HashMap<_, _> = all
        .filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } => Some((*id, key)),
            _ => None,
        })
        .collect();
    let key_of = |owner: &TypeOwner| match owner {
        TypeOwner::Interface(id) => keys.get(id).copied(),
        _ => None,
    };
    let is_named = |def: &TypeDef| match def.kind {
        TypeDefKind::Record(_) | TypeDefKind::Enum(_) | TypeDefKind::Variant(_) | TypeDefKind::Flags(_) => true,
        TypeDefKind::Resource => key_of(&def.owner).is_some(),
        _ => false,
    };
    let mut all: HashMap<String, Vec<TypeId>> = HashMap::new();
    for (id, def) in resolve.types.iter() {
        let is_counted = !both_ways.same.contains_key(&id) && !both_ways.of_host.contains_key(&id);
        if let (Some(name), true) = (&def.name, is_named(def) && is_counted) {
            all.entry(names::folded(name)).or_default().push(id);
        }
    }
    let mut found = HashMap::new();
    for id in all.into_values().filter(|ids| ids.len() > 1).flatten() {
        let def = &resolve.types[id];
        let (TypeOwner::Interface(owner), Some(name)) = (def.owner, &def.name) else { continue };
        let interface = &resolve.interfaces[owner];
        match (interface.package, &interface.name, key_of(&def.owner)) {
            (Some(package), Some(of), _) if package != own => {
                found.insert(id, format!("{}-{of}-{name}", resolve.packages[package].name.name));
            }
            (_, None, Some(WorldKey::Name(of))) => {
                found.insert(id, format!("{of}-{name}"));
            }
            _ => {}
        }
    }
    for (of_import, of_export) in &both_ways.of_host {
        if let Some(name) = found.get(of_export).or(resolve.types[*of_export].name.as_ref()) {
            found.insert(*of_import, format!("host-{name}"));
        }
    }
    found
}

/// The name of an interface that a world exports: without its package, unless it exports another
/// one of that name. What is exported in several versions has its version at the end.
pub(super) fn of_interface(resolve: &Resolve, world: &World, key: &WorldKey) -> String {
    let parts = |key: &WorldKey| match key {
        WorldKey::Name(name) => (name.clone(), None),
        WorldKey::Interface(id) => {
            let interface = &resolve.interfaces[*id];
            let package = interface.package.map(|package| &resolve.packages[package].name);
            (interface.name.clone().unwrap_or_default(), package)
        }
    };
    let (name, package) = parts(key);
    let others = || world.exports.keys().filter(|other| *other != key).map(parts).filter(|(other, _)| *other == name);
    let Some(package) = package.filter(|_| others().next().is_some()) else { return name };
    let version = package.version.as_ref().filter(|_| others().any(|(_, other)| other.is_some_and(|other| other.name == package.name)));
    let version = version.map(|version| format!("-v{}", version.to_string().replace(['.', '+'], "-"))).unwrap_or_default();
    format!("{}-{name}{version}", package.name)
}
