//! `undergo compile`: a plugin as native code, to be shipped.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use undergo::{Error, Plugin};

use crate::plugin;
use crate::progress::Progress;

/// Compile a plugin to native code, for programs that ship it
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The plugin
    file: PathBuf,
    /// The file to write [default: the plugin's, with .undergo]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let hosts limit its fuel, which costs about a tenth of the speed
    #[arg(long)]
    fuel: bool,
}

const HELP: &str = "\
The result is for this version of undergo, and for machines like this one: the same kind of processor and system. It loads in milliseconds, without \
a cache. Its code is run as it is, outside the sandbox, so a program loads it by a call of its own, by which it says that it trusts the file: \
Plugin.load_compiled in Python. Ship the .wasm file to everybody else.

Examples:
  undergo compile greeter.wasm                  write greeter.undergo
  undergo compile greeter.wasm -o out/g.undergo --fuel";

pub(crate) fn run(args: &Args) -> Result<()> {
    let output = args.output.clone().unwrap_or_else(|| args.file.with_extension("undergo"));
    if output == args.file {
        bail!("{} would be overwritten: name another file with -o", output.display());
    }
    let bytes = fs::read(&args.file).with_context(|| format!("{} can't be read", args.file.display()))?;
    let progress = Progress::start(format!("compiling {}", args.file.display()));
    let compiled = Plugin::compile(&bytes, args.fuel)
        .map_err(|error| Error::new(error.kind(), format!("{} can't be compiled: {}", args.file.display(), error.message())))?;
    fs::write(&output, &compiled).with_context(|| format!("{} can't be written", output.display()))?;
    drop(progress);
    println!("{}  {}, for {}-{}", output.display(), plugin::bytes(compiled.len()), std::env::consts::ARCH, std::env::consts::OS);
    Ok(())
}
