//! `undergo run`: runs a command, a Go program that was built for WASI, or a component that is a
//! program.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use undergo::{CallOptions, InstanceOptions};

use crate::failure::{self, Failure};
use crate::improve;
use crate::options::{Loading, Options};
use crate::progress::Progress;

/// Run a program that was compiled to WebAssembly
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The program: GOOS=wasip1 GOARCH=wasm go build -o app.wasm
    file: PathBuf,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<String>,
    #[command(flatten)]
    loading: Loading,
    #[command(flatten)]
    options: Options,
}

const HELP: &str = "\
The program has the standard streams of this command, and nothing else that it is not given. Options stand before the file; what follows it is the program's.

Exit code: that of the program; 141 when it went on writing where nobody reads; 125 when it could not be run, or was ended: by a trap, a timeout or another limit.

Examples:
  undergo run app.wasm -v input.txt
  undergo run --dir ./data::/data:ro --env MODE=prod --timeout 10s app.wasm
  undergo run --clock 2026-02-03T04:05:06Z --seed 7 app.wasm";

/// What tells a failure of running from the program's own exit codes, which begin at the other end.
const NOT_RUN: u8 = 125;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let progress = Progress::start(format!("loading {}", args.file.display()));
    let ended = improve::load(&args.file, &args.loading).and_then(|plugin| {
        drop(progress);
        let mut sandbox = args.options.program()?;
        sandbox.args.extend(args.args.iter().cloned());
        let options = InstanceOptions { sandbox, limits: args.options.limits(), ..InstanceOptions::default() };
        failure::warn(&plugin.diagnose(&options));
        plugin.run(options, &CallOptions::default())
    });
    let done = ended.map_err(|error| Failure::Run(error, NOT_RUN))?;
    failure::tell_denied(&done.denied);
    // The system has eight bits for it, as it has for other programs.
    Ok(ExitCode::from(done.code as u8))
}
