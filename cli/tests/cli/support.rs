//! Running the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// What a run of the command came to.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: &Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Expects success, and gives the output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }

    /// Expects that exit code and all of the texts on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in: {}", self.stderr);
        }
    }
}

/// The command, without a network, and with a cache of the tests' own.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undergo"));
    command.current_dir(dir);
    command.env("UNDERGO_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.envs([("GOFLAGS", "-mod=mod"), ("GOPROXY", "off")]);
    command.env_remove("UNDERGO_GO").env_remove("GOWORK");
    command
}

pub(crate) fn run(command: &mut Command) -> Run {
    Run::of(&command.output().expect("the command starts"))
}

pub(crate) fn undergo(dir: &Path, args: &[&str]) -> Run {
    run(command(dir).args(args))
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A plugin of the fixtures, built once for a run of the tests.
fn built(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
    std::fs::create_dir_all(&dir).expect("a directory");
    let source = fixture(name);
    undergo(&dir, &["build", source.to_str().expect("a path")]).ok();
    dir.join(format!("{name}.wasm"))
}

pub(crate) fn kitchen() -> &'static str {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built("kitchen"));
    FILE.to_str().expect("a path")
}

/// A plugin with variants, and errors with fields.
pub(crate) fn shapes() -> &'static str {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built("shapes"));
    FILE.to_str().expect("a path")
}

/// A plugin with what lives longer than a call.
pub(crate) fn living() -> &'static str {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built("living"));
    FILE.to_str().expect("a path")
}

pub(crate) fn bare() -> &'static str {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built("bare"));
    FILE.to_str().expect("a path")
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        std::fs::write(file, text).expect("written");
    }
    dir
}

/// The names of what is in a directory, in order.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
