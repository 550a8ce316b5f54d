//! Go packages by which a plugin imports interfaces of WIT: one package for each interface, of
//! plain declarations with the directives of the guest SDK. Its generator makes the glue of them,
//! as it does for what a plugin declares by hand.
//!
//! All names and comments are a stranger's. Names come through as identifiers, or as arguments of
//! directives, for which `names.rs` takes nothing but what the generator reads as that name again;
//! comments as those of other Go files.

mod declared;
mod folders;
mod interface;
mod names;
mod types;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use wit_parser::{InterfaceId, Resolve, WorldItem, WorldKey};

use crate::worlds::{Worlds, guarded};
use folders::Folders;

/// What is to be imported.
pub(super) enum Wanted<'a> {
    /// All that a world imports; that of the package, without a name.
    World(Option<&'a str>),
    Interface(&'a str),
}

/// Writes the packages into that folder. `path` is how Go imports it, if that is not to be found
/// out from a `go.mod`.
pub(super) fn write(file: &Path, wanted: &Wanted<'_>, folder: &Path, path: Option<&str>) -> Result<()> {
    let worlds = Worlds::read(file)?;
    let (ids, left_out) = interfaces(&worlds, wanted)?;
    for name in &left_out {
        eprintln!("{name} is left out: Go's own packages use it, such as os, time and net/http");
    }
    ensure!(!ids.is_empty(), "there is nothing to import: {} imports no interface that a host has to give", file.display());
    let folders = Folders::new(&worlds.resolve, &ids, folder, path)?;
    let texts = guarded(|| {
        let errors = interface::errors(&worlds.resolve);
        ids.iter().map(|id| interface::text(&worlds.resolve, *id, &folders, &errors)).collect::<Result<Vec<_>>>()
    });
    let texts = texts.unwrap_or_else(|| bail!("the interfaces can't be written in Go"))?;
    for (id, text) in ids.iter().zip(texts) {
        let place = folders.file(*id);
        let unwritten = || format!("{} can't be written", place.display());
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).with_context(unwritten)?;
        }
        fs::write(&place, text).with_context(unwritten)?;
    }
    Ok(())
}

/// The interfaces, with those that they use, each after these; and the names of those that a plugin
/// has by Go's own packages.
fn interfaces(worlds: &Worlds, wanted: &Wanted<'_>) -> Result<(Vec<InterfaceId>, Vec<String>)> {
    let resolve = &worlds.resolve;
    let (mut ids, mut left_out) = (Vec::new(), Vec::new());
    let roots = match wanted {
        Wanted::Interface(name) => vec![worlds.interface(name)?],
        Wanted::World(None) if worlds.worlds().is_empty() => worlds.interfaces(),
        Wanted::World(name) => {
            let world = &resolve.worlds[worlds.select(*name)?];
            let mut roots = Vec::new();
            for (key, item) in &world.imports {
                match (key, item) {
                    (WorldKey::Interface(id), _) => roots.push(*id),
                    (WorldKey::Name(name), WorldItem::Interface { .. }) => {
                        bail!("the interface {name} is declared within the world {}: declare it in the package", world.name)
                    }
                    (WorldKey::Name(name), WorldItem::Function(_)) => {
                        bail!("the function {name} is imported by the world {} itself: put it into an interface", world.name)
                    }
                    (WorldKey::Name(_), WorldItem::Type { .. }) => {}
                }
            }
            roots
        }
    };
    let mut seen = BTreeSet::new();
    for root in roots {
        let mut open = vec![(root, false)];
        while let Some((id, is_done)) = open.pop() {
            if is_done {
                ids.push(id);
                continue;
            }
            if !seen.insert(id) {
                continue;
            }
            if is_gos(resolve, id) {
                left_out.push(names::interface(resolve, id)?);
                continue;
            }
            open.push((id, true));
            open.extend(types::used(resolve, id).into_iter().map(|used| (used, false)));
        }
    }
    if let Wanted::Interface(name) = wanted
        && ids.is_empty()
    {
        bail!("{name} needs no import: Go's own packages use it, such as os, time and net/http");
    }
    Ok((ids, left_out))
}

/// Whether Go's own packages use an interface, by WASI preview 1 or its adapter.
fn is_gos(resolve: &Resolve, id: InterfaceId) -> bool {
    let package = resolve.interfaces[id].package.map(|package| &resolve.packages[package].name);
    package.is_some_and(|package| {
        package.namespace == "wasi" && ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"].contains(&package.name.as_str())
    })
}
