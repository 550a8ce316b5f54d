//! `undergo build`: from a folder of Go files to a plugin, or to a program.

mod finish;
mod workspace;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use undergo::ModuleKind;

use crate::failure::Failure;
use crate::go::Go;
use crate::progress::Progress;
use crate::sdk::{GENERATOR, Sdk};
use crate::stdnet::StdNet;
use workspace::{GLUE, Workspace};

/// Compile a folder of Go files to a plugin
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The folder of the plugin: a package main, within a Go module
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The file to write [default: the last part of the import path, with .wasm, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The name of the plugin's interface [default: the last part of the import path]
    #[arg(long, value_name = "NAME", value_parser = world_name)]
    world: Option<String>,
    /// Keep the names of functions in the module, for debuggers and profilers. Go's tracebacks have them without it
    #[arg(long)]
    debug: bool,
    /// Let package net, and what is built on it, use sockets of the host. Those are the host's to allow: 'undergo run --net' and the network of a sandbox
    #[arg(long)]
    net: bool,
    /// Build a program with a main function, for 'undergo run', and not a plugin
    #[arg(long, conflicts_with = "world")]
    command: bool,
}

const HELP: &str = "\
The generated glue and the guest SDK stay out of the folder; no network is needed. A go.mod that requires the SDK, \
github.com/undergo-dev/undergo/go-guest-sdk, decides itself which one is used.

Examples:
  undergo build                        the plugin in the current directory
  undergo build ./greeter -o out.wasm
  undergo build --net --command ./server && undergo run --net any server.wasm

Exit code: 0, or 1 when there is no plugin; the messages of Go and of the generator are shown as they are.";

pub(crate) fn run(args: &Args) -> Result<()> {
    let dir = plugin_dir(&args.dir)?;
    let mut go = Go::find(&dir)?;
    if args.net {
        go = go.overlayable()?;
    }
    let Some(gomod) = go.gomod.clone() else {
        bail!(
            "{} belongs to no Go module: run 'go mod init example.com/{}' there, or begin with 'undergo new'",
            args.dir.display(),
            dir.file_name().unwrap_or(OsStr::new("plugin")).to_string_lossy()
        );
    };
    let kind = if args.command { ModuleKind::Command } else { ModuleKind::Reactor };
    let progress = Progress::start("reading the package");
    let sdk = Sdk::extract()?;
    let net = args.net.then(|| StdNet::of(&go)).transpose()?;
    let mut workspace = Workspace::new(&go, &sdk, &dir, &gomod, net, &progress)?;
    let package = Package::load(&go, &workspace, &progress)?;
    let typed = has_directives(&package.dir, &package.files)?;
    if typed && args.command {
        bail!("{} has //undergo: directives, and no function of a program can be called: build it without --command", args.dir.display());
    }
    if typed {
        let generator = if workspace.requires_sdk { own_generator(&go, &workspace, &progress)? } else { sdk.generator(&go, &progress)? };
        generate(&go, &workspace, &generator, args.world.as_deref(), &progress)?;
    }
    workspace.lay_glue(typed)?;

    progress.say(format!("compiling {}", package.name));
    let wasm = workspace.temp().join("plugin.wasm");
    compile(&go, &workspace, &wasm, kind, args.debug, &progress)?;
    let bytes = fs::read(&wasm).context("the compiled module can't be read")?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", package.name)));
    drop(progress);
    let (bytes, summary) = finish::finish(bytes, kind)?;
    finish::write(&output, &bytes)?;
    println!("{}  {summary}", output.display());
    Ok(())
}

fn world_name(name: &str) -> Result<String, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if name.split('-').all(word) {
        return Ok(name.to_owned());
    }
    Err("a name in WIT is words of lower-case letters and digits, joined by hyphens: 'my-plugin'".to_owned())
}

fn plugin_dir(dir: &Path) -> Result<PathBuf> {
    let shown = dir.display();
    if dir.is_file() {
        let folder = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        bail!("{shown} is a file, and a plugin is a folder: 'undergo build {}'", folder.display());
    }
    let dir = dir.canonicalize().with_context(|| format!("{shown} can't be found"))?;
    // Windows' long form of a path, which the go command does not take for a working directory.
    let plain = dir.to_str().and_then(|text| text.strip_prefix(r"\\?\")).filter(|text| !text.starts_with("UNC")).map(PathBuf::from);
    Ok(plain.unwrap_or(dir))
}

/// What the go command says of the plugin's package.
struct Package {
    dir: PathBuf,
    /// The last part of its import path.
    name: String,
    files: Vec<String>,
}

impl Package {
    fn load(go: &Go, workspace: &Workspace, progress: &Progress) -> Result<Package> {
        let mut command = go.wasm(workspace.dir());
        workspace.apply(&mut command);
        let output = Go::run(command.args(["list", "-e", "-json=Dir,ImportPath,Name,GoFiles,Error", "."]), progress)?;
        let said: Value = serde_json::from_slice(&output.stdout).context("'go list' gave no JSON")?;
        let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let shown = workspace.dir().display();
        let files: Vec<String> = list(&said, "GoFiles");
        if files.is_empty() {
            let reason = said.pointer("/Error/Err").and_then(Value::as_str).unwrap_or("it has no Go files");
            bail!("{shown} can't be built: {reason}");
        }
        if word("Name") != "main" {
            bail!(
                "{shown} is the package {}, and what is built is a package main: write 'package main' at the top of its files, and add 'func main() {{}}'",
                word("Name")
            );
        }
        Ok(Package { dir: PathBuf::from(word("Dir")), name: last_part(word("ImportPath")).to_owned(), files })
    }
}

fn list(value: &Value, name: &str) -> Vec<String> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// `greeter` of `example.com/greeter/v2`.
fn last_part(import_path: &str) -> &str {
    let mut parts = import_path.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let is_version = last.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    if is_version { parts.next().unwrap_or(last) } else { last }
}

/// Whether the package asks for glue. One with bare `//go:wasmexport` directives alone does without.
fn has_directives(dir: &Path, files: &[String]) -> Result<bool> {
    for name in files.iter().filter(|name| *name != GLUE) {
        let file = dir.join(name);
        let text = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        if text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"//undergo:")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The generator of the SDK that the plugin's module requires: glue and SDK must be of one version.
fn own_generator(go: &Go, workspace: &Workspace, progress: &Progress) -> Result<PathBuf> {
    progress.say("building the generator");
    let program = workspace.temp().join(format!("undergo-gen{}", env::consts::EXE_SUFFIX));
    Go::run(go.native(workspace.dir()).args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(GENERATOR), progress)?;
    Ok(program)
}

fn generate(go: &Go, workspace: &Workspace, generator: &Path, world: Option<&str>, progress: &Progress) -> Result<()> {
    progress.say("generating glue");
    let mut command = go.helper(generator, workspace.dir());
    workspace.apply(&mut command);
    command.args(["-dir", "."]).arg("-o").arg(workspace.glue());
    if let Some(world) = world {
        command.args(["-world", world]);
    }
    Go::run(&mut command, progress)?;
    Ok(())
}

fn compile(go: &Go, workspace: &Workspace, wasm: &Path, kind: ModuleKind, debug: bool, progress: &Progress) -> Result<()> {
    let mut command = go.wasm(workspace.dir());
    workspace.apply(&mut command);
    command.args(["build", "-trimpath", "-buildvcs=false"]);
    if kind == ModuleKind::Reactor {
        command.arg("-buildmode=c-shared");
    }
    if !debug {
        // Tracebacks come from Go's own tables, which this leaves alone.
        command.arg("-ldflags=-s -w");
    }
    let output = command.arg("-o").arg(wasm).arg(".").output().context("the go command can't be run")?;
    progress.pass_on(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if kind == ModuleKind::Reactor && String::from_utf8_lossy(&output.stderr).contains("function main is undeclared in the main package") {
        bail!("a plugin needs a main function, though it never runs: add 'func main() {{}}'");
    }
    Err(Failure::Told.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_named_after_its_import_path() {
        assert_eq!(last_part("example.com/greeter"), "greeter");
        assert_eq!(last_part("example.com/greeter/v2"), "greeter");
        assert_eq!(last_part("example.com/vault"), "vault");
        assert_eq!(last_part("greeter"), "greeter");
    }

    #[test]
    fn worlds_have_wit_names() {
        assert!(world_name("my-plugin2").is_ok());
        for bad in ["", "My", "a--b", "2a", "a_b"] {
            assert!(world_name(bad).is_err(), "{bad}");
        }
    }
}
