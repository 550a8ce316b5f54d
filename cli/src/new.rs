//! `undergo new`
use std::path::PathBuf;
use anyhow::Result;
#[derive(clap::Args)]
pub(crate) struct Args { name: PathBuf }
pub(crate) fn run(args: &Args) -> Result<()> { let _ = &args.name; Ok(()) }
