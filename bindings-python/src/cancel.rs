//! Cancellation of calls from Python.

use pyo3::prelude::*;

/// Ends calls from another thread.
///
/// `instance.using(cancel=token).work()` raises `CancelledError` within milliseconds of
/// `token.cancel()`. A cancelled call ends whether the guest computes, sleeps, or waits for its
/// turn. Its instance is dead then, unless the call had not begun. Python code of a host
/// function is not interrupted: the call ends when the function returns. One token may serve
/// many calls. Once cancelled it stays so, and later calls with it end at once.
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

    /// Cancel all current and later calls with this token.
    ///
    /// Does not wait for their end. May be called from any thread, and more than once.
    fn cancel(&self) {
        self.core.cancel();
    }

    /// Whether the token was cancelled.
    #[getter]
    fn cancelled(&self) -> bool {
        self.core.is_cancelled()
    }

    fn __repr__(&self) -> String {
        format!("<undergo.CancelToken{}>", if self.core.is_cancelled() { ", cancelled" } else { "" })
    }
}
