//! The last steps of a build: checks the compiler's output, adds the standard section, and moves
//! the file into place.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use undergo::interface::Interface;
use undergo::{ModuleInfo, ModuleKind};
use wit_component::StringEncoding;
use wit_parser::Resolve;

use crate::optimize;
use crate::options::Code;
use crate::plugin::{self, bare_exports};

/// Checks a module and completes it. Gives its bytes, and a line about it.
pub(super) fn finish(mut bytes: Vec<u8>, kind: ModuleKind, code: &Code) -> Result<(Vec<u8>, String)> {
    let info = ModuleInfo::parse(&bytes)?;
    if code.optimize() {
        match optimize::optimized(&bytes) {
            Ok(done) => bytes = done.module,
            Err(why) => eprintln!("note: the code is as Go's compiler wrote it: {why:#}"),
        }
    }
    if kind == ModuleKind::Command {
        let summary = format!("{}, a program for 'undergo run'", plugin::bytes(bytes.len()));
        return Ok((bytes, summary));
    }
    if info.kind == ModuleKind::Command {
        return Err(anyhow!("the go command built a program instead of a plugin: Go 1.24 or newer is needed"));
    }
    let interface = info.wit.as_deref().map(Interface::parse).transpose()?;
    if let Some(wit) = &info.wit {
        embed(&mut bytes, wit).context("the component-type section can't be written")?;
    }
    let exports = interface.as_ref().map_or(0, |interface| interface.exports.len()) + bare_exports(&info, interface.as_ref()).count();
    let imports = plugin::host_imports(&info, interface.as_ref()).count();
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

/// Writes a file at once or not at all: another program may be loading the old one.
pub(super) fn write(output: &Path, bytes: &[u8]) -> Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("{} can't be written", output.display());
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What a plain new file would have; the umask is taken off by the system.
        file.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = file.prefix(".undergo-").tempfile_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.persist(output).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}
