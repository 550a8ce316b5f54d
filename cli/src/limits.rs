//! What this process may take, for compiling the modules of strangers.

use std::io;

/// Bounds the processor time and the memory of this process, and gives it the lowest priority. What
/// goes beyond ends the process.
#[cfg(unix)]
pub(crate) fn set(seconds: Option<u64>, bytes: Option<u64>) -> io::Result<()> {
    for (resource, most) in [(libc::RLIMIT_CPU, seconds), (libc::RLIMIT_AS, bytes), (libc::RLIMIT_CORE, Some(0))] {
        let Some(most) = most else { continue };
        // Not above what this process was given.
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a struct that outlives the call.
        check(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
        limit.rlim_cur = limit.rlim_max.min(most as libc::rlim_t);
        // SAFETY: as above.
        check(unsafe { libc::setrlimit(resource, &raw const limit) })?;
    }
    // SAFETY: it has no preconditions. That it fails does no harm.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) };
    Ok(())
}

#[cfg(unix)]
fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(not(unix))]
pub(crate) fn set(_: Option<u64>, _: Option<u64>) -> io::Result<()> {
    Ok(())
}
