//! `undergo optimize`: a Go module with faster code, for any engine.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use gowasm::Optimized;

use crate::plugin;
use crate::progress::Progress;

/// Make the code of a Go module smaller and faster, for any engine
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The module: a plugin or a program, compiled by Go for WebAssembly
    file: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Tell which functions were left as they are, and why
    #[arg(short, long)]
    verbose: bool,
}

const HELP: &str = "\
Go's compiler writes each function as one loop with a jump table. This command finds the jumps, and writes the functions as nested blocks \
and loops, which engines optimise better. The module does what it did, its panics and traces included.

Examples:
  undergo optimize app.wasm -o app-fast.wasm
  undergo optimize app.wasm -o app-fast.wasm && wasmtime run app-fast.wasm";

/// The module with faster code.
pub(crate) fn optimized(module: &[u8]) -> Result<Optimized> {
    let done = gowasm::optimize(module)?;
    // An engine would refuse it; to hear of it here is better.
    wasmparser::Validator::new().validate_all(&done.module).context("its new code is not valid")?;
    Ok(done)
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let file = args.file.display();
    let module = plugin::module(&args.file)?;
    let progress = Progress::start(format!("optimizing {file}"));
    let done = optimized(&module).with_context(|| format!("{file} can't be optimized"))?;
    fs::write(&args.output, &done.module).with_context(|| format!("{} can't be written", args.output.display()))?;
    drop(progress);
    let copied: usize = done.copied.values().sum();
    println!(
        "{}  {}, was {}; {} functions rewritten, {copied} as they were",
        args.output.display(),
        plugin::bytes(done.module.len()),
        plugin::bytes(module.len()),
        done.rewritten
    );
    if args.verbose {
        for (reason, count) in &done.copied {
            println!("  {count} because {reason}");
        }
    }
    Ok(())
}
