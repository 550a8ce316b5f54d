//! WIT as text, in files and folders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, bail};
use undergo::host::read_regular;
use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve, SourceMap, UnresolvedPackageGroup};

use super::{Worlds, bounds, wasi};

/// What a package's folder has its dependencies in. They have no such folder themselves.
const DEPS: &str = "deps";

/// A file of WIT, whose dependencies are in it.
pub(super) fn file(path: &Path, bytes: Vec<u8>) -> Result<Worlds> {
    let mut sources = Sources::default();
    let mut map = SourceMap::default();
    sources.add(&mut map, path, bytes)?;
    sources.resolve(Resolve::default(), parse(map)?, Vec::new())
}

/// The text that a plugin carries.
pub(super) fn text(wit: &str) -> Result<Worlds> {
    file(Path::new("interface.wit"), wit.as_bytes().to_vec())
}

/// All files of a folder are one package; each folder and each file of its `deps` is another.
pub(super) fn folder(path: &Path) -> Result<Worlds> {
    let mut sources = Sources::default();
    let main = sources.folder(path)?;
    let (mut known, mut deps) = (Resolve::default(), Vec::new());
    let folder = path.join(DEPS);
    let entries = if folder.exists() { entries(&folder)? } else { Vec::new() };
    for entry in entries {
        if entry.is_dir() {
            deps.push(sources.folder(&entry)?);
        } else if is(&entry, "wit") {
            let mut map = SourceMap::default();
            sources.read(&mut map, &entry)?;
            deps.push(parse(map)?);
        } else if is(&entry, "wasm") {
            encoded(&mut known, &entry).with_context(|| format!("{} can't be used", entry.display()))?;
        }
    }
    sources.resolve(known, main, deps)
}

/// Adds a package in the binary form, and what is in it besides.
fn encoded(known: &mut Resolve, path: &Path) -> Result<PackageId> {
    let bytes = read_regular(path, bounds::MAX_TEXT as u64)?;
    bounds::check_component(&bytes)?;
    match wit_component::decode(&bytes)? {
        DecodedWasm::WitPackage(resolve, package) => Ok(known.merge(resolve)?.packages[package.index()]),
        DecodedWasm::Component(..) => bail!("it is a component, and no package of interfaces"),
    }
}

/// An error names the place in the file, and quotes its line.
fn parse(map: SourceMap) -> Result<UnresolvedPackageGroup> {
    map.parse().map_err(|(map, error)| Error::msg(error.render(&map)))
}

/// Whether a package of WASI is among these.
fn has_wasi(known: &Resolve, groups: &[&UnresolvedPackageGroup]) -> bool {
    let parsed = groups.iter().flat_map(|group| std::iter::once(&group.main).chain(&group.nested)).map(|package| &package.name);
    known.packages.iter().map(|(_, package)| &package.name).chain(parsed).any(|name| name.namespace == wasi::NAMESPACE)
}

/// Reads files, all of which together are bounded.
#[derive(Default)]
struct Sources {
    bytes: usize,
    /// The texts that speak of WASI.
    of_wasi: String,
}

impl Sources {
    /// Resolves packages. Those of WASI are there where none is given.
    fn resolve(&self, mut known: Resolve, main: UnresolvedPackageGroup, deps: Vec<UnresolvedPackageGroup>) -> Result<Worlds> {
        let groups: Vec<_> = std::iter::once(&main).chain(&deps).collect();
        if !self.of_wasi.is_empty() && !has_wasi(&known, &groups) {
            known.merge(wasi::packages(&self.of_wasi)?.0)?;
        }
        match known.push_groups(main, deps) {
            Ok(package) => Ok(Worlds { resolve: known, package, own: None }),
            Err(error) => bail!("{}", known.render_error(&error.into())),
        }
    }

    fn folder(&mut self, path: &Path) -> Result<UnresolvedPackageGroup> {
        let files: Vec<PathBuf> = entries(path)?.into_iter().filter(|entry| is(entry, "wit") && !entry.is_dir()).collect();
        if files.is_empty() {
            bail!("{} has no file of WIT", path.display());
        }
        let mut map = SourceMap::default();
        for file in files {
            self.read(&mut map, &file)?;
        }
        parse(map)
    }

    fn read(&mut self, map: &mut SourceMap, path: &Path) -> Result<()> {
        let most = bounds::MAX_TEXT.saturating_sub(self.bytes) as u64;
        let bytes = read_regular(path, most).with_context(|| format!("{} can't be read", path.display()))?;
        self.add(map, path, bytes)
    }

    fn add(&mut self, map: &mut SourceMap, path: &Path, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len();
        let text = String::from_utf8(bytes).map_err(|_| Error::msg(format!("{} is no WIT: it is not UTF-8", path.display())))?;
        bounds::check_text(&text, self.bytes)
            .map_err(|error| Error::msg(format!("{} can't be read: {}", path.display(), error.message())))?;
        if text.contains("wasi:") {
            self.of_wasi.push_str(&text);
        }
        map.push(path, text);
        Ok(())
    }
}

/// What is in a folder, in order, so that the same folder has the same errors everywhere.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().with_context(|| format!("{} can't be read", folder.display()))?;
    paths.sort();
    Ok(paths)
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
