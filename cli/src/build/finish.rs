//! The last steps of a build: checks the compiler's output, adds the standard section, and moves
//! the file into place.

use anyhow::{Context, Result, anyhow};
use undergo::interface::Interface;
use undergo::{ModuleInfo, ModuleKind};
use wit_component::StringEncoding;
use wit_parser::Resolve;

use crate::component::{Declared, Features, Target, built};
use crate::optimize;
use crate::options::Code;
use crate::plugin::{self, bare_exports};

/// The component that is made of a module.
pub(super) struct Wanted<'a> {
    pub(super) features: &'a Features,
    /// Its world, if that is given.
    pub(super) target: Option<&'a Target>,
    pub(super) declared: &'a Declared,
}

impl Wanted<'_> {
    fn made(&self, module: &[u8]) -> Result<Vec<u8>> {
        built(module, self.features, self.target, self.declared)
    }
}

/// Checks a module and completes it, and makes it a component, if one is wanted. Gives its bytes,
/// and a line about it.
pub(super) fn finish(mut bytes: Vec<u8>, kind: ModuleKind, code: &Code, component: Option<&Wanted<'_>>) -> Result<(Vec<u8>, String)> {
    let info = ModuleInfo::parse(&bytes)?;
    if code.optimize() {
        match optimize::optimized(&bytes) {
            Ok(done) => bytes = done.module,
            Err(why) => eprintln!("note: the code is as Go's compiler wrote it: {why:#}"),
        }
    }
    if kind == ModuleKind::Command {
        let what = if component.is_some() { "a component that exports wasi:cli/run" } else { "a program for 'undergo run'" };
        if let Some(component) = component {
            bytes = component.made(&bytes)?;
        }
        let summary = format!("{}, {what}", plugin::bytes(bytes.len()));
        return Ok((bytes, summary));
    }
    if info.kind == ModuleKind::Command {
        return Err(anyhow!("the go command built a program instead of a plugin: Go 1.24 or newer is needed"));
    }
    let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
    if let Some(component) = component {
        bytes = component.made(&bytes).context("the plugin can't become a component")?;
    } else if let Some(wit) = &info.wit {
        embed(&mut bytes, wit).context("the component-type section can't be written")?;
    }
    let exports = interface.as_ref().map_or(0, |interface| interface.exports.len()) + bare_exports(&info, interface.as_ref()).count();
    // Those of WASI are no one's that has to be told.
    let imports = plugin::host_imports(&info, interface.as_ref()).filter(|import| !import.module.starts_with("wasi:")).count();
    if exports == 0 {
        eprintln!("warning: the plugin exports no function: write //undergo:export in the doc comment of each that a host may call");
    }
    let summary = format!("{}, {}, {}", plugin::bytes(bytes.len()), plugin::count(exports, "export"), plugin::count(imports, "import"));
    Ok((bytes, summary))
}

/// Adds the interface once more, in the form that other tools of the Component Model look for.
fn embed(module: &mut Vec<u8>, wit: &str) -> Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("interface.wit", wit)?;
    let world = resolve.packages[package].worlds.values().next().copied().context("the interface has no world")?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
}
