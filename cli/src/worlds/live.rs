//! The part of packages that a package or a world uses.

use std::collections::HashSet;

use wit_parser::{InterfaceId, PackageId, Resolve, WorldId, WorldItem};

/// What is left of the packages for that one, or for that world only: the package to begin with,
/// and the others that it uses, in order.
pub(super) fn part(whole: &Resolve, package: PackageId, only: Option<WorldId>) -> (Resolve, PackageId, Vec<PackageId>) {
    let package = only.and_then(|world| whole.worlds[world].package).unwrap_or(package);
    let worlds: Vec<WorldId> = only.map_or_else(|| whole.packages[package].worlds.values().copied().collect(), |world| vec![world]);
    let mut waiting: Vec<InterfaceId> = worlds.iter().flat_map(|world| of_world(whole, *world)).collect();
    if only.is_none() {
        waiting.extend(whole.packages[package].interfaces.values());
    }
    let mut live = HashSet::new();
    while let Some(interface) = waiting.pop() {
        if live.insert(interface) {
            waiting.extend(whole.interface_direct_deps(interface));
        }
    }
    let mut resolve = whole.clone();
    for (_, package) in resolve.packages.iter_mut() {
        package.interfaces.retain(|_, interface| live.contains(interface));
        package.worlds.retain(|_, world| worlds.contains(world));
    }
    let is_used = |other: &PackageId| *other != package && !resolve.packages[*other].interfaces.is_empty();
    let used = whole.topological_packages().into_iter().filter(is_used).collect();
    (resolve, package, used)
}

fn of_world(resolve: &Resolve, world: WorldId) -> impl Iterator<Item = InterfaceId> {
    let world = &resolve.worlds[world];
    world.imports.values().chain(world.exports.values()).filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        WorldItem::Type { id, .. } => resolve.type_interface_dep(*id),
        WorldItem::Function(_) => None,
    })
}
