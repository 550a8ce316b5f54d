//! Tells which greenlet runs, also for gevent and eventlet. Greenlets share their thread's stack,
//! so the core can't tell them apart by itself.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::cached::{Cached, interned};

/// Has the core ask.
pub(crate) fn install() {
    undergo::host::set_coroutine(|| Python::try_attach(current).flatten());
}

/// Tells the core which greenlet the host's code runs in that a guest has called.
#[inline]
pub(crate) fn note(py: Python<'_>) {
    undergo::host::in_coroutine(current(py).unwrap_or(0));
}

/// Calls code of the user's, which may switch to other greenlets, with these positional arguments.
///
/// PyO3 counts for each thread how often it is attached to the interpreter. Greenlets share the
/// count of their thread, and take turns in any order: so whoever is left has to have as many as
/// whoever goes on. The interpreter's own code has none.
pub(crate) fn call<'py>(function: &Bound<'py, PyAny>, args: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    if current(py).is_none() {
        return function.call1(args);
    }
    let (function, args) = (function.clone().unbind(), args.unbind());
    let result = py.detach(|| {
        let attached = Attached::new();
        let result = function.bind(attached.py()).call1(args.into_bound(attached.py())).map(Bound::unbind);
        drop(attached);
        result
    });
    result.map(|result| result.into_bound(py))
}

/// Holds the interpreter without being counted.
struct Attached(ffi::PyGILState_STATE);

impl Attached {
    fn new() -> Attached {
        // SAFETY: the interpreter runs, and this thread has just let go of it.
        Attached(unsafe { ffi::PyGILState_Ensure() })
    }

    fn py(&self) -> Python<'_> {
        // SAFETY: this thread holds the interpreter while this lives.
        unsafe { Python::assume_attached() }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: it was taken in `new`, on this thread: greenlets do not leave theirs.
        unsafe { ffi::PyGILState_Release(self.0) };
    }
}

/// A number that no other greenlet of this thread has; 0 for the thread's own code where nothing
/// makes that switch. `None` in a program without greenlets.
fn current(py: Python<'_>) -> Option<u64> {
    static FUNCTION: Cached = Cached::new();
    let function = match FUNCTION.get(py) {
        Some(function) => function,
        None => {
            // Not imported here: a program without greenlets has none.
            let module = imported(py, interned!(py, "greenlet").ok()?)?;
            FUNCTION.get_or_find(py, || module.getattr("getcurrent")).ok()?
        }
    };
    let greenlet = function.call0().ok()?;
    Some(match greenlet.getattr(interned!(py, "parent").ok()?.cast::<PyString>().ok()?) {
        // A thread's own code, which switches only where somebody makes it to: gevent and eventlet
        // do in each wait.
        Ok(parent) if parent.is_none() => {
            let switches = imported(py, interned!(py, "gevent").ok()?).is_some() || imported(py, interned!(py, "eventlet").ok()?).is_some();
            u64::from(switches)
        }
        // Its address: a greenlet that is in the middle of a host function lives.
        _ => greenlet.as_ptr().addr() as u64,
    })
}

fn imported<'py>(py: Python<'py>, name: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the interpreter's lock is held, and the dict is lent for as long as the interpreter
    // lives.
    let modules = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyImport_GetModuleDict()) }?;
    modules.cast_into::<PyDict>().ok()?.get_item(name).ok()?.filter(|module| !module.is_none())
}
