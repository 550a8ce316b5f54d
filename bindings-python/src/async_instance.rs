//! An asynchronous instance, as a Python object whose methods are the exports.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use undergo::{CallOptions, InstanceOptions};

use crate::async_function::{AsyncFunction, Target, options_of};
use crate::config;
use crate::coroutine::{self, Call};
use crate::errors;
use crate::function::{self, Exports};
use crate::imports::HostTable;
use crate::instance::{Owned, View, bind};
use crate::plugin::Plugin;

/// A running copy of a plugin whose exports are awaited: `await instance.greet(...)`. Host functions may be coroutines, for which the guest waits
/// without a thread. One call runs at a time; others wait, first come, first served.
#[pyclass(frozen, dict, weakref, module = "undergo")]
pub(crate) struct AsyncInstance {
    core: undergo::AsyncInstance,
    owned: Owned<Parts>,
}

/// What the object owns for the garbage collector to see.
pub(crate) type Parts = (Py<Plugin>, Py<Exports>, Py<HostTable>);

/// Makes the functions of an object, and what it owns.
pub(crate) fn parts<'py>(
    py: Python<'py>,
    plugin: &Bound<'py, Plugin>,
    target: &Target,
    host: Py<HostTable>,
) -> PyResult<(Parts, Bound<'py, PyDict>)> {
    let functions = PyDict::new(py);
    for shape in plugin.get().shapes() {
        let options = CallOptions::default();
        let function = AsyncFunction { target: target.clone(), shape: shape.clone(), options, host: host.clone_ref(py) };
        functions.set_item(&shape.name, Py::new(py, function)?)?;
    }
    let exports = Py::new(py, Exports { functions: functions.clone().unbind(), plugin: target.plugin().name().to_owned() })?;
    Ok(((plugin.clone().unbind(), exports, host), functions))
}

/// The same functions with other options.
pub(crate) fn view<'py>(py: Python<'py>, parts: &Parts, options: &CallOptions) -> PyResult<Bound<'py, View>> {
    let exports = parts.1.get();
    let functions = PyDict::new(py);
    for (name, function) in exports.functions.bind(py).iter() {
        functions.set_item(name, function.cast::<AsyncFunction>()?.get().with_options(py, options.clone()))?;
    }
    let exports = Py::new(py, Exports { functions: functions.clone().unbind(), plugin: exports.plugin.clone() })?;
    let view = Bound::new(py, View { owned: Owned::new(exports) })?;
    bind(view.as_any(), &functions)?;
    Ok(view)
}

impl AsyncInstance {
    /// What makes an instance when it is awaited.
    pub(crate) fn make(plugin: &Bound<'_, Plugin>, options: InstanceOptions, host: Py<HostTable>) -> Call {
        let core = plugin.get().core().clone();
        let plugin = plugin.clone().unbind();
        Call::new("instantiate_async", None, move |start| {
            Box::pin(async move {
                let made = core.instantiate_async(options, &options_of(&CallOptions::default(), start, None)).await?;
                undergo::go_home().await;
                Python::attach(|py| {
                    let plugin = plugin.bind(py);
                    let target = Target::Instance(made.clone());
                    let (parts, functions) = parts(py, plugin, &target, host).map_err(|raised| errors::from_host(py, raised))?;
                    let object = Bound::new(py, AsyncInstance { core: made, owned: Owned::new(parts) });
                    let object = object.and_then(|object| bind(object.as_any(), &functions).map(|()| object));
                    object.map(|object| object.into_any().unbind()).map_err(|raised| errors::from_host(py, raised))
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
        self.owned.get().1.clone_ref(py)
    }

    /// The plugin that this is a copy of.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<Plugin> {
        self.owned.get().0.clone_ref(py)
    }

    /// Whether the instance answers calls.
    #[getter]
    fn alive(&self) -> bool {
        self.core.dead().is_none()
    }

    /// Give the guest's background goroutines a turn: they run only while a call does. To be awaited.
    #[pyo3(signature = (*, timeout = None))]
    fn poll(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<Call> {
        let options = config::call_options(py, timeout)?;
        let (core, within) = (self.core.clone(), coroutine::lease(py)?);
        Ok(Call::new("poll", None, move |start| {
            Box::pin(async move { core.poll(&options_of(&options, start, within)).await.map(|()| Python::attach(|py| py.None())) })
        }))
    }

    /// Take the guest back to where it was after its first initialisation; a dead instance lives again. To be awaited.
    #[pyo3(signature = (*, timeout = None))]
    fn reset(&self, py: Python<'_>, timeout: Option<Bound<'_, PyAny>>) -> PyResult<Call> {
        let options = config::call_options(py, timeout)?;
        let (core, within) = (self.core.clone(), coroutine::lease(py)?);
        Ok(Call::new("reset", None, move |start| {
            Box::pin(async move { core.reset(&options_of(&options, start, within)).await.map(|()| Python::attach(|py| py.None())) })
        }))
    }

    /// A view of the same instance with other options for its calls: `await instance.using(timeout=0.1).greet(...)`.
    #[pyo3(signature = (*, timeout = None))]
    fn using<'py>(&self, py: Python<'py>, timeout: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, View>> {
        view(py, self.owned.get(), &config::call_options(py, timeout)?)
    }

    /// Take what the guest wrote to a captured standard output.
    fn take_stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stdout())
    }

    /// Take what the guest wrote to a captured standard error.
    fn take_stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.core.take_stderr())
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        Err(function::unknown(py, self.core.plugin().name(), self.owned.get().1.get().functions.bind(py), name))
    }

    fn __repr__(&self) -> String {
        let state = self.core.dead().map_or_else(String::new, |dead| format!(", ended: {}", dead.message()));
        format!("<undergo.AsyncInstance of {}{state}>", self.core.plugin().name())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        let Some(owned) = &self.owned.0 else { return Ok(()) };
        visit.call(&owned.0)?;
        visit.call(&owned.1)?;
        visit.call(&owned.2)
    }
}
