//! Interchangeable instances of a plugin, as one Python object whose methods are the exports.

use pyo3::prelude::*;

use crate::cancel::CancelToken;
use crate::exports::{Exports, View};
use crate::function::{Access, Function, Target};
use crate::lending::Lending;
use crate::parts::{Origin, Owned};
use crate::{config, errors, records};

/// Interchangeable instances of one plugin, whose exports are the pool's methods.
///
/// `Plugin.pool` creates it. `exports` holds all exports, including those whose names are taken
/// by a method of this class.
///
/// Any number of threads may call it. A call takes a free instance, creates one, or waits for
/// its turn: first come, first served. An instance that a call has ended is replaced. Which
/// instance answers is not defined, so calls must not rely on state in a guest. As a context
/// manager, the pool closes at the end and waits for running calls.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct Pool {
    core: undergo::Pool,
    owned: Owned,
}

impl Pool {
    pub(crate) fn make<'py>(py: Python<'py>, origin: Origin, core: undergo::Pool) -> PyResult<Bound<'py, Pool>> {
        let access = Access::make(py, Target::Pool(core.clone()), &origin.host)?;
        let plugin = core.plugin().clone();
        origin.make(py, plugin.name(), |shape| Function::new(&access, shape), |owned| Pool { core, owned })
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

    /// Give other options to calls: `pool.using(timeout=0.1).greet(...)`.
    ///
    /// Args:
    ///     timeout: seconds that a call may take, including waiting for an instance and creating
    ///         one; None: the limit of the instances.
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

    /// Lend an instance for calls that belong together: `with pool.instance() as instance:`.
    ///
    /// Objects, iterators and streams of a guest are of one instance, so a call of the pool itself
    /// that would give one is refused. The end of `with` closes what is still open of them, and
    /// returns the instance, which can't be used from then on. The thread that has begun has to end
    /// it.
    ///
    /// Args:
    ///     timeout: seconds to wait for an instance, or for a new one's creation; None: the limit
    ///         of the instances.
    ///     cancel: a token that can end the wait earlier, from any thread.
    #[pyo3(signature = (*, timeout = None, cancel = None))]
    fn instance(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>, cancel: Option<&Bound<'_, CancelToken>>) -> PyResult<Lending> {
        let options = config::call_options(py, timeout, cancel)?;
        Ok(Lending::new(self.core.clone(), options, self.owned.origin(py)))
    }

    /// Create instances until there are this many, or as many as the pool may have.
    ///
    /// The first calls then need not create them.
    ///
    /// Raises:
    ///     DeadInstanceError: if the pool is closed.
    ///     Error: whatever ended an initialisation.
    fn warm_up(&self, py: Python<'_>, instances: &Bound<'_, PyAny>) -> PyResult<()> {
        let instances = config::count(instances, "instances", 0)?;
        self.warm(py, usize::try_from(instances).unwrap_or(usize::MAX))
    }

    /// Close the pool, and wait for running calls.
    ///
    /// New calls, and those that wait, raise `DeadInstanceError`.
    ///
    /// Args:
    ///     timeout: seconds to wait; None: without limit.
    ///
    /// Raises:
    ///     TimeoutError: if calls are still running then.
    ///     BusyError: if called from within a host function that this pool has called. The pool is
    ///         closed in either case.
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
