//! `undergo component`: a module for WASI preview 1 as a component, which engines of the Component
//! Model run.

mod encode;
mod memory;
mod names;
mod target;
mod world;

use std::path::PathBuf;

use anyhow::{Context, Result};

pub(crate) use encode::built;
pub(crate) use target::{Declared, Target};

use crate::file;
use crate::plugin;

/// Make a component of a module that was built for WASI preview 1
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The module: a program, or one with an interface
    file: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    features: Features,
}

/// What a component may ask of its engine.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Features {
    /// Use what most engines have switched off: 'map', for map<K, V> in place of list<tuple<K, V>>
    #[arg(long = "features", value_name = "FEATURE", value_delimiter = ',')]
    used: Vec<Feature>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Feature {
    /// The type `map`.
    Map,
}

impl Features {
    /// Whether none was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    fn has_map(&self) -> bool {
        self.used.contains(&Feature::Map)
    }
}

const HELP: &str = "\
The component has WASI 0.2 in place of preview 1, by Wasmtime's adapter. A program exports wasi:cli/run; any other module needs an interface: \
a component-type section, which wit-bindgen writes. A plugin of Go is built as a component from its source, by 'undergo build --component'.

Examples:
  undergo component app.wasm -o app-component.wasm
  wasmtime run app-component.wasm";

pub(crate) fn run(args: &Args) -> Result<()> {
    let module = plugin::module(&args.file)?;
    let made = encode::component(&module, &args.features).with_context(|| format!("{} can't become a component", args.file.display()))?;
    file::write(&args.output, &made)?;
    println!("{}  {}, a component", args.output.display(), plugin::bytes(made.len()));
    Ok(())
}
