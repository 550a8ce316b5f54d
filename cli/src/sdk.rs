//! The guest SDK in this binary: its sources, their place on disk, and the generator that is built
//! from them.
//!
//! The generator runs outside of any sandbox, so it always comes from here, whatever SDK the
//! plugin's module names.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result};
use undergo::host::private_file;

use crate::cache;
use crate::go::Go;
use crate::progress::Progress;

include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// The module's path.
pub(crate) const MODULE: &str = "github.com/undergo-dev/undergo/go-guest-sdk";

/// Its package for HTTP, of which components are made.
pub(crate) const HTTP: &str = "github.com/undergo-dev/undergo/go-guest-sdk/wasihttp";

/// The SDK's sources in the user's cache.
pub(crate) struct Sdk {
    dir: PathBuf,
}

impl Sdk {
    /// Writes the sources to the user's cache, unless they are there.
    pub(crate) fn extract() -> Result<Sdk> {
        let dir = cache::folder("sdk")?.join(format!("{}-{CONTENT}", undergo::VERSION));
        cache::lay(&dir, FILES)?;
        Ok(Sdk { dir })
    }

    /// The files of the packages that the glue calls: their names, with slashes, their texts, and
    /// where they are.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &'static str, PathBuf)> {
        packages().map(|(name, text)| (name, text, self.dir.join(name)))
    }
}

fn packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied().filter(|(name, _)| name.ends_with(".go") && !name.starts_with("cmd/"))
}

/// The generator, built for this machine once for each version of Go.
pub(crate) fn generator(go: &Go, progress: &Progress) -> Result<PathBuf> {
    let parent = cache::folder("bin")?;
    let program = parent.join(format!("undergo-gen-{CONTENT}-{}{}", go.version, env::consts::EXE_SUFFIX));
    if private_file(&program) {
        return Ok(program);
    }
    progress.say("building the generator");
    let scratch = cache::scratch(Some(&parent))?;
    // From fresh sources: the go command compiles whatever else lies beside them.
    let sources = scratch.path().join("sdk");
    cache::write(&sources, FILES)?;
    let fresh = scratch.path().join(format!("undergo-gen{}", env::consts::EXE_SUFFIX));
    let mut command = go.native(&sources);
    command.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&fresh).arg("./cmd/undergo-gen");
    // The user's flags are for plugins; the SDK needs nothing but the standard library.
    command.env("GOFLAGS", "-mod=readonly").env("GOWORK", "off");
    Go::run(&mut command, progress)?;
    #[cfg(unix)]
    // The umask may let others write it, and then it would not be run.
    fs::set_permissions(&fresh, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    // A concurrent run may have been quicker, and its program is as good: on some systems one in
    // use can't be replaced.
    if let Err(error) = fs::rename(&fresh, &program)
        && !private_file(&program)
    {
        return Err(error).with_context(|| format!("{} can't be written", program.display()));
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are compiled as a part of modules whose language is older.
    #[test]
    fn each_file_says_which_go_it_is_written_in() {
        assert!(packages().count() > 5);
        for (name, text) in packages() {
            let line = text.lines().next().unwrap_or_default();
            assert!(line.starts_with("//go:build ") && line.contains("go1.24"), "{name} begins with {line:?}");
        }
    }
}
