//! The world of a component: the plugin's interface, as engines of the Component Model take it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use undergo::ModuleInfo;
use wit_component::StringEncoding;
use wit_parser::{Docs, Resolve, Span, Stability, Tuple, Type, TypeDef, TypeDefKind, TypeOwner, WorldId, WorldItem};

use super::Features;
use crate::worlds::Worlds;

/// The interfaces that every host of plugins gives, and no other engine. The SDK of a component
/// does without them.
pub(super) const GIVEN: [&str; 2] = ["undergo:go/context", "undergo:go/refusal"];

/// The interface of a plugin, as a component may have it.
pub(super) fn read(wit: &str, features: &Features) -> Result<(Resolve, WorldId)> {
    let (mut resolve, world) = parsed(wit)?;
    adjust(&mut resolve, world, features);
    Ok((resolve, world))
}

/// Interfaces of WASI that a module imports or exports without the generator.
pub(super) struct Raw {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Raw {
    /// Those of a module, beside its interface.
    pub(super) fn of(info: &ModuleInfo, wit: Option<&str>) -> Result<Raw> {
        let declared = match wit {
            Some(wit) => {
                let (resolve, world) = parsed(wit)?;
                resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect()
            }
            None => Vec::new(),
        };
        let imports = info.imports.iter().map(|import| &import.module).filter(|name| is_of_wasi(name) && !declared.contains(name));
        let exports = info.exports.iter().filter_map(|export| export.name.split_once('#')).map(|(interface, _)| interface);
        Ok(Raw { imports: imports.cloned().collect(), exports: exports.filter(|name| is_of_wasi(name)).map(str::to_owned).collect() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.imports.is_empty() && self.exports.is_empty()
    }

    /// The world of these, and of a plugin's interface, if it has one.
    pub(super) fn world(&self, wit: Option<&str>, features: &Features) -> Result<(Resolve, WorldId)> {
        let used: Vec<&str> = self.imports.iter().chain(&self.exports).map(String::as_str).collect();
        let mut resolve = Worlds::wasi(&used.join(" "))?;
        let mut text = String::from("package undergo:made-of-parts;\nworld parts {\n");
        if let Some(wit) = wit {
            let (own, world) = parsed(wit)?;
            text += &format!("  include {};\n", name_of(&own, world)?);
            resolve.merge(own)?;
        }
        for (verb, names) in [("import", &self.imports), ("export", &self.exports)] {
            for name in names {
                text += &format!("  {verb} {};\n", known(&resolve, name)?);
            }
        }
        let package = resolve.push_source("parts.wit", &(text + "}\n"))?;
        let world = resolve.packages[package].worlds.values().next().copied().context("the interface has no world")?;
        adjust(&mut resolve, world, features);
        Ok((resolve, world))
    }
}

fn parsed(wit: &str) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("interface.wit", wit)?;
    let world = resolve.packages[package].worlds.values().next().copied().context("the interface has no world")?;
    Ok((resolve, world))
}

/// `undergo:%greeter/%greeter`: each part may be a word of WIT.
fn name_of(resolve: &Resolve, world: WorldId) -> Result<String> {
    let world = &resolve.worlds[world];
    let package = &resolve.packages[world.package.context("the interface has no package")?].name;
    Ok(format!("{}:%{}/%{}", package.namespace, package.name, world.name))
}

fn is_of_wasi(name: &str) -> bool {
    name.starts_with("wasi:")
}

/// The interface of WASI, in the version that is there.
fn known(resolve: &Resolve, name: &str) -> Result<String> {
    let (name, _) = name.split_once('@').unwrap_or((name, ""));
    let found = name.strip_prefix("wasi:").and_then(|name| name.split_once('/')).and_then(|(package, interface)| {
        let (_, package) = resolve.packages.iter().find(|(_, known)| known.name.namespace == "wasi" && known.name.name == package)?;
        package.interfaces.contains_key(interface).then_some(package.name.version.as_ref()?)
    });
    let version = found.with_context(|| {
        format!("its source uses {name}, which is none of the known interfaces of WASI 0.2: name a world that has it, by --wit")
    })?;
    Ok(format!("{name}@{version}"))
}

fn adjust(resolve: &mut Resolve, world: WorldId, features: &Features) {
    drop_given(resolve, world);
    if !features.has_map() {
        replace_maps(resolve);
    }
}

/// Adds a world to a module in the form that the encoder of components looks for.
pub(super) fn embed(module: &mut Vec<u8>, resolve: &Resolve, world: WorldId) -> Result<()> {
    wit_component::embed_component_metadata(module, resolve, world, StringEncoding::UTF8)
}

fn drop_given(resolve: &mut Resolve, world: WorldId) {
    let is_given = |item: &WorldItem| {
        let WorldItem::Interface { id, .. } = item else { return false };
        // One without a package has no name either, and is the world's own.
        resolve.interfaces[*id].package.and_then(|_| resolve.id_of(*id)).is_some_and(|name| GIVEN.contains(&name.as_str()))
    };
    let kept = resolve.worlds[world].imports.iter().filter(|(_, item)| !is_given(item));
    let kept = kept.map(|(key, item)| (key.clone(), item.clone())).collect();
    resolve.worlds[world].imports = kept;
}

/// Makes a list of pairs of each map: it lies in memory alike.
fn replace_maps(resolve: &mut Resolve) {
    let maps: Vec<_> = resolve.types.iter().filter(|(_, ty)| matches!(ty.kind, TypeDefKind::Map(..))).map(|(id, _)| id).collect();
    for id in maps {
        let TypeDefKind::Map(key, value) = resolve.types[id].kind else { continue };
        let pair = resolve.types.alloc(TypeDef {
            name: None,
            kind: TypeDefKind::Tuple(Tuple { types: vec![key, value] }),
            owner: TypeOwner::None,
            docs: Docs::default(),
            stability: Stability::default(),
            span: Span::default(),
            external_id: None,
        });
        resolve.types[id].kind = TypeDefKind::List(Type::Id(pair));
    }
}
