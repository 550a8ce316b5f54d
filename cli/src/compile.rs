//! `undergo compile`: a plugin as native code, to be shipped.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use undergo::{CompileOptions, Error, Plugin, Tier};

use crate::limits;
use crate::options::Loading;
use crate::plugin;
use crate::progress::Progress;

/// Compile a plugin to native code, for programs that ship it
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The plugin; - for standard input
    file: PathBuf,
    /// The file to write; - for standard output [default: the plugin's, with .undergo]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let hosts limit its fuel, which costs about a tenth of the speed
    #[arg(long)]
    fuel: bool,
    /// By which compiler: one that is done sooner, or one whose code is better
    #[arg(long, value_name = "TIER", default_value = "best", value_parser = ["fast", "best"])]
    compile: String,
    #[command(flatten)]
    loading: Loading,
    /// Seconds of processor time that it may take
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
    /// Bytes of memory that it may take
    #[arg(long, value_name = "BYTES")]
    max_memory: Option<u64>,
}

const HELP: &str = "\
The result is for this version of undergo, and for machines like this one: the same kind of processor and system. It loads in milliseconds, without \
a cache. Its code is run as it is, outside the sandbox, so a program loads it by a call of its own, by which it says that it trusts the file: \
Plugin.load_compiled in Python. Ship the .wasm file to everybody else.

Examples:
  undergo compile greeter.wasm                  write greeter.undergo
  undergo compile greeter.wasm -o out/g.undergo --fuel
  undergo compile - -o - --max-seconds 60 --max-memory 2147483648 <a-strangers.wasm >code

--max-seconds and --max-memory hold on Unix alone, where the process has the lowest priority, too.";

pub(crate) fn run(args: &Args) -> Result<()> {
    let output = args.output.clone().unwrap_or_else(|| args.file.with_extension("undergo"));
    let piped = |path: &PathBuf| path.as_os_str() == "-";
    if args.max_seconds.is_some() || args.max_memory.is_some() {
        limits::set(args.max_seconds, args.max_memory).context("the limits can't be set")?;
    }
    if piped(&args.file) && args.output.is_none() {
        bail!("name the file to write with -o, or -o - for standard output");
    }
    if output == args.file && !piped(&output) {
        bail!("{} would be overwritten: name another file with -o", output.display());
    }
    let bytes = if piped(&args.file) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).context("standard input can't be read")?;
        bytes
    } else {
        plugin::module(&args.file)?
    };
    let tier = Tier::named(&args.compile).context("--compile is fast or best")?;
    let progress = Progress::start(format!("compiling {}", args.file.display()));
    let compiled = Plugin::compile_with(
        &bytes,
        CompileOptions {
            fuel: args.fuel,
            tier,
            bounds: args.loading.bounds.times,
            optimize: args.loading.code.optimize(),
            wasi_0_3: args.loading.wasi_0_3,
        },
    )
    .map_err(|error| Error::new(error.kind(), format!("{} can't be compiled: {}", args.file.display(), error.message())))?;
    if piped(&output) {
        drop(progress);
        return io::stdout().write_all(&compiled).context("standard output can't be written to");
    }
    fs::write(&output, &compiled).with_context(|| format!("{} can't be written", output.display()))?;
    drop(progress);
    println!("{}  {}, for {}-{}", output.display(), plugin::bytes(compiled.len()), std::env::consts::ARCH, std::env::consts::OS);
    Ok(())
}
