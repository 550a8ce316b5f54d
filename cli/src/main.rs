//! The `undergo` command: builds, inspects and calls Go plugins, and writes typed bindings for
//! them.
//!
//! # Levels
//!
//! A file imports from those below it only, which `core/tests/levels.rs` checks:
//!
//! ```text
//! main.rs      the command line
//! run.rs       undergo run
//! wit.rs       undergo wit
//! overlay.rs   undergo overlay
//! exec.rs      undergo exec
//! serve.rs     undergo serve
//! build/       undergo build
//! component/   undergo component
//! stdnet/      sockets for Go's package net
//! sdk.rs       the guest SDK that the binary carries
//! new/         undergo new
//! inspect/     undergo inspect
//! improve.rs   better code for programs that are run again
//! compile.rs   undergo compile
//! call.rs      undergo call
//! optimize.rs  undergo optimize
//! bindgen/     undergo bindgen
//! json.rs      values as JSON
//! go.rs        the Go toolchain
//! forward.rs   what the guest prints
//! check.rs     undergo inspect --check
//! fit.rs       whether a component or a plugin fits a world
//! parts.rs     what a module or a component is made of
//! worlds/      worlds and interfaces of WIT, from wherever they are written
//! options.rs   options that say what a plugin may reach and use
//! value.rs     a value of JSON
//! rfc3339.rs   times
//! progress.rs  a spinner
//! file.rs      files that are written at once
//! plugin.rs    what several commands say of a plugin
//! signals.rs   the wish that a server ends
//! limits.rs    what this process may take
//! failure.rs   how a command that failed says so
//! duration.rs  durations
//! cache.rs     the command's own files in the user's cache
//! ```

mod bindgen;
mod build;
mod cache;
mod call;
mod check;
mod compile;
mod component;
mod duration;
mod exec;
mod failure;
mod file;
mod fit;
mod forward;
mod go;
mod improve;
mod inspect;
mod json;
mod limits;
mod new;
mod optimize;
mod options;
mod overlay;
mod parts;
mod plugin;
mod progress;
mod rfc3339;
mod run;
mod sdk;
mod serve;
mod signals;
mod stdnet;
mod value;
mod wit;
mod worlds;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "undergo", version, about, long_about = None, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  undergo new greeter                          start a plugin, with a program that calls it
  undergo build greeter                        compile it to greeter.wasm
  undergo inspect greeter.wasm                 what it gives, and what it wants
  undergo wit greeter.wasm                     its interface as WIT
  undergo call greeter.wasm add 1 2            call a function
  undergo run app.wasm -v                      run a program that was built for WASI
  undergo serve app.wasm                       serve HTTP by a component
  undergo bindgen greeter.wasm --lang python   write a typed module for it
  undergo compile greeter.wasm                 turn it into native code, to be shipped

Go 1.24 or newer is needed to build. UNDERGO_GO names the go command to use instead of the one on PATH.";

#[derive(Subcommand)]
enum Command {
    New(new::Args),
    Build(build::Args),
    Inspect(inspect::Args),
    Wit(wit::Args),
    Call(call::Args),
    Run(run::Args),
    Exec(exec::Args),
    Serve(serve::Args),
    Compile(compile::Args),
    Optimize(optimize::Args),
    Component(component::Args),
    #[command(hide = true)]
    Improve(options::Loading),
    Overlay(overlay::Args),
    Bindgen(bindgen::Args),
}

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match Cli::parse_from(exec::with_runtime_args(std::env::args_os().collect())).command {
        Command::New(args) => new::run(&args).map(done),
        Command::Build(args) => build::run(&args).map(done),
        Command::Inspect(args) => inspect::run(&args).map(done),
        Command::Wit(args) => wit::run(&args).map(done),
        Command::Call(args) => call::run(&args).map(done),
        Command::Run(args) => run::run(&args),
        Command::Exec(args) => exec::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Compile(args) => compile::run(&args).map(done),
        Command::Optimize(args) => optimize::run(&args).map(done),
        Command::Improve(code) => improve::run(&code).map(done),
        Command::Component(args) => component::run(&args).map(done),
        Command::Overlay(args) => overlay::run(&args).map(done),
        Command::Bindgen(args) => bindgen::run(&args).map(done),
    };
    match result {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}
