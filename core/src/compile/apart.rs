//! Compiling in a separate process, whose time and memory are limited, and which can be stopped.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::compile::artifact::Artifact;
use crate::compile::engine::Flavor;
use crate::compile::how::How;
use crate::error::{Error, ErrorKind, Result};

/// Limits of the process: seconds of processor time, and bytes of address space. Several times what
/// the largest module within the usual bounds takes.
const TIME: u64 = 120;
const MEMORY: u64 = 4 << 30;

/// How much of the program's error output is read at most.
const MOST_WORDS: u64 = 4096;

/// How often to check whether the code is still wanted.
const LOOK: Duration = Duration::from_millis(5);

/// Compiles a module with an `undergo` program. `None` if nobody wanted the code any more, and the
/// program was stopped.
///
/// # Errors
///
/// `invalid-plugin` when the program can't be started, fails, or returns what is no code for this
/// process.
pub(crate) fn compile(program: &Path, flavor: Flavor, bytes: &[u8], how: &How, wanted: impl Fn() -> bool) -> Result<Option<Vec<u8>>> {
    let times = u64::from(how.bounds.max(1));
    let mut command = Command::new(program);
    command.args(["compile", "-", "--output", "-", "--compile", flavor.tier.as_str()]);
    command.arg(format!("--bounds={times}")).arg(format!("--max-seconds={}", TIME * times)).arg(format!("--max-memory={}", MEMORY * times));
    if flavor.fuel {
        command.arg("--fuel");
    }
    if flavor.suspends {
        command.arg("--wasi-0.3");
    }
    if !how.optimize {
        command.arg("--no-optimize");
    }
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| failed(program, &format!("can't be started: {error}")))?;
    let (input, output, words) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let writer = thread::Builder::new().spawn_scoped(scope, move || {
            block_sigpipe();
            // If the program does not read all of it, its error output says why.
            input.map(|mut input| input.write_all(bytes))
        });
        let code = thread::Builder::new().spawn_scoped(scope, || read(output, u64::MAX));
        let words = thread::Builder::new().spawn_scoped(scope, || read(words, MOST_WORDS));
        let (Ok(_), Ok(code), Ok(words)) = (writer, code, words) else {
            stop(&mut child);
            return Err(failed(program, "can't be served: the system gives no threads"));
        };
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                // The host's own code has reaped all children: the program's output has to do.
                Err(_) => break None,
                Ok(None) if !wanted() => {
                    stop(&mut child);
                    return Ok(None);
                }
                Ok(None) => thread::sleep(LOOK),
            }
        };
        let (code, words) = (code.join().unwrap_or_default(), words.join().unwrap_or_default());
        if status.is_some_and(|status| !status.success()) {
            return Err(failed(program, &why(status, &words, times)));
        }
        let artifact = Artifact::parse(&code).map_err(|error| failed(program, &format!("gave no code: {}", error.message())))?;
        if artifact.flavor != flavor || artifact.module != bytes {
            return Err(failed(program, "gave code of another kind, or of another module"));
        }
        Ok(Some(artifact.code.to_vec()))
    })
}

fn read(from: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some(mut from) = from else { return bytes };
    let _ = from.by_ref().take(most).read_to_end(&mut bytes);
    // The rest is discarded, so that the program can exit.
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    bytes
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Why the program ended, in words.
fn why(status: Option<ExitStatus>, words: &[u8], times: u64) -> String {
    let words = String::from_utf8_lossy(words);
    let last = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let said = if last.is_empty() { String::new() } else { format!(": {last}") };
    #[cfg(unix)]
    if let Some(signal) = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status)) {
        return match signal {
            libc::SIGXCPU => format!("ran out of its {} s of processor time; the module asks for too much", TIME * times),
            libc::SIGKILL => format!("was killed: by its limit of {} s of processor time, or for want of memory{said}", TIME * times),
            libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS => {
                format!("ended by signal {signal}, most likely at its limit of {} MiB of memory{said}", (MEMORY * times) >> 20)
            }
            _ => format!("ended by signal {signal}{said}"),
        };
    }
    let _ = times;
    match status.and_then(|status| status.code()) {
        Some(code) => format!("failed with code {code}{said}"),
        None => format!("failed{said}"),
    }
}

/// If the program exits early, SIGPIPE must not end this process too.
fn block_sigpipe() {
    #[cfg(unix)]
    // SAFETY: `sigemptyset` initialises the set before it is used, and the mask is that of this
    // thread alone.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

fn failed(program: &Path, what: &str) -> Error {
    Error::new(ErrorKind::InvalidPlugin, format!("the compiler {} {what}", program.display()))
}
