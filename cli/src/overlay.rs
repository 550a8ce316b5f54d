//! `undergo overlay`: the overlay that gives package net the host's sockets, for the plain go
//! command.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::go::Go;
use crate::stdnet::StdNet;

/// Print the path of an overlay with which 'go build' makes package net use real sockets
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The folder in which the go command is to run: its module may select another version of Go
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

const HELP: &str = "\
On wasip1 the standard library has a network that is only in the program's memory. With the overlay net.Dial, net.Listen, net/http and what else \
is built on package net use sockets of the host, by the socket extension of WASI; 'undergo run' and 'undergo exec' give them with --net. The toolchain \
itself stays as it is. Go 1.24 to 1.27.

Examples:
  GOOS=wasip1 GOARCH=wasm go build -overlay \"$(undergo overlay)\" -o app.wasm
  GOOS=wasip1 GOARCH=wasm go test -overlay \"$(undergo overlay)\" -exec 'undergo exec --net any' ./...";

pub(crate) fn run(args: &Args) -> Result<()> {
    if !args.dir.is_dir() {
        bail!("{} is no folder", args.dir.display());
    }
    let go = Go::find(&std::path::absolute(&args.dir).context("the working directory is gone")?)?.overlayable()?;
    if let Some(exports) = go.exports() {
        eprintln!(
            "note: {} lies in Go's module cache, where the go command overlays nothing. In a shell it is used from elsewhere after:\n  {exports}",
            go.version
        );
    }
    println!("{}", StdNet::of(&go)?.json().display());
    Ok(())
}
