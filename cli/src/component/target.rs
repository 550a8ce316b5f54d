//! A world that is given, and how a plugin comes to fit it.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, bail};
use undergo::ModuleInfo;
use wit_parser::{InterfaceId, Package, PackageId, PackageName, Resolve, World, WorldId, WorldItem, WorldKey};

use super::names::Names;
use super::{Features, world};
use crate::fit::{self, Problem};
use crate::plugin;
use crate::worlds::Worlds;

/// The interface of what has none.
const NOTHING: &str = "package undergo:none; world none {}";

/// What a program exports, whose adapter does so.
const RUN: &str = "wasi:cli/run";

/// A world that a component is built for.
pub(crate) struct Target {
    resolve: Resolve,
    world: WorldId,
}

/// Where the source declares functions: `main.go:7`, by the name that each has in its interface.
#[derive(Default)]
pub(crate) struct Declared(HashMap<String, Vec<String>>);

impl Declared {
    pub(crate) fn add(&mut self, function: &str, place: &str) {
        self.0.entry(function.to_owned()).or_default().push(place.to_owned());
    }

    /// The text, behind the place that it is about, if that is known.
    fn placed(&self, problem: &Problem) -> String {
        match problem.function.as_ref().and_then(|function| self.0.get(function)).map(Vec::as_slice) {
            Some([place]) => format!("{place}: {}", problem.text),
            _ => problem.text.clone(),
        }
    }
}

impl Target {
    /// The world of that name in a file or folder of WIT, or one of WASI's.
    pub(crate) fn find(wit: Option<&Path>, name: Option<&str>) -> Result<Target> {
        let (worlds, world) = Worlds::find(wit, name)?;
        Ok(Target { resolve: worlds.resolve, world })
    }

    pub(super) fn of(resolve: Resolve, world: WorldId) -> Target {
        Target { resolve, world }
    }

    fn world(&self) -> &World {
        &self.resolve.worlds[self.world]
    }

    /// Whether it is the world of a program, which has a main function and nothing to call besides.
    pub(crate) fn is_program(&self) -> bool {
        self.world().exports.len() == 1 && self.exports(RUN)
    }

    /// Whether it exports the interface, in any version.
    pub(super) fn exports(&self, interface: &str) -> bool {
        has(&self.resolve, self.world().exports.keys(), interface)
    }

    pub(super) fn imports(&self, interface: &str) -> bool {
        has(&self.resolve, self.world().imports.keys(), interface)
    }

    pub(super) fn has_one_export(&self) -> bool {
        self.world().exports.len() == 1
    }

    /// Gives a module the world, and its functions the names that they have there.
    pub(super) fn give(&self, module: &[u8], info: &ModuleInfo, features: &Features, declared: &Declared) -> Result<Vec<u8>> {
        let mut placing = self.placing(info.wit.as_deref().unwrap_or(NOTHING), features)?;
        placing.imports();
        placing.exports();
        let answered = placing.answered(info);
        let mut problems = placing.surplus();
        problems.extend(placing.unknown(info));
        problems.extend(fit::problems(&placing.own, placing.world, &answered, self.world));
        self.refuse(&problems, declared)?;
        let mut module = placing.names.apply(module)?;
        world::embed(&mut module, &self.resolve, self.world)?;
        Ok(module)
    }

    fn placing(&self, wit: &str, features: &Features) -> Result<Placing<'_>> {
        let (own, world) = world::read(wit, features)?;
        Ok(Placing { own, world, target: self, made: HashMap::new(), names: Names::default() })
    }

    fn refuse(&self, problems: &[Problem], declared: &Declared) -> Result<()> {
        if problems.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = problems.iter().map(|problem| declared.placed(problem)).collect();
        bail!("it does not fit the world {}:\n{}", self.world().name, lines.join("\n"))
    }

    /// Gives a program the world, whose functions the adapter exports.
    pub(super) fn give_program(&self, mut module: Vec<u8>, info: &ModuleInfo, declared: &Declared) -> Result<Vec<u8>> {
        self.refuse(&self.placing(NOTHING, &Features::default())?.unknown(info), declared)?;
        let mut resolve = self.resolve.clone();
        // The adapter may have the same world, with its exports.
        let name = PackageName { namespace: "undergo".to_owned(), name: "program".to_owned(), version: None };
        let package = package(&mut resolve, &name);
        let mut imports = self.world().clone();
        imports.exports.clear();
        imports.package = Some(package);
        let imports = resolve.worlds.alloc(imports);
        resolve.packages[package].worlds.insert(self.world().name.clone(), imports);
        world::embed(&mut module, &resolve, imports)?;
        Ok(module)
    }
}

/// The package of that name, which is made if there is none.
fn package(resolve: &mut Resolve, name: &PackageName) -> PackageId {
    if let Some(known) = resolve.package_names.get(name) {
        return *known;
    }
    let package = Package { name: name.clone(), docs: Default::default(), interfaces: Default::default(), worlds: Default::default() };
    let id = resolve.packages.alloc(package);
    resolve.package_names.insert(name.clone(), id);
    id
}

fn has<'a>(resolve: &Resolve, mut keys: impl Iterator<Item = &'a WorldKey>, interface: &str) -> bool {
    keys.any(|key| resolve.name_world_key(key).split('@').next() == Some(interface))
}

/// Finds the place of each function in the target.
struct Placing<'a> {
    /// The plugin's own interface, whose parts get the names that they have in the target.
    own: Resolve,
    world: WorldId,
    target: &'a Target,
    /// The plugin's interface for one of the target's.
    made: HashMap<InterfaceId, InterfaceId>,
    names: Names,
}

impl Placing<'_> {
    /// An interface whose name is that of one interface of the target is that one.
    fn imports(&mut self) {
        for (key, item) in self.own.worlds[self.world].imports.clone() {
            if let Some((id, other)) = self.namesake(&key, &item, &self.target.world().imports) {
                self.rename(&key, id, other);
                let imports = &mut self.own.worlds[self.world].imports;
                imports.shift_remove(&key);
                imports.insert(WorldKey::Interface(id), item);
            }
        }
    }

    /// So is one that is exported; and a function that the target has in one interface only is
    /// that interface's.
    fn exports(&mut self) {
        let own = self.own.worlds[self.world].exports.clone();
        for (key, item) in &own {
            if let Some((id, other)) = self.namesake(key, item, &self.target.world().exports) {
                self.rename(key, id, other);
                self.made.insert(other, id);
                let exports = &mut self.own.worlds[self.world].exports;
                exports.shift_remove(key);
                exports.insert(WorldKey::Interface(id), item.clone());
            }
        }
        for (key, item) in own {
            let WorldItem::Function(function) = item else { continue };
            if let [other] = self.interfaces_with(&function.name)[..] {
                let id = self.interface_for(other);
                self.names.function(&function.name, format!("{}#{}", self.target.resolve.id_of(other).unwrap_or_default(), function.name));
                self.own.worlds[self.world].exports.shift_remove(&key);
                self.own.interfaces[id].functions.insert(function.name.clone(), function);
            }
        }
    }

    /// The interface of that name, if the target has one, and none of the whole name.
    fn namesake<'b>(
        &self,
        key: &WorldKey,
        item: &WorldItem,
        others: impl IntoIterator<Item = (&'b WorldKey, &'b WorldItem)>,
    ) -> Option<(InterfaceId, InterfaceId)> {
        let WorldItem::Interface { id, .. } = item else { return None };
        let whole = self.own.name_canonicalized_world_key(key);
        let name = match key {
            WorldKey::Name(name) => name,
            WorldKey::Interface(id) => self.own.interfaces[*id].name.as_ref()?,
        };
        let wanted = &self.target.resolve;
        let mut found = None;
        for (key, item) in others {
            if wanted.name_canonicalized_world_key(key) == whole {
                return None;
            }
            if let WorldItem::Interface { id: other, .. } = item
                && wanted.interfaces[*other].name.as_ref() == Some(name)
            {
                match found {
                    None => found = Some((*id, *other)),
                    Some(_) => return None,
                }
            }
        }
        found
    }

    /// Gives an interface of the plugin the name of the target's.
    fn rename(&mut self, key: &WorldKey, id: InterfaceId, other: InterfaceId) {
        let wanted = &self.target.resolve;
        let into = wanted.id_of(other).unwrap_or_default();
        self.names.interface(&self.own.name_world_key(key), &into);
        let package = self.package_for(other);
        let interface = &mut self.own.interfaces[id];
        interface.name.clone_from(&wanted.interfaces[other].name);
        interface.package = package;
    }

    /// The plugin's interface in which a function of the target's interface is exported.
    fn interface_for(&mut self, other: InterfaceId) -> InterfaceId {
        if let Some(id) = self.made.get(&other) {
            return *id;
        }
        let mut interface = self.target.resolve.interfaces[other].clone();
        interface.functions.clear();
        interface.types.clear();
        interface.package = self.package_for(other);
        let id = self.own.interfaces.alloc(interface);
        self.made.insert(other, id);
        let item = WorldItem::Interface {
            id,
            stability: Default::default(),
            external_id: None,
            docs: Default::default(),
            span: Default::default(),
        };
        self.own.worlds[self.world].exports.insert(WorldKey::Interface(id), item);
        id
    }

    fn package_for(&mut self, other: InterfaceId) -> Option<PackageId> {
        let wanted = &self.target.resolve;
        Some(package(&mut self.own, &wanted.packages[wanted.interfaces[other].package?].name))
    }

    /// The interfaces that the target exports with a function of that name, if it has none of
    /// that name itself.
    fn interfaces_with(&self, function: &str) -> Vec<InterfaceId> {
        let exports = &self.target.world().exports;
        if exports.contains_key(&WorldKey::Name(function.to_owned())) {
            return Vec::new();
        }
        let with = exports.values().filter_map(|item| match item {
            WorldItem::Interface { id, .. } if self.target.resolve.interfaces[*id].functions.contains_key(function) => Some(*id),
            _ => None,
        });
        with.collect()
    }

    /// The target without what the module exports beside its interface, by `//go:wasmexport`.
    fn answered(&mut self, info: &ModuleInfo) -> Resolve {
        let mut resolve = self.target.resolve.clone();
        for (key, item) in &self.target.world().exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let name = resolve.name_world_key(key);
                    let mut raw = Vec::new();
                    for export in &info.exports {
                        if let Some((interface, function)) = export.name.split_once('#')
                            && alike(interface, &name)
                            && !self.declares(key, function)
                        {
                            self.names.interface(interface, &name);
                            raw.push(function);
                        }
                    }
                    let interface = &mut resolve.interfaces[*id];
                    interface.functions.retain(|name, _| !raw.contains(&name.as_str()));
                    if !raw.is_empty() && interface.functions.is_empty() {
                        resolve.worlds[self.target.world].exports.shift_remove(key);
                    }
                }
                WorldItem::Function(function) => {
                    if info.export(&function.name).is_some() && !self.own.worlds[self.world].exports.contains_key(key) {
                        resolve.worlds[self.target.world].exports.shift_remove(key);
                    }
                }
                WorldItem::Type { .. } => {}
            }
        }
        resolve
    }

    /// Whether the plugin's interface has the function in what the target exports under that key.
    fn declares(&self, key: &WorldKey, function: &str) -> bool {
        let name = self.target.resolve.name_canonicalized_world_key(key);
        self.own.worlds[self.world].exports.iter().any(|(key, item)| match item {
            WorldItem::Interface { id, .. } => {
                self.own.name_canonicalized_world_key(key) == name && self.own.interfaces[*id].functions.contains_key(function)
            }
            _ => false,
        })
    }

    /// What the plugin exports in vain.
    fn surplus(&self) -> Vec<Problem> {
        let (wanted, world) = (&self.target.resolve, self.target.world());
        let mut problems = Vec::new();
        for (key, item) in &self.own.worlds[self.world].exports {
            let name = self.own.name_canonicalized_world_key(key);
            let other = world.exports.iter().find(|(key, _)| wanted.name_canonicalized_world_key(key) == name).map(|(_, item)| item);
            match (item, other) {
                (WorldItem::Function(function), None) => {
                    let several: Vec<String> = self.interfaces_with(&function.name).iter().filter_map(|id| wanted.id_of(*id)).collect();
                    let why = if several.is_empty() {
                        format!("the world {} does not have it", world.name)
                    } else {
                        format!(
                            "the world {} has it in {}: put it in a package with the name of one of them",
                            world.name,
                            several.join(" and ")
                        )
                    };
                    problems.push(Problem { function: Some(name.clone()), text: format!("it exports {name}, and {why}") });
                }
                (WorldItem::Interface { id, .. }, other) => {
                    let functions = match other {
                        Some(WorldItem::Interface { id, .. }) => Some(&wanted.interfaces[*id].functions),
                        _ => None,
                    };
                    for function in self.own.interfaces[*id].functions.keys() {
                        if functions.is_none_or(|functions| !functions.contains_key(function)) {
                            let text =
                                format!("of {name}, which it exports, the function {function}: the world {} does not have it", world.name);
                            problems.push(Problem { function: Some(function.clone()), text });
                        }
                    }
                }
                _ => {}
            }
        }
        problems
    }

    /// What the module imports beside its interface, by `//go:wasmimport`, and the target does not.
    fn unknown(&self, info: &ModuleInfo) -> Vec<Problem> {
        let (wanted, world) = (&self.target.resolve, self.target.world());
        let declared: Vec<String> = self.own.worlds[self.world].imports.keys().map(|key| self.own.name_world_key(key)).collect();
        let mut problems = Vec::new();
        for import in &info.imports {
            let module = self.names.of_import(&import.module);
            let provided = module == plugin::WASI || module.starts_with(plugin::PROVIDED) || module.starts_with(['[', '$']);
            if provided || declared.iter().any(|name| name == module) {
                continue;
            }
            let found = world.imports.iter().find(|(key, _)| alike(&wanted.name_world_key(key), module)).map(|(_, item)| item);
            let has = match found {
                Some(WorldItem::Interface { id, .. }) => {
                    import.name.starts_with("[resource-drop]") || wanted.interfaces[*id].functions.contains_key(&import.name)
                }
                _ => false,
            };
            if !has {
                let text = format!("it imports {} from {module}, and the world {} does not have it", import.name, world.name);
                problems.push(Problem { function: Some(format!("{module} {}", import.name)), text });
            }
        }
        problems
    }
}

/// Whether they are the same interface, in versions that stand for each other.
fn alike(a: &str, b: &str) -> bool {
    fn track(name: &str) -> (&str, Option<Vec<&str>>) {
        let Some((name, version)) = name.split_once('@') else { return (name, None) };
        let parts: Vec<&str> = version.split('.').collect();
        let zeros = parts.iter().take_while(|part| **part == "0").count();
        // A version with more to it than three numbers stands for itself.
        let counted = if version.contains(['-', '+']) { parts.len() } else { zeros + 1 };
        (name, Some(parts.into_iter().take(counted).collect()))
    }
    track(a) == track(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_for_each_other() {
        for (a, b, same) in [
            ("a:b/c@0.2.0", "a:b/c@0.2.12", true),
            ("a:b/c@0.2.0", "a:b/c@0.3.0", false),
            ("a:b/c@1.2.0", "a:b/c@1.3.0", true),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@0.2.0-draft", "a:b/c@0.2.0", false),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/c@1.0.0", false),
        ] {
            assert_eq!(alike(a, b), same, "{a} {b}");
        }
    }
}
