//! The world of a component: the plugin's interface, as engines of the Component Model take it.

use anyhow::{Context, Result};
use wit_component::StringEncoding;
use wit_parser::{Docs, Resolve, Span, Stability, Tuple, Type, TypeDef, TypeDefKind, TypeOwner, WorldId, WorldItem};

use super::Features;

/// The interfaces that every host of plugins gives, and no other engine. The SDK of a component
/// does without them.
pub(super) const GIVEN: [&str; 2] = ["undergo:go/context", "undergo:go/refusal"];

/// Adds the interface to a module in the form that the encoder of components looks for.
pub(super) fn embed(module: &mut Vec<u8>, wit: &str, features: &Features) -> Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("interface.wit", wit)?;
    let world = resolve.packages[package].worlds.values().next().copied().context("the interface has no world")?;
    drop_given(&mut resolve, world);
    if !features.has_map() {
        replace_maps(&mut resolve);
    }
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
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
