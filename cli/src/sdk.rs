//! The guest SDK that this binary carries: its sources, where they are kept on disk, and the generator built from them.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::cache;
use crate::go::Go;
use crate::progress::Progress;

include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// The module's path.
pub(crate) const MODULE: &str = "github.com/undergo-dev/undergo/go-guest-sdk";

/// The generator's package.
pub(crate) const GENERATOR: &str = "github.com/undergo-dev/undergo/go-guest-sdk/cmd/undergo-gen";

/// The SDK's sources in the user's cache.
pub(crate) struct Sdk {
    dir: PathBuf,
}

impl Sdk {
    /// Writes the sources to the user's cache, unless they are there.
    pub(crate) fn extract() -> Result<Sdk> {
        let dir = cache::dir()?.join("sdk").join(format!("{}-{CONTENT}", undergo::VERSION));
        if !dir.is_dir() {
            cache::write_folder(&dir, FILES.iter().copied())
                .with_context(|| format!("the guest SDK can't be written to {}; UNDERGO_CACHE_DIR names another place", dir.display()))?;
        }
        Ok(Sdk { dir })
    }

    /// Its files: their names, with slashes, and where they are.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        FILES.iter().map(|(name, _)| (*name, self.dir.join(name)))
    }

    /// The generator, built for this machine once for each version of Go.
    pub(crate) fn generator(&self, go: &Go, progress: &Progress) -> Result<PathBuf> {
        let parent = cache::dir()?.join("bin");
        let program = parent.join(format!("undergo-gen-{CONTENT}-{}{}", go.version, env::consts::EXE_SUFFIX));
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&parent).with_context(|| format!("{} can't be made", parent.display()))?;
        let made = tempfile::Builder::new().prefix("building-").tempdir_in(&parent).context("the generator can't be built")?;
        let fresh = made.path().join(format!("undergo-gen{}", env::consts::EXE_SUFFIX));
        let mut command = go.native(&self.dir);
        command.args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&fresh).arg("./cmd/undergo-gen");
        // The user's flags are for plugins; the SDK needs nothing but the standard library.
        command.env("GOFLAGS", "-mod=readonly").env("GOWORK", "off");
        progress.say("building the generator");
        Go::run(&mut command, progress)?;
        // A concurrent run may have been quicker, and its program is as good: on some systems one in use can't be replaced.
        if let Err(error) = fs::rename(&fresh, &program)
            && !program.is_file()
        {
            return Err(error).with_context(|| format!("{} can't be written", program.display()));
        }
        Ok(program)
    }
}
