//! Asking calls to end, from Python.

use pyo3::prelude::*;

/// Ends calls from another thread: `instance.using(cancel=token).work()` raises `CancelledError` within some milliseconds of `token.cancel()`.
///
/// A cancelled call ends whether the guest computes, sleeps, or waits for its turn; its instance has ended then, unless the call had not begun. Python code
/// of a host function is not interrupted: the call ends when it returns. One token may serve many calls, and is used up once it is cancelled: later
/// calls with it end at once.
#[pyclass(frozen, weakref, module = "undergo")]
#[derive(Default)]
pub(crate) struct CancelToken {
    pub(crate) core: undergo::CancelToken,
}

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Cancel all calls that have this token, now and later. Does not wait for their end; may be called from any thread, and more than once.
    fn cancel(&self) {
        self.core.cancel();
    }

    /// Whether it was cancelled.
    #[getter]
    fn cancelled(&self) -> bool {
        self.core.is_cancelled()
    }

    fn __repr__(&self) -> String {
        format!("<undergo.CancelToken{}>", if self.core.is_cancelled() { ", cancelled" } else { "" })
    }
}
