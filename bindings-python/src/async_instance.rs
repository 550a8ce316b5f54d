//! An asynchronous instance, as a Python object whose methods are the exports.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use undergo::{CallOptions, InstanceOptions};

use crate::async_function::{AsyncAccess, AsyncFunction, Target, options_of};
use crate::cancel::CancelToken;
use crate::coroutine::Call;
use crate::exports::{Exports, View};
use crate::handle::Lent;
use crate::parts::{Origin, Owned};
use crate::{config, errors, raised, records};

/// A running copy of a plugin whose exports are awaited: `await instance.greet(...)`.
///
/// Host functions may be coroutines; the guest waits for them without holding a thread. One
/// call runs at a time; others wait, first come, first served.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct AsyncInstance {
    core: undergo::AsyncInstance,
    /// Says when it is a pool's again.
    lent: Option<Arc<Lent<undergo::AsyncInstance>>>,
    owned: Owned,
}

impl AsyncInstance {
    fn of<'py>(
        py: Python<'py>,
        origin: Origin,
        core: undergo::AsyncInstance,
        target: Target,
        lent: Option<Arc<Lent<undergo::AsyncInstance>>>,
    ) -> PyResult<Bound<'py, AsyncInstance>> {
        let access = AsyncAccess::make(py, target, &origin.host)?;
        let plugin = core.plugin().clone();
        origin.make(py, plugin.name(), |shape| AsyncFunction::new(&access, shape), |owned| AsyncInstance { core, lent, owned })
    }

    /// The instance, unless it is a pool's.
    pub(crate) fn lasting(&self) -> Option<&undergo::AsyncInstance> {
        self.lent.is_none().then_some(&self.core)
    }

    /// The instance, unless it was returned to its pool.
    fn own(&self, py: Python<'_>) -> PyResult<&undergo::AsyncInstance> {
        self.lent.as_ref().map_or(Ok(&self.core), |lent| lent.check()).map_err(|error| errors::to_python(py, &error))
    }

    /// An instance that a pool lends.
    pub(crate) fn lent<'py>(
        py: Python<'py>,
        origin: Origin,
        lent: &Arc<Lent<undergo::AsyncInstance>>,
    ) -> PyResult<Bound<'py, AsyncInstance>> {
        Self::of(py, origin, lent.instance.clone(), Target::Lent(lent.clone()), Some(lent.clone()))
    }

    /// What makes an instance when it is awaited.
    pub(crate) fn make(plugin: undergo::Plugin, options: InstanceOptions, origin: Origin) -> Call {
        Call::new("instantiate_async", None, move |start| {
            Box::pin(async move {
                let core = plugin.instantiate_async(options, &options_of(&CallOptions::default(), start)).await?;
                undergo::host::go_home().await;
                Python::attach(|py| {
                    let target = Target::Instance(core.clone());
                    let object = Self::of(py, origin, core, target, None);
                    object.map(|object| object.into_any().unbind()).map_err(|raised| raised::from_host(py, raised))
                })
            })
        })
    }
}

#[pymethods]
impl AsyncInstance {
    /// All exports, as attributes and by `[]`.
    #[getter]
    fn exports(&self, py: Python<'_>) -> Py<Exports> {
        self.owned.exports().clone_ref(py)
    }

    /// The plugin of this instance.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.owned.plugin(py)
    }

    /// Whether the instance answers calls.
    #[getter]
    fn alive(&self) -> bool {
        self.lent.as_ref().is_none_or(|lent| lent.check().is_ok()) && self.core.dead().is_none()
    }

    /// What the last call used, or the initialisation before the first call.
    ///
    /// Can be read during a call and after the instance has ended.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::usage(py, self.core.usage())
    }

    /// Let the guest's background goroutines run, which otherwise run only during calls.
    ///
    /// To be awaited.
    ///
    /// Args:
    ///     timeout: seconds that they may take.
    #[pyo3(signature = (*, timeout = None))]
    fn poll(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<Call> {
        let options = config::call_options(py, timeout, None)?;
        let core = self.own(py)?.clone();
        Ok(Call::new("poll", None, move |start| {
            Box::pin(async move { core.poll(&options_of(&options, start)).await.map(|()| Python::attach(|py| py.None())) })
        }))
    }

    /// Make the guest anew; a dead instance lives again. To be awaited.
    ///
    /// Args:
    ///     timeout: seconds for the wait and the initialisation; None: the limit of the instance.
    #[pyo3(signature = (*, timeout = None))]
    fn reset(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<Call> {
        let options = config::call_options(py, timeout, None)?;
        let core = self.own(py)?.clone();
        Ok(Call::new("reset", None, move |start| {
            Box::pin(async move { core.reset(&options_of(&options, start)).await.map(|()| Python::attach(|py| py.None())) })
        }))
    }

    /// Give other options to calls: `await instance.using(timeout=0.1).greet(...)`.
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

    /// Take what the guest has written to its captured standard output.
    fn take_stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stdout())
    }

    /// Take what the guest has written to its captured standard error.
    fn take_stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stderr())
    }

    /// What the sandbox has denied this instance of the network so far.
    ///
    /// Each denial is listed once, with the rule that would allow it; there are at most 64.
    #[getter]
    fn denied(&self) -> Vec<String> {
        self.core.denied()
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(self.owned.exports().get().unknown(py, name))
    }

    fn __repr__(&self) -> String {
        let state = self.core.dead().map_or_else(String::new, |dead| format!(", ended: {}", dead.message()));
        format!("<undergo.AsyncInstance of {}{state}>", self.core.plugin().name())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.owned.visit(&visit)
    }
}
