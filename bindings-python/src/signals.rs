//! Signals such as Ctrl-C: runs Python's signal handlers while a call computes or waits.

use std::cell::Cell;
use std::os::raw::c_ulong;
use std::time::{Duration, Instant};

use pyo3::ffi::PyThread_get_thread_ident;
use pyo3::prelude::*;
use undergo::Result;
use undergo::host::Lasting;

use crate::greenlets;
use crate::raised;

/// How often the main thread takes the interpreter's lock to look for signals. The lock may have to
/// be waited for, so not at each tick of the engine.
const LOOK: Duration = Duration::from_millis(20);

/// Python's number of its main thread, the only one on which handlers run.
static MAIN: Lasting<c_ulong> = Lasting::new();

thread_local! {
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Has every call look for signals.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let main = py.import("threading")?.call_method0("main_thread")?.getattr("ident")?.extract()?;
    MAIN.get_or_make(|| main);
    undergo::host::set_interrupt(look);
    Ok(())
}

/// Runs the handlers of signals that have come. What one of them raises ends the call, and comes
/// out of it as the same object.
fn look() -> Result<()> {
    // SAFETY: asks the system for the number of this thread, which needs neither the interpreter's
    // lock nor a state of it.
    let me = unsafe { PyThread_get_thread_ident() };
    if MAIN.get() != Some(&me) {
        return Ok(());
    }
    let now = Instant::now();
    if LOOKED.get().is_some_and(|looked| now.duration_since(looked) < LOOK) {
        return Ok(());
    }
    LOOKED.set(Some(now));
    // An interpreter that shuts down runs no handlers.
    Python::try_attach(|py| {
        greenlets::note(py);
        py.check_signals().map_err(|raised| raised::interrupted(py, raised))
    })
    .unwrap_or(Ok(()))
}
