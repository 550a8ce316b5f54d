//! Interchangeable instances of a plugin, as one Python object whose methods are the exports.

use pyo3::prelude::*;

use crate::cancel::CancelToken;
use crate::exports::{Exports, View};
use crate::function::{Function, Target};
use crate::parts::{Origin, Owned};
use crate::{config, errors, records};

/// Instances of one plugin that stand in for each other, made by `Plugin.pool`. Its exports are its methods; `exports` holds all of them, also
/// those whose names are taken by a method of this class.
///
/// Any number of threads may call it. A call takes an instance that is free, or makes one, or waits its turn: first come, first served. An instance that a
/// call has ended is replaced. Calls share nothing that is in a guest: which instance answers is not defined. As a context manager it closes at the end, and
/// waits for the calls that run.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct Pool {
    core: undergo::Pool,
    owned: Owned,
}

impl Pool {
    pub(crate) fn make<'py>(py: Python<'py>, origin: Origin, core: undergo::Pool) -> PyResult<Bound<'py, Pool>> {
        let (target, plugin) = (Target::Pool(core.clone()), core.plugin().clone());
        origin.make(py, plugin.name(), |shape, host| Function::new(py, &target, shape, host), |owned| Pool { core, owned })
    }

    pub(crate) fn warm(&self, py: Python<'_>, instances: usize) -> PyResult<()> {
        py.detach(|| self.core.warm_up(instances)).map_err(|error| errors::to_python(py, &error))
    }
}

#[pymethods]
impl Pool {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.exports().clone_ref(py)
    }

    /// The plugin whose instances these are.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.owned.plugin(py)
    }

    /// The most instances that there are at once.
    #[getter]
    fn size(&self) -> usize {
        self.core.size()
    }

    /// What the pool did so far, and what it has now.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::pool_stats(py, self.core.stats())
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.core.is_closed()
    }

    /// A view of the same pool with other options for its calls: `pool.using(timeout=0.1).greet(...)`.
    ///
    /// Args:
    ///     timeout: seconds that a call may take, waiting for an instance and making one included; the limit of the instances when None.
    ///     cancel: a token that can end the calls before that, from any thread.
    #[pyo3(signature = (*, timeout = None, cancel = None))]
    fn using<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, View>> {
        View::make(self.owned.exports().bind(py), config::call_options(py, timeout, cancel)?)
    }

    /// Make instances until there are that many, or as many as the pool may have, so that the first calls need not.
    ///
    /// Raises:
    ///     DeadInstanceError: when the pool is closed.
    ///     Error: what ended an initialisation.
    fn warm_up(&self, py: Python<'_>, instances: &Bound<'_, PyAny>) -> PyResult<()> {
        let instances = config::count(instances, "instances", 0)?;
        self.warm(py, usize::try_from(instances).unwrap_or(usize::MAX))
    }

    /// Turn away new calls and those that wait, which raise `DeadInstanceError`; let those that run finish, and wait for that.
    ///
    /// Args:
    ///     timeout: seconds to wait; as long as it takes when None.
    ///
    /// Raises:
    ///     TimeoutError: when calls still run by then.
    ///     BusyError: from within a host function that this pool called. The pool is closed in both cases.
    #[pyo3(signature = (timeout = None))]
    fn close(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let timeout = config::call_options(py, timeout, None)?.timeout;
        py.detach(|| self.core.close(timeout)).map_err(|error| errors::to_python(py, &error))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.close(py, None)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(self.owned.exports().get().unknown(py, name))
    }

    fn __repr__(&self) -> String {
        let stats = self.core.stats();
        let state = if self.core.is_closed() { ", closed" } else { "" };
        let name = self.core.plugin().name();
        format!("<undergo.Pool of {name}: {} busy, {} idle, at most {}{state}>", stats.busy, stats.idle, self.core.size())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.owned.visit(&visit)
    }
}
