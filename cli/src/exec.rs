//! `undergo exec`: runs programs that the go command has built, for `go test -exec` and
//! `go run -exec`.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use undergo::{CallOptions, Dir, Error, ErrorKind, Input, InstanceOptions, Limits, Output, Sandbox};

use crate::duration;
use crate::failure::{self, Failure};
use crate::improve;
use crate::options::{Loading, Reach, variable};

/// Run programs that 'go test' and 'go run' have built for WASI
#[derive(clap::Args)]
#[command(after_help = HELP, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Write go_wasip1_wasm_exec to that directory; the go command uses it if the directory is on
    /// PATH
    #[arg(long, value_name = "DIR", exclusive = true)]
    install: Option<PathBuf>,
    /// Set an environment variable; without a value, pass it on. PWD and PATH are always set
    #[arg(long = "env", value_name = "NAME[=VALUE]", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Pass on the whole environment of this command; --env takes precedence
    #[arg(long)]
    env_all: bool,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    loading: Loading,
    /// The program, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "PROGRAM [ARGS]")]
    program: Vec<String>,
}

const HELP: &str = "\
The program sees the whole file system of this machine, the working directory, and PATH, as with Go's own script; it has 8 MiB of stack.
A test that computes without end is ended when the -timeout of 'go test' is over, although Go can't interrupt itself there.

The words of GOWASIRUNTIMEARGS are options that come first, unless GOWASIRUNTIME names another runtime.

Exit code: that of the program; 2 after a timeout of 'go test', as Go has it; 125 when it could not be run, or trapped.

Examples:
  GOOS=wasip1 GOARCH=wasm go test -exec 'undergo exec' ./...
  GOOS=wasip1 GOARCH=wasm go run -exec 'undergo exec' . -v
  undergo exec --install ~/bin     then, with ~/bin on PATH: GOOS=wasip1 GOARCH=wasm go test ./...
  undergo exec --env GODEBUG --env MODE=ci     as -exec 'undergo exec --env GODEBUG --env MODE=ci'
  GOWASIRUNTIMEARGS='--net any'    options for it, as for Go's own script";

const NOT_RUN: u8 = 125;

/// The stack that Go's own script asks for.
const STACK: u64 = 8 << 20;

/// As many as most systems let a process have: these are programs of whoever runs them.
const DESCRIPTORS: u32 = 1024;

/// How long a test binary has to tell of its own timeout: it knows which tests ran, and has all
/// traces.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(folder) = &args.install {
        return install(folder).map(|()| ExitCode::SUCCESS);
    }
    let Some((program, rest)) = args.program.split_first() else { bail!("which program? The go command names one") };
    if program.starts_with('-') {
        bail!("{program} is no option of 'undergo exec'; those of GOWASIRUNTIMEARGS are read, too");
    }
    let timeout = test_timeout(rest);
    let options = InstanceOptions {
        sandbox: Sandbox { network: args.reach.network()?, ..sandbox(args, rest)? },
        limits: Limits {
            stack: Some(STACK),
            descriptors: Some(DESCRIPTORS),
            timeout: timeout.map(|timeout| timeout + GRACE),
            ..Limits::default()
        },
        ..InstanceOptions::default()
    };
    match improve::load(program.as_ref(), &args.loading).and_then(|plugin| plugin.run(options, &CallOptions::default())) {
        Ok(done) => {
            failure::tell_denied(&done.denied);
            // The system has eight bits for it, as it has for other programs.
            Ok(ExitCode::from(done.code as u8))
        }
        Err(error) if error.kind() == ErrorKind::Timeout => {
            eprint!("{}", undergo::host::escape::text(&timed_out(timeout.unwrap_or_default(), &error)));
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(Failure::Run(error, NOT_RUN).into()),
    }
}

/// What Go's script gives: all files, the working directory, PATH.
fn sandbox(options: &Args, args: &[String]) -> Result<Sandbox> {
    let here = env::current_dir().context("the working directory is gone")?;
    let here = here.to_str().context("the working directory has a name that is not UTF-8, which WASI can't carry")?;
    // PWD may go through symbolic links, where the go command stands as well.
    let here =
        env::var("PWD").ok().filter(|pwd| fs::canonicalize(pwd).ok() == fs::canonicalize(here).ok()).unwrap_or_else(|| here.to_owned());
    let path = env::var("PATH").unwrap_or_default();
    Ok(Sandbox {
        args: args.to_vec(),
        dirs: dirs(&here),
        env: environment(options, [("PATH", path), ("PWD", here)]),
        stdin: Input::Inherit,
        stdout: Output::Inherit,
        stderr: Output::Inherit,
        ..Sandbox::default()
    })
}

/// The variables in which each name stands once: the options count more than what Go's script
/// gives, and that more than the rest.
fn environment(options: &Args, scripts: [(&str, String); 2]) -> Vec<(String, String)> {
    let all =
        env::vars_os().filter(|_| options.env_all).filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // Windows has variables of the current directories, whose names begin with '='.
    let mut variables: BTreeMap<String, String> = all.filter(|(name, _)| !name.is_empty() && !name.contains('=')).collect();
    variables.extend(scripts.map(|(name, value)| (name.to_owned(), value)));
    variables.extend(options.env.iter().cloned());
    variables.into_iter().collect()
}

/// The arguments of the whole command, with the words of GOWASIRUNTIMEARGS where the options of
/// `exec` begin.
pub(crate) fn with_runtime_args(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_ours =
        env::var("GOWASIRUNTIME").is_ok_and(|runtime| matches!(&*runtime, "" | "undergo")) || env::var_os("GOWASIRUNTIME").is_none();
    let given = env::var("GOWASIRUNTIMEARGS").unwrap_or_default();
    if is_ours && args.get(1).is_some_and(|command| command == "exec") && args.len() > 2 && args.get(2).is_none_or(|arg| arg != "--install")
    {
        args.splice(2..2, given.split_whitespace().map(OsString::from));
    }
    args
}

/// All files; and the working directory's links once more, as what they lead to: the sandbox
/// follows no link that has an absolute target.
fn dirs(here: &str) -> Vec<(String, Dir)> {
    let dir = |path: PathBuf| Dir { path, readonly: false };
    let mut dirs = vec![("/".to_owned(), dir(PathBuf::from("/")))];
    for above in Path::new(here).ancestors() {
        let is_link = fs::symlink_metadata(above).is_ok_and(|found| found.is_symlink());
        if let (true, Some(name), Ok(target)) = (is_link, above.to_str(), fs::canonicalize(above)) {
            dirs.push((name.to_owned(), dir(target)));
        }
    }
    dirs
}

/// The timeout that 'go test' gave the test binary; 0 is none.
fn test_timeout(args: &[String]) -> Option<Duration> {
    let flags = args.iter().take_while(|arg| *arg != "--").enumerate();
    let given = flags.filter_map(|(i, arg)| {
        let flag = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?.strip_prefix("test.timeout")?;
        if flag.is_empty() { args.get(i + 1).map(String::as_str) } else { flag.strip_prefix('=') }
    });
    let nanoseconds = given.last().and_then(duration::parse).and_then(|duration| u64::try_from(duration).ok());
    nanoseconds.filter(|nanoseconds| *nanoseconds > 0).map(Duration::from_nanos)
}

/// What Go says, and the stack of the goroutine that did not let go.
fn timed_out(timeout: Duration, error: &Error) -> String {
    let mut text = format!("panic: test timed out after {timeout:?}\n");
    if !error.frames().is_empty() {
        text.push_str("\ngoroutine running:\n");
        text.extend(error.frames().iter().map(|frame| format!("{}(...)\n", frame.function)));
    }
    text
}

fn install(folder: &Path) -> Result<()> {
    let file = folder.join("go_wasip1_wasm_exec");
    let this = env::current_exe().context("the path of this program can't be found out")?;
    let text = format!("#!/bin/sh\nexec '{}' exec \"$@\"\n", this.display().to_string().replace('\'', r"'\''"));
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    fs::write(&file, text).with_context(|| format!("{} can't be written", file.display()))?;
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .with_context(|| format!("{} can't be made executable", file.display()))?;
    println!("{} is there. With its directory on PATH, GOOS=wasip1 GOARCH=wasm go test ./... needs no flag.", file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_of_go_test_is_found() {
        let timeout = |text: &str| test_timeout(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(timeout("-test.paniconexit0 -test.timeout=2s -test.v"), Some(Duration::from_secs(2)));
        assert_eq!(timeout("--test.timeout 1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(timeout("-test.timeout=1s -test.timeout=3s"), Some(Duration::from_secs(3)));
        for none in ["", "-test.timeout=0s", "-test.timeout", "-test.timeout=x", "-- -test.timeout=2s", "-test.timeouts=2s"] {
            assert_eq!(timeout(none), None, "{none}");
        }
    }
}
