//! A pool of asynchronous instances, as a Python object whose methods are the exports.

use pyo3::prelude::*;
use undergo::PoolOptions;

use crate::async_function::{AsyncAccess, AsyncFunction, Target};
use crate::cancel::CancelToken;
use crate::coroutine::Call;
use crate::exports::{Exports, View};
use crate::lending::AsyncLending;
use crate::parts::{Origin, Owned};
use crate::{config, errors, records};

/// Interchangeable instances whose exports are awaited: `await pool.greet(...)`.
///
/// Many tasks of one or several event loops may call it. A call takes a free instance, creates
/// one, or waits for its turn. Use it as an asynchronous context manager, or await `close()`.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct AsyncPool {
    core: undergo::AsyncPool,
    owned: Owned,
}

impl AsyncPool {
    pub(crate) fn make<'py>(
        py: Python<'py>,
        plugin: &undergo::Plugin,
        options: PoolOptions,
        origin: Origin,
    ) -> PyResult<Bound<'py, AsyncPool>> {
        let core = plugin.async_pool(options).map_err(|error| errors::to_python(py, &error))?;
        let access = AsyncAccess::make(py, Target::Pool(core.clone()), &origin.host)?;
        origin.make(py, plugin.name(), |shape| AsyncFunction::new(&access, shape), |owned| AsyncPool { core, owned })
    }

    fn closing(&self, timeout: Option<std::time::Duration>) -> Call {
        let core = self.core.clone();
        Call::new("close", None, move |_| Box::pin(async move { core.close(timeout).await.map(|()| Python::attach(|py| py.None())) }))
    }
}

#[pymethods]
impl AsyncPool {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.exports().clone_ref(py)
    }

    /// The plugin of these instances.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.owned.plugin(py)
    }

    /// The maximum number of instances.
    #[getter]
    fn size(&self) -> usize {
        self.core.size()
    }

    /// What the pool has done so far, and what it has now.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::pool_stats(py, self.core.stats())
    }

    /// Whether the pool is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.core.is_closed()
    }

    /// Give other options to calls: `await pool.using(timeout=0.1).greet(...)`.
    ///
    /// Args:
    ///     timeout: seconds that a call may take, including the wait for its turn.
    ///     cancel: a token that can end the calls earlier, from any thread.
    #[pyo3(signature = (*, timeout = None, cancel = None))]
    fn using<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, View>> {
        View::make(self.owned.exports().bind(py), config::call_options(py, timeout, cancel)?)
    }

    /// Lend an instance for calls that belong together: `async with pool.instance() as instance:`.
    ///
    /// Objects, iterators and streams of a guest are of one instance, so a call of the pool itself
    /// that would give one is refused. The end of `async with` closes what is still open of
    /// them, and returns the instance, which can't be used from then on.
    ///
    /// Args:
    ///     timeout: seconds to wait for an instance, or for a new one's creation; None: the limit
    ///         of the instances.
    ///     cancel: a token that can end the wait earlier, from any thread.
    #[pyo3(signature = (*, timeout = None, cancel = None))]
    fn instance(
        &self,
        py: Python<'_>,
        timeout: Option<Bound<'_, PyAny>>,
        cancel: Option<&Bound<'_, CancelToken>>,
    ) -> PyResult<AsyncLending> {
        let options = config::call_options(py, timeout, cancel)?;
        Ok(AsyncLending::new(self.core.clone(), options, self.owned.origin(py)))
    }

    /// Create instances until there are this many, or as many as the pool may have.
    ///
    /// To be awaited.
    ///
    /// Raises:
    ///     DeadInstanceError: if the pool is closed.
    ///     Error: whatever ended an initialisation.
    fn warm_up(&self, instances: usize) -> Call {
        let core = self.core.clone();
        Call::new("warm_up", None, move |_| Box::pin(async move { core.warm_up(instances).await.map(|()| Python::attach(|py| py.None())) }))
    }

    /// Close the pool, and wait for running calls. To be awaited.
    ///
    /// New calls, and those that wait, raise `DeadInstanceError`.
    ///
    /// Args:
    ///     timeout: seconds to wait; None: without limit.
    ///
    /// Raises:
    ///     TimeoutError: if calls are still running then.
    #[pyo3(signature = (timeout = None))]
    fn close(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<Call> {
        Ok(self.closing(config::call_options(py, timeout, None)?.timeout))
    }

    fn __aenter__(slf: Py<Self>) -> Call {
        Call::new("__aenter__", None, move |_| Box::pin(async move { Ok(slf.into_any()) }))
    }

    #[pyo3(signature = (*_raised))]
    fn __aexit__(&self, _raised: &Bound<'_, pyo3::types::PyTuple>) -> Call {
        self.closing(None)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(self.owned.exports().get().unknown(py, name))
    }

    fn __repr__(&self) -> String {
        let state = if self.core.is_closed() { ", closed" } else { "" };
        format!("<undergo.AsyncPool of up to {} × {}{state}>", self.core.size(), self.core.plugin().name())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.owned.visit(&visit)
    }
}
