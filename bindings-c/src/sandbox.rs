//! What an instance may reach.

use std::ffi::{c_char, c_void};
use std::time::{Duration, UNIX_EPOCH};

use undergo::{Clock, Dir, Error, ErrorKind, Input, LineSink, Output, Random, Result, Sandbox};

use crate::boundary::{Destroy, UserData, borrow_mut, bytes, delete, give, path, text};
use crate::errors::{ErrorHandle, from_host};
use crate::guard::guard;
use crate::types::TimeValue;

/// The guest's standard output.
pub const UNDERGO_STDOUT: u32 = 1;
/// The guest's standard error. Its end is always kept, for the text of a panic.
pub const UNDERGO_STDERR: u32 = 2;

/// What an instance may reach: by default, only the standard output and error of this process. Not
/// thread-safe while being modified; instances and pools take a copy when they are created.
pub struct SandboxHandle(Sandbox);

/// Gets a line of a guest's output: `len` bytes without the newline, followed by a NUL. NULL is
/// success; an error ends the call and the instance, and the caller gets it. It is called on the
/// thread of the call. It can't call the instance whose output it gets.
pub type LineFunction = Option<unsafe extern "C" fn(user_data: *mut c_void, line: *const c_char, len: usize) -> *mut ErrorHandle>;

/// SAFETY: NULL, or a sandbox that nobody changes meanwhile.
pub(crate) unsafe fn sandbox(given: *const SandboxHandle) -> Sandbox {
    // SAFETY: the caller's promise.
    unsafe { given.as_ref() }.map(|given| given.0.clone()).unwrap_or_default()
}

/// Creates an empty sandbox. Free it with `undergo_sandbox_delete`.
#[unsafe(no_mangle)]
pub extern "C" fn undergo_sandbox_new() -> *mut SandboxHandle {
    give(SandboxHandle(Sandbox::default()))
}

/// Frees a sandbox. NULL is accepted. Instances that were created with it are not affected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_delete(sandbox: *mut SandboxHandle) {
    // SAFETY: C's promise.
    unsafe { delete(sandbox) };
}

/// Adds an argument to os.Args, after the program's name, which is always there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_add_arg(sandbox: *mut SandboxHandle, arg: *const c_char) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, arg) = unsafe { (borrow_mut(sandbox, "sandbox")?, text(arg, "arg")?) };
        sandbox.0.args.push(arg.to_owned());
        Ok(())
    })
}

/// Sets an environment variable. Nothing is taken from this process's own environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_set_env(
    sandbox: *mut SandboxHandle,
    name: *const c_char,
    value: *const c_char,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, name, value) = unsafe { (borrow_mut(sandbox, "sandbox")?, text(name, "name")?, text(value, "value")?) };
        sandbox.0.env.retain(|(known, _)| known != name);
        sandbox.0.env.push((name.to_owned(), value.to_owned()));
        Ok(())
    })
}

/// Gives the guest a directory of the host.
///
/// `guest` is the path at which the guest sees it, `host` its path on the host, which is opened
/// when an instance, a pool or a run is created. If none is given at `/`, the guest sees an empty
/// root that it can only read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_add_dir(
    sandbox: *mut SandboxHandle,
    guest: *const c_char,
    host: *const c_char,
    readonly: bool,
) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, guest, host) = unsafe { (borrow_mut(sandbox, "sandbox")?, text(guest, "guest")?, path(host, "host")?) };
        sandbox.0.dirs.push((guest.to_owned(), Dir { path: host, readonly }));
        Ok(())
    })
}

/// Sets whether the guest gets a private, empty folder at `/tmp`; by default it does not. The
/// folder is created with the guest, in the host's place for temporary files, and removed when the
/// guest is reset or deleted. Only the host's disk limits what the guest writes there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_set_temp(sandbox: *mut SandboxHandle, temp: bool) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        unsafe { borrow_mut(sandbox, "sandbox") }?.0.temp = temp;
        Ok(())
    })
}

/// Sets the guest's standard input to these bytes, which are copied. It is empty by default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_stdin_bytes(sandbox: *mut SandboxHandle, content: *const c_void, len: usize) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, content) = unsafe { (borrow_mut(sandbox, "sandbox")?, bytes(content.cast(), len)) };
        sandbox.0.stdin = Input::Bytes(content.map_err(|text| Error::new(ErrorKind::TypeMismatch, text))?.to_owned());
        Ok(())
    })
}

/// Sets the guest's standard input to a file or a FIFO, which each instance reads from its
/// beginning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_stdin_file(sandbox: *mut SandboxHandle, file: *const c_char) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, file) = unsafe { (borrow_mut(sandbox, "sandbox")?, path(file, "file")?) };
        sandbox.0.stdin = Input::File(file);
        Ok(())
    })
}

/// Sets the guest's standard input to that of this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_stdin_inherit(sandbox: *mut SandboxHandle) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        unsafe { borrow_mut(sandbox, "sandbox") }?.0.stdin = Input::Inherit;
        Ok(())
    })
}

/// Sends an output, `UNDERGO_STDOUT` or `UNDERGO_STDERR`, to the same stream of this process. This
/// is the default, except for a command that is run, whose outputs are captured by default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_inherit(sandbox: *mut SandboxHandle, stream: u32) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { set(sandbox, stream, Output::Inherit) })
}

/// Drops an output.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_discard(sandbox: *mut SandboxHandle, stream: u32) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe { set(sandbox, stream, Output::Discard) })
}

/// Keeps an output, to be read with `undergo_instance_take_stdout` or `_stderr`, or
/// `undergo_completed_stdout` or `_stderr`: `limit` bytes of it, and 1 MiB for 0. The rest is
/// dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_capture(sandbox: *mut SandboxHandle, stream: u32, limit: usize) -> *mut ErrorHandle {
    let limit = if limit == 0 { 1 << 20 } else { limit };
    // SAFETY: C's promise.
    guard(|| unsafe { set(sandbox, stream, Output::Capture(limit)) })
}

/// Passes an output to a function, line by line. A line of more than 64 KiB comes in pieces, and an
/// unfinished line comes when the call ends. `destroy`, if there is one, is called once, when the
/// sandbox and all instances that were created with it are gone, or at once if this fails. For a
/// pool, lines of several instances come at the same time, on their threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_lines(
    sandbox: *mut SandboxHandle,
    stream: u32,
    function: LineFunction,
    user_data: *mut c_void,
    destroy: Destroy,
) -> *mut ErrorHandle {
    guard(|| {
        let user_data = UserData { data: user_data, destroy };
        let function = function.ok_or_else(|| crate::boundary::null("function"))?;
        let sink = LineSink::new(move |line| {
            let user_data = &user_data;
            // The NUL is for whoever prints it.
            let with_nul = [line, b"\0"].concat();
            // SAFETY: C's promise: the function may be called so, with its own data.
            let failed = unsafe { function(user_data.data, with_nul.as_ptr().cast(), line.len()) };
            // SAFETY: an error that is returned is handed over.
            if failed.is_null() { Ok(()) } else { Err(unsafe { from_host(failed) }) }
        });
        // SAFETY: C's promise.
        unsafe { set(sandbox, stream, Output::Lines(sink)) }
    })
}

/// Simulates the guest's clock, for repeatable runs. It starts at `start`, from 1970 on, anew for
/// each instance and each run. It advances by a microsecond whenever the guest reads it, and to the
/// end of a wait such as `time.Sleep`, which takes no time. Timeouts, and the times of files,
/// follow the host's clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_set_clock(sandbox: *mut SandboxHandle, start: TimeValue) -> *mut ErrorHandle {
    guard(|| {
        let since = u64::try_from(start.seconds).ok().filter(|_| start.nanoseconds < 1_000_000_000);
        let since = since.map(|seconds| Duration::new(seconds, start.nanoseconds)).and_then(|since| UNIX_EPOCH.checked_add(since));
        let start = since.ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "the start of a clock is to be a time from 1970 on"))?;
        // SAFETY: C's promise.
        unsafe { borrow_mut(sandbox, "sandbox") }?.0.clock = Clock::simulated(start);
        Ok(())
    })
}

/// Derives all random numbers of the guest from a seed, including those of `crypto/rand` and the
/// order of maps, for repeatable runs. Never use it where keys are made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_set_seed(sandbox: *mut SandboxHandle, seed: u64) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        unsafe { borrow_mut(sandbox, "sandbox") }?.0.random = Random::Seed(seed);
        Ok(())
    })
}

/// Allows the guest to use the network by a rule: `example.org:443` and `10.0.0.0/8:5432` allow
/// connecting, `listen=127.0.0.1:8080` allows listening; docs/network.md of the project has all
/// forms. What no rule allows is denied: see `undergo_completed_denied`, `undergo_instance_denied`
/// and `undergo_error_denied`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_allow_network(sandbox: *mut SandboxHandle, rule: *const c_char) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, rule) = unsafe { (borrow_mut(sandbox, "sandbox")?, text(rule, "rule")?) };
        sandbox.0.network.allow(rule)
    })
}

/// Listens at an address such as `127.0.0.1:8080` for the guest, which accepts there, from
/// descriptor 3 on (after those of directories, one for each listener), and needs no rule. The
/// system chooses a port for 0; `port`, if it is not NULL, is set to it. The listener is open at
/// once, shared by all instances, and closed with the last of them and the sandbox.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_listen(sandbox: *mut SandboxHandle, address: *const c_char, port: *mut u16) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise.
        let (sandbox, address) = unsafe { (borrow_mut(sandbox, "sandbox")?, text(address, "address")?) };
        let bound = sandbox.0.network.open(address)?;
        if !port.is_null() {
            // SAFETY: C's promise: a uint16_t can be written there.
            unsafe { port.write(bound.port()) };
        }
        Ok(())
    })
}

/// Passes an open listener to the guest, by its descriptor, which then belongs to Undergo, also if
/// this fails: a listening TCP socket, for example from `dup`. Otherwise like
/// `undergo_sandbox_listen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_sandbox_give_listener(sandbox: *mut SandboxHandle, descriptor: i32) -> *mut ErrorHandle {
    guard(|| {
        // SAFETY: C's promise: it is open, and handed over.
        let listener = unsafe { listener(descriptor) }?;
        // SAFETY: C's promise.
        unsafe { borrow_mut(sandbox, "sandbox") }?.0.network.give(listener)
    })
}

/// SAFETY: a descriptor that is open, and handed over, unless it is negative.
#[cfg(unix)]
unsafe fn listener(descriptor: i32) -> Result<std::net::TcpListener> {
    use std::os::fd::{FromRawFd, OwnedFd};
    if descriptor < 0 {
        return Err(Error::new(ErrorKind::TypeMismatch, format!("{descriptor} is no descriptor")));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
}

/// SAFETY: nothing is taken.
#[cfg(not(unix))]
unsafe fn listener(_descriptor: i32) -> Result<std::net::TcpListener> {
    Err(Error::new(ErrorKind::Denied, "this system has no descriptors"))
}

/// SAFETY: a sandbox that nobody else uses meanwhile.
pub(crate) unsafe fn set(sandbox: *mut SandboxHandle, stream: u32, output: Output) -> Result<()> {
    // SAFETY: the caller's promise.
    let sandbox = unsafe { borrow_mut(sandbox, "sandbox") }?;
    match stream {
        UNDERGO_STDOUT => sandbox.0.stdout = output,
        UNDERGO_STDERR => sandbox.0.stderr = output,
        other => {
            let text = format!("the stream is {other}; it must be UNDERGO_STDOUT or UNDERGO_STDERR");
            return Err(Error::new(ErrorKind::TypeMismatch, text));
        }
    }
    Ok(())
}
