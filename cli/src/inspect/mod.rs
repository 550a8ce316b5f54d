//! `undergo inspect`: what a plugin or a component says of itself.

mod component;
mod description;
mod module;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use undergo::Error;
use undergo::host::{escape, is_component};

use crate::check::Check;
use crate::json;
use crate::options::Bounds;
use crate::plugin;

/// Show what a plugin or a component gives, what it wants, and what it is made of
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The plugin, any WebAssembly module, or a component
    file: PathBuf,
    /// Write JSON
    #[arg(long, conflicts_with = "check")]
    json: bool,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    check: Check,
}

const HELP: &str = "\
With --json, an object of these members, to which later versions only add:
  file      the path, as given
  kind      \"reactor\" (a plugin), \"command\" (a program), \"component\", or \"package\" (interfaces only, in
            the binary form)
  callable  whether its functions can be called; those of a command, after its main
  go        the version of Go that compiled it, or null
  size      bytes
  world     the interface's name, or null for a bare module; that of a component is always root
  wit       the interface as WIT text, or null
  exports   [{module, name, signature, docs, typed}]; module, the interface, is only there for a component's function
            of one; typed is false for a function with a core signature only
  imports   [{module, name, signature, docs, typed}], what the host must give
  resources [{name, side, docs, constructor, methods, module}], what lives longer than a call; side is \"guest\" or
            \"host\", constructor {signature, docs} or null, methods [{name, signature, docs}]; module as for exports
  wasi      the names of the WASI functions that it uses; those of a component are interfaces
  sections  [{name, size}], in order
  nested    [{path, kind, name, size}], the modules and components in a component, in order; path has their
            numbers from the outside in, as 1.0, and name is null where there is none
  producers [{field, name, version}], the languages and tools that it names

Examples:
  undergo inspect greeter.wasm
  undergo inspect greeter.wasm --json | jq -r '.exports[].name'
  undergo inspect greeter.wasm --check --allow-import directory.lookup --min-go 1.25
  undergo inspect app.wasm --check --wit wit --world app";

pub(crate) fn run(args: &Args) -> Result<()> {
    let bytes = plugin::module(&args.file)?;
    if args.check.wanted() {
        return args.check.run(&args.file, &bytes, args.bounds);
    }
    let (described, what) =
        if is_component(&bytes) { (component::describe(&bytes), "can't be read") } else { (module::describe(&bytes), "is no plugin") };
    let described = described.map_err(|error: Error| plugin::named(&args.file, what, &error))?;
    let file = args.file.display().to_string();
    let text =
        if args.json { json::plain(&format!("{:#}\n", described.json(&file))) } else { escape::text(&described.page(&file)).into_owned() };
    std::io::stdout().write_all(text.as_bytes()).context("the result can't be written")
}
