//! Better code for programs that are run again.
//!
//! The first run of a program uses the quick compiler's code, because it may be a test that is run
//! once. When it is run again, the better compiler works in a separate process, since the program
//! may end before it; later runs find its code in the cache.

use std::env;
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use undergo::{Compile, Plugin, PluginOptions, Tier};

use crate::cache;
use crate::options::Loading;

/// Loads a program that is to be run once, and has better code made for its next runs.
pub(crate) fn load(path: &Path, loading: &Loading) -> undergo::Result<Plugin> {
    let plugin = Plugin::from_file_with(path, &options(Compile::Once, loading))?;
    if plugin.was_cached() && plugin.tier()? == Tier::Fast {
        // Where this fails the program runs as it would have run.
        let _ = begin(path, loading);
    }
    Ok(plugin)
}

fn options(compile: Compile, loading: &Loading) -> PluginOptions {
    PluginOptions { compile, ..loading.plugin() }
}

/// Starts the process. It gets the open file, because the go command removes its test binaries as
/// soon as they have run, and none of the streams, which the go command waits for.
fn begin(path: &Path, loading: &Loading) -> io::Result<()> {
    let mut command = polite(&env::current_exe()?);
    command.arg("improve").stdin(File::open(path)?).stdout(Stdio::null()).stderr(Stdio::null());
    if !loading.code.optimize() {
        command.arg("--no-optimize");
    }
    if loading.wasi_0_3 {
        command.arg("--wasi-0.3");
    }
    command.arg(format!("--bounds={}", loading.bounds.times));
    command.spawn()?;
    Ok(())
}

/// A process that leaves the processor to others, and does not hear of Ctrl-C.
#[cfg(unix)]
fn polite(program: &Path) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(program).process_group(0);
    command
}

#[cfg(windows)]
fn polite(program: &Path) -> Command {
    use std::os::windows::process::CommandExt;

    const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x4000;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    let mut command = Command::new(program);
    command.creation_flags(BELOW_NORMAL_PRIORITY_CLASS | CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
    command
}

/// What that process does: compiles the module that it is given to the cache. One at a time is
/// enough; a program that is run so often will be run again.
pub(crate) fn run(loading: &Loading) -> Result<()> {
    let lock = undergo::host::open_lock(&cache::dir()?.join("improve.lock")).context("there is no place for a lock")?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut module = Vec::new();
    io::stdin().lock().read_to_end(&mut module)?;
    Plugin::from_bytes_with("", &module, &options(Compile::Best, loading))?;
    Ok(())
}
