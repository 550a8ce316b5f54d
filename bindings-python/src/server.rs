//! A plugin that serves HTTP.

use pyo3::prelude::*;
use undergo::{ErrorSink, InstanceOptions, ServeOptions};

use crate::parts::Origin;
use crate::{config, errors, package, records};

/// A component that serves HTTP, on threads of its own.
///
/// `Plugin.serve` creates it. As a context manager, it ends behind the requests that are running.
/// Requests that fail are logged by the logger `undergo.serve`.
#[pyclass(frozen, weakref, module = "undergo")]
pub(crate) struct Server {
    core: undergo::Server,
    /// What holds the functions that its instances call.
    origin: Origin,
}

impl Server {
    pub(crate) fn make<'py>(
        py: Python<'py>,
        plugin: &undergo::Plugin,
        origin: Origin,
        address: &str,
        options: ServeOptions,
    ) -> PyResult<Bound<'py, Server>> {
        let core = py.detach(|| plugin.serve(address, options)).map_err(|error| errors::to_python(py, &error))?;
        Bound::new(py, Server { core, origin })
    }
}

/// The numbers of a server, checked.
pub(crate) fn options<'py>(
    py: Python<'py>,
    instances: Option<&Bound<'py, PyAny>>,
    max_calls: Option<&Bound<'py, PyAny>>,
    idle: Option<&Bound<'py, PyAny>>,
    [queue, connections, body]: [Option<&Bound<'py, PyAny>>; 3],
    instance: InstanceOptions,
) -> PyResult<ServeOptions> {
    let usual = ServeOptions::default();
    let number = |given: Option<&Bound<'py, PyAny>>, name: &str, least: u64, usual: u64| {
        given.map_or(Ok(usual), |given| config::count(given, name, least))
    };
    let usual_size = usual.pool.size.into_pyobject(py)?.into_any();
    let size = instances.unwrap_or(&usual_size);
    Ok(ServeOptions {
        pool: config::pool_options(("instances", size), max_calls, idle, instance)?,
        queue: number(queue, "queue", 0, usual.queue as u64)? as usize,
        connections: number(connections, "connections", 1, usual.connections as u64)? as usize,
        body: number(body, "body", 0, usual.body)?,
        errors: Some(ErrorSink::new(log)),
    })
}

/// Tells the package's logger of a request that has failed.
fn log(error: &undergo::Error) {
    Python::attach(|py| {
        let told = package::serving(py, "log").and_then(|log| log.call1((errors::to_python(py, error),)));
        if let Err(raised) = told {
            raised.write_unraisable(py, None);
        }
    });
}

#[pymethods]
impl Server {
    /// Where it listens: `"127.0.0.1:8080"`, with the port that the system chose for 0.
    #[getter]
    fn address(&self) -> String {
        self.core.address().to_string()
    }

    /// The plugin that serves.
    #[getter]
    fn plugin(&self, py: Python<'_>) -> Py<PyAny> {
        self.origin.plugin.clone_ref(py)
    }

    /// What it has done so far, and what it has now.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        records::server_stats(py, self.core.stats())
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.core.is_closed()
    }

    /// Accept no more connections, and wait for running requests.
    ///
    /// Args:
    ///     timeout: seconds to wait; then they are ended. None: without limit.
    ///
    /// Raises:
    ///     TimeoutError: if requests were still running then.
    ///     BusyError: in a function that one of its requests has called, which can't be waited for.
    ///         The server ends behind its running requests all the same.
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

    fn __repr__(&self) -> String {
        let state = if self.core.is_closed() { ", closed" } else { "" };
        format!("<undergo.Server at {}{state}>", self.core.address())
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.origin.visit(&visit)
    }
}
