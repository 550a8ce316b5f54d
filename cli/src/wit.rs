//! `undergo wit`: prints and checks interfaces.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use undergo::host::escape;

use crate::json;
use crate::worlds::Worlds;

/// Print or check interfaces: those of a plugin, a component, or files of WIT
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// A plugin, a component, a .wit file, or a folder of .wit files with its dependencies in deps/
    path: PathBuf,
    /// That world only, as NAME or NAMESPACE:PACKAGE/NAME[@VERSION], and what it uses
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Check only: an error names the file, the line and the column
    #[arg(long, conflicts_with = "json")]
    check: bool,
    /// Write JSON: the packages, resolved, as wit-parser and the generators that build on it have
    /// them
    #[arg(long, conflicts_with = "world")]
    json: bool,
}

const HELP: &str = "\
The text stands by itself: after the package come the parts of others that it uses. What is printed
once is printed the same again.

Examples:
  undergo wit greeter.wasm                       what a plugin or a component carries
  undergo wit wit --world proxy > proxy.wit      one world of a folder, in one file
  undergo wit wit --check                        for CI";

pub(crate) fn run(args: &Args) -> Result<()> {
    let worlds = Worlds::read(&args.path)?;
    let only = args.world.as_deref().map(|name| worlds.select(Some(name))).transpose()?;
    let text = if args.check {
        format!("{} is fine\n", escape::line(&args.path.display().to_string()))
    } else if args.json {
        json::plain(&format!("{:#}\n", serde_json::to_value(&worlds.resolve).context("the interface has no form in JSON")?))
    } else {
        escape::text(&worlds.text(only)?).into_owned()
    };
    std::io::stdout().write_all(text.as_bytes()).context("the result can't be written")
}
