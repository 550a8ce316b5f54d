//! `undergo build`: from a folder of Go files to a plugin, or to a program.
//!
//! No native code of the tree runs, so that a stranger's plugin can be built: the generator is this
//! command's own, cgo is off, nothing is asked of version control, and no toolchain is fetched
//! because the tree names one.

mod finish;
mod flags;
mod package;
mod workspace;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use undergo::ModuleKind;

use crate::component::{Declared, Features, Target};
use crate::failure::Failure;
use crate::file;
use crate::go::Go;
use crate::options::Code;
use crate::progress::Progress;
use crate::sdk;
use crate::stdnet::StdNet;
use finish::Wanted;
use flags::Flags;
use package::{Package, TreeSdk};
use workspace::Workspace;

/// Compile a folder of Go files to a plugin
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The folder of the plugin: a package main, within a Go module
    #[arg(default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The file to write [default: the last part of the import path, with .wasm, in the current
    /// directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The name of the plugin's interface [default: the last part of the import path]. With
    /// --component, a world that it has to fit: one of --wit, or of WASI: wasi:http/proxy,
    /// wasi:cli/command
    #[arg(long, value_name = "NAME", value_parser = world_name)]
    world: Option<String>,
    /// A .wit file, or a folder of such files, with the world that the component is to have
    #[arg(long, value_name = "PATH", requires = "component")]
    wit: Option<PathBuf>,
    /// Keep function names in the module, for debuggers and profilers. Go's tracebacks have them in
    /// any case
    #[arg(long)]
    debug: bool,
    /// Let package net, and everything built on it, use the host's sockets, which the host has to
    /// allow: by 'undergo run --net' or the network of a sandbox
    #[arg(long)]
    net: bool,
    /// Build a program with a main function, for 'undergo run', instead of a plugin
    #[arg(long, conflicts_with_all = ["world", "wit"])]
    command: bool,
    /// Build a component, for engines of the Component Model, instead of a core module
    #[arg(long, conflicts_with = "net")]
    component: bool,
    #[command(flatten)]
    features: Features,
    /// Include Go's time zone database, for time.LoadLocation: some 450 kB
    #[arg(long)]
    tzdata: bool,
    #[command(flatten)]
    code: Code,
    /// Flags for 'go build', with paths relative to DIR: -tags, -ldflags, -gcflags, -mod and
    /// others. They are added to those of GOFLAGS and of this command
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<String>,
}

/// The build tag by which the guest SDK is that of a component.
const COMPONENT_TAG: &str = "undergo_component";

const HELP: &str = "\
The generated glue and the guest SDK stay out of the folder; no network is needed. A go.mod that requires the SDK, \
github.com/undergo-dev/undergo/go-guest-sdk, decides itself which one is used. No native code of the folder runs. A newer Go that its go.mod names is \
fetched when GOTOOLCHAIN=auto is set.

Examples:
  undergo build                        the plugin in the current directory
  undergo build ./greeter -o out.wasm
  undergo build ./greeter --component -o greeter-component.wasm
  undergo build ./greeter --component --wit ./wit --world greeter
  undergo build --net --command ./server && undergo run --net any server.wasm
  undergo build ./greeter -- -tags=prod -ldflags='-X main.version=1.2'

Exit code: 0, or 1 when there is no plugin; the messages of Go and of the generator are shown as they are.";

pub(crate) fn run(args: &Args) -> Result<()> {
    if !args.component && !args.features.is_empty() {
        bail!("--features are those of a component: add --component");
    }
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
    let target = args.target()?;
    let is_program = args.command || target.as_ref().is_some_and(Target::is_program);
    let kind = if is_program { ModuleKind::Command } else { ModuleKind::Reactor };
    let goflags = GoFlags::gather(args, &go, kind)?;
    let progress = Progress::start("reading the package");
    let net = args.net.then(|| StdNet::of(&go)).transpose()?;
    let mut workspace = Workspace::new(&go, goflags.shared, &dir, &gomod, net)?;
    let package = Package::load(&go, &workspace, &progress)?;
    if !args.component && package.needs_component {
        bail!("{} is about HTTP as components have it: add --component", args.dir.display());
    }
    if is_program && package.has_directives()? {
        let how = if args.command { "build it without --command" } else { "name another world" };
        bail!("{} has //undergo: directives, and no function of a program can be called: {how}", args.dir.display());
    }
    let mut declared = Declared::default();
    let mut has_own_sdk = false;
    if is_program {
        if package.sdk == TreeSdk::Missing {
            workspace.provide_sdk(&go, &package, &progress)?;
        }
    } else if !package.is_bare()? {
        let import = workspace.provide_sdk(&go, &package, &progress)?;
        has_own_sdk = import == sdk::MODULE;
        let world = args.world.as_deref().filter(|_| target.is_none());
        generate(&go, &workspace, &import, world, &progress)?;
        if workspace.glue().exists() {
            workspace.lay_glue()?;
        }
        workspace.read_places(&mut declared)?;
    }
    if target.is_some() {
        package.add_raw(&dir, &mut declared)?;
    }
    if let Some(place) = package.zone_without_data(&dir) {
        progress.pass_on(
            format!("{place}: warning: time.LoadLocation finds no time zones in a sandbox: build with --tzdata, which adds them\n")
                .as_bytes(),
        );
    }

    progress.say(format!("compiling {}", package.name));
    let wasm = workspace.temp().join("plugin.wasm");
    let compiled = compile(&go, &workspace, &wasm, kind, &goflags.build, &progress);
    if compiled.is_err() && has_own_sdk {
        eprintln!(
            "note: {} takes the guest SDK from its own modules, and the glue is for that of undergo {}",
            package.name,
            undergo::VERSION
        );
    }
    compiled?;
    let bytes = fs::read(&wasm).context("the compiled module can't be read")?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", package.name)));
    drop(progress);
    let component = args.component.then_some(Wanted { features: &args.features, target: target.as_ref(), declared: &declared });
    let (bytes, summary) = finish::finish(bytes, kind, &args.code, component.as_ref())?;
    file::write(&output, &bytes)?;
    println!("{}  {summary}", output.display());
    Ok(())
}

impl Args {
    /// The world that the component is to have, if the user names one.
    fn target(&self) -> Result<Option<Target>> {
        let name = self.world.as_deref();
        if self.wit.is_none() && !name.is_some_and(|name| name.contains(':')) {
            return Ok(None);
        }
        if !self.component {
            bail!("{} is a world of components: add --component", name.unwrap_or_default());
        }
        Target::find(self.wit.as_deref(), name).map(Some)
    }
}

/// The flags of the go command: the user's, and ours.
struct GoFlags {
    /// What each command of the build has to know, by GOFLAGS.
    shared: Flags,
    /// What 'go build' is given as arguments.
    build: Vec<String>,
}

impl GoFlags {
    fn gather(args: &Args, go: &Go, kind: ModuleKind) -> Result<GoFlags> {
        let buildmode = if kind == ModuleKind::Reactor { "c-shared" } else { "exe" };
        let mut shared = Flags::default();
        shared.push("-trimpath");
        let users = Flags::of_environment(&go.flags)?;
        users.refuse("GOFLAGS", buildmode)?;
        shared.append(users);
        // Version control runs what the tree's own configuration names.
        shared.push("-buildvcs=false");
        let mut given = Flags::of_arguments(&args.flags)?;
        given.refuse("the command line", buildmode)?;
        shared.append(given.clone());
        if args.tzdata {
            shared.add_tag("timetzdata");
        }
        // Tracebacks come from Go's own tables, which these leave alone.
        let mut ours = if args.debug { Vec::new() } else { vec!["-s", "-w"] };
        if args.component {
            shared.add_tag(COMPONENT_TAG);
            // The SDK of a component asks Go's runtime for memory.
            ours.push("-checklinkname=0");
        }
        let mut build = vec![format!("-buildmode={buildmode}")];
        build.extend(flags::linker(&ours.join(" "), &shared.take("ldflags")));
        shared.take("buildmode");
        // Once more as arguments, where the go command refuses what it does not know.
        for counted in ["ldflags", "buildmode", "modfile", "tags"] {
            given.take(counted);
        }
        build.extend(given.into_iter().cloned());
        Ok(GoFlags { shared, build })
    }
}

fn world_name(name: &str) -> Result<String, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    // What is wrong with a whole name is said by who looks for it.
    if name.contains(':') || name.split('-').all(word) {
        return Ok(name.to_owned());
    }
    Err("a name in WIT is words of lower-case letters and digits, joined by hyphens: 'my-plugin', or with its package: 'wasi:http/proxy'"
        .to_owned())
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

/// Has the glue written, where there is anything to write it for.
fn generate(go: &Go, workspace: &Workspace, sdk: &str, world: Option<&str>, progress: &Progress) -> Result<()> {
    let generator = sdk::generator(go, progress)?;
    progress.say("generating glue");
    let mut command = go.helper(&generator, workspace.dir());
    workspace.apply(&mut command)?;
    command.args(["-quiet", "-dir", ".", "-sdk", sdk]).arg("-o").arg(workspace.glue()).arg("-places").arg(workspace.places());
    if let Some(world) = world {
        command.args(["-world", world]);
    }
    Go::run(&mut command, progress)?;
    Ok(())
}

fn compile(go: &Go, workspace: &Workspace, wasm: &Path, kind: ModuleKind, flags: &[String], progress: &Progress) -> Result<()> {
    let mut command = go.wasm(workspace.dir());
    workspace.apply(&mut command)?;
    let output = command.arg("build").args(flags).arg("-o").arg(wasm).arg(".").output().context("the go command can't be run")?;
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
    fn worlds_have_wit_names() {
        assert!(world_name("my-plugin2").is_ok());
        for bad in ["", "My", "a--b", "2a", "a_b"] {
            assert!(world_name(bad).is_err(), "{bad}");
        }
    }
}
