//! Running a command: a program that runs to completion and returns an exit code.

use undergo::Completed;

use crate::boundary::{borrow, delete};
use crate::config::{CallOptionsValue, LimitsValue, UsageValue, call_options};
use crate::errors::ErrorHandle;
use crate::guard::{guard, put};
use crate::imports::ImportsHandle;
use crate::loaded::{self, PluginHandle};
use crate::sandbox::SandboxHandle;
use crate::types::BytesList;
use crate::values::{ValueHandle, texts};

/// The result of a command.
pub struct CompletedHandle(Completed);

/// Runs a command to completion, on this thread. The caller frees the result with
/// `undergo_completed_delete`.
///
/// `sandbox` has its arguments, its environment and its streams; its outputs are captured, up to 1
/// MiB each, unless the sandbox says otherwise. `imports` are the functions that it needs; `limits`
/// and `options` apply to the whole run. Each may be NULL, and all stay the caller's. Any exit code
/// is a result; errors are anything else that ends it (trap, timeout, cancelled, out-of-fuel),
/// invalid-plugin for a reactor, whose exports are to be called, missing-import, and denied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_plugin_run(
    plugin: *const PluginHandle,
    imports: *const ImportsHandle,
    sandbox: *const SandboxHandle,
    limits: *const LimitsValue,
    options: *const CallOptionsValue,
    completed: *mut *mut CompletedHandle,
) -> *mut ErrorHandle {
    // SAFETY: C's promise.
    guard(|| unsafe {
        put(completed, "completed", || {
            let plugin = borrow(plugin, "plugin")?;
            let wanted = loaded::options(plugin, imports, sandbox, limits)?;
            Ok(CompletedHandle(plugin.0.core.run(wanted, &call_options(options))?))
        })
    })
}

/// Frees the result of a command. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_delete(completed: *mut CompletedHandle) {
    // SAFETY: C's promise.
    unsafe { delete(completed) };
}

/// SAFETY: NULL, or a live handle.
unsafe fn read<'a, R>(completed: *const CompletedHandle, otherwise: R, get: impl FnOnce(&'a Completed) -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { completed.as_ref() }.map_or(otherwise, |completed| get(&completed.0))
}

/// SAFETY: as for [`read`].
unsafe fn bytes<'a>(completed: *const CompletedHandle, get: impl FnOnce(&'a Completed) -> &'a Vec<u8>) -> BytesList {
    // SAFETY: the caller's promise.
    unsafe {
        read(completed, BytesList { ptr: std::ptr::null(), len: 0 }, |completed| {
            let bytes = get(completed);
            BytesList { ptr: bytes.as_ptr(), len: bytes.len() }
        })
    }
}

/// Its exit code: that of `os.Exit`, 0 when `main` returned, 2 after a panic, whose text is on its
/// standard error; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_code(completed: *const CompletedHandle) -> i32 {
    // SAFETY: C's promise.
    unsafe { read(completed, -1, |completed| completed.code) }
}

/// What it wrote to its standard output, if that is captured. It lives as long as the handle, and
/// no NUL follows it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_stdout(completed: *const CompletedHandle) -> BytesList {
    // SAFETY: C's promise.
    unsafe { bytes(completed, |completed| &completed.stdout) }
}

/// The same for its standard error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_stderr(completed: *const CompletedHandle) -> BytesList {
    // SAFETY: C's promise.
    unsafe { bytes(completed, |completed| &completed.stderr) }
}

/// Whether it wrote more than is captured, or than the limits allow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_is_truncated(completed: *const CompletedHandle) -> bool {
    // SAFETY: C's promise.
    unsafe { read(completed, false, |completed| completed.truncated) }
}

/// What the sandbox denied it of the network, each denial once, with the rule that would allow it;
/// at most 64. A list of strings, which the caller frees with `undergo_value_delete`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_denied(completed: *const CompletedHandle) -> *mut ValueHandle {
    // SAFETY: C's promise.
    texts(unsafe { read(completed, Vec::new(), |completed| completed.denied.clone()) })
}

/// What it used; zeros for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_usage(completed: *const CompletedHandle) -> UsageValue {
    // SAFETY: C's promise.
    unsafe { read(completed, UsageValue { time: 0, memory: 0, fuel: 0, has_fuel: false }, |completed| completed.usage.into()) }
}

/// Gives what it used, as `undergo_completed_usage`, for hosts that can't take structs of four
/// words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn undergo_completed_used(completed: *const CompletedHandle, usage: *mut UsageValue) {
    // SAFETY: C's promise.
    if let Some(out) = unsafe { usage.as_mut() } {
        // SAFETY: C's promise.
        *out = unsafe { undergo_completed_usage(completed) };
    }
}
