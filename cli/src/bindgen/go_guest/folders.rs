//! Where the package of each interface lies, and what Go calls it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use wit_parser::{InterfaceId, Resolve};

use crate::bindgen::go::text::package;
use crate::bindgen::scope::Scope;

pub(super) struct Folders {
    root: PathBuf,
    /// How Go imports the folder, if some package has to import another one.
    path: Option<String>,
    /// By interface, the folders within it.
    places: BTreeMap<InterfaceId, (String, String)>,
}

impl Folders {
    pub(super) fn new(resolve: &Resolve, ids: &[InterfaceId], root: &Path, path: Option<&str>) -> Result<Folders> {
        let mut scope = Scope::new([]);
        let mut places = BTreeMap::new();
        for id in ids {
            let interface = &resolve.interfaces[*id];
            let outer = interface.package.map_or("", |package| resolve.packages[package].name.name.as_str());
            let outer = folder(outer);
            // Of two versions of one package, one has another name.
            let whole = scope.take(format!("{outer}/{}", folder(interface.name.as_deref().unwrap_or_default())));
            let inner = whole.rsplit('/').next().unwrap_or_default().replace('_', "x");
            places.insert(*id, (outer, inner));
        }
        let is_needed = ids.iter().any(|id| !super::types::used(resolve, *id).is_empty());
        let path = match path {
            Some(path) => Some(checked(path)?.to_owned()),
            None if is_needed => Some(import_path(root)?),
            None => None,
        };
        Ok(Folders { root: root.to_owned(), path, places })
    }

    /// The file of an interface.
    pub(super) fn file(&self, id: InterfaceId) -> PathBuf {
        let (outer, inner) = &self.places[&id];
        self.root.join(outer).join(inner).join(format!("{inner}.go"))
    }

    /// The name of its package.
    pub(super) fn package(&self, id: InterfaceId) -> &str {
        &self.places[&id].1
    }

    /// How Go imports it.
    pub(super) fn import(&self, id: InterfaceId) -> Option<String> {
        let (outer, inner) = self.places.get(&id)?;
        Some(format!("{}/{outer}/{inner}", self.path.as_deref()?))
    }
}

/// A folder that means nothing else to Go.
fn folder(name: &str) -> String {
    let name = package(name);
    if matches!(name.as_str(), "internal" | "vendor" | "testdata") { name + "x" } else { name }
}

/// The import path of a folder, by the `go.mod` in it or above it.
fn import_path(root: &Path) -> Result<String> {
    let unknown = || {
        format!(
            "one package has to import another, and {} is in no module of Go: give the import path of that folder by --package",
            root.display()
        )
    };
    let absolute = std::path::absolute(root).with_context(unknown)?;
    for above in absolute.ancestors() {
        let Ok(text) = fs::read_to_string(above.join("go.mod")) else { continue };
        let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
        let module = module.map(|rest| rest.split("//").next().unwrap_or_default().trim().trim_matches('"')).with_context(unknown)?;
        let mut path = checked(module)?.to_owned();
        for part in absolute.strip_prefix(above)?.components() {
            path += "/";
            path += part.as_os_str().to_str().with_context(unknown)?;
        }
        return Ok(checked(&path)?.to_owned());
    }
    bail!(unknown())
}

/// An import path by Go's rules for them.
fn checked(path: &str) -> Result<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/+".contains(c);
    let is_path =
        !path.is_empty() && path.chars().all(is_plain) && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    ensure!(is_path, "{path:?} is no import path of Go");
    Ok(path)
}
