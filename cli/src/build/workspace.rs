//! What the go command is told beyond the user's files, in a temporary directory: a go.mod that knows the SDK, and an overlay with the
//! SDK's sources and the glue. So the plugin's folder stays as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::go::Go;
use crate::progress::Progress;
use crate::sdk::{MODULE, Sdk};
use crate::stdnet::StdNet;

/// The name of the glue in the plugin's folder, where it lies when it comes from `go generate`.
pub(super) const GLUE: &str = "undergo_gen.go";

/// Where the overlay puts the SDK, relative to the module's root. The go command writes the place of a replaced module into the binary:
/// the user's cache directory would make each machine's build another, and tell the user's name.
const SDK_PLACE: &str = ".undergo-sdk";

pub(super) struct Workspace {
    temp: TempDir,
    dir: PathBuf,
    flags: String,
    overlay: Map<String, Value>,
    /// Whether the plugin's go.mod names the SDK itself; then nothing is added.
    pub(super) requires_sdk: bool,
}

impl Workspace {
    /// `net` is what the overlay is to have in it besides.
    pub(super) fn new(go: &Go, sdk: &Sdk, dir: &Path, gomod: &Path, net: Option<StdNet>, progress: &Progress) -> Result<Workspace> {
        go.refuse_overlay()?;
        let temp = tempfile::Builder::new().prefix("undergo-").tempdir().context("there is no room for temporary files")?;
        // GOFLAGS is split at spaces, and there is no way around it.
        if temp.path().to_string_lossy().contains(char::is_whitespace) {
            bail!("the go command can't use a temporary directory with a space in its path, {}: set TMPDIR", temp.path().display());
        }
        let mut workspace = Workspace {
            temp,
            dir: dir.to_owned(),
            flags: go.flags.clone(),
            overlay: net.map(StdNet::into_replace).unwrap_or_default(),
            requires_sdk: requires_sdk(go, gomod, progress)?,
        };
        if !workspace.requires_sdk {
            workspace.add_sdk(go, sdk, gomod, progress)?;
        }
        workspace.write_overlay()?;
        let overlay = workspace.overlay_file();
        workspace.add_flag(&format!("-overlay={}", overlay.display()));
        Ok(workspace)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn temp(&self) -> &Path {
        self.temp.path()
    }

    /// Where the generator is to write.
    pub(super) fn glue(&self) -> PathBuf {
        self.temp.path().join(GLUE)
    }

    /// Tells a command, or what it runs, of the workspace.
    pub(super) fn apply(&self, command: &mut Command) {
        command.env("GOFLAGS", &self.flags);
        if !self.requires_sdk {
            // The go command takes no other go.mod in a workspace of modules.
            command.env("GOWORK", "off");
        }
    }

    /// Puts the fresh glue into the folder, as the compiler sees it. Without glue, an old one is hidden.
    pub(super) fn lay_glue(&mut self, typed: bool) -> Result<()> {
        let glue = if typed { self.glue().display().to_string() } else { String::new() };
        let place = self.dir.join(GLUE);
        if typed || place.exists() {
            self.overlay.insert(place.display().to_string(), Value::String(glue));
        }
        self.write_overlay()
    }

    fn add_sdk(&mut self, go: &Go, sdk: &Sdk, gomod: &Path, progress: &Progress) -> Result<()> {
        let copy = self.temp.path().join("go.mod");
        fs::copy(gomod, &copy).with_context(|| format!("{} can't be copied", gomod.display()))?;
        let gosum = gomod.with_file_name("go.sum");
        if gosum.exists() {
            fs::copy(&gosum, self.temp.path().join("go.sum")).with_context(|| format!("{} can't be copied", gosum.display()))?;
        }
        let require = format!("-require={MODULE}@v{}", undergo::VERSION);
        let replace = format!("-replace={MODULE}=./{SDK_PLACE}");
        Go::run(go.wasm(&self.dir).args(["mod", "edit", &require, &replace]).arg(&copy), progress)?;
        self.add_flag(&format!("-modfile={}", copy.display()));
        let root = gomod.parent().unwrap_or(Path::new("."));
        if root.join("vendor").join("modules.txt").exists() {
            // The vendor folder does not list the SDK, which the go command takes for an error.
            self.add_flag("-mod=mod");
        }
        let place = root.join(SDK_PLACE);
        for (name, file) in sdk.files() {
            self.overlay.insert(place.join(name).display().to_string(), Value::String(file.display().to_string()));
        }
        Ok(())
    }

    fn add_flag(&mut self, flag: &str) {
        if !self.flags.is_empty() {
            self.flags.push(' ');
        }
        self.flags.push_str(flag);
    }

    fn overlay_file(&self) -> PathBuf {
        self.temp.path().join("overlay.json")
    }

    fn write_overlay(&self) -> Result<()> {
        fs::write(self.overlay_file(), json!({ "Replace": self.overlay }).to_string()).context("there is no room for temporary files")
    }
}

fn requires_sdk(go: &Go, gomod: &Path, progress: &Progress) -> Result<bool> {
    let dir = gomod.parent().unwrap_or(Path::new("."));
    let output = Go::run(go.wasm(dir).args(["mod", "edit", "-json"]).arg(gomod), progress)?;
    let said: Value = serde_json::from_slice(&output.stdout).context("'go mod edit' gave no JSON")?;
    let is_sdk = |module: Option<&Value>| module.and_then(Value::as_str) == Some(MODULE);
    let required = said.get("Require").and_then(Value::as_array).into_iter().flatten().any(|require| is_sdk(require.get("Path")));
    Ok(required || is_sdk(said.pointer("/Module/Path")))
}
