//! WASI 0.2, which worlds may use without its files.

use anyhow::{Context as _, Result};
use undergo::host::HTTP_WIT;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER;
use wasmparser::{Parser, Payload};
use wit_parser::decoding::decode_world;
use wit_parser::{PackageId, Resolve};

/// The worlds of the one package that the adapter does not have in its world, `wasi:cli/command`.
const WORLDS: &str = include_str!("../../wit/worlds.wit");

pub(super) const NAMESPACE: &str = "wasi";

/// The packages, in those versions of 0.2 that a text names: they have all of the earlier ones; and
/// that of HTTP.
pub(super) fn packages(text: &str) -> Result<(Resolve, PackageId)> {
    let world = Parser::new(0).parse_all(ADAPTER).find_map(|payload| match payload {
        Ok(Payload::CustomSection(section)) if section.name().starts_with("component-type") => Some(section.data()),
        _ => None,
    });
    let (mut resolve, command) = decode_world(world.context("the adapter for WASI has no world")?)?;
    let mut imports = resolve.worlds[command].clone();
    "imports".clone_into(&mut imports.name);
    imports.exports.clear();
    let cli = imports.package.context("the adapter for WASI has a world without a package")?;
    let imports = resolve.worlds.alloc(imports);
    resolve.packages[cli].worlds.insert("imports".to_owned(), imports);
    let http = resolve.push_source("http.wit", &format!("{HTTP_WIT}{WORLDS}")).context("the interfaces of HTTP are damaged")?;
    for (_, package) in resolve.packages.iter_mut() {
        if let (Some(patch), Some(version)) = (patch(text, &package.name.name), &mut package.name.version) {
            version.patch = patch;
        }
    }
    resolve.package_names = resolve.packages.iter().map(|(id, package)| (package.name.clone(), id)).collect();
    Ok((resolve, http))
}

/// The 3 of `wasi:http/types@0.2.3`, where a text has that package's name.
fn patch(text: &str, package: &str) -> Option<u64> {
    text.split(&format!("{NAMESPACE}:{package}/")).skip(1).find_map(|rest| {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
        let patch = rest[name..].strip_prefix("@0.2.")?;
        let digits = patch.find(|c: char| !c.is_ascii_digit()).unwrap_or(patch.len());
        patch[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_asked_for() {
        let text = "include wasi:cli/imports; use wasi:http/types@0.2.3.{fields}; import wasi:io/poll@0.2.0;";
        assert_eq!((patch(text, "http"), patch(text, "io"), patch(text, "cli")), (Some(3), Some(0), None));
        let (resolve, _) = packages(text).expect("the packages");
        let names: Vec<String> = resolve.package_names.keys().map(ToString::to_string).collect();
        for name in ["wasi:http@0.2.3", "wasi:io@0.2.0", "wasi:sockets@0.2.12"] {
            assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
        }
    }
}
